"""One thing that happened, and when, by one clock: that of the machine that runs pytest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from enum import StrEnum

from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.sections.identify.index import ahead_of_ours, utc_of

ONE_DAY = timedelta(days=1)
"""How exact the time is of what is known by its day alone."""

_WORTH_A_WORD = timedelta(seconds=5)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


class Kind(StrEnum):
    """What a moment tells of the link."""

    WORKED = "worked"
    """The whole way: the other end was let in, or a health check came through."""
    PARTLY = "partly"
    """It came as far as TLS, or as the page: whether the other end was let in is not shown."""
    FAILED = "failed"
    CHANGED = "changed"
    """Something at one of the ends changed or happened, which may have to do with it or not."""


@dataclass(frozen=True)
class Moment:
    """One thing that happened.

    Attributes:
        time: UTC, by the clock of the machine that runs pytest.
        machine: at whose end.
        text: what happened, in one line.
        source: where that is written.
        within: it happened between `time` and so much later; zero where the time is exact.
        brief: the same in fewer words, for a sentence; empty where `text` is brief enough.
        is_now: it is what the survey itself met.
        again: it had happened before, at times that are not known.
    """

    time: datetime
    kind: Kind
    machine: str
    text: str
    source: str
    within: timedelta = timedelta()
    brief: str = ""
    is_now: bool = False
    again: bool = False

    @property
    def when(self) -> str:
        """As a person writes it: `12 March 2026 02:10:45`, or the day alone where no more is known."""
        if self.is_day:
            return day(self.time)
        if self.within:
            return f"between {day_and_time(self.time)} and {day_and_time(self.time + self.within)}"
        return day_and_time(self.time)

    @property
    def is_day(self) -> bool:
        """Whether no more than the day is known."""
        return self.within == ONE_DAY

    def when_after(self, other: datetime) -> str:
        """The same beside another time: without what both share, the year, or the day."""
        same_day = self.time.date() == other.date()
        shown = self.when
        if self.within and not self.is_day:
            return shown
        if same_day and not self.is_day:
            return f"{self.time:%H:%M:%S}"
        return shown.replace(f" {self.time.year}", "", 1) if self.time.year == other.year else shown


class Clock:
    """One machine's times, brought to ours."""

    def __init__(self, subject: Subject) -> None:
        self._name = subject.name
        self._ahead = ahead_of_ours(subject)
        self.unread: dict[str, None] = {}
        """Sentences: what could not be placed in time."""

    def at(self, time: datetime) -> datetime:
        """A time of its own clock."""
        whole = time if time.tzinfo else time.replace(tzinfo=UTC)
        try:
            return whole.astimezone(UTC) - (self._ahead or timedelta())
        except OverflowError:  # one of the two is no time that a clock shows
            return whole

    def of_line(self, log: LogFile, time: str) -> datetime | None:
        """A line's time; None where the zone of its log cannot be told, which is noted."""
        found = utc_of(log, time)
        if found is None:
            if time:
                self.unread[f"the times of {log.path} on {self._name} could not be placed: its zone is not clear"] = (
                    None
                )
            return None
        return self.at(found)

    @property
    def note(self) -> str | None:
        """How far its clock is off, where that is worth a word."""
        if self._ahead is None:
            return f"the clock of {self._name} is not known: its times stand as they are written"
        if abs(self._ahead) <= _WORTH_A_WORD:
            return None
        way = "ahead of" if self._ahead > timedelta() else "behind"
        seconds = round(abs(self._ahead).total_seconds())
        return f"the clock of {self._name} is {seconds:,} s {way} ours: its times are brought to ours"


def portal_time(text: str) -> datetime | None:
    """A time as Octopus's API writes it; None for what is none, and for .NET's zero, which means never."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None or found.year < 2000:  # noqa: PLR2004  0001-01-01
        return None
    return found.astimezone(UTC) if found.year < MAXYEAR else None


def day(time: datetime) -> str:
    """`12 March 2026`."""
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}"


def day_and_time(time: datetime) -> str:
    """`12 March 2026 02:10:45`."""
    return f"{day(time)} {time:%H:%M:%S}"
