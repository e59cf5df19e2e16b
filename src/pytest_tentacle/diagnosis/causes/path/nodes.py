"""Why a standing link carries nothing: idle connections are dropped, a balancer hides nodes, or a node lags behind."""

from __future__ import annotations

from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import POLL_ANEW, REGISTER_WORDS, RESTART_LINUX, RESTART_WINDOWS
from pytest_tentacle.guide.consequences import ACROSS, UNANSWERED, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.entries import entries_of
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.sections.identify.index import place_of, telling
from pytest_tentacle.sections.identify.records import logs_of
from pytest_tentacle.sections.versions import parsed, version_of

_WENT_QUIET = "TT109"
_OFTEN = 3
"""So many connections that went quiet and came back are no single mishap."""

_KEPT_OPEN = (((3,), (5,), "2018.8.4"), ((2018,), (2018, 8, 4), "2018.8.4"), ((2019, 5, 5), (2019, 8), "2019.8"))
"""Of Octopus Server: the first version, the first without, what mends it. They never end a connection to a listening
Tentacle (Issues#4266, #5834; tentacle-history 9)."""


def dropped_when_idle(view: View, problem: Problem) -> Clue | None:
    """Its own log has connections to that server that went quiet, and came back at once, again and again."""
    if view.subject.mode is not Mode.POLLING or problem.code != "TT115":
        return None
    try:
        entries, logs = entries_of(view.subject.settings), logs_of(view.subject)
    except (Unknown, Blocked):
        return None
    hosts = {entry.host.lower() for entry in entries}
    for log in logs:
        for record, signature in reversed(telling(log)):
            place = place_of(record)
            quiet = signature.code == _WENT_QUIET and place is not None and place.host.lower() in hosts
            if quiet and record.count >= _OFTEN and any(link.number > record.number for link in log.links):
                text = f"{record.count} connections went quiet, the last at {record.time}, and were opened again"
                return Clue(
                    facts={"times": record.count, "polled": place.host if place else None, "log": log.path},
                    evidence=(Evidence(f"log of {view.name}, {log.path}", text),),
                )
    return None


def by_one_name(view: View, problem: Problem) -> Clue | None:
    """Each of its addresses is the name of several nodes: a connection reaches one of them, and nobody says which."""
    if view.subject.mode is not Mode.POLLING or problem.code != "TT115":
        return None
    nodes = [peer for peer in view.subject.peers if not peer.is_tentacle]
    try:
        entries = entries_of(view.subject.settings)
    except (Unknown, Blocked):
        return None
    server = view.server_of(problem)
    for entry in entries:
        named = [node.name for node in nodes if entry.names(node) and not entry.is_gateway_of(node)]
        if server in named and len(named) > 1 and not _has_its_own(server, view):
            text = f"{entry.address} is declared for {' and '.join(named)}"
            return Clue(
                facts={"shared": entry.host, "node": server, "several": ", ".join(named)},
                evidence=(Evidence("inventory", text),),
            )
    return None


def _has_its_own(name: str | None, view: View) -> bool:
    """Whether another address leads to this node alone."""
    nodes = [peer for peer in view.subject.peers if not peer.is_tentacle]
    own = next((node for node in nodes if node.name == name), None)
    others = [node for node in nodes if node is not own]
    return own is not None and any(
        (entry.names(own) and not any(entry.names(other) for other in others)) or entry.is_gateway_of(own)
        for entry in entries_of(view.subject.settings)
    )


def _one_node_turns_it_away(view: View, problem: Problem) -> Clue | None:
    """Another node of the same Octopus Server, with the same certificate, holds a connection of this poller."""
    vantage = view.vantage(problem)
    connections = view.survey.connections.data if view.survey else None
    if vantage is None or vantage.name == view.name or view.subject.mode is not Mode.POLLING or not connections:
        return None
    certificate = vantage.subject.expected_thumbprint
    for name in view.peers:
        node = view.scene.view(name)
        if name == vantage.name or not certificate or node.subject.expected_thumbprint != certificate:
            continue
        there = node.subject.known_addresses
        ports = set(node.subject.machine.polling_ports) if isinstance(node.subject.machine, OctopusServer) else set()
        held = [
            row
            for row in connections
            if row.state == "established" and row.remote_address in there and row.remote_port in ports
        ]
        if held:
            text = f"a connection to {name} stands"
            facts = told(view, problem).facts | {"node": vantage.name, "other": name}
            return Clue(
                facts=facts, evidence=(Evidence(f"connections of {view.name}", text),), place=vantage.name, seen=True
            )
    return None


