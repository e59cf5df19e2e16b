"""A link's history: the last proof that it worked, the first failure after it, and what changed between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.identify.records import logs_of
from pytest_tentacle.sections.portal import portal_of, registrations_of, seen_of

from .changes import changes_of
from .moments import Clock, Kind, Moment, day_and_time
from .proofs import proofs_of

MOST_LINES = 12
"""Of one timeline."""

_CHANGES = 7
_NAMED = 2
"""Changes that the sentence names, the last ones before the failure."""

_BEFORE = timedelta(days=1)
"""What changed so long before the last proof is worth a line, where nothing changed after it."""

_CLOCKS = timedelta(seconds=2)
"""Two ends' times cannot be told apart any finer."""

_WORDS = 160


@dataclass(frozen=True)
class History:
    """One link's.

    Attributes:
        worked: the last proof that the whole way worked; None where none is known.
        failed: the first failure after it, or of all; None where none is known.
        between: what changed from the one to the other; without a proof, in the day before the failure.
        lines: a dozen at most, around the break, by time.
        notes: what is not known: logs that were not read, clocks that could not be compared.
    """

    tentacle: str
    server: str
    worked: Moment | None
    failed: Moment | None
    between: tuple[Moment, ...] = ()
    lines: tuple[Moment, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether it says more than that the link fails now."""
        return self.worked is not None or (self.failed is not None and not self.failed.is_now)

    @property
    def sentence(self) -> str:
        """One line for a person who asks since when, and what changed."""
        if self.failed is None:
            if self.worked is None:
                return "nothing tells when it worked, nor when it began to fail"
            return f"last seen working {self.worked.when} UTC ({self.worked.text}); no later failure is known"
        before = self.worked or self.failed
        parts = [f"last seen working {self.worked.when} UTC" if self.worked else "nothing shows that it ever worked"]
        parts += [f"{_when(each, before)} {each.machine}: {_short(each)}" for each in self.between[-_NAMED:]]
        if self.worked and not self.between:
            parts.append("nothing that was read changed after that")
        again = ", and before at times that are not known" if self.failed.again else ""
        first = _when(self.failed, before) if self.worked else f"{self.failed.when} UTC"
        parts.append(f"first known failure {first}{again}: {_short(self.failed)}")
        return "; ".join(parts)


def _when(each: Moment, before: Moment) -> str:
    """`at 02:12:00`, `on 13 March` or `13 March 02:12:00`, beside the moment that the sentence begins with."""
    shown = each.when_after(before.time)
    return f"on {shown}" if each.is_day else f"at {shown}" if ":" in shown[:3] else shown


def histories_of(tentacle: Subject) -> tuple[History, ...]:
    """The histories of a Tentacle's links, one for each server node that it belongs to."""
    return tuple(_history(tentacle, server) for server in tentacle.peers)


def _history(tentacle: Subject, server: Subject) -> History:
    clocks = {subject.name: Clock(subject) for subject in (tentacle, server)}
    with tentacle.ledger.watch():
        proofs = sorted(dict.fromkeys(proofs_of(tentacle, server, clocks)), key=_by_time)
        changes = sorted(dict.fromkeys(changes_of(tentacle, server, clocks)), key=_by_time)
        notes = tuple(_notes(tentacle, server, clocks))
    worked = next((each for each in reversed(proofs) if each.kind is Kind.WORKED), None)
    failures = [each for each in proofs if each.kind is Kind.FAILED]
    after = [each for each in failures if worked is None or each.time > worked.time - _CLOCKS]
    failed = after[0] if after else None
    between = tuple(_between(changes, worked, failed))
    sides = [each for each in (worked, failed) if each is not None]
    lines = _around(proofs, changes, between, sides)
    return History(tentacle.name, server.name, worked, failed, between, lines, notes)


def _between(changes: Iterable[Moment], worked: Moment | None, failed: Moment | None) -> Iterator[Moment]:
    if failed is None:
        return
    begin = worked.time if worked else failed.time - _BEFORE
    for each in changes:
        if each.time <= failed.time + _CLOCKS and each.time + each.within >= begin - _CLOCKS:
            yield each


def _around(
    proofs: Sequence[Moment], changes: Sequence[Moment], between: Sequence[Moment], sides: Sequence[Moment]
) -> tuple[Moment, ...]:
    """The lines that tell most: both sides of the break, what is between, then what is next to it."""
    if not sides:
        return ()
    middle = sides[-1].time
    chosen = list(sides)
    chosen += between[-_CHANGES:]
    failures = [each for each in proofs if each.kind is Kind.FAILED and each not in chosen and each.time >= middle]
    chosen += [*failures[:1], *failures[-1:]]
    rest = [each for each in (*proofs, *changes) if each not in chosen and _is_near(each, sides)]
    chosen += sorted(rest, key=lambda each: abs(each.time - middle))
    return tuple(sorted(dict.fromkeys(chosen[:MOST_LINES]), key=_by_time))


def _is_near(each: Moment, sides: Sequence[Moment]) -> bool:
    """From a day before the last proof to a day after the first failure."""
    return sides[0].time - _BEFORE <= each.time <= sides[-1].time + _BEFORE


def _notes(tentacle: Subject, server: Subject, clocks: dict[str, Clock]) -> Iterator[str]:
    for subject in (tentacle, server):
        clock = clocks[subject.name]
        try:
            logs = logs_of(subject)
        except (Unknown, Blocked) as error:
            yield f"the log of {subject.name} was not read: {error}"
            logs = ()
        begins = [at for log in logs if (at := clock.of_line(log, log.first_time or "")) is not None]
        if begins:
            yield f"the log of {subject.name} was read back to {day_and_time(min(begins))}"
        yield from clock.unread
        if clock.note and logs:
            yield clock.note
        yield from _changes_not_read(subject)
    portal = portal_of(tentacle)
    if portal is None:
        yield "Octopus's own word (health checks, audit) was not asked for: see --octopus"
    elif not any(seen_of(tentacle, each) for each in registrations_of(tentacle)):
        yield "Octopus was not asked for this machine's health checks and audit"
    else:
        seen = (seen_of(tentacle, each) for each in registrations_of(tentacle))
        yield from (text for each in seen if each for text in each.unread)


def _changes_not_read(subject: Subject) -> Iterator[str]:
    """Of a machine that was surveyed: which of its own records of changes could not be read."""
    if subject.record is None or subject.record.survey is None:
        return
    try:
        unread = subject.read(FACTS.changes).unread
    except Unknown as unknown:
        unread = (unknown.reason,)
    yield from (f"what changed on {subject.name} is not all known: {text}" for text in unread)


def _by_time(moment: Moment) -> datetime:
    return moment.time


def _short(moment: Moment) -> str:
    line = " ".join((moment.brief or moment.text).split()).rstrip(".")
    return line if len(line) <= _WORDS else line[: _WORDS - 3].rstrip() + "..."
