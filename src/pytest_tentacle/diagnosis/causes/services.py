"""Why a service is not running (guide, "Check the Octopus and Tentacle Services are Running")."""

from __future__ import annotations

from datetime import datetime

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    CLI,
    EXE,
    JOURNAL,
    RESTART_LINUX,
    RESTART_WINDOWS,
    START_LINUX,
    START_WINDOWS,
    STATE_LINUX,
    STATE_WINDOWS,
)
from pytest_tentacle.guide.consequences import FELL_OVER, STARTLESS, UNANSWERED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.sections.services.events import (
    NO_FILE,
    START_MODE_CHANGED,
    LastFailure,
    events_of,
    installed_otherwise,
    last_failure,
    said,
    source_of,
)

from .managers import EXIT_EXEC, how_it_ended, is_by_cluster, is_set_up
from .registering import broken_off

_LOG_WINDOWS = (
    "$ Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Service Control Manager'} -MaxEvents 20"
)
_LOGON, _DEPENDENCY, _NEVER, _LATE = 1069, 1068, 1077, 1053


def _exit(problem: Problem) -> object:
    return problem.facts.get("exit_code")


def _failure(view: View) -> LastFailure | None:
    """What Windows' service controller wrote of its last failure; None where it wrote nothing that still holds."""
    events = view.survey.events.data if view.survey and view.system == "windows" else None
    if not events or view.service is None:
        return None
    host = view.survey.host.data if view.survey else None
    return last_failure(events, view.service, since=host.boot_utc if host else None, wrote=_last_written(view))


def _last_written(view: View) -> datetime | None:
    logs = view.survey.logs.data if view.survey else None
    name = view.subject.instance_name.lower()
    own = [log for log in logs or () if log.instance.lower() == name and log.product == view.subject.product]
    return max((log.modified_utc for log in own if log.modified_utc), default=None)


def _told_by(view: View, failure: LastFailure | None) -> tuple[Evidence, ...]:
    """What the System log says of a failure, and of what was changed since the service was installed."""
    told = tuple(Evidence(source_of(event, view.name), said(event)) for event in failure.events) if failure else ()
    events = view.survey.events.data if view.survey else None
    installed = installed_otherwise(events or (), view.service) if view.service else None
    return (*told, Evidence(source_of(installed[0], view.name), installed[1])) if installed else told


def _is_told_otherwise(view: View) -> bool:
    """Whether an event names a reason that has a cause of its own."""
    failure = _failure(view)
    return failure is not None and (
        failure.log_on or failure.too_late or failure.no_program or bool(failure.dependency)
    )


def _stopped(view: View, problem: Problem) -> Clue | None:
    if "TT205" in view.codes or _exit(problem) == _NEVER or _last_words(view) is not None or _is_told_otherwise(view):
        return None
    if is_by_cluster(problem) or broken_off(view) is not None:
        return None
    return Clue()


def _last_words(view: View) -> Problem | None:
    """The error that ended its process, and that nobody knows."""
    return next((problem for problem in view.problems if problem.code == "TT129"), None)


def _ended_by_itself(view: View, problem: Problem) -> Clue | None:
    last = _last_words(view)
    if last is None or "TT205" in view.codes or _exit(problem) == _NEVER or is_by_cluster(problem):
        return None
    return Clue(facts={"error": last.actual, "log": last.facts.get("log")}, evidence=last.evidence)


def _since_boot(view: View, problem: Problem) -> Clue | None:
    if _exit(problem) != _NEVER or "TT205" in view.codes or _is_told_otherwise(view) or is_by_cluster(problem):
        return None
    host = view.survey.host.data if view.survey else None
    booted = f"the machine started at {host.boot_utc:%Y-%m-%d %H:%M} UTC" if host and host.boot_utc else ""
    return Clue(evidence=(Evidence(f"host {view.name}", booted),) if booted else ())


def _stays_off(view: View, problem: Problem) -> Clue | None:
    if is_by_cluster(problem) or problem.facts.get("state") == "running" or not view.codes & {"TT202", "TT206"}:
        return None
    return Clue(evidence=_changed(view))


def _gone_after_boot(view: View, _problem: Problem) -> Clue | None:
    return Clue(evidence=_changed(view)) if not view.codes & {"TT202", "TT206"} else None


def _changed(view: View) -> tuple[Evidence, ...]:
    """When its start mode was changed last, where the System log still has that."""
    events = view.survey.events.data if view.survey else None
    found = events_of(events or (), view.service) if view.service else ()
    return tuple(Evidence(source_of(each, view.name), said(each)) for each in found if each.id == START_MODE_CHANGED)[
        :1
    ]


