"""From inventory files to an Inventory: every fault at once, with its place; no machine is contacted."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_tentacle.files import read_regular
from pytest_tentacle.octopus import Portal, PortalError

from .document import Declaration, Document, document_of
from .faults import Faults, Place, did_you_mean
from .layers import Layer, LayerReader, merged
from .model import Inventory, OctopusServer, Origin, Tentacle, Waiver
from .nodes import MapValue, parse
from .references import References, SecretSource
from .secrets import Secret
from .sources.named import PLACE, NamedMachines
from .sources.octopus import FromOctopus, adopt, entries_of
from .sources.opening import is_special, open_special
from .transports import TransportBuilder

LARGEST_INVENTORY = 20_000_000
"""Bytes of one file; 10,000 machines take some 2 MB."""

_DEFAULT_INSTANCE = {"tentacle": "Tentacle", "server": "OctopusServer"}
"""What an instance is called where nobody named it (tentacle-facts, services and registry)."""


@dataclass(frozen=True)
class OctopusSource:
    """An Octopus Server to ask for machines.

    Attributes:
        api_key: None, with `token`: what the environment holds is used.
        token: a bearer token in its place.
        spaces: names or ids; none: all that the account sees.
        ca: PEM file of a private CA.
    """

    url: str
    api_key: Secret | None = None
    token: Secret | None = None
    spaces: tuple[str, ...] = ()
    include_disabled: bool = False
    ca: Path | None = None


def load(
    paths: Sequence[Path | str],
    environment: Mapping[str, str] = os.environ,
    codes: Collection[str] | None = None,
    *,
    named: NamedMachines | None = None,
    octopus: OctopusSource | None = None,
    ask: Callable[[OctopusSource], Portal] | None = None,
    elsewhere: bool = False,
) -> Inventory:
    """Read inventory files as one inventory.

    A file's defaults are for its own machines; its groups, and its servers, for the machines of the others too (where
    two files have a group of one name, each file's machines take their own).

    Args:
        paths: the files, or what else `sources.opening` knows: `-`, `lab:`, `csv:FILE`, `ansible:FILE`, a program.
        environment: what `${env:NAME}` is looked up in.
        codes: of all problems that can be waived; None takes any code of the right form.
        named: machines of the command line, beside those of the files.
        octopus: the Octopus Server of the command line; it takes the place of a file's `octopus:` block.
        ask: reads it; raises PortalError. None: a block in a file is a fault, since nobody can be asked.
        elsewhere: machines with a site are surveyed by its worker: paths of theirs are the worker's, and so are
            secrets with `secrets: worker`.

    Raises:
        InventoryError: anything is wrong with any of the files, or a secret that a machine needs cannot be had.
    """
    named_files = [Path(path) for path in paths]
    faults = Faults()
    references = References(environment, faults)
    reader = LayerReader(references, faults)
    digest = hashlib.sha256()
    documents = []
    for path in _each_once(named_files, faults):
        root, raw = open_special(path, faults) if is_special(path) else _file(path, faults)
        digest.update(raw)
        if root is not None:
            documents.append(document_of(str(path), root, reader, faults))
    if named:
        documents.append(document_of(str(PLACE), named.root(), reader, faults))
    files = tuple(str(path) for path in paths)
    source = octopus or _source_of(documents, references, faults)
    portal, found = _ask(source, ask, documents, faults) if source else (None, FromOctopus())
    if portal:
        documents.append(adopt(documents, portal, found, reader, faults))
    resolution = _Resolution(documents, references, faults, codes, elsewhere)
    resolution.run()
    if not faults and not resolution.servers and not resolution.tentacles:
        place = Place(documents[0].file, 1, 1) if documents else Place("--inventory")
        faults.add(place, "no machine is declared", hint="list Tentacles under tentacles:, servers under servers:")
    elif portal and not faults and not resolution.tentacles:
        faults.add(Place(f"octopus:{portal.url}"), "it names no machine to look at", hint=" ".join(found.notes) or None)
    if faults:
        raise faults.error(files)
    return Inventory(
        servers=tuple(resolution.servers),
        tentacles=tuple(
            tentacle.model_copy(update={"registrations": found.registrations.get(tentacle.name, ())})
            for tentacle in resolution.tentacles
        ),
        portal=portal,
        disabled=found.disabled,
        files=files,
        digest=digest.hexdigest(),
        warnings=(*faults.warnings, *found.notes),
        secret_files=references.files(),
        is_lab=resolution.is_lab,
        lab_settings={key: value for document in documents for key, value in document.lab_settings.items()},
        lab_faults=resolution.lab_faults,
    )


def _source_of(documents: Sequence[Document], references: References, faults: Faults) -> OctopusSource | None:
    """The Octopus Server that a file names; one a run."""
    blocks = [document.octopus for document in documents if document.octopus]
    if len(blocks) > 1:
        faults.add(blocks[1].place, "a second Octopus Server", hint=f"one a run: the first is at {blocks[0].place}")
    if not blocks:
        return None
    layer = blocks[0].layer
    secrets = {}
    for key in ("api_key", "token"):
        value = layer.value(key)
        secrets[key] = references.resolve(value) if isinstance(value, SecretSource) else value
    if layer.value("api_key") is not None and layer.value("token") is not None:
        faults.add(layer.place_of("token"), "token stands beside api_key", hint="give one of the two")
    url = layer.value("url")
    if url is None:
        return None
    return OctopusSource(
        url=url,
        api_key=secrets["api_key"],
        token=secrets["token"],
        spaces=tuple(layer.value("spaces") or ()),
        include_disabled=bool(layer.value("include_disabled")),
        ca=layer.value("ca"),
    )


def _ask(
    source: OctopusSource,
    ask: Callable[[OctopusSource], Portal] | None,
    documents: Sequence[Document],
    faults: Faults,
) -> tuple[Portal | None, FromOctopus]:
    """What Octopus says. Where files name machines too, a server that gives no answer costs its own part alone."""
    place = Place(f"octopus:{source.url}")
    if ask is None:
        faults.add(place, "an octopus: block needs a run that may ask Octopus", hint="leave it out, or run pytest")
        return None, FromOctopus()
    try:
        portal = ask(source)
    except PortalError as error:
        if any(document.tentacles for document in documents):
            faults.warn(place, f"Octopus was not asked: {error}. The machines of the files are checked all the same.")
        else:
            faults.add(place, str(error.args[0]), hint=error.advice or None)
        return None, FromOctopus()
    return portal, entries_of(portal, include_disabled=source.include_disabled)


def _each_once(paths: Sequence[Path], faults: Faults) -> list[Path]:
    seen: dict[Path, Path] = {}
    for path in paths:
        first = seen.setdefault(path.absolute(), path)
        if first is not path:
            faults.add(Place(str(path)), "the file is given twice")
    return list(seen.values())


def _file(path: Path, faults: Faults) -> tuple[MapValue | None, bytes]:
    raw = _read(path, faults)
    return (None if raw is None else parse(str(path), raw, faults)), raw or b""


def _read(path: Path, faults: Faults) -> bytes | None:
    try:
        return read_regular(path, LARGEST_INVENTORY)
    except FileNotFoundError:
        try:
            siblings = sorted(entry.name for entry in path.parent.iterdir())
        except OSError:
            siblings = []
        faults.add(Place(str(path)), "there is no such file", hint=_instead_of(path, siblings))
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else error.strerror or type(error).__name__
        faults.add(Place(str(path)), f"cannot be read: {reason}", hint="name a file in it" if path.is_dir() else None)
    return None


def _instead_of(path: Path, siblings: Sequence[str]) -> str | None:
    """What may have been meant by a file that is not there."""
    if re.match(r"https?:/", str(path)):
        return "an inventory is a file: fetch it first, or let a program print it; --octopus URL asks an Octopus Server"
    if path.parts[-1:] and path.parts[0].partition(":")[0] == "lab":
        return "the embedded lab is --inventory lab:"
    return did_you_mean(path.name, siblings)


@dataclass
class _Resolution:
    """Machines out of documents: names, groups and servers of one file are known to the others."""

    documents: list[Document]
    references: References
    faults: Faults
    codes: Collection[str] | None
    elsewhere: bool
    servers: list[OctopusServer] = field(default_factory=list)
    tentacles: list[Tentacle] = field(default_factory=list)
    lab_faults: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def is_lab(self) -> bool:
        return any(document.is_lab for document in self.documents)

    def run(self) -> None:
        self._transports = TransportBuilder(self.references, self.faults, lab=self.is_lab, elsewhere=self.elsewhere)
        self._names: dict[str, tuple[str, Place]] = {}
        self._hosts: dict[tuple[str, str, str], tuple[str, Place]] = {}
        groups = {name for document in self.documents for name in document.groups}
        self._server_names = dict.fromkeys(
            name for document in self.documents for entry in document.servers if (name := entry.layer.value("name"))
        )
        for document in self.documents:
            for entry in document.servers:
                if (values := self._machine(document, entry, groups)) is not None:
                    self._add_server(*values)
            for entry in document.tentacles:
                if (values := self._machine(document, entry, groups)) is not None:
                    self._add_tentacle(*values)

    def _machine(self, document: Document, entry: Declaration, groups: set[str]) -> tuple[Layer, dict[str, Any]] | None:
        """What servers and Tentacles have in common; None for an entry without a usable name."""
        own = entry.layer
        name = own.value("name")
        if name is None:
            return None
        place = own.place_of("name")
        first = self._names.setdefault(name.casefold(), (name, place))
        if first[1] is not place:
            self.faults.add(place, "the name is given twice", name, f"first at {first[1]}")
        layer = merged([*self._inherited(document, entry, groups), own])
        if entry.below is not None and "groups" in own.settings:  # those that Octopus knows stay names for --limit
            known = dict.fromkeys([*(layer.value("groups") or ()), *(entry.below.value("groups") or ())])
            layer.settings["groups"] = layer.settings["groups"]._replace(value=tuple(known))
        if layer.lab_place is not None and layer.lab:
            self.lab_faults[name] = layer.lab
            if not self.is_lab:
                self.faults.add(layer.lab_place, "lab: is for files with lab: true at their top")
        transport = self._transports.build(own, layer, name)
        values = {
            key: layer.value(key)
            for key in ("dns_name", "ip", "os", "instance", "thumbprint", "site", "cluster", "container")
            if layer.value(key) is not None
        }
        if transport.default_os is not None:
            values.setdefault("os", transport.default_os)
        origin = Origin(file=place.file, line=place.line)
        values |= {"name": name, "transport": transport, "origin": origin, "groups": layer.value("groups") or ()}
        values["waive"] = tuple(self._waivers(layer))
        return layer, values

    def _waivers(self, layer: Layer) -> Iterator[Waiver]:
        seen: dict[str, Place] = {}
        for number, waive in enumerate(layer.value("waive") or ()):
            place = layer.place_of("waive", number)
            first = seen.setdefault(waive.code, place)
            if first is not place:
                self.faults.add(place, "the problem is waived twice", waive.code, f"first in line {first.line}")
            if self.codes is not None and waive.code not in self.codes:
                hint = self.faults.near(waive.code, self.codes) or "the report names the code beside each problem"
                self.faults.add(place, "there is no problem of this code to waive", waive.code, hint)
            origin = Origin(file=place.file, line=place.line)
            yield Waiver(code=waive.code, reason=waive.reason, until=waive.until, origin=origin)

    def _inherited(self, document: Document, entry: Declaration, groups: set[str]) -> list[Layer]:
        """The layers below a machine's own: defaults, then its groups in the order in which they are listed."""
        layers = [layer for layer in (entry.defaults, entry.below) if layer is not None]
        grouped = merged([*layers, entry.layer])
        for number, group in enumerate(grouped.value("groups") or ()):
            declared = [other.groups[group] for other in (document, *self.documents) if group in other.groups]
            if not declared:
                hint = self.faults.near(group, groups) or "declare it under groups:"
                self.faults.add(grouped.place_of("groups", number), "there is no such group", group, hint)
            else:
                layers.append(next((each for each in declared if each.settings or each.transport), declared[0]))
        return layers

    def _add_server(self, layer: Layer, values: dict[str, Any]) -> None:
        for key in ("addresses", "portal", "polling_ports", "gateway", "vantage"):
            if (value := layer.value(key)) is not None:
                values[key] = value
        server = OctopusServer(**values)
        self._check_alone(server, layer)
        self.servers.append(server)

    def _add_tentacle(self, layer: Layer, values: dict[str, Any]) -> None:
        for key in ("mode", "port", "listens_on", "via_proxy", "shares_certificate"):
            if (value := layer.value(key)) is not None:
                values[key] = value
        servers = layer.value("servers") or ()
        for number, server in enumerate(servers):
            if server not in self._server_names:
                hint = self.faults.near(server, self._server_names) or "declare it under servers:"
                self.faults.add(layer.place_of("servers", number), "there is no such server", server, hint)
        if not servers and "servers" not in layer.settings and len(self._server_names) == 1:
            servers = tuple(self._server_names)
        tentacle = Tentacle(**values, servers=servers)
        self._check_alone(tentacle, layer)
        self.tentacles.append(tentacle)

    def _check_alone(self, machine: OctopusServer | Tentacle, layer: Layer) -> None:
        """Two machines on one host must be two instances."""
        instance = machine.instance or _DEFAULT_INSTANCE[machine.role]
        place = layer.place_of("name")
        key = (machine.role, machine.host_key, instance.casefold())
        name, first = self._hosts.setdefault(key, (machine.name, place))
        if first is not place and name.casefold() != machine.name.casefold():
            message = f"same host and instance as {name!r}, at {first}"
            self.faults.add(place, message, machine.name, "tell them apart by instance:, or by host in transport:")
