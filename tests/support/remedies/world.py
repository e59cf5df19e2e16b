"""From a survey to the model of Tentacle's calls, and from the model back to surveys: so that a verdict is taken again.

`state_of` reads a Tentacle and its servers as the model has them, `surveyed` is what would be surveyed of a state: a fleet of
its own with a server node or two of each Octopus Server and this Tentacle, in which everything follows from the settings, the
process and the registration, and nothing else is wrong.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.link import By, Failure
from pytest_tentacle.sections import STEPS, Subject, applicable
from pytest_tentacle.survey.targets import names_of
from support.fleets.certificates import thumbprint
from support.fleets.failures import REFUSED
from support.fleets.looks import OWN_PORT, declared, polled
from support.fleets.whole import LISTENS, Whole, make_linux, make_windows, started
from support.fleets.world import probe

from .commands import COPIED, POLLING, Portal, State, Trusted, uri

NODES = (("octo-1", "192.0.2.10"), ("octo-2", "192.0.2.11"))
OTHERS = (("other-1", "192.0.2.60"), ("other-2", "192.0.2.61"))
"""Nodes of another Octopus Server each."""
POLLING_PORT = 10943
_ELSEWHERE = "E" * 40
"""What stands for a thumbprint that is not the server's."""


class NoSettingsError(Exception):
    """There are no settings to work on, or no server to speak of."""


def state_of(subject: Subject, registered: str, said: str = "") -> State:
    """A Tentacle as its survey has it, and the server as it is, where its subscription is registered under a name.

    Of many servers, those that are `said` come first. Raises NoSettingsError.
    """
    nodes = [peer for peer in subject.peers if isinstance(peer.machine, OctopusServer)]
    if not nodes:
        raise NoSettingsError
    try:
        settings = subject.settings
        trusted = [Trusted(e.thumbprint or "", e.style or 0, e.address, e.subscription_id) for e in settings.trusted]
        damaged, listen_ip = bool(settings.trusted_error), settings.listen_ip or ""
        no_listen, port = settings.no_listen, settings.port or 0
    except (Unknown, Blocked):
        raise NoSettingsError from None
    service = subject.known_service
    by_server: dict[str, list[OctopusServer]] = {}
    for node in nodes:
        if isinstance(node.machine, OctopusServer) and (known := node.presented_here or node.machine.thumbprint):
            by_server.setdefault(known, []).append(node.machine)
    if not by_server:
        raise NoSettingsError
    portals = [_portal(known, machines, trusted, registered) for known, machines in by_server.items()]
    portals[1:] = sorted(portals[1:], key=lambda portal: not any(is_named(name, said) for name in portal.names))
    if len(portals) == 1:  # whatever the entries name: there is one that may have registered it
        portals[0].machines[registered] = next((each.subscription for each in trusted if each.subscription), None)
    return State(
        trusted,
        portals[0],
        no_listen,
        port,
        _own_address(subject, listen_ip),
        damaged_list=damaged,
        service="missing" if service is None else "running" if service.state == "running" else "stopped",
        windows=subject.read("host").os == "windows",
        mode="polling" if subject.mode is Mode.POLLING else "listening",
        declared_port=getattr(subject.machine, "listens_on", None) or getattr(subject.machine, "port", None) or 10933,
        proxy=_proxy(subject),
        others=portals[1 : 1 + len(OTHERS)],
    )


def _portal(known: str, machines: list[OctopusServer], trusted: list[Trusted], registered: str) -> Portal:
    """One Octopus Server with its nodes; a Tentacle has a subscription of its own at each."""
    nodes = [{uri(f"https://{host}:{port}") for host, port in _polled_at(machine)} for machine in machines]
    polling = set().union(*nodes)
    hosts = {each[1] for each in polling if each}
    own = (
        each.subscription
        for each in trusted
        if each.thumbprint.upper() == known.upper() or ((where := uri(each.address)) and where[1] in hosts)
    )
    names = tuple(machine.name for machine in machines)
    url = next((machine.portal for machine in machines if machine.portal), None) or f"https://portal.{names[0]}"
    mine = {registered: next(filter(None, own), None)}
    return Portal(known, polling, mine, nodes[: len(NODES)], url.rstrip("/"), names=names)


def is_named(name: str, text: str) -> bool:
    """Whether a text has a machine's name, as a word of its own."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text) is not None


def _servers(state: State) -> list[tuple[str, str, Portal, set[tuple[str, str, int] | None]]]:
    """Name and address of each server node in a fleet of a state's own, with its server and where it answers."""
    own = [(*node, state.portal, known) for node, known in zip(NODES, state.portal.nodes or [set()], strict=False)]
    others = zip(OTHERS, state.others, strict=False)
    return own + [(*node, portal, portal.polling) for node, portal in others]


