"""Machines that Octopus Server names, as entries of an inventory: what a file declares wins, Octopus fills the gaps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from pytest_tentacle.hiding import hide
from pytest_tentacle.hiding.values import has_password, shown
from pytest_tentacle.inventory.document import Declaration, Document
from pytest_tentacle.inventory.faults import Faults, Place
from pytest_tentacle.inventory.file_model import GroupSettings, ServerEntry, TentacleEntry
from pytest_tentacle.inventory.layers import Layer, LayerReader
from pytest_tentacle.inventory.nodes import MapValue
from pytest_tentacle.inventory.sources.plain import nodes_of
from pytest_tentacle.octopus.addresses import is_address
from pytest_tentacle.octopus.machines import normal_thumbprint
from pytest_tentacle.octopus.model import Node, Portal, Registration

_SHOWN = 5
"""Names that a note tells."""

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_NOT_IN_NAMES = {"[": "(", "]": ")", ",": ";", "*": "x", "?": "_", "!": "_"}
_COMPARED = ("mode", "port", "dns_name", "ip", "thumbprint", "os")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass
class FromOctopus:
    """What Octopus's machines come to.

    Attributes:
        servers: entries as a file's, by plain values.
        tentacles: the same.
        registrations: by an entry's name, the ids of its registrations.
        disabled: names of machines that are disabled in Octopus and were left out.
        notes: sentences for the report's head.
    """

    servers: list[dict[str, Any]] = field(default_factory=list)
    tentacles: list[dict[str, Any]] = field(default_factory=list)
    registrations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    disabled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups that the entries are in."""
        return tuple(dict.fromkeys(group for entry in self.tentacles for group in entry["groups"]))


def entries_of(portal: Portal, *, include_disabled: bool = False) -> FromOctopus:
    """The inventory's entries for what Octopus says.

    A Tentacle that is registered several times, as a target and a worker or in several spaces, is one entry. Machines
    that are disabled in Octopus are left out unless asked for.
    """
    found = FromOctopus()
    names = _Names()
    found.servers = list(_servers(portal))
    for server in found.servers:
        names.take(server["name"])
    disabled: list[str] = []
    unusable: list[str] = []
    for same in _one_tentacle_each(portal.registrations):
        enabled = [each for each in same if include_disabled or not each.disabled]
        if not enabled:
            disabled.append(same[0].name)
            continue
        entry = _entry(enabled, names)
        entry["servers"] = [server["name"] for server in found.servers]
        unusable += _drop_unusable(entry)
        found.tentacles.append(entry)
        found.registrations[entry["name"]] = tuple(each.id for each in same)
    found.disabled = tuple(disabled)
    found.notes = (*_notes(portal, found), *unusable)
    return found


def adopt(
    documents: Sequence[Document], portal: Portal, found: FromOctopus, reader: LayerReader, faults: Faults
) -> Document:
    """Join what Octopus says with what the files declare.

    An entry of a file that has the name of one of Octopus's gets it as a layer below its own. All others become entries
    of a document of their own, with the first file's defaults, so that it can say how to log on.

    Returns:
        The document of Octopus's own entries; the files' documents have changed.
    """
    place = Place(f"octopus:{portal.url}", 1, 1)
    document = Document(place.file)
    defaults_of = {"server": _defaults(documents, "servers"), "tentacle": _defaults(documents, "tentacles")}
    declared_groups = {name for each in documents for name in each.groups}
    document.groups = {
        name: reader.read(MapValue(place), GroupSettings) for name in found.groups if name not in declared_groups
    }
    declared_servers = [entry for each in documents for entry in each.servers]
    if declared_servers:
        names = _fitting(declared_servers, portal)
        for entry in found.tentacles:
            entry["servers"] = names
        _fill_servers(documents, portal, reader, place)
    else:
        document.servers = [
            Declaration(reader.read(nodes_of(entry, place), ServerEntry), defaults_of["server"])
            for entry in found.servers
        ]
    layers = {entry["name"].casefold(): reader.read(nodes_of(entry, place), TentacleEntry) for entry in found.tentacles}
    declared = [entry for each in documents for entry in each.tentacles]
    unknown = [name for entry in declared if (name := _name(entry)) and _key_of(entry, layers) is None]
    if unknown and not portal.coverage.partial:
        faults.warn(place, f"Octopus lists no Tentacle called {_some(unknown)}: deleted there, or of another server?")
    for each in documents:
        each.tentacles = [_below(entry, layers, found, faults) for entry in each.tentacles]
    document.tentacles = [Declaration(layer, defaults_of["tentacle"]) for layer in layers.values()]
    return document


