"""systemd could not run a service's program (203/EXEC), or the program ends where only its unit runs it."""

from __future__ import annotations

import re
from datetime import timedelta

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import JOURNAL, START_LINUX, STATE_LINUX, STATE_WINDOWS, when
from pytest_tentacle.guide.consequences import DOWN, FELL_OVER, STARTLESS, UNANSWERED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.survey.surroundings import LoadTime

from .failure import exit_of, program_clue
from .managers import EXIT_EXEC, SIGNALS, how_it_ended, result_of

_NOT_RUN = frozenset({126, 127})
"""Exit codes of a shell that could not run a program, or found none (POSIX, "Exit Status for Commands")."""

_NO_PROGRAM_HERE = re.compile(
    r"for another kind of processor|Exec format error|cannot execute binary file", re.IGNORECASE
)
"""The survey's own words, and those of shells, of a file that the kernel takes for no program of this machine."""

_OF_THE_RUNTIME = frozenset({137})
"""Exit code of .NET where it does not come as far as the program (0x80008089, of which Linux keeps the last byte)."""

_OF_THE_KERNEL = frozenset({4, 5, 6, 7, 11, 31})
"""Signals of what a process does itself: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGSEGV, SIGSYS."""

_SAYS_NOTHING = timedelta(minutes=10)
"""A unit that is started again and again would have written into its log since, if it came so far."""


def _is_not_run(view: View, problem: Problem) -> bool:
    return view.system == "linux" and exit_of(problem) == EXIT_EXEC and view.service is not None


def _own_times(view: View) -> list[LoadTime]:
    """The survey's own calls of the very program that the service runs."""
    service, loading = view.service, view.survey.loading.data if view.survey else None
    return [each for each in loading.times if service and each.executable == service.executable] if loading else []


def _enforces(view: View) -> bool | None:
    """Whether SELinux is enforced; None where nobody looked."""
    control = view.survey.access_control.data if view.survey else None
    return control.selinux == "enforcing" if control is not None else None


def _is_root(view: View) -> bool:
    return view.service is not None and view.service.account in {None, "", "root"}


def is_told_here(view: View, problem: Problem) -> bool:
    """Whether one of the causes below says why systemd could not run the program."""
    others = (_kept_from_it, _account_is_kept_from_it, _of_another_processor, _nobody)
    return any(other(view, problem) for other in others)


def _starts_in_a_shell(view: View) -> bool:
    """Whether the survey ran it: then it is there and whole."""
    return any(each.exit_code is not None and each.exit_code not in _NOT_RUN for each in _own_times(view))


def _by_a_shell(view: View, confidence: Confidence | None = None, **facts: object) -> Clue:
    told = Evidence(f"loading of {view.name}", "run in a shell, the program starts; systemd cannot run it (203/EXEC)")
    clue = program_clue(view, **facts)
    return Clue(facts=clue.facts, evidence=(told, *clue.evidence), confidence=confidence)


_BY_ITS_LABEL = (
    "Where SELinux is enforced, a program that was unpacked in a home folder has a label that no service may run"
)
_BY_ITS_UNIT = (
    "the unit, or a drop-in of it, hides the folder from its own program (ProtectHome= hides /home, /root and "
    "/run/user; InaccessiblePaths=, TemporaryFileSystem= and RootDirectory= do likewise), or lets nothing in it be run "
    "(NoExecPaths=), or gives it less than a start takes (LimitNOFILE=)"
)


def _kept_from_it(view: View, problem: Problem) -> Clue | None:
    """The program is there, it was run by hand, and systemd cannot run it."""
    if not _is_not_run(view, problem) or not _starts_in_a_shell(view):
        return None
    enforces = _enforces(view)
    if not _is_root(view) and not enforces:
        return None  # the rights of its account may be what it lacks
    labels, unit = enforces is not False, enforces is not True or not _is_root(view)
    reasons = [_BY_ITS_LABEL] if labels else []
    if not labels:
        reasons = [f"As no SELinux is enforced, {_BY_ITS_UNIT}"]
    elif not _is_root(view):
        reasons = [f"{_BY_ITS_LABEL}; or its account ({view.service.account if view.service else '?'}) lacks a right"]
    confidence = Confidence.POSSIBLE if labels and not _is_root(view) else None
    return _by_a_shell(view, confidence, why=reasons[0], labels=labels, unit=unit)


def _account_is_kept_from_it(view: View, problem: Problem) -> Clue | None:
    """It is there and whole, and the service runs as somebody else than root: that account lacks a right on the way."""
    service, host = view.service, view.survey.host.data if view.survey else None
    if not _is_not_run(view, problem) or service is None or host is None or not _starts_in_a_shell(view):
        return None
    surveyor = (host.user or "").rpartition("\\")[2]
    if _is_root(view) or service.account == surveyor or _enforces(view):
        return None
    return _by_a_shell(view)


def _said(view: View) -> list[str]:
    return [each.error for each in _own_times(view) if each.error]


