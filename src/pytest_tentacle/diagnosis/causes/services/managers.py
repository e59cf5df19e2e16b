"""What a service's manager says of it (guide, "Check the Services"): systemd, or a failover cluster."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import JOURNAL, START_LINUX, START_WINDOWS, STATE_LINUX, STATE_WINDOWS
from pytest_tentacle.guide.consequences import FELL_OVER, STARTLESS, UNANSWERED
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.sections.services.events import NO_MEMORY

from .failure import failure_of, told_by

EXIT_EXEC = 203
"""The program itself could not be run (systemd.exec, "Process Exit Codes")."""

_SET_UP = {
    200: "its working directory is missing or may not be entered",
    201: "its priority (Nice=) cannot be set",
    202: "its file descriptors cannot be arranged",
    204: "there is no memory for it",
    205: "its limits (LimitNOFILE= and their like) cannot be set",
    206: "its protection from a shortage of memory (OOMScoreAdjust=) cannot be set",
    207: "its signals cannot be set",
    208: "its standard input cannot be opened",
    209: "its standard output cannot be opened",
    210: "its root folder (RootDirectory=) cannot be entered",
    211: "its priority for disks cannot be set",
    212: "its timers cannot be set",
    213: "its secure bits cannot be set",
    214: "its scheduling cannot be set",
    215: "it cannot be tied to the processors that CPUAffinity= names",
    216: "its group does not exist",
    217: "its user does not exist",
    218: "its capabilities cannot be set",
    219: "its control group cannot be entered",
    220: "it cannot have a session of its own",
    221: "nobody confirmed the start at the console",
    222: "its standard error cannot be opened",
    224: "PAM refuses it a session (PAMName=)",
    225: "its network cannot be set up (PrivateNetwork=, NetworkNamespacePath=)",
    226: "its name spaces cannot be set up (226/NAMESPACE): a folder that the unit or a drop-in of it names "
    "(ReadWritePaths=, BindPaths= and their like) is missing, or the kernel refuses",
    227: "new privileges cannot be forbidden (NoNewPrivileges=)",
    228: "its filter of system calls (SystemCallFilter= and its like) cannot be set",
    229: "its SELinux context cannot be set (SELinuxContext=)",
    230: "its personality cannot be set",
    231: "its AppArmor profile cannot be set (AppArmorProfile=): it may not be loaded",
    232: "its address families (RestrictAddressFamilies=) cannot be set",
    233: "its runtime directory cannot be made",
    235: "the owner of a file or socket cannot be set",
    236: "its SMACK label cannot be set",
    237: "its keyring cannot be made",
    238: "its state directory cannot be made",
    239: "its cache directory cannot be made",
    240: "its log directory cannot be made",
    241: "its configuration directory cannot be made",
    242: "its NUMA policy cannot be set",
    243: "a credential that its unit names (LoadCredential= and its like) is missing or cannot be read",
    245: "its BPF programs cannot be set up",
}
"""The same source. No product of Octopus ends with such a number of its own (tentacle-facts 2.4)."""

_NO_RESOURCES = "what its unit names cannot be had, such as a file of variables (EnvironmentFile=) that is missing"
_COMMAND_BEFORE = "a command that its unit runs before it (ExecStartPre=) failed"

_OUT_OF_MEMORY = "oom-kill"
SIGNALS = frozenset({"signal", "core-dump"})


def result_of(view: View) -> str:
    """The word of systemd for how the service ended ($SERVICE_RESULT); empty where there is none."""
    detail = view.service.detail if view.service is not None and view.system == "linux" else None
    return (detail or "").rpartition("/")[2].strip()


def _refusal(view: View, problem: Problem) -> str | None:
    """Why systemd did not come as far as the program; None where it did, or nothing tells.

    The result `resources` is an operation of the system that failed (systemd.exec, "$SERVICE_RESULT"). An exit code was
    the reason (`exit-code`) and the program's own is 0: then it was a command's that runs before it.
    """
    code, result = problem.facts.get("exit_code"), result_of(view)
    if view.system != "linux" or not isinstance(code, int):
        return None
    if code == 0:
        return {"resources": _NO_RESOURCES, "exit-code": _COMMAND_BEFORE}.get(result)
    return _SET_UP.get(code)


def is_set_up(view: View, problem: Problem) -> bool:
    """Whether systemd came as far as to run the program, and the kernel did not end it for want of memory."""
    if view.system != "linux":
        return True
    not_run = problem.facts.get("exit_code") == EXIT_EXEC or _refusal(view, problem) is not None
    return not not_run and result_of(view) != _OUT_OF_MEMORY


OF_A_PROGRAM = frozenset({"TT801", "TT802", "TT803", "TT971", "TT975"})
"""What only a program meets that runs: rights on Octopus Home, the disk there."""


def is_before(view: View, problem: Problem) -> bool:
    """Whether the service failed before its program ran, so that nothing follows from what the program would meet."""
    return problem.code == "TT203" and view.system == "linux" and not is_set_up(view, problem)


def how_it_ended(view: View, code: object) -> str:
    """An exit code in words: systemd's result tells a signal's number from a program's own."""
    if code is None:
        return "no exit code is known"
    return f"signal {code} ended it" if result_of(view) in SIGNALS else f"exit code {code}"