def _name(entry: Declaration) -> str:
    return str(entry.layer.value("name") or "")


def _key_of(entry: Declaration, layers: dict[str, Layer]) -> str | None:
    """Which of Octopus's machines it is: that of its name, else the only one at its address and port."""
    name = _name(entry).casefold()
    if name in layers:
        return name
    hosts = {_plain(str(host)) for key in ("dns_name", "ip") if (host := entry.layer.value(key))}
    port = entry.layer.value("port")
    there = [
        key
        for key, layer in layers.items()
        if any(_plain(str(host)) in hosts for at in ("dns_name", "ip") if (host := layer.value(at)))
        and port in {None, layer.value("port")}
    ]
    return there[0] if len(there) == 1 else None


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").casefold()


def _below(entry: Declaration, layers: dict[str, Layer], found: FromOctopus, faults: Faults) -> Declaration:
    key = _key_of(entry, layers)
    if key is None:
        return entry
    layer, own_name = layers.pop(key), _name(entry)
    known_as = str(layer.value("name"))
    if own_name != known_as:
        found.registrations[own_name] = found.registrations.pop(known_as, ())
    if own_name.casefold() != known_as.casefold():
        faults.warn(entry.layer.place_of("name"), f"it is {own_name} here, and {known_as} in Octopus, by its address")
    for key in _COMPARED:
        own, theirs = entry.layer.value(key), layer.value(key)
        if own is not None and theirs is not None and str(own).casefold() != str(theirs).casefold():
            faults.warn(
                entry.layer.place_of(key), f"{key} is {own} here, and {theirs} in Octopus; this file is believed"
            )
    return replace(entry, below=layer)


def _fitting(servers: Iterable[Declaration], portal: Portal) -> list[str]:
    """The declared nodes of this very Octopus: those that name its portal, else all."""
    named = [
        entry
        for entry in servers
        if str(entry.layer.value("portal") or "").rstrip("/").casefold() == portal.url.casefold()
    ]
    return [str(entry.layer.value("name")) for entry in named or servers if entry.layer.value("name")]


def _fill_servers(documents: Sequence[Document], portal: Portal, reader: LayerReader, place: Place) -> None:
    """Octopus's own thumbprint, for the declared nodes that give none."""
    thumbprint = normal_thumbprint(portal.thumbprint)
    if thumbprint is None:
        return
    names = set(_fitting([entry for each in documents for entry in each.servers], portal))
    for each in documents:
        for number, entry in enumerate(each.servers):
            if (name := entry.layer.value("name")) in names:
                below = reader.read(nodes_of({"name": name, "thumbprint": thumbprint}, place), ServerEntry)
                each.servers[number] = replace(entry, below=below)


def _defaults(documents: Sequence[Document], key: str) -> Layer | None:
    return next((each.defaults[key] for each in documents if key in each.defaults), None)


# -- entries -------------------------------------------------------------------------------------------------------


def _servers(portal: Portal) -> Iterator[dict[str, Any]]:
    """One entry a node that is not offline; one for the whole where the nodes are not known."""
    nodes = [node for node in portal.nodes if not node.offline and node.name] or [Node(name="octopus")]
    host = re.sub(r"^https?://", "", portal.url).partition("/")[0].rpartition("@")[2]
    host = host.removesuffix(f":{host.rpartition(':')[2]}") if re.search(r":\d+$", host) else host
    for node in nodes:
        entry: dict[str, Any] = {"name": _usable(node.name), "portal": portal.url}
        if len(nodes) == 1:  # of several nodes nobody says which name leads to which
            entry["ip" if is_address(host.strip("[]")) else "dns_name"] = host.strip("[]")
        if thumbprint := normal_thumbprint(portal.thumbprint):
            entry["thumbprint"] = thumbprint
        yield entry


