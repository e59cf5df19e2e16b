"""Settings that keep a Tentacle from communicating (guide, "Communication Settings")."""

from __future__ import annotations

from urllib.parse import urlsplit

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, whenever
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    AGAIN,
    FILE_LINUX,
    FILE_WINDOWS,
    KEEP,
    OTHER_ADDRESS,
    POLL_NODE,
    POLL_TRUSTED_NODE,
    RESTART_LINUX,
    RESTART_WINDOWS,
    SERVER_EXE,
    TRUST_ANEW,
    WHO_LINUX,
    tentacle,
    when,
)
from pytest_tentacle.guide.consequences import (
    BROKEN_TRUST,
    FIREWALL,
    INTERCEPTED,
    NAME_FAILURES,
    NO_SETTINGS_READ,
    STRANGER_IN_LOGS,
    UNANSWERED,
    UNCONNECTED,
    UNTRUSTED,
)
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown

_PORT = tentacle('configure --instance "<instance>" --port "<declared>"', AGAIN)
_COMMS_PORT = (
    f'$ {SERVER_EXE} configure --instance "<instance>" --commsListenPort "<declared>"',
    '$ Restart-Service -Name "<service>"',
)


def _overridden(view: View, _problem: Problem) -> Clue | None:
    name = "TENTACLE_SERVICE_PORT"
    value = view.service.environment.get(name) if view.service else None
    if not value:
        return None
    return Clue(evidence=(Evidence(f"environment of the service on {view.name}", f"{name}={value}"),))


def _moved(view: View, problem: Problem) -> Clue | None:
    taken = _taken_by(view, problem) or _overridden(view, problem)
    return Clue() if taken is None else None


def _taken_by(view: View, problem: Problem) -> Clue | None:
    """Somebody else listens on the port that the server uses, and another instance of the machine before all."""
    survey, port = view.survey, problem.facts.get("declared")
    if survey is None or view.service is None or _overridden(view, problem) is not None:
        return None
    others = [
        each for each in survey.listeners.data or () if each.port == port and each.pid not in (None, view.service.pid)
    ]
    if not others:
        return None
    pid, owner = others[0].pid, others[0].owner
    service = next((each for each in survey.services.data or () if each.pid == pid and each.instance), None)
    name = owner.name if owner and owner.name else "a program"
    holder = f"instance {service.instance}" if service else f"{name} (pid {pid})"
    told = Evidence(f"sockets of {view.name}", f"{others[0].address}:{port} is held by {name} (pid {pid})")
    return Clue(facts={"holder": holder}, evidence=(told,))


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
    retired = str(names[0].facts.get("host"))
    wanted = urlsplit(str(nodes[0].facts.get("polled"))).hostname or ""
    if retired.lower() == wanted.partition(".")[0]:
        return None  # the same server by its short name, which only a search list makes whole
    case = {name: nodes[0].facts.get(name) for name in ("miscased", "lower_case", "upper_case")}
    facts = {"retired": retired, "node": nodes[0].facts.get("server"), "polled": nodes[0].facts.get("polled")} | case
    return Clue(facts=facts | _without(view, retired, str(facts["polled"])))


def _without(view: View, retired: str, new: str) -> dict[str, object]:
    """What `clear-trusted-servers` must keep when one host's address goes; an entry without one makes it fail."""
    try:
        trusted = view.subject.settings.trusted
    except (Unknown, Blocked):
        return {}
    keepable = all(entry.address for entry in trusted)
    others = [entry.address for entry in trusted if entry.address and urlsplit(entry.address).hostname != retired]
    return {"keepable": keepable, "unkeepable": not keepable, "keep": ",".join(dict.fromkeys([new, *others]))}


def _old_port(view: View, problem: Problem) -> Clue | None:
    if _inventory_port(view, problem) is not None:
        return None
    return Clue()


_RESTORE = (
    "Restore the file from a backup of this very machine (its certificate is encrypted for it), then start the "
    "service; without a backup, set the instance up again. To see what is there:"
)
_LITTLE = 100 * 2**20
"""Bytes; Tentacle refuses to write with less than 1 MB, and a deployment needs 500 MB (tentacle-facts 3.4, 39)."""


