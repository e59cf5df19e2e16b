"""From a survey to the model of Tentacle's calls, and from the model back to surveys: so that a verdict is taken again.

`state_of` reads a Tentacle and its server as the model has them, `surveyed` is what would be surveyed of a state: a fleet of its
own with one server node or two and this Tentacle, in which everything follows from the settings, the process and the
registration, and nothing else is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.link import By, Failure
from pytest_tentacle.sections import STEPS, Subject, applicable
from pytest_tentacle.survey.targets import names_of

from .certificates import thumbprint
from .looks import OWN_PORT, declared, polled
from .tentacle_commands import COPIED, POLLING, Portal, State, Trusted, uri
from .whole import LISTENS, Whole, make_linux, make_windows, started
from .world import probe

NODES = (("octo-1", "192.0.2.10"), ("octo-2", "192.0.2.11"))
POLLING_PORT = 10943
_ELSEWHERE = "E" * 40
"""What stands for a thumbprint that is not the server's."""


class NoSettingsError(Exception):
    """There are no settings to work on, or no server to speak of."""


class SeveralServersError(Exception):
    """It works for several Octopus Servers at once; the model has one, with as many nodes as it likes."""


def state_of(subject: Subject, registered: str) -> State:
    """A Tentacle as its survey has it, and the server as it is, where its subscription is registered under a name.

    Raises NoSettingsError and SeveralServersError.
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
    known = [each for node in nodes if (each := node.presented_here or node.machine.thumbprint)]
    if not known:
        raise NoSettingsError
    if len(set(known)) > 1:
        raise SeveralServersError
    portal = Portal(
        known[0],
        {uri(f"https://{host}:{port}") for node in nodes for host, port in _polled_at(node.machine)},
        {registered: next((each.subscription for each in trusted if each.subscription), None)},
        [{uri(f"https://{host}:{port}") for host, port in _polled_at(node.machine)} for node in nodes[: len(NODES)]],
    )
    return State(
        trusted,
        portal,
        no_listen,
        port,
        _own_address(subject, listen_ip),
        damaged_list=damaged,
        service="missing" if service is None else "running" if service.state == "running" else "stopped",
        windows=subject.read("host").os == "windows",
        mode="polling" if subject.mode is Mode.POLLING else "listening",
        declared_port=getattr(subject.machine, "listens_on", None) or getattr(subject.machine, "port", None) or 10933,
        proxy=_proxy(subject),
    )


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
    for number, (name, ip) in enumerate(NODES):
        if number < max(1, len(state.portal.nodes)):
            world.add_server(name, ip)
    name = "poll-01" if polling else "web-01"
    (world.add_polling if polling else world.add_listening)(name, "198.51.100.1")
    if polling and state.windows:
        make_windows(world, name)
    if not polling and not state.windows:
        make_linux(world, name)
    for server in list(world.drafts)[1 : len(state.portal.nodes)]:
        if server != name:
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
    server = thumbprint("octopus")
    lower = each.thumbprint == each.thumbprint.lower()
    if each.thumbprint.lower() == state.portal.thumbprint.lower():
        shown = server.lower() if lower else server
    else:
        shown = _ELSEWHERE if each.thumbprint.upper() == server else each.thumbprint
    return {
        "Thumbprint": shown,
        "CommunicationStyle": each.style,
        "Address": _address(state, each.address),
        "SubscriptionId": each.subscription,
    }


def _address(state: State, address: str | None) -> str | None:
    node = _node(state, address)
    return address if node is None else f"https://{NODES[node][0]}.example:{POLLING_PORT}/"


def _node(state: State, address: str | None) -> int | None:
    """The number of the server node at a polled address."""
    return next((number for number, known in enumerate(state.portal.nodes) if uri(address) in known), None)


def _polls(world: Whole, name: str, state: State, ran: _Ran | None) -> None:
    draft = world[name]
    common: dict[str, Any] = {"port": POLLING_PORT, "page": "server", "whose": "octopus"}
    draft.own = []
    for server, ip in NODES[: len(state.portal.nodes)]:
        host = f"{server}.example"
        draft.own += [
            probe(host, by=By.NAME, addresses=(ip,), look=declared(name, server, host), **common),
            probe(ip, by=By.ADDRESS, look=declared(name, server, ip), **common),
        ]
    for number, each in enumerate(state.trusted):
        if each.style == POLLING and each.address:
            node = _node(state, each.address)
            if node is not None:
                host, ip = f"{NODES[node][0]}.example", NODES[node][1]
                draft.own.append(probe(host, by=By.NAME, addresses=(ip,), look=polled(number), **common))
            else:
                where = uri(each.address)
                assert where is not None
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
        if node is not None and each.style == POLLING and each.thumbprint == state.portal.thumbprint:
            world.logs[name] += world.secured(name, NODES[node][0])
            connections.append(world.connection(name, NODES[node][0]))
    world.sections[name]["connections"] = tuple(connections)


def _listens(world: Whole, name: str, state: State, ran: _Ran | None) -> None:
    if ran is None:
        return
    draft = world[name]
    trusts = [
        f"Agent will trust Octopus Servers with the thumbprint: {_entry(state, e)['Thumbprint']}" for e in ran.trusted
    ]
    where = "Agent will not listen on any TCP ports" if ran.no_listen else LISTENS.replace("10933", str(ran.port))
    world.logs[name] = started(2136, *trusts, where) + (world.visit(name, "octo-1") if not ran.no_listen else "")
    own = name if state.certificate == "own" else state.certificate
    draft.listeners = [draft.listeners[0] | {"port": ran.port}]
    draft.replace(OWN_PORT, probe(port=ran.port, whose=own))
    world.across(name, {"whose": own}, {"whose": own})
    if ran.no_listen or state.listen_ip == "foreign" or ran.port != state.declared_port:
        world.shut(name)


def found_in(state: State) -> set[str]:
    """The codes of all problems that the checks find in surveys of such a state."""
    fleet = surveyed(state).fleet()
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    return {problem.code for result in results for problem in result.problems}


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
    if state.mode == "polling":
        right = [
            each
            for each in state.trusted
            if each.style == POLLING
            and each.thumbprint == state.portal.thumbprint
            and uri(each.address) in state.portal.polling
        ]
        if right and all(each.subscription != state.portal.machines.get(name) for each in right):
            wrong.append("it polls with a subscription that the portal does not know")
    return wrong


def healthy(state: State) -> State:
    """The same Tentacle, with nothing wrong: what `surveyed` must find well, whatever its mode and system."""
    node = state.portal.nodes[0]
    address = "https://{1}:{2}".format(*next(each for each in sorted(node, key=str) if each))
    entry = (
        Trusted(state.portal.thumbprint, 1)
        if state.mode == "listening"
        else Trusted(state.portal.thumbprint, POLLING, address, next(iter(state.portal.machines.values()), None))
    )
    return replace(
        state, trusted=[entry], no_listen=state.mode == "polling", port=state.declared_port, service="running"
    )
