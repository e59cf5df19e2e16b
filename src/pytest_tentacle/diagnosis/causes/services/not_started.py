"""Windows could not start a service: its program, its time limit, or what it depends on."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    DELAYED_WINDOWS,
    EXE,
    KEY_OF_SERVICE,
    START_LINUX,
    START_WINDOWS,
    STATE_LINUX,
    STATE_WINDOWS,
    when,
)
from pytest_tentacle.guide.consequences import FELL_OVER, STARTLESS, UNANSWERED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.sections.load_time.checks import OUT_OF_TIME
from pytest_tentacle.sections.services.events import (
    DEPENDENCY_FAILED,
    DEPENDENCY_MISSING,
    FILE_DAMAGED,
    NO_ANSWER_IN_TIME,
    PROGRAM_BLOCKED,
    PROGRAM_MISSING,
    PROGRAM_REFUSED,
)

from .failure import exit_of, failure_of, is_told_otherwise, program_clue, told_by
from .managers import EXIT_EXEC, is_by_cluster
from .not_executed import is_told_here

_SYSTEM = frozenset({"localsystem", "nt authority\\system", ".\\localsystem"})
_EVENTS_OF = "$ Get-WinEvent -LogName 'Microsoft-Windows-{}' -MaxEvents 20 -ErrorAction Ignore"


def _dependency(view: View, problem: Problem) -> Clue | None:
    failure = failure_of(view)
    named = failure.dependency if failure else ""
    if view.system != "windows" or (exit_of(problem) != DEPENDENCY_FAILED and not named):
        return None
    return Clue(facts={"dependency": named or "no event names it"}, evidence=told_by(view, failure))


def _no_dependency(view: View, problem: Problem) -> Clue | None:
    failure = failure_of(view)
    named = failure.lacks_dependency if failure else ""
    if view.system != "windows" or (exit_of(problem) != DEPENDENCY_MISSING and not named):
        return None
    return Clue(facts={"dependency": named or "no event names it"}, evidence=told_by(view, failure))


def _too_late(view: View, problem: Problem) -> Clue | None:
    failure = failure_of(view)
    late = failure is not None and failure.too_late and not failure.log_on
    if view.system != "windows" or (not late and exit_of(problem) != NO_ANSWER_IN_TIME) or "TT205" in view.codes:
        return None
    if is_by_cluster(problem):
        return None
    waited = failure.waited if failure else ""
    return Clue(facts={"limit": waited or "its time limit"}, evidence=told_by(view, failure))


def _code(view: View, problem: Problem) -> int | None:
    """Windows' error number of a program that did not come to run; None where there is none."""
    if view.system != "windows":
        return None
    failure = failure_of(view)
    numbers = {exit_of(problem), *(failure.program_codes if failure else ())}
    known = {*PROGRAM_MISSING, *PROGRAM_BLOCKED, PROGRAM_REFUSED}
    return next((number for number in sorted(known) if number in numbers), None)


_BROKEN = "a broken upgrade, or an antivirus program that took it away"
_NO_QUOTES = (
    "is whole, for it starts when it is called by its path. So Windows took another file for it: where the service's "
    "path has no quotes, it tries what stands before the first blank as well, and a file of that name (C:\\Program) "
    "is in the way"
)
_WRONG_FORMAT = 193
_NOT_WHOLE = 14001


def _no_program(view: View, problem: Problem) -> Clue | None:
    if view.system == "linux" and exit_of(problem) == EXIT_EXEC:
        how = f"is missing or cannot be run: {_BROKEN}"
        return None if is_told_here(view, problem) else program_clue(view, how=how, **_kind(broken=True))
    code = _code(view, problem) or 0
    if code == _WRONG_FORMAT and _runs_by_its_path(view):
        clue = program_clue(view, how=_NO_QUOTES, **_kind(unquoted=True))
        seen = view.service is not None and view.service.unquoted  # an older survey did not tell
        return clue if seen else replace(clue, confidence=Confidence.LIKELY)
    how = PROGRAM_MISSING.get(code, "")
    if not how:
        return None
    if code == FILE_DAMAGED:
        return program_clue(view, how=how, **_kind(damaged=True))
    return program_clue(view, how=how if code == _NOT_WHOLE else f"{how}: {_BROKEN}", **_kind(broken=True))


def _kind(**what: bool) -> dict[str, bool]:
    """Which of its remedies is meant."""
    return {"broken": False, "unquoted": False, "damaged": False} | what


def _runs_by_its_path(view: View) -> bool:
    """Whether its path has a blank and, as far as was read, no quotes, and the survey's own call of it ended well."""
    service, loading = view.service, view.survey.loading.data if view.survey else None
    if service is not None and service.unquoted is False:
        return False
    path = (service.executable or "").lower() if service else ""
    return " " in path and any(
        (each.executable or "").lower() == path and each.exit_code == 0 for each in (loading.times if loading else ())
    )