def _full_disk(view: View) -> Evidence | None:
    disks = view.survey.disks.data if view.survey else None
    for disk in disks or ():
        if disk.free_bytes is not None and disk.free_bytes < _LITTLE:
            return Evidence(f"disks of {view.name}", f"{disk.path} has {disk.free_bytes // 2**20} MB left")
        if disk.free_inodes == 0:
            return Evidence(f"disks of {view.name}", f"{disk.path} has no inode left")
    return None


def _filled_up(view: View, _problem: Problem) -> Clue | None:
    full = _full_disk(view)
    return Clue(evidence=(full,)) if full else None


def _emptied(view: View, _problem: Problem) -> Clue | None:
    if _full_disk(view):
        return None
    known = view.survey is not None and view.survey.disks.data is not None
    return Clue(unsure="" if known else "Look whether a disk of {who} is full: a full one empties the file.")


def _cut(view: View, problem: Problem) -> Clue | None:
    return Clue() if not _full_disk(view) and "list" not in problem.expected else None


def _trust_list(_view: View, problem: Problem) -> Clue | None:
    return Clue() if "list" in problem.expected else None


SETTINGS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC3111",
        "The Tentacle listens on another port than the server uses",
        "{who} {is} set to listen on port {port}, and the inventory says {declared}: the server connects to a "
        "port where nothing listens.",
        frozenset({"TT311"}),
        ("Correct the port in the inventory and in the portal; or let it listen on the old one:", *_PORT[0]),
        ("Correct the port in the inventory and in the portal; or let it listen on the old one:", *_PORT[1]),
        _moved,
        consequences=UNANSWERED | FIREWALL,
        fold_by=("port", "declared"),
        rank=30,
    ),
    CauseKind(
        "TC3113",
        "Somebody else listens on the port that the server uses",
        "{who} {is} set to listen on port {port}, and the inventory says {declared}, where {holder} listens: the "
        "server meets that one.",
        frozenset({"TT311"}),
        (
            (
                "Correct the port in the inventory and in the portal. The Tentacle cannot move to port {declared}, "
                "which is taken; where the two instances have each other's ports, change both. See who has which:"
            ),
            '$ Get-NetTCPConnection -State Listen | Where-Object LocalPort -in "<declared>", "<port>"',
        ),
        (
            (
                "Correct the port in the inventory and in the portal. The Tentacle cannot move to port {declared}, "
                "which is taken; where the two instances have each other's ports, change both. See who has which:"
            ),
            WHO_LINUX,
        ),
        _taken_by,
        consequences=UNANSWERED | FIREWALL | STRANGER_IN_LOGS | INTERCEPTED | BROKEN_TRUST,
        fold_by=("port", "declared"),
        rank=30,
        told_apart_by=frozenset({"listeners", "services"}),
    ),
    CauseKind(
        "TC3112",
        "An environment variable overrides the Tentacle's port",
        "On {who} the service's environment sets port {port}, which overrides the configuration file; the "
        "inventory says {declared}.",
        frozenset({"TT311"}),
        ("Remove TENTACLE_SERVICE_PORT from the service's environment, then restart it:", RESTART_WINDOWS),
        (
            "Remove TENTACLE_SERVICE_PORT from the service's unit, then restart it:",
            '$ systemctl cat "<service>"',
            "$ sudo systemctl daemon-reload",
            RESTART_LINUX,
        ),
        _overridden,
        consequences=UNANSWERED | FIREWALL,
        fold_by=("port", "declared"),
        rank=30,
    ),
    CauseKind(
        "TC3131",
        "A server node is not polled",
        "{who} {does} not poll the node {server}, which therefore cannot send {them} any work.",
        frozenset({"TT313"}),
        ("Let it poll the node as well, with an API key that may register machines:", *POLL_NODE[0]),
        ("Let it poll the node as well, with an API key that may register machines:", *POLL_NODE[1]),
        whenever,
        consequences=UNANSWERED,
        fold_by=("server",),
        rank=40,
    ),
    CauseKind(
        "TC3132",
        "An old server is polled instead of a node",
        "{who} poll{s} {retired}, a name that neither the inventory nor DNS knows, and not the node {node}: the "
        "server was renamed, or the node replaced it.",
        frozenset({"TT313"}) | NAME_FAILURES,
        (
            "Let it poll {node}, with an API key that may see machines:",
            *POLL_TRUSTED_NODE[0],
            *when(
                "keepable",
                "Then remove the old address (8.1.1713 and later), or the Tentacle keeps trying it:",
                KEEP[0],
            ),
            *when("unkeepable", "The old address stays, and leaves lines in the log: remove it from <file> by hand."),
        ),
        (
            "Let it poll {node}, with an API key that may see machines:",
            *POLL_TRUSTED_NODE[1],
            *when(
                "keepable",
                "Then remove the old address (8.1.1713 and later), or the Tentacle keeps trying it:",
                KEEP[1],
            ),
            *when("unkeepable", "The old address stays, and leaves lines in the log: remove it from <file> by hand."),
        ),
        _polls_what_is_gone,
        consequences=UNCONNECTED | {"TT110", "TT115"},
        fold_by=("retired", "node"),
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC3141",
        "A server node is polled on the wrong port",
        "{who} poll{s} {server} on port {port}, where it has no polling port: an old port, or a typing error.",
        frozenset({"TT314"}),
        ("Correct the address that it polls.", *OTHER_ADDRESS[0]),
        ("Correct the address that it polls.", *OTHER_ADDRESS[1]),
        _old_port,
        consequences=UNANSWERED | {"TT520", "TT521", "TT524", "TT528", "TT529", "TT530"},
        fold_by=("server", "port"),
        rank=30,
    ),
    CauseKind(
        "TC3142",
        "The inventory has an old polling port of the server",
        "The Octopus Server {server} serves polling Tentacles on port {port}, and they poll it there; only the "
        "inventory names a different port.",
        frozenset({"TT314", "TT317"}),
        ("Correct polling_ports of the server in the inventory. Change nothing on any machine.",),
        ("Correct polling_ports of the server in the inventory. Change nothing on any machine.",),
        _inventory_port,
        fold_by=("server", "port"),
        rank=10,
    ),
    CauseKind(
        "TC3171",
        "The Octopus Server's polling port was changed",
        "{who} serve{s} polling Tentacles on port {port}, but the inventory says {declared}.",
        frozenset({"TT317"}),
        (
            (
                "Correct polling_ports in the inventory and the Tentacles' addresses, or give the server its port. "
                "Restarting it ends running tasks, and no Tentacle can poll meanwhile:"
            ),
            *_COMMS_PORT,
        ),
        (
            "Correct polling_ports in the inventory, or the port that the container publishes:",
            "$ docker ps --format '{{.Names}} {{.Ports}}'",
        ),
        _server_moved,
        rank=10,
    ),
    CauseKind(
        "TC3021",
        "A full disk destroyed the configuration file",
        "The disk of {who} is full, and the configuration file was lost when the service tried to save it.",
        frozenset({"TT302", "TT303"}),
        ("Free disk space first. " + _RESTORE, "$ Get-PSDrive -PSProvider FileSystem", FILE_WINDOWS),
        ("Free disk space first. " + _RESTORE, *reversed(FILE_LINUX)),
        _filled_up,
        consequences=NO_SETTINGS_READ | {"TT125", "TT971"},
        rank=5,
        told_apart_by=frozenset({"disks"}),
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC3022",
        "The configuration file is empty",
        "The configuration file of {who} is empty, so the service cannot start: a full disk can cause this.",
        frozenset({"TT302"}),
        ("Check the free disk space. " + _RESTORE, "$ Get-PSDrive -PSProvider FileSystem", FILE_WINDOWS),
        ("Check the free disk space. " + _RESTORE, *reversed(FILE_LINUX)),
        _emptied,
        consequences=NO_SETTINGS_READ,
        rank=10,
    ),
    CauseKind(
        "TC3031",
        "The configuration file is damaged",
        "The configuration file of {who} is truncated or not valid XML, so the service cannot start.",
        frozenset({"TT303"}),
        (_RESTORE, FILE_WINDOWS),
        (_RESTORE, *FILE_LINUX),
        _cut,
        consequences=NO_SETTINGS_READ,
        rank=10,
    ),
    CauseKind(
        "TC3032",
        "The list of trusted servers is damaged",
        "The list of trusted servers in the settings of {who} cannot be read: it was edited by hand, or by a script.",
        frozenset({"TT303"}),
        (
            "Restore the list from a copy of the file, if there is one; or empty it, and trust it again:",
            *TRUST_ANEW[0],
        ),
        (
            "Restore the list from a copy of the file, if there is one; or empty it, and trust it again:",
            *TRUST_ANEW[1],
        ),
        _trust_list,
        consequences=NO_SETTINGS_READ | UNTRUSTED,
        rank=10,
    ),
)
