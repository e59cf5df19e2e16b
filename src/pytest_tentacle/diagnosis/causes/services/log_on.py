"""The account of a Windows service cannot log on: its password, the account itself, its right, or the domain."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import DELAYED_WINDOWS, START_LINUX, START_WINDOWS, when
from pytest_tentacle.guide.consequences import FELL_OVER, STARTLESS, UNANSWERED
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.sections.services.events import CLOCKS_APART, LOG_ON_FAILED, NO_NETLOGON, LastFailure

from .failure import exit_of, failure_of, told_by

_WHO = '$ Get-CimInstance Win32_Service | Where-Object Name -eq "<service>" | Select-Object StartName'
_ON_LINUX = ("See which account it runs as, then start it:", '$ systemctl show "<service>" -p User', START_LINUX)


def _no_log_on(view: View, problem: Problem) -> LastFailure | bool:
    """Whether its account could not log on: the events that say so, or its exit code alone."""
    failure = failure_of(view)
    if failure is not None and failure.log_on:
        return failure
    return view.system == "windows" and exit_of(problem) == LOG_ON_FAILED


def _is_managed(view: View) -> bool:
    """Whether the account is a group managed one, whose password only Windows knows: its name ends in a dollar sign."""
    return view.service is not None and (view.service.account or "").endswith("$")


def _told(view: View, problem: Problem) -> LastFailure | None:
    """The events that say that it could not log on; None where no event does."""
    found = _no_log_on(view, problem)
    return found if isinstance(found, LastFailure) else None


def _account(view: View, problem: Problem) -> Clue | None:
    told = _told(view, problem)
    if not _no_log_on(view, problem) or _is_managed(view):
        return None
    if told is not None and (told.no_right or told.account_refused or told.domain_unreachable):
        return None
    return _log_on_clue(view)


def _no_right(view: View, problem: Problem) -> Clue | None:
    told = _told(view, problem)
    return _log_on_clue(view) if told is not None and told.no_right else None


def _refused(view: View, problem: Problem) -> Clue | None:
    told = _told(view, problem)
    if told is None or told.no_right or not told.account_refused or _is_managed(view):
        return None
    return _log_on_clue(view)


def _no_domain(view: View, problem: Problem) -> Clue | None:
    told = _told(view, problem)
    if told is None or told.no_right or not told.domain_unreachable:
        return None
    clue = _log_on_clue(view)
    why = {"clocks": CLOCKS_APART in told.codes, "netlogon": NO_NETLOGON in told.codes}
    return replace(clue, facts=clue.facts | why)


def _managed(view: View, problem: Problem) -> Clue | None:
    told = _told(view, problem)
    if not _no_log_on(view, problem) or not _is_managed(view):
        return None
    return None if told is not None and (told.no_right or told.domain_unreachable) else _log_on_clue(view)


def _log_on_clue(view: View) -> Clue:
    failure = failure_of(view)
    reason = failure.log_on_reason if failure else ""
    account = view.service.account if view.service else None
    facts = {"account": account, "reason": reason or "a changed or expired password, or a locked account"}
    return Clue(facts=facts, evidence=told_by(view, failure))


LOG_ON: tuple[CauseKind, ...] = (
    CauseKind(
        "TC2033",
        "The service's account cannot log on",
        "The service on {who} cannot start because its account ({account}) cannot log on: {reason}.",
        FELL_OVER,
        (
            "Renew the password in the Services applet (Log On), check that the account is not locked, then start it:",
            _WHO,
            START_WINDOWS,
        ),
        _ON_LINUX,
        _account,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account", "reason"),
        rank=20,
    ),
    CauseKind(
        "TC2065",
        "The service's account may not log on",
        "The service on {who} cannot start because its account ({account}) cannot log on: {reason}.",
        FELL_OVER,
        (
            (
                "Its password is not the reason. Have those who manage the account lift what keeps it out (unlock it, "
                "enable it, extend it, allow this machine and hour), or give the service another account; then start "
                "it. A locked account is locked again as long as something logs on with an old password:"
            ),
            _WHO,
            START_WINDOWS,
        ),
        _ON_LINUX,
        _refused,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account", "reason"),
        rank=20,
    ),
    CauseKind(
        "TC2027",
        "The machine could not ask its domain about the service's account",
        "The service on {who} cannot start because the machine could not ask its domain about the account "
        "({account}): {reason}.",
        FELL_OVER,
        (
            (
                "Neither account nor password has to be changed. See whether the machine finds a domain controller and "
                "still has its trust (-Repair renews that, with an account of the domain that may); then start the "
                "service. If it fails at each boot, let Windows start it some minutes later:"
            ),
            "$ Test-ComputerSecureChannel -Verbose",
            '$ nltest "/dsgetdc:$((Get-CimInstance Win32_ComputerSystem).Domain)"',
            *when(
                "clocks",
                "Set the clock right, and see where the machine takes its time from: a host of virtual machines may "
                "set it wrong again at each boot:",
                "$ w32tm /query /status",
            ),
            *when("netlogon", "$ Get-Service -Name Netlogon | Select-Object Name, Status, StartType"),
            START_WINDOWS,
            DELAYED_WINDOWS,
        ),
        _ON_LINUX,
        _no_domain,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("reason",),
        rank=18,
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
            _WHO,
            START_WINDOWS,
        ),
        _ON_LINUX,
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
        _ON_LINUX,
        _managed,
        consequences=STARTLESS,
        echoes=UNANSWERED,
        fold_by=("account",),
        rank=20,
    ),
)
