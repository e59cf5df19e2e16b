"""What a restart that a person asked for leaves in logs is no fault: connections that it cut, attempts meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.logs.model import LogFile, LogRecord
from pytest_tentacle.logs.signatures import Phase, Signature
from pytest_tentacle.survey.actions import Action, ActionResult

from .index import age_of
from .recovery import State, Verdict

_SLACK = timedelta(seconds=2)
"""Clocks are read to the second."""

_SHUT_DOWN = "was shut down"
"""Halibut's words where it cannot tell a stranger from an end: whoever is restarted ends its connections so."""


def cut_off_by_a_restart(
    record: LogRecord, signature: Signature, log: LogFile, vantage: Subject, ends: Sequence[Subject]
) -> Verdict | None:
    """Whether a record tells no more than that an end of its link was being restarted; None where it may tell more.

    What a start that fails says of itself, and a certificate that is not the expected one, is never explained by it.
    Only what was written between the restart's beginning and the end of the look after it counts, each time of it.

    Args:
        record: of a log.
        signature: of the record.
        log: the log.
        vantage: the machine whose log it is.
        ends: the machines at the ends of the record's links.
    """
    if not _may_be_cut_off(record, signature):
        return None
    names = {end.name for end in ends}
    for action in vantage.fleet.surveys.actions:
        if action.kind == "restart" and action.result is not ActionResult.LEFT_ALONE and action.machine in names:
            times = [record.time, *([record.first_time] if record.first_time else [])]
            if all(_within(action, log, time, vantage) for time in times):
                return Verdict(State.HISTORY, f"{action.machine} was being restarted then, as was asked for")
    return None


def _may_be_cut_off(record: LogRecord, signature: Signature) -> bool:
    if record.command is not None or record.level == "FATAL" or {"actual", "expected"} & record.facts.keys():
        return False
    if signature.phase is Phase.TRUST:
        return _SHUT_DOWN in record.text
    return signature.phase in {Phase.REACH, Phase.SECURE, Phase.TALK}


def _within(action: Action, log: LogFile, time: str, vantage: Subject) -> bool:
    """Whether a line was written while it lasted; by ages, since each machine's clock is its own."""
    record = vantage.record
    try:
        clock = vantage.read(FACTS.host).clock_utc
    except Unknown:
        return False
    age = age_of(log, time, clock)
    if age is None or record is None:
        return False
    begun = record.taken_utc - action.time
    ended = begun - timedelta(seconds=action.seconds)
    return ended - _SLACK <= age <= begun + _SLACK