def _polled_at(machine: OctopusServer) -> list[tuple[str, int]]:
    ports = machine.polling_ports or (POLLING_PORT,)
    found = [(host, port) for host, _ in names_of(machine) for port in ports]
    if machine.gateway:
        host, _, port = machine.gateway.rpartition(":")
        found.append((host, int(port)))
    return found


def _own_address(subject: Subject, listen_ip: str) -> str:
    """An address that it listens on alone; `foreign` where the machine has none such."""
    if listen_ip.lower() in {"", "any"}:
        return ""
    host = subject.read("host")
    return "own" if listen_ip in {*host.addresses, "127.0.0.1", "::1"} else "foreign"


def _proxy(subject: Subject) -> dict[str, Any]:
    """The proxy of the polled connection, by keys of the settings file."""
    settings = subject.settings.polling_proxy
    return {
        "UseDefaultProxy": "true" if settings.use_default else "false",
        "ProxyHost": settings.host or "",
        "ProxyPort": str(settings.port or ""),
    }


def surveyed(state: State) -> Whole:
    """A fleet in which one Tentacle is as the model has it."""
    world, polling = Whole(), state.mode == "polling"
    for server, ip, portal, _ in _servers(state):
        (world.add_server if portal is state.portal else world.add_other_server)(server, ip)
    name = "poll-01" if polling else "web-01"
    (world.add_polling if polling else world.add_listening)(name, "198.51.100.1")
    if polling and state.windows:
        make_windows(world, name)
    if not polling and not state.windows:
        make_linux(world, name)
    for server, *_ in _servers(state)[1:]:
        world.join(name, server)
    _settings(world, name, state)
    ran = _Ran(*(state.ran_with if len(state.ran_with) > 1 else state.settings())[:3]) if state.ran_with else None
    if polling:
        _polls(world, name, state, ran)
    else:
        _listens(world, name, state, ran)
    if state.service == "missing":
        world[name].without_service = True
    if ran is None:
        world.down(name)
    return world


class _Ran:
    """What the process read when it started."""

    def __init__(self, trusted: tuple[Trusted, ...], no_listen: bool, port: int) -> None:
        self.trusted, self.no_listen, self.port = trusted, no_listen, port


def _settings(world: Whole, name: str, state: State) -> None:
    draft = world[name]
    own = name if state.certificate == "own" else state.certificate
    known = name if state.known_certificate == "own" else state.known_certificate
    draft.settings |= {
        "Tentacle.Services.PortNumber": str(state.port),
        "Tentacle.Services.NoListen": str(state.no_listen).lower(),
        "Tentacle.CertificateThumbprint": thumbprint(own),
    }
    if state.listen_ip:
        address = "198.51.100.1" if state.listen_ip == "own" else "192.0.2.222"
        draft.settings["Tentacle.Services.ListenIP"] = address
    draft.declare(thumbprint=thumbprint(known), port=state.declared_port if state.mode == "listening" else None)
    draft.trusted = [_entry(state, each) for each in state.trusted]
    if state.damaged_list:
        draft.settings["Tentacle.Communication.TrustedOctopusServers"] = "[{"


def _entry(state: State, each: Trusted) -> dict[str, Any]:
    """As the file has it, in this fleet's thumbprints and addresses."""
    here = {
        portal.thumbprint.lower(): thumbprint("octopus" if portal is state.portal else server)
        for server, _, portal, _ in _servers(state)
    }
    shown = here.get(each.thumbprint.lower())
    if shown is None:
        shown = _ELSEWHERE if each.thumbprint.upper() in here.values() else each.thumbprint
    elif each.thumbprint == each.thumbprint.lower():
        shown = shown.lower()
    return {
        "Thumbprint": shown,
        "CommunicationStyle": each.style,
        "Address": _address(state, each.address),
        "SubscriptionId": each.subscription,
    }


def _address(state: State, address: str | None) -> str | None:
    node = _node(state, address)
    if node is not None:
        return f"https://{_servers(state)[node][0]}.example:{POLLING_PORT}/"
    astray = _node_astray(state, address)
    return address if astray is None else f"https://{_servers(state)[astray[0]][0]}.example:{astray[1]}/"


def _node_astray(state: State, address: str | None) -> tuple[int, int] | None:
    """The number of the server node whose name or address is polled on a port of which it knows nothing; the port."""
    where = uri(address)
    for number, (*_, known) in enumerate(_servers(state)):
        if where and where not in known and where[1] in {each[1] for each in known if each}:
            return number, where[2]
    return None


def _node(state: State, address: str | None) -> int | None:
    """The number of the server node at a polled address."""
    return next((number for number, (*_, known) in enumerate(_servers(state)) if uri(address) in known), None)


