"""When a log's line was written, in UTC by its own machine's clock: a log is in local time and names no zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_tentacle.guide.outcome import Unknown
from pytest_tentacle.survey.logs_lines import moment

if TYPE_CHECKING:
    from pytest_tentacle.survey.surroundings import LogFile

    from .subject import Subject

_ZONE_STEP = timedelta(minutes=15)
_SLACK = timedelta(minutes=5)
"""How far a file's time may lie behind its last line, for the zone to be told from the two."""
_FARTHEST = timedelta(hours=15)


def offset_of(log: LogFile) -> timedelta | None:
    """How far its local time is ahead of UTC, by the last line and the file's own time; None where that is unclear."""
    last = moment(log.last_time or "")
    if last is None or log.modified_utc is None:
        return None
    ahead = last - log.modified_utc.astimezone(UTC).replace(tzinfo=None)
    rounded = round(ahead / _ZONE_STEP) * _ZONE_STEP
    return rounded if abs(ahead - rounded) <= _SLACK and abs(rounded) <= _FARTHEST else None


def utc_of(log: LogFile, time: str) -> datetime | None:
    """A line's time in UTC; None where the zone is unclear."""
    local, offset = moment(time), offset_of(log)
    return (local - offset).replace(tzinfo=UTC) if local is not None and offset is not None else None


def age_of(log: LogFile, time: str, clock: datetime | None) -> timedelta | None:
    """How long ago a line was written by the machine's clock; at least how long, where the zone is unclear."""
    written = utc_of(log, time)
    if written is not None and clock is not None:
        return clock - written
    local, last = moment(time), moment(log.last_time or "")
    return last - local if local is not None and last is not None else None


def ahead_of_ours(subject: Subject) -> timedelta | None:
    """How far its clock is ahead of that of the machine that runs pytest; the survey's own time is within it."""
    try:
        clock = subject.read("host").clock_utc
    except Unknown:
        return None
    taken = subject.record.taken_utc if subject.record else None
    return clock - taken if clock is not None and taken is not None else None