def _not_set_up(view: View, problem: Problem) -> Clue | None:
    words = _refusal(view, problem)
    return Clue(facts={"refusal": words}) if words else None


_KILLED = "the kernel ended the service because memory ran out: on the machine, or within its unit's limit"
_NOT_BEGUN = "Windows did not start the service because memory and paging file are used up (error {code})"


def _killed_for_memory(view: View, problem: Problem) -> Clue | None:
    if result_of(view) == _OUT_OF_MEMORY:
        return Clue(facts={"how": _KILLED})
    failure, code = failure_of(view), problem.facts.get("exit_code")
    if view.system != "windows" or problem.facts.get("state") == "running":
        return None
    number = failure.no_memory if failure is not None else None
    number = code if number is None and code in NO_MEMORY else number
    return (
        None if number is None else Clue(facts={"how": _NOT_BEGUN.format(code=number)}, evidence=told_by(view, failure))
    )


def is_by_cluster(problem: Problem) -> bool:
    """Whether a failover cluster starts it, and nobody else may."""
    return "resource" in problem.facts


def _run_by_no_node(_view: View, problem: Problem) -> Clue | None:
    if not is_by_cluster(problem):
        return None
    return Clue(facts={each: problem.facts[each] for each in ("resource", "state_of_resource", "owner")})


_UNIT = '$ systemctl cat "<service>"'

MANAGERS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC2025",
        "The failover cluster does not run the service",
        "The service on {who} is started by its failover cluster and nobody else, whose resource {resource} is "
        "{state_of_resource} on {owner}: no node runs it.",
        frozenset({"TT202", "TT206"}),
        (
            (
                "See why the cluster's resource is not online (its own log: Get-ClusterLog), then have the cluster "
                "start it; Start-Service would go behind its back:"
            ),
            '$ Start-ClusterResource -Name "<resource>"',
            '$ Get-ClusterResource -Name "<resource>"',
        ),
        ("See its state, then start it:", STATE_LINUX, START_LINUX),
        _run_by_no_node,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=15,
    ),
    CauseKind(
        "TC2038",
        "systemd cannot set up the service's process",
        "The service on {who} does not come as far as its program: {refusal}.",
        frozenset({"TT203"}),
        ("See its state, then start it:", STATE_WINDOWS, START_WINDOWS),
        ("Correct the unit, or create what it names, then start it:", _UNIT, JOURNAL, START_LINUX),
        _not_set_up,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("refusal",),
        rank=20,
    ),
    CauseKind(
        "TC2039",
        "Memory ran out, so that the service was killed, or not started",
        "On {who} {how}.",
        FELL_OVER,
        (
            (
                "Nothing is damaged: to install it again does not help. See what takes the memory (scripts count), and "
                "let Windows manage the size of the paging file, or make it larger; that needs free disk space. Then "
                "start it:"
            ),
            "$ Get-Process | Sort-Object PagedMemorySize64 -Descending | Select-Object -First 10 Name, Id, PM",
            "$ Get-CimInstance Win32_OperatingSystem | Select-Object FreeVirtualMemory, SizeStoredInPagingFiles",
            "$ Get-CimInstance Win32_ComputerSystem | Select-Object AutomaticManagedPagefile",
            START_WINDOWS,
        ),
        (
            "See what takes the memory (scripts count), and whether the unit has a limit (MemoryMax); then start it:",
            "$ ps -eo pid,rss,args --sort=-rss",
            _UNIT,
            START_LINUX,
        ),
        _killed_for_memory,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
)