def _by_the_servers_defect(view: View, problem: Problem) -> Clue | None:
    """The connections are those of a server whose version is known never to end them."""
    address = problem.facts.get("address")
    for name in view.peers:
        server = view.scene.view(name)
        if not server.is_server or address not in server.subject.known_addresses:
            continue
        try:
            version = version_of(server.subject)
        except Unknown:
            return None
        number = parsed(version)
        for first, end, fixed in _KEPT_OPEN:
            if number is not None and first <= number < end:
                facts = {"server": name, "version": version, "fixed": fixed}
                return Clue(facts=facts, evidence=(Evidence(f"products of {name}", f"version {version}"),))
    return None


_IDLE = (
    "Find what stands on the path (firewall, NAT device, balancer), and raise its idle time-out, or exempt the "
    "server's polling port. Tentacle 8.0.81 and later, and servers of that time, keep their connections alive by "
    "TCP keep-alive: upgrade what is older. To see which version runs and what its log says:"
)
_OWN_ADDRESS = (
    "Octopus's nodes keep the work for a poller each by itself, so it must poll each node by an address or port that "
    "leads to that node alone (poll-server for each; a Kubernetes agent has serverCommsAddresses, which it reads at "
    f"its first start only). Make such an address on the balancer, then register it again. {REGISTER_WORDS}"
)
_AT_A_QUIET_TIME = (
    "Restart the service of node {node} when no task runs there (drain it first): it reads the machines again. "
    "Servers since 2019.5 learn of new pollers by themselves; the first ones with several nodes did not:"
)
_UPGRADE_SERVER = (
    "Upgrade the Octopus Server to {fixed} or later; until then a restart of the Tentacle's service, or the server's, "
    "closes them. Whose they are:"
)

NODES: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1153",
        "Something on the path drops the poller's idle connections",
        "Connections of {who} to {its} server go quiet and are opened again ({times} times by {its} log), and requests "
        "of that time were not fetched: a firewall, NAT device or balancer on the path forgets connections that are "
        "idle.",
        frozenset({"TT115"}),
        (_IDLE, '$ Select-String -LiteralPath "<log>" -Pattern "timed out" | Select-Object -Last 20'),
        (_IDLE, '$ grep "timed out" "<log>"'),
        dropped_when_idle,
        consequences=frozenset({"TT109", "TT108", "TT116"}),
        rank=50,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1154",
        "The poller polls several server nodes by one name",
        "{who} poll{s} {shared}, behind which there are several nodes ({several}): each connection reaches one of "
        "them, and requests that wait at another, such as {node}, are not fetched.",
        frozenset({"TT115"}),
        (_OWN_ADDRESS, *POLL_ANEW[0]),
        (_OWN_ADDRESS, *POLL_ANEW[1]),
        by_one_name,
        consequences=frozenset({"TT116", "TT313"}),
        fold_by=("shared",),
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1033",
        "One node of the server does not know the poller yet",
        "According to its log, {node} turns {who} away, whose thumbprint ({thumbprint}) it does not have, while "
        "{other}, a node of the same Octopus Server, holds {its} connection: the portal has the machine, and {node} "
        "has not learned of it since its start.",
        frozenset({"TT103"}),
        (_AT_A_QUIET_TIME, RESTART_WINDOWS),
        (_AT_A_QUIET_TIME, RESTART_LINUX),
        _one_node_turns_it_away,
        consequences=UNCONNECTED | {"TT132"},
        echoes=ACROSS | {"TT105"},
        fold_by=("node",),
        rank=55,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5541",
        "The server's version never ends its connections",
        "{count} connections of {server} stay open on {who}: version {version} of the Octopus Server has a known "
        "defect (fixed in {fixed}), by which it never ends a connection.",
        frozenset({"TT554"}),
        (
            _UPGRADE_SERVER,
            (
                "$ Get-NetTCPConnection -State Established -LocalPort <port> | Group-Object RemoteAddress | "
                "Format-Table Count, Name"
            ),
        ),
        (_UPGRADE_SERVER, "$ sudo ss -tanp state established '( sport = :<port> )'"),
        _by_the_servers_defect,
        consequences=UNANSWERED | {"TT128"},
        fold_by=("server", "version"),
        rank=20,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"peer.products"}),
    ),
)
