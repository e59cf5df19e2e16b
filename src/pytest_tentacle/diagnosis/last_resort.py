"""What is left where no cause is found, or none for certain: errors that nobody knows, a restart, a clean slate.

An error of either end that the catalogue does not know, written in the hour of a failure, may be its reason. It is no
problem by itself: a server that works well logs such errors, too. Beside a failure it is told first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from pytest_tentacle.guide import commands as guide
from pytest_tentacle.guide.consequences import DOWN
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import kept
from pytest_tentacle.logs.model import LogFile, LogRecord
from pytest_tentacle.sections.identify.index import age_of
from pytest_tentacle.sections.identify.records import evidence_of, host_of, innermost, logs_of

from .kind import Found
from .view import View

_FIRST = f"No cause is known for this. As a last resort: {guide.RESTART.lower()}:"
_THEN = f"If that does not help, {guide.CLEAN_SLATE}:"

WINDOWS = (_FIRST, guide.RESTART_WINDOWS, _THEN, *guide.CLEAN_WINDOWS)
LINUX = (_FIRST, guide.RESTART_LINUX, _THEN, *guide.CLEAN_LINUX)


_LATELY = timedelta(hours=1)
_EACH = 2
_TOLD_ELSEWHERE = frozenset({"TT129", "TT131"})
"""Causes that consist of such an error."""
_ERRORS = frozenset({"ERROR", "FATAL"})


def with_unrecognised(view: View, found: Found) -> Found:
    """The cause, with what the logs of both ends hold that nobody knows, where it is no more than possible."""
    if found.kind.code in _TOLD_ELSEWHERE or not _leaves_room(found):
        return found
    told = unrecognised(view)
    if not told:
        return found
    where = " and ".join(dict.fromkeys(name for name, _ in told))
    doubt = (
        f"The log of {where} also holds an error of that time that is not known here, and may be the reason: read it."
    )
    return replace(
        found,
        evidence=(*found.evidence[:1], *(each for _, each in told), *found.evidence[1:]),
        unsure=f"{found.unsure} {doubt}" if found.unsure else doubt,
    )


def _leaves_room(found: Found) -> bool:
    ends = bool(found.kind.needs & DOWN) and all(problem.code in DOWN for problem in found.problems)
    return found.confidence is Confidence.POSSIBLE or (ends and found.confidence is Confidence.LIKELY)


def unexplained_with(view: View, problem: Problem) -> Problem:
    """A problem that no cause explains, with the same."""
    told = tuple(each for _, each in unrecognised(view))
    return replace(problem, evidence=(*told, *problem.evidence)) if told else problem


def unrecognised(view: View) -> tuple[tuple[str, Evidence], ...]:
    """Name and record of the last errors of either end that nobody knows: its machine's own first."""
    ends = (view, *(view.scene.view(name) for name in view.peers if not view.is_server))
    return tuple((end.name, each) for end in ends for each in _of(end))


def last_unrecognised(view: View) -> str | None:
    """What the last such error of its own log says; None where there is none."""
    records = _records(view)
    return innermost(records[-1][0]) if records else None


def _of(view: View) -> list[Evidence]:
    return [evidence_of(record, log, view.subject) for record, log in reversed(_records(view)[-_EACH:])]


def _records(view: View) -> list[tuple[LogRecord, LogFile]]:
    """Read once a machine: a server's log stands beside the failures of all its Tentacles."""
    return kept(view.subject, "unrecognised errors", lambda: _read(view))


def _read(view: View) -> list[tuple[LogRecord, LogFile]]:
    try:
        logs = logs_of(view.subject)
    except (Unknown, Blocked):
        return []
    host = host_of(view.subject)
    clock = host.clock_utc if host else None
    return [
        (record, log)
        for log in logs
        for record in log.records
        if record.signature is None
        and record.command is None
        and record.level in _ERRORS
        and record.text.strip("=-* \t\r\n")
        and (age := age_of(log, record.time, clock)) is not None
        and age <= _LATELY
    ]


def left_overs(views: Iterable[View]) -> tuple[Evidence, ...]:
    """What earlier installations left behind on these machines, as far as their surveys tell."""
    return tuple(
        Evidence(f"left-overs on {view.name}", f"{found.kind}: {found.where}")
        for view in views
        if view.survey is not None
        for found in view.survey.left_overs.data or ()
    )
