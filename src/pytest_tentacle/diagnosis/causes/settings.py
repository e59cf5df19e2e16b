"""Settings that keep a Tentacle from communicating (guide, "Communication Settings")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence, whenever
from pytest_tentacle.diagnosis.view import NAME_FAILURES, View
from pytest_tentacle.guide.consequences import (
    DOWN,
    RESTART_LINUX,
    RESTART_WINDOWS,
    STARTLESS,
    UNANSWERED,
    UNCONNECTED,
    tentacle,
)
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown

_LISTEN = tentacle('configure --instance "<instance>" --noListen False', 'service --restart --instance "<instance>"')
_PORT = tentacle('configure --instance "<instance>" --port "<declared>"', 'service --restart --instance "<instance>"')
_ANY = tentacle('configure --instance "<instance>" --listenIpAddress Any', 'service --restart --instance "<instance>"')
_POLL = tentacle(
    'server-comms --instance "<instance>" --thumbprint "<thumbprint>" --style TentacleActive --host "<host>" '
    '--port "<declared>"',
    'service --restart --instance "<instance>"',
)
_COMMS_PORT = (
    '$ & "$env:ProgramFiles\\Octopus Deploy\\Octopus\\Octopus.Server.exe" configure --instance "<instance>" '
    '--commsListenPort "<declared>"'
)
_POLL_NODE = tentacle(
    'poll-server --instance "<instance>" --server "<portal>" --apiKey "<key>" --server-comms-address "<address>"',
    'service --restart --instance "<instance>"',
)


def _overridden(view: View, _problem: Problem) -> Clue | None:
    name = "TENTACLE_SERVICE_PORT"
    value = view.service.environment.get(name) if view.service else None
    if not value:
        return None
    return Clue(evidence=(Evidence(f"environment of the service on {view.name}", f"{name}={value}"),))


def _other_way(_view: View, problem: Problem) -> Clue:
    return Clue(facts={"seen": problem.actual})


def _moved(view: View, problem: Problem) -> Clue | None:
    return Clue() if _overridden(view, problem) is None else None


def _polling_port(view: View, problem: Problem) -> object:
    """The port that the server of a problem really listens on."""
    server = view if view.is_server else view.peer(problem)
    try:
        return server.subject.server_settings.services_port if server else None
    except (Unknown, Blocked):
        return None


def _inventory_port(view: View, problem: Problem) -> Clue | None:
    """The server listens on a port that the inventory does not have, and Tentacles poll just that one."""
    actual = _polling_port(view, problem)
    if actual is None or problem.facts.get("port") != actual:
        return None
    server = view.name if view.is_server else str(problem.facts.get("server"))
    if problem.code == "TT317" and not view.scene.count("TT314", server=server, port=actual):
        return None
    return Clue(facts={"server": server, "port": actual}, place=server)


def _server_moved(view: View, problem: Problem) -> Clue | None:
    return Clue() if _inventory_port(view, problem) is None else None


def _polls_what_is_gone(view: View, problem: Problem) -> Clue | None:
    """The one node that it does not poll, and the one name of no server that it polls and nobody resolves."""
    nodes = [each for each in view.problems if each.code == "TT313"]
    names = [
        each
        for each in view.problems
        if each.code in NAME_FAILURES and each.facts.get("vantage") == view.name and each.facts.get("server") is None
    ]
    if len(nodes) != 1 or len(names) != 1 or not (problem is nodes[0] or problem is names[0]):
        return None
    return Clue(facts={"retired": names[0].facts.get("host"), "node": nodes[0].facts.get("server")})


def _old_port(view: View, problem: Problem) -> Clue | None:
    if _inventory_port(view, problem) is not None:
        return None
    return Clue()


SETTINGS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC310",
        "The Tentacle communicates the other way round",
        "{who} {is} {declared} according to the inventory, and probably to the server; by {its} own settings {seen}. "
        "So the two ends never meet.",
        frozenset({"TT310"}),
        ("Correct the inventory and the machine's settings in the portal; or let it listen:", *_LISTEN[0]),
        ("Correct the inventory and the machine's settings in the portal; or let it listen:", *_LISTEN[1]),
        _other_way,
        also=UNANSWERED,
        fold_by=("declared",),
        rank=30,
    ),
    CauseKind(
        "TC311",
        "The Tentacle listens on another port than the server uses",
        "{who} {is} set to listen on port {port}, and the inventory says {declared}: the server knocks at a port "
        "where nobody listens.",
        frozenset({"TT311"}),
        ("Correct the port in the inventory and in the portal; or let it listen on the old one:", *_PORT[0]),
        ("Correct the port in the inventory and in the portal; or let it listen on the old one:", *_PORT[1]),
        _moved,
        also=UNANSWERED,
        fold_by=("port", "declared"),
        rank=30,
    ),
    CauseKind(
        "TC312",
        "An environment variable overrides the Tentacle's port",
        "On {who} the service's environment sets port {port}, which wins over the configuration file; the inventory "
        "says {declared}.",
        frozenset({"TT311"}),
        ("Remove TENTACLE_SERVICE_PORT from the service's environment, then restart it:", RESTART_WINDOWS),
        (
            "Remove TENTACLE_SERVICE_PORT from the service's unit, then restart it:",
            '$ systemctl cat "<service>"',
            "$ sudo systemctl daemon-reload",
            RESTART_LINUX,
        ),
        _overridden,
        also=UNANSWERED,
        fold_by=("port", "declared"),
        rank=30,
    ),
    CauseKind(
        "TC313",
        "The Tentacle is told not to listen",
        "NoListen is true on {who}, though a server is to connect: what a polling Tentacle leaves behind when it "
        "becomes a listening one.",
        frozenset({"TT312"}),
        ("Let it listen:", *_LISTEN[0]),
        ("Let it listen:", *_LISTEN[1]),
        whenever,
        also=frozenset({"TT501"}) | UNANSWERED,
        rank=30,
    ),
    CauseKind(
        "TC314",
        "A server node is not polled",
        "{who} {does} not poll the node {server}, which therefore has no way to give {them} work.",
        frozenset({"TT313"}),
        ("Let it poll the node as well, with an API key that may register machines:", *_POLL_NODE[0]),
        ("Let it poll the node as well, with an API key that may register machines:", *_POLL_NODE[1]),
        whenever,
        also=UNANSWERED,
        fold_by=("server",),
        rank=40,
    ),
    CauseKind(
        "TC327",
        "A server of old is polled in place of a node",
        "{who} poll{s} {retired}, a name that neither the inventory nor DNS knows, and not the node {node}: it "
        "was renamed, or took the place of the old one.",
        frozenset({"TT313"}) | NAME_FAILURES,
        (
            "Let it poll {node}, with an API key that may register machines; then take the old entry out:",
            *_POLL_NODE[0],
        ),
        (
            "Let it poll {node}, with an API key that may register machines; then take the old entry out:",
            *_POLL_NODE[1],
        ),
        _polls_what_is_gone,
        also=UNCONNECTED | {"TT110", "TT115"},
        fold_by=("retired", "node"),
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC315",
        "A server node is polled on a port that it does not have",
        "{who} poll{s} {server} on port {port}, where it has no polling port: an old one, or a typing error.",
        frozenset({"TT314"}),
        ("Correct the port that it polls:", *_POLL[0]),
        ("Correct the port that it polls:", *_POLL[1]),
        _old_port,
        also=UNANSWERED | {"TT520", "TT521", "TT524", "TT528", "TT529", "TT530"},
        fold_by=("server", "port"),
        rank=30,
    ),
    CauseKind(
        "TC316",
        "The inventory has an old polling port of the server",
        "The Octopus Server {server} serves polling Tentacles on port {port}, and they poll it there; only the "
        "inventory names another one.",
        frozenset({"TT314", "TT317"}),
        ("Correct polling_ports of the server in the inventory. Nothing is to be changed on a machine.",),
        ("Correct polling_ports of the server in the inventory. Nothing is to be changed on a machine.",),
        _inventory_port,
        fold_by=("server", "port"),
        rank=10,
    ),
    CauseKind(
        "TC317",
        "The Octopus Server's polling port was changed",
        "The Octopus Server {who} serve{s} polling Tentacles on port {port}, and not on {declared}, where the "
        "inventory has them look.",
        frozenset({"TT317"}),
        (
            "Correct polling_ports in the inventory and the Tentacles' addresses, or give the server its port back:",
            _COMMS_PORT,
        ),
        (
            "Correct polling_ports in the inventory, or the port that the container publishes:",
            "$ docker ps --format '{{.Names}} {{.Ports}}'",
        ),
        _server_moved,
        rank=10,
    ),
    CauseKind(
        "TC318",
        "A polling entry is incomplete, and skipped",
        "{who} {has} an entry for a server without address or subscription: the Tentacle skips it, and polls nobody "
        "there.",
        frozenset({"TT315"}),
        ("Complete the entry, or register the machine again:", *_POLL[0]),
        ("Complete the entry, or register the machine again:", *_POLL[1]),
        whenever,
        also=UNANSWERED | {"TT127"},
        rank=30,
    ),
    CauseKind(
        "TC319",
        "ListenIP is an address that the machine does not have",
        "{who} {is} to listen on {address}, which is no address of the machine any more, so the port cannot be opened.",
        frozenset({"TT316"}),
        ("Let it listen on every address:", *_ANY[0]),
        ("Let it listen on every address:", *_ANY[1]),
        whenever,
        also=DOWN | UNANSWERED | STARTLESS | {"TT501", "TT505", "TT134"},
        rank=10,
    ),
)