def _not_run(view: View, problem: Problem) -> bool:
    """Whether systemd could not even run the program."""
    return view.system == "linux" and _exit(problem) == EXIT_EXEC


def _loops(view: View, problem: Problem) -> Clue | None:
    restarts = _restarts(view, problem)
    return Clue(facts={"restarts": restarts}) if restarts and is_set_up(view, problem) else None


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
    known = {_LOGON, _DEPENDENCY, _LATE, *NO_FILE}
    if view.system == "windows" and (_exit(problem) in known or _is_told_otherwise(view)):
        return None
    facts = {"log": _log(view), "exit": how_it_ended(view, _exit(problem))}
    told = _told_by(view, _failure(view))
    return Clue(facts=facts, evidence=told, unsure="Why it ends stands at the end of the log of {who}.")


def _log(view: View) -> str | None:
    """Path of its own log, as far as the survey found it."""
    logs = view.survey.logs.data if view.survey else None
    name = view.subject.instance_name.lower()
    return next((log.path for log in logs or () if log.instance.lower() == name), None)


def _no_log_on(view: View, problem: Problem) -> LastFailure | bool:
    """Whether its account could not log on: the events that say so, or its exit code alone."""
    failure = _failure(view)
    if failure is not None and failure.log_on:
        return failure
    return view.system == "windows" and _exit(problem) == _LOGON


def _is_managed(view: View) -> bool:
    """Whether the account is a group managed one, whose password only Windows knows: its name ends in a dollar sign."""
    return view.service is not None and (view.service.account or "").endswith("$")


def _account(view: View, problem: Problem) -> Clue | None:
    found = _no_log_on(view, problem)
    if not found or _is_managed(view) or (isinstance(found, LastFailure) and found.no_right):
        return None
    return _log_on_clue(view)


def _no_right(view: View, problem: Problem) -> Clue | None:
    found = _no_log_on(view, problem)
    return _log_on_clue(view) if isinstance(found, LastFailure) and found.no_right else None


def _managed(view: View, problem: Problem) -> Clue | None:
    found = _no_log_on(view, problem)
    if not found or not _is_managed(view) or (isinstance(found, LastFailure) and found.no_right):
        return None
    return _log_on_clue(view)


def _log_on_clue(view: View) -> Clue:
    failure = _failure(view)
    reason = failure.log_on_reason if failure else ""
    account = view.service.account if view.service else None
    facts = {"account": account, "reason": reason or "a changed or expired password, or a locked account"}
    return Clue(facts=facts, evidence=_told_by(view, failure))


def _dependency(view: View, problem: Problem) -> Clue | None:
    failure = _failure(view)
    named = failure.dependency if failure else ""
    if view.system != "windows" or (_exit(problem) != _DEPENDENCY and not named):
        return None
    return Clue(facts={"dependency": named or "no event names it"}, evidence=_told_by(view, failure))


def _too_late(view: View, problem: Problem) -> Clue | None:
    failure = _failure(view)
    late = failure is not None and failure.too_late and not failure.log_on
    if view.system != "windows" or (not late and _exit(problem) != _LATE) or "TT205" in view.codes:
        return None
    if is_by_cluster(problem):
        return None
    waited = failure.waited if failure else ""
    return Clue(facts={"limit": waited or "its time limit"}, evidence=_told_by(view, failure))


def _no_program(view: View, problem: Problem) -> Clue | None:
    failure = _failure(view)
    known = view.system == "windows" and (_exit(problem) in NO_FILE or (failure is not None and failure.no_program))
    if not known and not _not_run(view, problem):
        return None
    executable = view.service.executable if view.service else None
    return Clue(facts={"executable": executable}, evidence=_told_by(view, failure))


def _unregistered(view: View, _problem: Problem) -> Clue | None:
    return Clue() if "TT207" not in view.codes else None