def _one_tentacle_each(registrations: Iterable[Registration]) -> list[list[Registration]]:
    """Registrations of one Tentacle together: of one thumbprint, at one address or with one subscription."""
    found: dict[tuple[str, ...], list[Registration]] = {}
    for each in registrations:
        thumbprint = normal_thumbprint(each.thumbprint)
        where = each.subscription or (f"{each.host}:{each.port}" if each.host else None)
        key = (thumbprint, where) if thumbprint and where else (each.space, each.id)
        found.setdefault(key, []).append(each)
    return list(found.values())


def _entry(same: Sequence[Registration], names: _Names) -> dict[str, Any]:
    first = same[0]
    entry: dict[str, Any] = {"name": names.of(first), "mode": first.mode}
    if first.host and first.host not in _LOCAL:
        entry["ip" if is_address(first.host) else "dns_name"] = first.host
    if first.port is not None:
        entry["port"] = first.port
    if thumbprint := normal_thumbprint(first.thumbprint):
        entry["thumbprint"] = thumbprint
    if system := next((each.os for each in same if each.os), None):
        entry["os"] = system
    entry["groups"] = list(dict.fromkeys(_usable(group) for each in same for group in each.groups))
    return entry


def _drop_unusable(entry: dict[str, Any]) -> list[str]:
    """Take away what no inventory can hold, such as a host name with a blank: one bad entry costs no other machine."""
    try:
        TentacleEntry.model_validate({key: str(value) if key == "port" else value for key, value in entry.items()})
    except ValidationError as error:
        bad = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors(include_url=False))
        given = {key: entry.pop(key) for key in bad if key not in {"name", "mode"}}
        return [
            f"Octopus has a {key} of {entry['name']} that cannot be used{_told(value)}." for key, value in given.items()
        ]
    return []


def _told(value: Any) -> str:
    text = shown(str(value))
    return "" if text is None else f": {text!r}"


class _Names:
    """Gives each machine a name that no other has, and that `--limit` can take."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> bool:
        """Whether it was free."""
        if name.casefold() in self._taken:
            return False
        self._taken.add(name.casefold())
        return True

    def of(self, registration: Registration) -> str:
        """The machine's own name; with its space, then with its id, where that is taken."""
        name = _usable(registration.name) or registration.id
        for choice in (name, f"{name} ({_usable(registration.space)})", f"{name} ({registration.id})"):
            if self.take(choice):
                return choice
        unique = f"{name} ({_usable(registration.space)}, {registration.id})"
        self.take(unique)
        return unique


def _usable(name: str) -> str:
    """A name without what `--limit` gives a meaning, and without what nobody sees."""
    seen = _CONTROL.sub("", name)
    text = "".join(
        _NOT_IN_NAMES.get(sign, sign) for sign in hide(seen.rpartition("@")[2] if has_password(seen) else seen)
    )
    return " ".join(text.split())


def _notes(portal: Portal, found: FromOctopus) -> Iterator[str]:
    if portal.coverage.partial:
        yield f"Octopus shows this account only a part: {'; '.join(portal.coverage.partial)}."
    if not portal.registrations and not portal.left_out:
        yield (
            "Octopus shows this account no machine at all: most likely it lacks MachineView and WorkerView "
            "(Configuration > Teams > Roles)."
        )
    for left in portal.left_out:
        yield f"Left out of what Octopus lists, {left.style}: {_some(left.names)} ({left.reason})."
    if found.disabled:
        yield f"Disabled in Octopus, and so not checked: {_some(found.disabled)}. --include-disabled does."
    if portal.stopped_spaces:
        yield f"The task queue is stopped in {', '.join(portal.stopped_spaces)}: Octopus runs no health check there."
    yield from (f"{text}." for text in portal.unread)


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
