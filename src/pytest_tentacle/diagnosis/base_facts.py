"""What is known of a machine for any command about it: its programs, service, instance, mode, and its only server."""

from __future__ import annotations

import ntpath
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.entries import is_of_these_alone
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import By
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.sections.versions import version_among
from pytest_tentacle.survey.configuration import TrustedServer
from pytest_tentacle.survey.targets import names_of

_PROGRAMS = {
    "tentacle": (
        "tentacle",
        r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe",
        "/opt/octopus/tentacle/Tentacle",
    ),
    "octopus": (
        "octopus.server",
        r"C:\Program Files\Octopus Deploy\Octopus\Octopus.Server.exe",
        "/Octopus/Octopus.Server",
    ),
}
"""By placeholder: the program's name without its ending, in lower case, and where installers put it."""


def base_facts(subject: Subject) -> dict[str, Any]:
    """By placeholder, what every command about that machine may need; what is not known is left out."""
    facts: dict[str, Any] = {"machine": subject.name, **_registered_name(subject), **subject.call_facts}
    facts |= {"is_tentacle": subject.is_tentacle, "is_server": not subject.is_tentacle}
    facts |= {each: _program(subject, each) for each in _PROGRAMS} | _installed(subject)
    facts |= _own_log(subject) | _own_home(subject)
    if subject.is_tentacle and subject.mode is not None:
        facts |= {mode.value: subject.mode is mode for mode in Mode}
    apart = _apart(subject) if len(subject.peers) > 1 else []
    facts |= _at_server(subject, ()) | _of_each(apart) if len(apart) > 1 else _at_server(subject, subject.peers)
    shared = subject.machine.cluster or facts["clustered"] or getattr(subject.machine, "shares_certificate", False)
    return facts | {
        "shares_certificate": bool(shared),
        "own_certificate": not shared,
    }  # on purpose, as a cluster's nodes do


def _registered_name(subject: Subject) -> dict[str, str]:
    """Its name in the portal, by which --force takes a machine over; the inventory's where nobody asked Octopus."""
    portal, ids = subject.fleet.surveys.inventory.portal, set(getattr(subject.machine, "registrations", ()))
    names = {each.name for each in portal.registrations if each.id in ids} if portal else set()
    return {"name": next(iter(names))} if len(names) == 1 else {} if names else {"name": subject.name}


def _installed(subject: Subject) -> dict[str, str]:
    """The version of a Tentacle, which decides what its calls may be made of; nothing where nobody knows it."""
    survey = subject.known_survey
    products = survey.products.data if survey else None
    version = version_among(products or (), "tentacle", subject.known_service) if subject.is_tentacle else None
    return {"installed": version} if version else {}


def _own_log(subject: Subject) -> dict[str, str]:
    """Linux: the log of a Tentacle that does not run as root, and the user that must be able to write it."""
    survey, service = subject.known_survey, subject.known_service
    account = service.account if service and subject.is_tentacle and subject.system == "linux" else None
    logs = survey.logs.data if survey else None
    own = [log.path for log in logs or () if log.account is None and log.product == "tentacle" and log.error is None]
    return {"runs_as": account, "own_log": own[0]} if account not in {None, "root"} and len(own) == 1 else {}


def _own_home(subject: Subject) -> dict[str, Any]:
    """Octopus Home by its settings.

    `homeless` is one that has none, or of which nobody knows: another home would leave what lies in the first.
    """
    try:
        home = subject.settings.home if subject.is_tentacle else None
    except (Unknown, Blocked):
        return {"homeless": True}
    return {"homeless": subject.is_tentacle and not home} | ({"home": home} if home else {})


def server_facts(subject: Subject, server: str | None) -> dict[str, Any]:
    """What commands for one of its servers need, where it works for several Octopus Servers; else the base facts do."""
    if len(subject.peers) < 2:  # noqa: PLR2004  one alone is in the base facts
        return {}
    apart = _apart(subject)
    nodes = next((found for found in apart if any(each.name == server for each in found)), ())
    if len(apart) < 2 or not nodes:  # noqa: PLR2004  one alone is in the base facts
        return {}
    return _at_server(subject, nodes) | dict.fromkeys(_WHOSE, f": {nodes[0].name}'s")


_WHOSE = ("whose_portal", "whose_polled", "whose_polled_port")
"""Which of several Octopus Servers a value is to be of, where nobody knows the value itself (`with_own_values`)."""
_NAMED = 5


def _of_each(servers: list[tuple[Subject, ...]]) -> dict[str, str]:
    """What is to be done at each of several Octopus Servers, with what is known of each."""
    found = {}
    for whose in _WHOSE:
        known = [_at_end(nodes).get(whose.removeprefix("whose_")) for nodes in servers[:_NAMED]]
        names = [nodes[0].name + (f" ({value})" if value else "") for nodes, value in zip(servers, known, strict=False)]
        more = f" and {len(servers) - _NAMED:,} more" if len(servers) > _NAMED else ""
        found[whose] = f": those of {', '.join(names)}{more} in turn, with a command for each"
    return found


def _apart(subject: Subject) -> list[tuple[Subject, ...]]:
    """A Tentacle's server nodes by Octopus Server: those with the same thumbprint, or with none, are of one."""
    found: dict[str | None, tuple[Subject, ...]] = {}
    for each in subject.peers if subject.is_tentacle else ():
        known = as_thumbprint(each.machine.thumbprint)
        found[known] = (*found.get(known, ()), each)
    unknown = found.pop(None, ())
    servers = list(found.values())
    return [(*servers[0], *unknown), *servers[1:]] if servers else [unknown] if unknown else []


