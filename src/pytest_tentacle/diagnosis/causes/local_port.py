"""The port on the machine itself (guide, "Check the Connections" and "Zombie Child Processes")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence, whenever
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import (
    DOWN,
    RESTART_LINUX,
    RESTART_WINDOWS,
    START_LINUX,
    START_WINDOWS,
    STARTLESS,
    UNANSWERED,
    WHO_LINUX,
    WHO_WINDOWS,
)
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown

_TAKEN = DOWN | STARTLESS | UNANSWERED | {"TT111"}
_CHILDREN_WINDOWS = (
    '$ Get-CimInstance Win32_Process | Where-Object ParentProcessId -eq "<pid>" | '
    "Select-Object ProcessId, Name, CommandLine"
)
_RESERVED = "$ netsh interface ipv4 show excludedportrange protocol=tcp"


def _changed_since(view: View, _problem: Problem) -> Clue | None:
    """The configuration file is younger than the process."""
    started = view.service.started_utc if view.service else None
    try:
        file = view.subject.instance.configuration
    except (Unknown, Blocked):
        return None
    if started is None or file.modified_utc is None or file.modified_utc <= started:
        return None
    words = (
        f"{file.path} was changed at {file.modified_utc:%H:%M:%S on %Y-%m-%d}, the process started before, at "
        f"{started:%H:%M:%S on %Y-%m-%d} (UTC)"
    )
    return Clue(evidence=(Evidence(f"{view.name}", words),))


def _could_not_open(view: View, problem: Problem) -> Clue | None:
    if _changed_since(view, problem) is not None:
        return None
    return Clue(unsure="Why it could not open the port stands in the log of {who}, after the last start.")


def _is_tentacle(problem: Problem) -> bool:
    text = f"{problem.facts.get('process') or ''} {problem.facts.get('executable') or ''}".lower()
    return "tentacle" in text or "octopus.server" in text


def _second_instance(_view: View, problem: Problem) -> Clue | None:
    return Clue() if _is_tentacle(problem) else None


def _other_program(_view: View, problem: Problem) -> Clue | None:
    return Clue() if not _is_tentacle(problem) else None


def _zombie(_view: View, problem: Problem) -> Clue:
    children = problem.facts.get("children")
    child = children[0] if isinstance(children, tuple) and children else None
    return Clue(facts={"child": child})


LOCAL_PORT: tuple[CauseKind, ...] = (
    CauseKind(
        "TC501",
        "The process could not open its port",
        "The service on {who} runs, and yet nobody listens on port {port}: it could not open it, for want of rights or "
        "because the system reserves the port.",
        frozenset({"TT501"}),
        (
            "Read its log after the last start, see whether the port is reserved, then restart it:",
            _RESERVED,
            RESTART_WINDOWS,
        ),
        ("Read its log after the last start, then restart it:", WHO_LINUX, RESTART_LINUX),
        _could_not_open,
        also=UNANSWERED | STARTLESS | {"TT134"},
        fold_by=("port",),
        rank=30,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC502",
        "The settings were changed, and the service not restarted",
        "The configuration of {who} was changed after the service had started. The process does not know of it, and so "
        "nobody listens on port {port} yet.",
        frozenset({"TT501"}),
        ("Restart the service:", RESTART_WINDOWS),
        ("Restart the service:", RESTART_LINUX),
        _changed_since,
        also=UNANSWERED,
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC503",
        "Another program holds the port",
        "Port {port} of {who} is held by {process} (pid {pid}), so the service cannot open it.",
        frozenset({"TT502"}),
        (
            "See what the program is for; stop it or move one of the two to another port, then start the service:",
            '$ Get-Process -Id "<pid>" | Select-Object Id, Name, Path, StartTime',
            START_WINDOWS,
        ),
        (
            "See what the program is for; stop it or move one of the two to another port, then start the service:",
            '$ ps -o pid,ppid,user,lstart,args -p "<pid>"',
            START_LINUX,
        ),
        _other_program,
        also=_TAKEN,
        fold_by=("port", "process"),
        rank=15,
    ),
    CauseKind(
        "TC504",
        "Another instance of Tentacle holds the port",
        "Port {port} of {who} is held by another Tentacle process (pid {pid}): a second instance with the same port, "
        "or one that was started by hand.",
        frozenset({"TT502"}),
        (
            "See which instance it is; give one of them another port, or end the one that is not a service:",
            '$ Get-CimInstance Win32_Process | Where-Object ProcessId -eq "<pid>" | Select-Object CommandLine',
            START_WINDOWS,
        ),
        (
            "See which instance it is; give one of them another port, or end the one that is not a service:",
            '$ ps -o pid,ppid,user,lstart,args -p "<pid>"',
            START_LINUX,
        ),
        _second_instance,
        also=_TAKEN,
        fold_by=("port",),
        rank=15,
    ),
    CauseKind(
        "TC505",
        "A zombie holds the port",
        "Port {port} of {who} is held by what a Tentacle that is gone left behind (pid {pid}): a script or Calamari of "
        "a cancelled task inherited the socket. The service cannot open the port until that ends.",
        frozenset({"TT503"}),
        (
            "End the child process, or reboot, then start the service:",
            _CHILDREN_WINDOWS,
            '$ Stop-Process -Id "<child>"',
            START_WINDOWS,
        ),
        ("End the child process, or reboot, then start the service:", WHO_LINUX, '$ sudo kill "<child>"', START_LINUX),
        _zombie,
        also=_TAKEN,
        fold_by=("port",),
        rank=15,
    ),
    CauseKind(
        "TC506",
        "Something else answers on the machine's own port",
        "Seen on the machine itself, port {port} of {who} shows something else than Octopus's page: another program, "
        "or a security product that intercepts connections even there.",
        frozenset({"TT504"}),
        ("See who listens and what answers:", WHO_WINDOWS, '$ curl.exe -kv "https://<host>:<port>/"'),
        ("See who listens and what answers:", WHO_LINUX, '$ curl -kv "https://<host>:<port>/"'),
        whenever,
        also=UNANSWERED | {"TT102", "TT121"},
        fold_by=("port", "issuer"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC507",
        "The process listens and does not answer",
        "On {who} the port is open, and no page comes ({error} at {stage}): the process hangs, or cannot use the key "
        "of its certificate.",
        frozenset({"TT505"}),
        ("Read the end of its log, then restart the service:", RESTART_WINDOWS),
        (
            "Read the end of its log, see how the handshake goes, then restart the service:",
            '$ openssl s_client -connect "<host>:<port>" </dev/null',
            RESTART_LINUX,
        ),
        whenever,
        also=UNANSWERED | {"TT122", "TT113", "TT114"},
        fold_by=("stage", "error"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
)