def _of_another_processor(view: View, problem: Problem) -> Clue | None:
    """A shell could not run it either: the kernel does not take it for a program of this machine."""
    host, said = view.survey.host.data if view.survey else None, _said(view)
    if not _is_not_run(view, problem) or host is None or not any(_NO_PROGRAM_HERE.search(words) for words in said):
        return None
    clue = program_clue(view, architecture=host.architecture or "an unknown kind")
    told = Evidence(f"loading of {view.name}", f"on a machine with {host.architecture or '?'}: {said[0]}")
    return Clue(facts=clue.facts, evidence=(told, *clue.evidence))


def _nobody(view: View, problem: Problem) -> Clue | None:
    """A shell could not run it either, and the file is there: what refuses it refuses it to everybody.

    EPERM is what a list of allowed programs gives; EACCES a file system with noexec, or a file that nobody may run.
    """
    host, said = view.survey.host.data if view.survey else None, _said(view)
    if not _is_not_run(view, problem) or host is None or not said:
        return None
    listed = "Operation not permitted" in said[0]
    if not listed and not (host.elevated and "Permission denied" in said[0]):
        return None  # whoever surveys may lack a right that the service has
    clue = program_clue(view, why=_BY_A_LIST if listed else _BY_THE_MOUNT, listed=listed, mounted=not listed)
    told = Evidence(f"loading of {view.name}", f"run by {host.user or 'the account that surveys'}: {said[0]}")
    return Clue(facts=clue.facts, evidence=(told, *clue.evidence))


_BY_A_LIST = (
    "what allows programs by a list does not know it (fapolicyd on Red Hat's systems and their like, which knows what "
    "packages brought, and not what an archive did), or another security product denies it"
)
_BY_THE_MOUNT = (
    "nobody has the right to run the file, or the file system on which it lies is mounted without that right (noexec), "
    "as guides to hardening ask for, or a security product denies it"
)


def by_its_unit(view: View, problem: Problem) -> Clue | None:
    """In a shell it starts, and as the unit runs it, it ends before it writes a line."""
    service = view.service
    if view.system != "linux" or service is None or "auto-restart" not in (service.detail or ""):
        return None
    code, signalled = exit_of(problem), result_of(view) in SIGNALS
    if code not in (_OF_THE_KERNEL if signalled else _OF_THE_RUNTIME):
        return None
    if not any(each.exit_code == 0 for each in _own_times(view)) or not _writes_nothing(view):
        return None
    told = Evidence(f"loading of {view.name}", "run in a shell, the program starts, and its log has no line of late")
    return Clue(facts={"exit": how_it_ended(view, code)}, evidence=(told,))


def _writes_nothing(view: View) -> bool:
    """Whether its log is there, and no start of late has left a line in it."""
    survey = view.survey
    clock = survey.host.data.clock_utc if survey and survey.host.data else None
    name = view.subject.instance_name.lower()
    own = [log for log in (survey.logs.data if survey else None) or () if log.instance.lower() == name]
    written = [log.modified_utc for log in own if log.modified_utc]
    return clock is not None and bool(written) and clock - max(written) > _SAYS_NOTHING


def _waits_for_a_word(view: View, problem: Problem) -> Clue | None:
    """Systemd still waits for the end of its start (`start`), and the program says that it has come to it."""
    service, logs = view.service, view.survey.logs.data if view.survey else None
    if view.system != "linux" or service is None or not (service.detail or "").startswith("start /"):
        return None
    name = view.subject.instance_name.lower()
    began = [log.startup for log in logs or () if log.instance.lower() == name and log.startup is not None]
    if not any(each.listens is not None and (each.pid is None or each.pid == service.pid) for each in began):
        return None
    restarts = service.restarts or 0
    ended = f", and was ended and started again {restarts} times" if restarts else ""
    return Clue(facts={"ended": ended}, evidence=problem.evidence)


_UNIT = '$ systemctl cat "<service>"'
_EDIT = '$ sudo systemctl edit "<service>"'
_ON_WINDOWS = ("This concerns Linux only. See its state:", STATE_WINDOWS)