SERVICES: tuple[CauseKind, ...] = (
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
        "The service on {who} is not running and will not start automatically: its start mode is not automatic, "
        "perhaps since maintenance, or by a policy.",
        frozenset({"TT205"}),
        (
            "If that is not intended, set it to start automatically, and start it:",
            '$ Set-Service -Name "<service>" -StartupType Automatic',
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
        rank=15,
    ),
    CauseKind(
        "TC2052",
        "The service will not start after the next reboot",
        "The service on {who} does not start automatically. Nothing fails yet.",
        frozenset({"TT205"}),
        ("Set it to start automatically:", '$ Set-Service -Name "<service>" -StartupType Automatic'),
        ("Set it to start automatically:", '$ sudo systemctl enable "<service>"'),
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
        "The service on {who} started and then ended with an error ({exit}).",
        frozenset({"TT203"}),
        (
            "Read the end of its log and the service events, fix what they say, then start it:",
            '$ Get-Content -Tail 60 "<log>"',
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
        "TC2033",
        "The service's account cannot log on",
        "The service on {who} cannot start because its account ({account}) cannot log on: {reason}.",
        FELL_OVER,
        (
            "Renew the password in the Services applet (Log On), check that the account is not locked, then start it:",
            '$ Get-CimInstance Win32_Service | Where-Object Name -eq "<service>" | Select-Object StartName',
            START_WINDOWS,
        ),
        ("See which account it runs as, then start it:", '$ systemctl show "<service>" -p User', START_LINUX),
        _account,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account", "reason"),
        rank=20,
    ),
    CauseKind(
        "TC2036",
        "The service's account may not log on as a service",
        "The service on {who} cannot start because its account ({account}) has no right to log on as a service: it "
        "was removed, usually by a group policy that lists other accounts.",
        FELL_OVER,
        (
            (
                "Grant the account the right (Local Security Policy, User Rights Assignment, Log on as a service). "
                "Where a group policy defines the list, add it there, or it is taken away again. Then start the "
                "service:"
            ),
            '$ Get-CimInstance Win32_Service | Where-Object Name -eq "<service>" | Select-Object StartName',
            START_WINDOWS,
        ),
        ("See which account it runs as, then start it:", '$ systemctl show "<service>" -p User', START_LINUX),
        _no_right,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account",),
        rank=20,
    ),
    CauseKind(
        "TC2037",
        "The machine cannot use the service's managed account",
        "The service on {who} cannot start because its group managed account ({account}) cannot log on: the machine is "
        "not among those that may read its password, or could not ask a domain controller for it.",
        FELL_OVER,
        (
            (
                "There is no password to renew. See whether this machine may use the account, and add it to those that "
                "may retrieve its password; a machine that was added to a group needs a restart. Then start the "
                "service:"
            ),
            '$ Test-ADServiceAccount -Identity "<account>"',
            '$ Get-ADServiceAccount -Identity "<account>" -Properties PrincipalsAllowedToRetrieveManagedPassword',
            START_WINDOWS,
        ),
        ("See which account it runs as, then start it:", '$ systemctl show "<service>" -p User', START_LINUX),
        _managed,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account",),
        rank=20,
    ),
    CauseKind(
        "TC2024",
        "The service did not answer in time when it was started",
        "The service on {who} is not running because Windows gave up on its start: it did not answer within {limit}, "
        "as on a machine that is busy after booting.",
        FELL_OVER,
        (
            (
                "Start it now. If that happens at every boot, let Windows start it some minutes after the others, and "
                "see the step Load time:"
            ),
            START_WINDOWS,
            STATE_WINDOWS,
            '$ sc.exe config "<service>" start= delayed-auto',
        ),
        ("Start it, and check that it stays up:", START_LINUX, STATE_LINUX),
        _too_late,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2034",
        "A service that it depends on is not running",
        "The service on {who} cannot start because another one that it depends on failed ({dependency}).",
        FELL_OVER,
        (
            "See which one, and start that first:",
            '$ Get-Service -Name "<service>" -RequiredServices',
            START_WINDOWS,
        ),
        ("See which one, and start that first:", '$ systemctl list-dependencies "<service>"', START_LINUX),
        _dependency,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
    CauseKind(
        "TC2035",
        "The service's program is missing or cannot be run",
        "The service on {who} cannot start because its program ({executable}) is missing or access to it is refused: "
        "a broken upgrade, an antivirus program, or removed rights.",
        FELL_OVER,
        (
            "See whether the file is there, repair the installation (its MSI), then start the service:",
            '$ Get-Item "<executable>"',
            START_WINDOWS,
        ),
        ("See whether the file is there, repair the package, then start:", '$ ls -l "<executable>"', START_LINUX),
        _no_program,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
    CauseKind(
        "TC2011",
        "The Tentacle has no service",
        "No service that runs the instance is installed on {who}.",
        frozenset({"TT201"}),
        ("Install and start it, in an elevated prompt:", f'$ {EXE} service --install --start --instance "<instance>"'),
        ("Install and start it:", f'$ {CLI} service --install --start --instance "<instance>"'),
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
            '$ Get-Content -Tail 60 "<log>"',
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