def _denied_to_all(view: View, problem: Problem) -> Clue | None:
    """Windows refuses it to the system itself, and an administrator could not start it either."""
    service, survey = view.service, view.survey
    host, loading = (survey.host.data, survey.loading.data) if survey else (None, None)
    if _code(view, problem) != PROGRAM_REFUSED or service is None or host is None or loading is None:
        return None
    own = [each for each in loading.times if (each.executable or "").lower() == (service.executable or "").lower()]
    tried = [each for each in own if each.error and each.cold_ms is None and not OUT_OF_TIME.match(each.error)]
    if not tried or not host.elevated or (service.account or "").lower() not in _SYSTEM:
        return None
    clue = program_clue(view)
    told = Evidence(f"loading of {view.name}", f"run by an administrator: {tried[0].error}")
    return Clue(facts=clue.facts, evidence=(told, *clue.evidence))


def _blocked(view: View, problem: Problem) -> Clue | None:
    blocker = PROGRAM_BLOCKED.get(_code(view, problem) or 0)
    return program_clue(view, blocker=blocker) if blocker else None


def _may_not_run_it(view: View, problem: Problem) -> Clue | None:
    refused = _code(view, problem) == PROGRAM_REFUSED and _denied_to_all(view, problem) is None
    return program_clue(view) if refused else None


def _another_instance(view: View, _problem: Problem) -> Clue | None:
    """Its command line names an instance that the machine does not have, so that the program ends at once."""
    service, instances = view.service, view.survey.instances.data if view.survey else None
    names = [each.name for each in instances or () if each.product == view.subject.product]
    if service is None or not service.instance or not names:
        return None
    if service.instance.casefold() in {name.casefold() for name in names}:
        return None
    line = Evidence(f"services of {view.name}", f"{service.name} runs {service.executable} {service.arguments or ''}")
    there = ", ".join(sorted(names))
    return Clue(facts={"started": service.instance, "there": there}, evidence=(line,))


def _home_is_gone(view: View, problem: Problem) -> Clue | None:
    """Octopus Home is not there, and no volume of the machine has its place; a folder alone the program makes anew."""
    survey = view.survey
    if survey is None or view.system != "windows" or exit_of(problem) in (None, 0) or is_told_otherwise(view):
        return None
    name = view.subject.instance_name.casefold()
    for rights in survey.permissions.data or ():
        gone = any(each.path == rights.home and each.error == "not-found" for each in rights.access)
        volumes = [disk for disk in survey.disks.data or () if disk.path == rights.home and disk.size_bytes is None]
        if rights.instance.casefold() == name and rights.product == view.subject.product and gone and volumes:
            told = Evidence(f"disks of {view.name}", f"no volume has {rights.home}, and that folder is not there")
            return Clue(facts={"home": rights.home}, evidence=(told,))
    return None