NOT_EXECUTED: tuple[CauseKind, ...] = (
    CauseKind(
        "TC2066",
        "systemd may not run the service's program, though it is there",
        "The service on {who} cannot start: systemd may not run {executable}, which a shell can. {why}.",
        FELL_OVER,
        _ON_WINDOWS,
        (
            *when(
                "labels",
                (
                    "See what SELinux denied, and the program's label and place. Install the package (its files lie in "
                    "/opt/octopus/tentacle, with labels that services may run), or move the folder there and set the "
                    "labels again (restorecon). If nothing was denied, see whether the unit hides the folder "
                    "(ProtectHome=). Then start it:"
                ),
                "$ sudo ausearch -m avc -ts today",
                '$ ls -lZ "<executable>"',
            ),
            *when(
                "unit",
                (
                    "See the unit with its drop-ins. Install the package (its files lie in /opt/octopus/tentacle, "
                    "which is hidden from nobody) and let the unit run that, or take that one line back in a drop-in "
                    "(such as ProtectHome=no). Then start it:"
                ),
            ),
            _UNIT,
            START_LINUX,
        ),
        _kept_from_it,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("why",),
        rank=19,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"access_control"}),
    ),
    CauseKind(
        "TC2067",
        "The service's account may not run the service's program",
        "The service on {who} cannot start: {executable} is there and runs in a shell, but not as {account}, which the "
        "service runs as. It may not enter a folder above the program, or not run the file.",
        FELL_OVER,
        _ON_WINDOWS,
        (
            (
                "See the owner and the rights of each folder above it, and of the file. Let the account enter each "
                "folder and run the file (the package makes them 755, owned by root). If it may already, see whether "
                "the unit hides the folder (ProtectHome=). Then start it:"
            ),
            '$ namei -l "<executable>"',
            _UNIT,
            START_LINUX,
        ),
        _account_is_kept_from_it,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account",),
        rank=19,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2068",
        "The service's program is not one for this machine's processor",
        "The service on {who} cannot start: the kernel does not take {executable} for a program of this machine "
        "({architecture}). It was built for another kind of processor, or its file is damaged.",
        FELL_OVER,
        _ON_WINDOWS,
        (
            (
                "Install the package for {architecture} in its place (there are ones for x64, arm64 and arm, as "
                "packages and as archives); the instance, its certificate and its registration stay. Then start it:"
            ),
            "$ uname -m",
            '$ file "<executable>"',
            START_LINUX,
        ),
        _of_another_processor,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("architecture",),
        rank=19,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2060",
        "The machine lets nobody run the service's program",
        "The service on {who} cannot start: {executable} is there, and neither systemd nor a shell may run it: {why}.",
        FELL_OVER,
        _ON_WINDOWS,
        (
            *when(
                "listed",
                (
                    "To install it again from the archive does not help. Have those who manage the list allow the "
                    "program's folder, or install the package, which fapolicyd knows by itself; switch nothing off for "
                    "it. With fapolicyd, what it denied, and how a folder is added to what it trusts:"
                ),
                "$ sudo ausearch -m fanotify -ts today",
                '$ sudo fapolicyd-cli --file add "$(dirname "<executable>")/"',
                "$ sudo fapolicyd-cli --update",
            ),
            *when(
                "mounted",
                (
                    "See whether the file may be run; the package makes it 755, and chmod does so again. Otherwise see "
                    "how its file system is mounted. Where that is noexec, to install it again in the same place does "
                    "not help: put the program on another one (the package's place is /opt/octopus/tentacle) and let "
                    "the unit run it there; instance and registration stay. To take noexec off is for those who "
                    "harden the machine to decide. Then start it:"
                ),
                '$ ls -l "<executable>"',
                '$ findmnt --target "<executable>"',
            ),
            START_LINUX,
        ),
        _nobody,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("why",),
        rank=19,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2042",
        "The unit keeps its own program from starting",
        "The service on {who} ends before it writes a line into its log ({exit}), and is started again and again; run "
        "in a shell, the same program starts. So it is what the unit or a drop-in of it adds: hardening with which "
        ".NET cannot start (MemoryDenyWriteExecute=, SystemCallFilter=), a limit (LimitAS=, TasksMax=), or a "
        "variable.",
        DOWN,
        _ON_WINDOWS,
        (
            (
                "Nothing is damaged: to install it again does not help. See what the unit and its drop-ins set, and "
                "what the program says under it. Take back what it cannot start with, one line in a drop-in "
                "(MemoryDenyWriteExecute=no; .NET makes its code as it runs), and leave the rest. Then start it:"
            ),
            _UNIT,
            '$ systemctl show "<service>" --property=MemoryDenyWriteExecute,SystemCallFilter,LimitAS,TasksMax',
            JOURNAL,
            _EDIT,
            START_LINUX,
        ),
        by_its_unit,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("exit",),
        rank=24,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"loading", "logs"}),
    ),
    CauseKind(
        "TC2041",
        "The unit waits for a word that the program does not say",
        "systemd takes the service on {who} for one that is still starting, though the program has come to the end of "
        "its start{ended}: the unit has a Type= (notify, forking, dbus or oneshot) that waits for a word or an end. "
        "Tentacle tells systemd nothing, and needs Type=simple.",
        DOWN,
        _ON_WINDOWS,
        (
            (
                "Until then systemd ends it whenever the time for a start is over (90 seconds by default), with what "
                "it is doing. See the unit with its drop-ins, set Type=simple in the file that has another (the unit "
                "that Tentacle writes by itself has it), then restart it:"
            ),
            _UNIT,
            _EDIT,
            "$ sudo systemctl daemon-reload",
            '$ sudo systemctl restart "<service>"',
            STATE_LINUX,
        ),
        _waits_for_a_word,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=18,
        told_apart_by=frozenset({"logs"}),
    ),
)
