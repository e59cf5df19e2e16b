"""Why a service is not running (guide, "Check the Octopus and Tentacle Services are Running")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.causes.registering import broken_off
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.last_resort import last_unrecognised
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    BY_ITSELF_WINDOWS,
    INSTALL,
    INSTALL_WORDS,
    JOURNAL,
    RESTART_LINUX,
    RESTART_WINDOWS,
    START_LINUX,
    START_WINDOWS,
    STATE_LINUX,
    STATE_WINDOWS,
)
from pytest_tentacle.guide.consequences import STARTLESS, UNANSWERED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.sections.services.events import (
    DEPENDENCY_FAILED,
    DEPENDENCY_MISSING,
    LOG_ON_FAILED,
    NO_ANSWER_IN_TIME,
    NO_FILE,
    NO_MEMORY,
    START_MODE_CHANGED,
    events_of,
    said,
    source_of,
)

from .failure import exit_of, failure_of, is_told_otherwise, told_by
from .managers import how_it_ended, is_by_cluster, is_set_up
from .not_executed import by_its_unit

_LOG_WINDOWS = (
    "$ Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Service Control Manager'} -MaxEvents 20"
)
_NEVER = 1077
_UNDONE = frozenset({"paused", "stopping"})
"""States of a service whose process is still there."""


def _stopped(view: View, problem: Problem) -> Clue | None:
    if "TT205" in view.codes or exit_of(problem) == _NEVER or _last_words(view) is not None or is_told_otherwise(view):
        return None
    if is_by_cluster(problem) or problem.facts.get("state") in _UNDONE or broken_off(view) is not None:
        return None
    return Clue()


def _paused(_view: View, problem: Problem) -> Clue | None:
    return Clue() if problem.facts.get("state") == "paused" else None


def _stopping(view: View, problem: Problem) -> Clue | None:
    if problem.facts.get("state") != "stopping":
        return None
    return Clue(
        facts={"pid": view.service.pid if view.service else None},
        unsure="Look again in a minute: if the service of {who} is still stopping, as the same process, it hangs.",
    )


def _last_words(view: View) -> Problem | None:
    """The error that ended its process, and that nobody knows."""
    return next((problem for problem in view.problems if problem.code == "TT129"), None)


def _ended_by_itself(view: View, problem: Problem) -> Clue | None:
    last = _last_words(view)
    if last is None or "TT205" in view.codes or exit_of(problem) == _NEVER or is_by_cluster(problem):
        return None
    return Clue(facts={"error": last.actual, "log": last.facts.get("log")}, evidence=last.evidence)


def _since_boot(view: View, problem: Problem) -> Clue | None:
    if exit_of(problem) != _NEVER or "TT205" in view.codes or is_told_otherwise(view) or is_by_cluster(problem):
        return None
    host = view.survey.host.data if view.survey else None
    booted = f"the machine started at {host.boot_utc:%Y-%m-%d %H:%M} UTC" if host and host.boot_utc else ""
    return Clue(evidence=(Evidence(f"host {view.name}", booted),) if booted else ())


def _stays_off(view: View, problem: Problem) -> Clue | None:
    if is_by_cluster(problem) or problem.facts.get("state") == "running" or not view.codes & {"TT202", "TT206"}:
        return None
    return Clue(facts={"start_mode": view.service.start_mode if view.service else None}, evidence=_changed(view))


def _gone_after_boot(view: View, _problem: Problem) -> Clue | None:
    return Clue(evidence=_changed(view)) if not view.codes & {"TT202", "TT206"} else None


def _changed(view: View) -> tuple[Evidence, ...]:
    """When its start mode was changed last, where the System log still has that."""
    events = view.survey.events.data if view.survey else None
    found = events_of(events or (), view.service) if view.service else ()
    return tuple(Evidence(source_of(each, view.name), said(each)) for each in found if each.id == START_MODE_CHANGED)[
        :1
    ]


def _loops(view: View, problem: Problem) -> Clue | None:
    restarts = _restarts(view, problem)
    told = not is_set_up(view, problem) or by_its_unit(view, problem) is not None
    return Clue(facts={"restarts": restarts}) if restarts and not told else None


def _restarts(view: View, problem: Problem) -> object:
    """How often it was started again; in words where a systemd before 235 starts it again and does not count."""
    service = view.service
    if problem.facts.get("crashes") or service is None:
        return problem.facts.get("crashes")
    if view.system == "linux" and service.restarts is None and "auto-restart" in (service.detail or ""):
        return "an unknown number of"
    return service.restarts


def _crashed(view: View, problem: Problem) -> Clue | None:
    if _restarts(view, problem) or not is_set_up(view, problem):
        return None
    known = {LOG_ON_FAILED, DEPENDENCY_FAILED, DEPENDENCY_MISSING, NO_ANSWER_IN_TIME, *NO_FILE, *NO_MEMORY}
    if view.system == "windows" and (exit_of(problem) in known or is_told_otherwise(view)):
        return None
    last = last_unrecognised(view)
    said = f"; the last error in its log, which is not known here, says: {last}" if last else ""
    facts = {"log": _log(view), "exit": how_it_ended(view, exit_of(problem)), "said": said}
    told = told_by(view, failure_of(view))
    return Clue(facts=facts, evidence=told, unsure="Why it ends stands at the end of the log of {who}.")


def _log(view: View) -> str | None:
    """Path of its own log, as far as the survey found it."""
    logs = view.survey.logs.data if view.survey else None
    name = view.subject.instance_name.lower()
    return next((log.path for log in logs or () if log.instance.lower() == name), None)


def _unregistered(view: View, _problem: Problem) -> Clue | None:
    return Clue() if "TT207" not in view.codes and broken_off(view) is None else None


_AUTOMATIC = (
    "Set it to start automatically, unless something else starts it (a failover cluster, where each node would run it "
    "then, or a script):"
)

RUNNING: tuple[CauseKind, ...] = (
    CauseKind(
        "TC2021",
        "The Tentacle's service is stopped",
        "The Tentacle's service on {who} is stopped, without an error: somebody or something stopped it.",
        frozenset({"TT202"}),
        ("Start it, allow it 30 seconds, and check that it stays up:", START_WINDOWS, STATE_WINDOWS),
        ("Start it, allow it 30 seconds, and check that it stays up:", START_LINUX, STATE_LINUX),
        _stopped,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
    CauseKind(
        "TC2020",
        "The service is paused",
        "The service on {who} is paused: it runs, and does nothing until it is resumed.",
        frozenset({"TT202", "TT206"}),
        (
            "Resume it; where it cannot be resumed, restart it:",
            '$ Resume-Service -Name "<service>"',
            STATE_WINDOWS,
            RESTART_WINDOWS,
        ),
        ("Windows pauses services, Linux does not. See its state:", STATE_LINUX),
        _paused,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
    CauseKind(
        "TC2062",
        "The service has not finished stopping",
        "The service on {who} was told to stop, and its process has not ended: it stops just now, or it hangs. Until "
        "it has ended, it cannot be started.",
        frozenset({"TT202", "TT206"}),
        (
            (
                "Look again in a minute. If the same process is still there, end it, and start the service; a "
                "deployment that runs in it ends with it:"
            ),
            STATE_WINDOWS,
            '$ Stop-Process -Id "<pid>" -Force',
            START_WINDOWS,
        ),
        (
            "Look again in a minute and a half, after which systemd ends it by itself; then start it:",
            STATE_LINUX,
            '$ sudo systemctl kill --signal=SIGKILL "<service>"',
            START_LINUX,
        ),
        _stopping,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC2022",
        "The service has not started since the last boot",
        "The service on {who} has not started since the last boot, although it is set to start automatically: "
        "Windows gave up on it, or it is delayed.",
        frozenset({"TT202", "TT206"}),
        ("Start it; events 7000 and 7009 report a start that took too long:", START_WINDOWS, _LOG_WINDOWS),
        ("Start it, and find out why it was not started:", START_LINUX, JOURNAL),
        _since_boot,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
    CauseKind(
        "TC2051",
        "The service is switched off",
        "The service on {who} is not running and will not start automatically: its start mode is {start_mode}, "
        "perhaps since maintenance, or by a policy.",
        frozenset({"TT205"}),
        (
            "If that is not intended, set it to start automatically, and start it:",
            BY_ITSELF_WINDOWS,
            START_WINDOWS,
        ),
        (
            "If that is not intended, set it to start automatically, and start it:",
            '$ sudo systemctl unmask "<service>"',
            '$ sudo systemctl enable --now "<service>"',
        ),
        _stays_off,
        consequences=frozenset({"TT202", "TT206"}) | STARTLESS,
        echoes=UNANSWERED,
        fold_by=("start_mode",),
        rank=15,
    ),
    CauseKind(
        "TC2052",
        "The service will not start after the next reboot",
        "The service on {who} does not start automatically. Nothing fails yet.",
        frozenset({"TT205"}),
        (_AUTOMATIC, BY_ITSELF_WINDOWS),
        (_AUTOMATIC, '$ sudo systemctl enable "<service>"'),
        _gone_after_boot,
        rank=90,
    ),
    CauseKind(
        "TC2031",
        "The service crashes, and is started again and again",
        "The service on {who} crashes when it starts, and is restarted over and over ({restarts} restarts).",
        frozenset({"TT203"}),
        ("Find out why it ends, fix that, then start it:", _LOG_WINDOWS, RESTART_WINDOWS),
        (
            "Find out why it ends, fix that, then start it:",
            JOURNAL,
            '$ sudo systemctl reset-failed "<service>"',
            RESTART_LINUX,
        ),
        _loops,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=25,
    ),
    CauseKind(
        "TC2032",
        "The service ends with an error",
        "The service on {who} started and then ended with an error ({exit}{said}).",
        frozenset({"TT203"}),
        (
            "Read the end of its log and the service events, fix what they say, then start it:",
            '$ Get-Content -Tail 60 -LiteralPath "<log>"',
            _LOG_WINDOWS,
            START_WINDOWS,
        ),
        ("Read what it wrote last, fix that, then start it:", JOURNAL, START_LINUX),
        _crashed,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2011",
        "The Tentacle has no service",
        "No service that runs the instance is installed on {who}.",
        frozenset({"TT201"}),
        (INSTALL_WORDS, *INSTALL[0]),
        (INSTALL_WORDS, *INSTALL[1]),
        _unregistered,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=15,
    ),
    CauseKind(
        "TC2023",
        "The service ended with an unrecognised error",
        "The service on {who} is stopped, and the last entry in its log is an error: {error}.",
        frozenset({"TT202", "TT206"}),
        (
            "Read the end of its log, fix what it says, then start it, and check that it stays up:",
            '$ Get-Content -Tail 60 -LiteralPath "<log>"',
            START_WINDOWS,
            STATE_WINDOWS,
        ),
        (
            "Read the end of its log, fix what it says, then start it, and check that it stays up:",
            '$ sudo tail -n 60 "<log>"',
            START_LINUX,
            STATE_LINUX,
        ),
        _ended_by_itself,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("error",),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2061",
        "The Octopus Server's service is stopped",
        "The Octopus Server's service on {who} is not running. Until it runs, it reaches no Tentacle and no "
        "Tentacle can poll it.",
        frozenset({"TT206"}),
        ("Start it, allow it 30 seconds, and check that it stays up:", START_WINDOWS, STATE_WINDOWS),
        ("Start it, or its container, and check that it stays up:", START_LINUX, JOURNAL),
        _stopped,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=5,
    ),
)
