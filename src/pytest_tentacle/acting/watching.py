"""`--until-well SECONDS`: what has problems or unknowns is looked at again, until all is well or the time is over.

Only these are, with the servers at the other end of their links, and at most every ten seconds. Nothing is done to them
but what a survey does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import LinkRef
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys

INTERVAL = 10.0
"""Seconds from the beginning of one look to that of the next, at least."""

_LISTED = 40
"""Changes that are told one by one; what flaps without end is counted."""

_PING = "tentacle-ping"
"""The step that nobody has judged who did not ask for pings."""

_WELL = frozenset({Outcome.PASSED, Outcome.NOTED, Outcome.WAIVED})

Verdicts = Mapping[tuple[str, str], Outcome]
"""By machine and step."""


@dataclass(frozen=True)
class Ways:
    """What the watch needs of a run.

    Attributes:
        judge: verdicts of surveys.
        look: surveys of these machines and the other ends of their links; None where the run was ended meanwhile.
        tell: says on the console how far it is.
        keep: writes what is known, so that a run that is killed leaves it.
        wait: sleeps so many seconds.
        clock: seconds that nobody sets.
    """

    judge: Callable[[Surveys], Verdicts]
    look: Callable[[Collection[str]], Surveys | None]
    tell: Callable[[str], None]
    keep: Callable[[Surveys], None]
    wait: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass
class Watched:
    """What came of it: the last surveys, and in words what changed when."""

    surveys: Surveys
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False


def until_well(surveys: Surveys, seconds: float, ways: Ways) -> Watched:
    """Look again until all is well, or so many seconds after the first verdict are over.

    Args:
        surveys: the first look's.
        seconds: no look begins later than that.
        ways: how to look, judge and tell.
    """
    watched = Watched(surveys)
    verdicts = ways.judge(surveys)
    begun = last = ways.clock()
    looks, changes = 1, 0
    while ill := ill_of(verdicts):
        pause = max(0.0, last + INTERVAL - ways.clock())
        if ways.clock() + pause >= begun + seconds:
            break
        ways.tell(f"problems or unknowns: {_named(ill)}; looked at again in {pause:.0f} s")
        try:
            ways.wait(pause)
            last = ways.clock()
            newer = ways.look(ill)
        except KeyboardInterrupt:
            newer = None
        if newer is None:
            watched.interrupted = True
            break
        looks += 1
        watched.surveys = replaced(watched.surveys, newer)
        ways.keep(watched.surveys)
        after = ways.judge(watched.surveys)
        told = changes_of(verdicts, after, ways.clock() - begun)
        for line in told:
            ways.tell(line)
        watched.notes += told[: max(0, _LISTED - changes)]
        changes += len(told)
        verdicts = after
    if changes > _LISTED:
        watched.notes.append(f"Watched: {changes - _LISTED} more changes are not listed.")
    watched.notes.append(_ending(ill_of(verdicts), ways.clock() - begun, looks, interrupted=watched.interrupted))
    ways.tell(watched.notes[-1])
    return watched


def verdicts(surveys: Surveys, gate: Severity) -> Iterator[tuple[tuple[str, str], Outcome]]:
    """What the selected machines' steps come to."""
    fleet = fleet_of(surveys, gate)
    for name in surveys.selected:
        subject = fleet.subject(name)
        for step in STEPS:
            if applicable(step.slug, subject) and (surveys.ping or step.slug != _PING):
                yield (name, step.slug), subject.result(step.slug).outcome


def on_hosts_of(surveys: Surveys, names: Collection[str]) -> set[str]:
    """The selected machines on the hosts of these: a host is logged on to once, for all that it is."""
    together = (set(record.machines) for record in surveys.records if not set(record.machines).isdisjoint(names))
    return set().union(*together) & set(surveys.selected)


def ill_of(verdicts: Verdicts) -> list[str]:
    """Machines of which not every step is well."""
    return sorted({machine for (machine, _), outcome in verdicts.items() if outcome not in _WELL})


def changes_of(before: Verdicts, after: Verdicts, seconds: float, word: str = "Watched") -> list[str]:
    """One line for each machine of which a step has another outcome now; each begins with the word."""
    titles = {step.slug: step.title for step in STEPS}
    lines = []
    for machine in sorted({machine for machine, _ in (*before, *after)}):
        steps = dict.fromkeys(step for name, step in (*before, *after) if name == machine)
        changed = [
            f"{titles.get(step, step)}: {_word(before.get((machine, step)))}, now {_word(after.get((machine, step)))}"
            for step in steps
            if before.get((machine, step)) is not after.get((machine, step))
        ]
        if changed:
            when = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}, {seconds:.0f} s after the first verdict"
            lines.append(f"{word}: {machine} changed ({when}): {'; '.join(changed)}.")
    return lines


def _word(outcome: Outcome | None) -> str:
    return "not judged" if outcome is None else outcome.value


def _named(machines: Sequence[str]) -> str:
    some = ", ".join(machines[:5])  # a line's worth
    return some if len(machines) <= 5 else f"{some} and {len(machines) - 5} more"  # noqa: PLR2004  as above


def _ending(ill: Sequence[str], seconds: float, looks: int, *, interrupted: bool) -> str:
    how = f"after {seconds:.0f} s and {looks} look{'s' if looks > 1 else ''}"
    if interrupted:
        return f"Watched: ended {how}, with problems or unknowns left."
    if not ill:
        return f"Watched: no machine has problems or unknowns, {how}."
    have = "has problems or unknowns" if len(ill) == 1 else "have problems or unknowns"
    return f"Watched: {how} the time of --until-well is over, and {_named(ill)} still {have}."


def replaced(surveys: Surveys, newer: Surveys) -> Surveys:
    """Surveys with what a later look at some of their hosts found.

    A server was asked for the links of these machines alone: what it said of its other Tentacles stays.
    """
    again = {name for record in newer.records for name in record.machines}
    later = {record.host_key: record for record in newer.records}
    records = tuple(
        _with_other_links(later[record.host_key], record, again) if record.host_key in later else record
        for record in surveys.records
    )
    return surveys.model_copy(
        update={
            "records": records,
            "controller_probes": surveys.controller_probes | newer.controller_probes,
            "controller_tls_versions": surveys.controller_tls_versions | newer.controller_tls_versions,
        }
    )


def _with_other_links(newer: HostRecord, older: HostRecord, again: Collection[str]) -> HostRecord:
    def is_other(link: LinkRef) -> bool:
        return link.tentacle is not None and link.tentacle not in again

    return newer.model_copy(
        update={
            "peer_probes": (*newer.peer_probes, *(each for each in older.peer_probes if is_other(each.link))),
            "peer_pings": (*newer.peer_pings, *(each for each in older.peer_pings if is_other(each.link))),
            "peer_tls_versions": (
                *newer.peer_tls_versions,
                *(each for each in older.peer_tls_versions if is_other(each.link)),
            ),
        }
    )