NOT_STARTED: tuple[CauseKind, ...] = (
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
            DELAYED_WINDOWS,
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
            (
                "See which of them is not running, and why: its own events say so (7000, 7023 or 7024 with its name). "
                "Where it is disabled, set it back to the start mode that it had; start it, then this service:"
            ),
            '$ Get-Service -Name "<service>" -RequiredServices | Select-Object Name, Status, StartType',
            "$ Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Service Control Manager'} -MaxEvents 20",
            START_WINDOWS,
        ),
        (
            "See which of them failed (a white or red dot), what it says (journalctl), and start it first:",
            '$ systemctl list-dependencies "<service>"',
            START_LINUX,
        ),
        _dependency,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
    CauseKind(
        "TC2030",
        "A service that it depends on is not installed",
        "The service on {who} cannot start because one that it is set to depend on does not exist on the machine "
        "({dependency}).",
        FELL_OVER,
        (
            (
                "See what it is set to depend on. Install that again; or, where it was removed on purpose, take it "
                "off the list. Without others that somebody added (--dependOn), which stay with a / between, the list "
                "of a Tentacle is:"
            ),
            '$ sc.exe qc "<service>"',
            '$ sc.exe config "<service>" depend= LanmanWorkstation/TCPIP',
            START_WINDOWS,
        ),
        ("See which one, and install it:", '$ systemctl list-dependencies "<service>"', START_LINUX),
        _no_dependency,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("dependency",),
        rank=20,
    ),
    CauseKind(
        "TC2035",
        "The service's program is missing or cannot be run",
        "The service on {who} cannot start because its program ({executable}) {how}.",
        FELL_OVER,
        (
            *when(
                "damaged",
                "See what is wrong with the volume, and have it repaired (chkdsk) before anything is installed on it:",
                "$ Get-Volume | Select-Object DriveLetter, FileSystemLabel, HealthStatus",
            ),
            *when(
                "broken",
                "See whether the file is there, repair the installation (its MSI), then start the service:",
                '$ Get-Item -LiteralPath "<executable>"',
            ),
            *when(
                "unquoted",
                (
                    "To install it again does not help while that file is there. See the service's path, and whether "
                    "there is such a file. Find out what made it, and move it away. In the value ImagePath put quotes "
                    "around the path of the program, and change nothing else (service --reconfigure does that as well, "
                    "and resets dependencies and a delayed start). Then start it:"
                ),
                f'$ Get-ItemProperty -LiteralPath "{KEY_OF_SERVICE}" -Name ImagePath',
                "$ Get-Item -Path 'C:\\Program', 'C:\\Program.*' -ErrorAction Ignore",
            ),
            START_WINDOWS,
        ),
        ("See whether the file is there, repair the package, then start:", '$ ls -l "<executable>"', START_LINUX),
        _no_program,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("how",),
        rank=20,
    ),
    CauseKind(
        "TC2069",
        "A security product denies the service's program",
        "The service on {who} cannot start: Windows refuses {executable} to the system itself ({account}) and to an "
        "administrator. A security product does that, such as a rule of Microsoft Defender's (attack surface "
        "reduction), whatever the access list says; or the list lets nobody in.",
        FELL_OVER,
        (
            (
                "To install it again does not help, nor do more rights on the file where it has the usual ones. Have "
                "those who manage the security product allow this program in the rule that denied it, and switch no "
                "rule off for it; then start the service. What it wrote (Defender: 1121), and who may run the file:"
            ),
            _EVENTS_OF.format("Windows Defender/Operational"),
            '$ Get-Acl -LiteralPath "<executable>" | Format-List',
            START_WINDOWS,
        ),
        ("This concerns Windows only. See its state:", STATE_LINUX),
        _denied_to_all,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account",),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2028",
        "Windows refuses to run the service's program",
        "The service on {who} cannot start because {blocker} ({executable}).",
        FELL_OVER,
        (
            (
                "To install it again does not help. Have those who manage the security product or the policy allow the "
                "program (by its publisher or path), take it out of quarantine, and start the service. What they wrote:"
            ),
            _EVENTS_OF.format("AppLocker/EXE and DLL"),
            _EVENTS_OF.format("CodeIntegrity/Operational"),
            _EVENTS_OF.format("Windows Defender/Operational"),
            START_WINDOWS,
        ),
        ("This concerns Windows only. See its state:", STATE_LINUX),
        _blocked,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("blocker",),
        rank=20,
    ),
    CauseKind(
        "TC2029",
        "Access to the service's program is refused",
        "The service on {who} cannot start because access to its program ({executable}) is refused: its account "
        "({account}) has no right to run it, or a security product keeps it from doing so.",
        FELL_OVER,
        (
            (
                "Every user has by default the right to read and run what is in Program Files. See who has it now, "
                "give it to the account where it lacks, then start the service:"
            ),
            '$ icacls "<executable>"',
            START_WINDOWS,
            STATE_WINDOWS,
        ),
        ("See who may run it, then start it:", '$ ls -l "<executable>"', START_LINUX),
        _may_not_run_it,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account",),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC2063",
        "The service starts an instance that does not exist",
        "The service on {who} is set to start instance {started}, which the machine does not have (it has {there}): "
        "the program ends as soon as it looks for it.",
        FELL_OVER,
        (
            "See its command line. Let it start the instance that is there, or create the one that it names:",
            '$ sc.exe qc "<service>"',
            f'$ {EXE} service --install --start --instance "<instance>"',
        ),
        ("See its command line, and correct it:", '$ systemctl cat "<service>"', START_LINUX, STATE_LINUX),
        _another_instance,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=15,
    ),
    CauseKind(
        "TC2064",
        "The disk of Octopus Home is not there",
        "The service on {who} ends when it starts: Octopus Home ({home}) does not exist, and no volume of the machine "
        "has its place.",
        FELL_OVER,
        (
            (
                "Bring the disk back, or give it its letter again, then start the service. To set the instance up "
                "elsewhere would cost it its certificate and its registration:"
            ),
            "$ Get-Disk | Select-Object Number, FriendlyName, OperationalStatus, IsOffline",
            "$ Get-Volume | Select-Object DriveLetter, FileSystemLabel, HealthStatus",
            START_WINDOWS,
        ),
        ("See what is mounted there, then start it:", '$ findmnt --target "<home>"', START_LINUX),
        _home_is_gone,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
)