def _at_server(subject: Subject, nodes: tuple[Subject, ...]) -> dict[str, Any]:
    """The portal and address of one Octopus Server, by its nodes, and what of the Tentacle's trust is another's."""
    own = _at_end(nodes) if subject.is_tentacle else _at_end((subject,), polled=False)
    own |= {"several_nodes": subject.is_tentacle and len(nodes) > 1}
    return own | _other_servers(subject, nodes)


def _at_end(nodes: tuple[Subject, ...], *, polled: bool = True) -> dict[str, Any]:
    """What is known of one Octopus Server: its portal, and how it is polled."""
    portal = next((each for each in map(_portal, nodes) if each), None)
    return ({"portal": portal} if portal else {}) | _other_end(nodes if polled else ())


def trust_facts(subject: Subject, problem: Mapping[str, Any]) -> dict[str, Any]:
    """What a Tentacle's file has instead of a server's thumbprint, and whether it lacks this one: `mistrusts`.

    Or not, as far as that is known: `trusts`.

    And whether to replace the old one cuts off nobody else: `replaceable`.
    """
    if not subject.is_tentacle:
        return {}
    try:
        settings = subject.settings
    except (Unknown, Blocked):
        return {}
    if settings.trusted_error:
        return {}
    polled = {entry.thumbprint for entry in settings.trusted if entry.polls and entry.thumbprint}
    thumbprint = problem.get("thumbprint")
    facts: dict[str, Any] = {"configured": next(iter(polled))} if len(polled) == 1 else {}
    old = problem.get("configured") or problem.get("expected_thumbprint") or facts.get("configured")
    if isinstance(old, str) and polled:
        nodes = [each for each in subject.peers if as_thumbprint(each.expected_thumbprint) == as_thumbprint(thumbprint)]
        replaceable = is_of_these_alone(old, nodes or subject.peers, subject)
        facts |= {"replaceable": replaceable, "unreplaceable": not replaceable}
    if isinstance(thumbprint, str) and thumbprint:
        let_in = {(entry.thumbprint or "").upper() for entry in settings.trusted}
        is_trusted = thumbprint in polled if subject.mode is Mode.POLLING else thumbprint.upper() in let_in
        facts["mistrusts"] = not is_trusted
    return facts | {"trusts": not facts.get("mistrusts", False)}


def _portal(subject: Subject) -> str | None:
    return subject.machine.portal if isinstance(subject.machine, OctopusServer) else None


def _other_end(peers: tuple[Subject, ...]) -> dict[str, Any]:
    """What a Tentacle's own commands need of its only server node: the address that it polls, or should."""
    if len(peers) != 1 or not isinstance(peers[0].machine, OctopusServer):
        return {}
    machine = peers[0].machine
    host = machine.dns_name or machine.ip or peers[0].name
    gateway = machine.gateway or (f"{host}:{machine.polling_ports[0]}" if machine.polling_ports else None)
    seen = {"polled": f"https://{gateway}", "polled_port": gateway.rpartition(":")[2]} if gateway else {}
    return seen | ({"peers": machine.ip} if machine.ip else {})


def _other_servers(subject: Subject, nodes: tuple[Subject, ...]) -> dict[str, Any]:
    """Whether it trusts or polls servers besides its own: what forgets all trust must not take those with it."""
    if not subject.is_tentacle:
        return {}
    try:
        settings = subject.settings
    except (Unknown, Blocked):
        settings = None
    if settings is None or settings.trusted_error:
        return {"trusts_other": False, "trusts_others": True, "polls_others": False, "polls_nodes": False}
    own = {as_thumbprint(each.machine.thumbprint) for each in nodes}
    surveys = [survey for each in nodes if (survey := each.known_survey)]
    own |= {as_thumbprint(probe.thumbprint) for survey in surveys for probe in survey.probes if probe.by is By.LOCAL}
    hosts = {plain_host(name) for each in nodes for name, _ in names_of(each.machine)}
    listening = {
        found
        for entry in settings.trusted
        if not entry.polls and (found := as_thumbprint(entry.thumbprint)) is not None and found not in own
    }
    polled = {plain_host(urlsplit(entry.address or "").hostname or "") for entry in settings.trusted if entry.polls}
    facts: dict[str, Any] = {"trusted_too": next(iter(listening))} if len(listening) == 1 else {}
    more = {as_thumbprint(entry.thumbprint) for entry in settings.trusted if entry.polls} - own
    return facts | {
        "trusts_other": len(listening) == 1,
        "trusts_others": len(listening) > 1,
        "polls_others": bool(polled - hosts) and bool(more),
        "polls_nodes": len(_addresses(settings.trusted, own)) > 1,
    }


def _addresses(trusted: Iterable[TrustedServer], own: Collection[str | None]) -> set[str]:
    """Where it polls what has one of these thumbprints: an address for each node."""
    polled = (each for each in trusted if each.polls and as_thumbprint(each.thumbprint) in own)
    return {urlsplit(each.address or "").netloc.lower() for each in polled}


def _program(subject: Subject, product: str) -> str:
    """The path of a product's program on the machine: its service's, else where it is installed, else the usual."""
    name, windows, linux = _PROGRAMS[product]
    own, service, survey = "tentacle" if subject.is_tentacle else "octopus", subject.known_service, subject.known_survey
    if own == product and service and _is_program(service.executable, name):
        return str(service.executable)
    products = survey.products.data if survey else None
    for each in products or ():
        if (each.product == "tentacle") == (product == "tentacle") and _is_program(each.path, name):
            return str(each.path)
    return linux if subject.system == "linux" else windows


def _is_program(path: str | None, name: str) -> bool:
    """Whether a path is that of the product's own program, and not of what runs it (`dotnet`)."""
    return bool(path) and ntpath.basename(str(path)).lower().removesuffix(".exe") == name