def _polls(world: Whole, name: str, state: State, ran: _Ran | None) -> None:
    draft = world[name]
    servers = _servers(state)
    draft.own = []
    for server, ip, *_ in servers:
        host = f"{server}.example"
        common: dict[str, Any] = {"port": POLLING_PORT, "page": "server", "whose": world.whose(server)}
        draft.own += [
            probe(host, by=By.NAME, addresses=(ip,), look=declared(name, server, host), **common),
            probe(ip, by=By.ADDRESS, look=declared(name, server, ip), **common),
        ]
    for number, each in enumerate(state.trusted):
        if each.style == POLLING and each.address:
            node = _node(state, each.address)
            if node is not None:
                server, ip = servers[node][:2]
                host, common = f"{server}.example", common | {"whose": world.whose(server)}
                draft.own.append(probe(host, by=By.NAME, addresses=(ip,), look=polled(number), **common))
            else:
                where, astray = uri(each.address), _node_astray(state, each.address)
                assert where is not None
                if astray is not None:
                    server, ip = servers[astray[0]][:2]
                    shut = {"addresses": (ip,), "look": polled(number), **REFUSED}
                    draft.own.append(probe(f"{server}.example", astray[1], By.NAME, **shut))
                    continue
                lost = {"fails": "resolve", "error": Failure.NAME_NOT_FOUND}
                draft.own.append(probe(where[1], where[2], By.NAME, look=polled(number), **lost))
    if ran is None:
        return
    now, draft.trusted = draft.trusted, [_entry(state, each) for each in ran.trusted if each.address]
    world.logs[name] = world.polls_at_start(name)
    draft.trusted = now
    connections = []
    for each in ran.trusted:
        node = _node(state, each.address)
        if node is not None and each.style == POLLING and each.thumbprint == servers[node][2].thumbprint:
            world.logs[name] += world.secured(name, servers[node][0])
            connections.append(world.connection(name, servers[node][0]))
    world.sections[name]["connections"] = tuple(connections)


def _listens(world: Whole, name: str, state: State, ran: _Ran | None) -> None:
    if ran is None:
        return
    draft = world[name]
    trusts = [
        f"Agent will trust Octopus Servers with the thumbprint: {_entry(state, e)['Thumbprint']}" for e in ran.trusted
    ]
    where = "Agent will not listen on any TCP ports" if ran.no_listen else LISTENS.replace("10933", str(ran.port))
    visits = [world.visit(name, server) for server, *_ in _servers(state)] if not ran.no_listen else []
    world.logs[name] = started(2136, *trusts, where) + "".join(visits)
    own = name if state.certificate == "own" else state.certificate
    draft.listeners = [draft.listeners[0] | {"port": ran.port}]
    draft.replace(OWN_PORT, probe(port=ran.port, whose=own))
    for server, *_ in _servers(state):
        world.across(name, {"whose": own}, {"whose": own}, server)
    if ran.no_listen or state.listen_ip == "foreign" or ran.port != state.declared_port:
        world.shut(name)


def found_in(state: State) -> Counter[str]:
    """How often the checks find each code in surveys of such a state."""
    fleet = surveyed(state).fleet()
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    return Counter(problem.code for result in results for problem in result.problems)


def wrong_with(state: State, name: str) -> list[str]:
    """What no survey shows of a state, and keeps it from working; and what was left unfinished."""
    wrong = []
    if state.needs_restart:
        wrong.append("it runs by other settings than its file has")
    if state.flaw:
        wrong.append(f"its certificate: {state.flaw}")
    if state.bad_proxy is not None and state.proxy == state.bad_proxy:
        wrong.append("its proxy leads nowhere")
    if state.flaw == COPIED and state.mode == "polling":
        wrong.append("it polls with another machine's subscription")
    for portal in state.portals if state.mode == "polling" else ():
        right = [
            each
            for each in state.trusted
            if each.style == POLLING and each.thumbprint == portal.thumbprint and uri(each.address) in portal.polling
        ]
        if right and all(each.subscription != portal.machines.get(name) for each in right):
            wrong.append("it polls with a subscription that the portal does not know")
    return wrong


def healthy(state: State) -> State:
    """The same Tentacle, with nothing wrong: what `surveyed` must find well, whatever its mode and system."""
    entries = [_healthy_entry(state, portal) for portal in state.portals]
    return replace(
        state, trusted=entries, no_listen=state.mode == "polling", port=state.declared_port, service="running"
    )


def _healthy_entry(state: State, portal: Portal) -> Trusted:
    if state.mode == "listening":
        return Trusted(portal.thumbprint, 1)
    address = "https://{1}:{2}".format(*next(each for each in sorted(portal.nodes[0], key=str) if each))
    return Trusted(portal.thumbprint, POLLING, address, next(iter(portal.machines.values()), None))
