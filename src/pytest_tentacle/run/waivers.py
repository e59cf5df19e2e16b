"""What became of a run's waivers: those that have ended, and those that nothing needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pytest_tentacle.inventory.model import Waiver
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.survey.store import Surveys

_NAMES = 6
_DARK = (Outcome.UNKNOWN, Outcome.BLOCKED)


@dataclass(frozen=True)
class WaiverNotes:
    """In whole sentences, each waiver once, however many machines inherit it.

    Attributes:
        ended: waivers whose last day is over: their problems count again.
        idle: waivers of what was looked for everywhere and found nowhere.
        ending: waivers that still hold, and end within the notice that was asked for.
    """

    ended: tuple[str, ...]
    idle: tuple[str, ...]
    ending: tuple[str, ...] = ()


@dataclass
class _Use:
    machines: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    unsure: bool = False


def waiver_notes(surveys: Surveys, results: Iterable[StepResult], notice: int = 14) -> WaiverNotes:
    """What is to be told about the waivers of the machines that have results.

    Days are those of UTC, and today is the surveys' day, so that a replay agrees. `notice` is how many days before its
    end a waiver is told. A waiver is idle only if its step was judged on every one of them without an unknown or a
    block; a part of a run (`-k`) says nothing about the rest.
    """
    by_machine: dict[str, dict[str, StepResult]] = {}
    for result in results:
        by_machine.setdefault(result.machine, {})[result.step] = result
    day = surveys.taken_utc.date()
    uses: dict[Waiver, _Use] = {}
    for machine in surveys.inventory.machines:
        judged = by_machine.get(machine.name)
        if judged is None:
            continue
        for waiver in machine.waive:
            _note(uses.setdefault(waiver, _Use()), waiver, machine.name, judged)
    ended = [(waiver, use) for waiver, use in uses.items() if not waiver.holds(day)]
    idle = [waiver for waiver, use in uses.items() if waiver.holds(day) and not use.found and not use.unsure]
    ending = [
        (waiver, use, (waiver.until - day).days)
        for waiver, use in uses.items()
        if waiver.until and waiver.holds(day) and (waiver.until - day).days <= notice and waiver not in idle
    ]
    return WaiverNotes(
        ended=tuple(_ended(waiver, use) for waiver, use in ended),
        idle=tuple(f"{_called(waiver)} matches nothing any more: remove it." for waiver in idle),
        ending=tuple(_ending(*each) for each in ending),
    )


def _note(use: _Use, waiver: Waiver, name: str, judged: dict[str, StepResult]) -> None:
    use.machines.append(name)
    codes = {problem.code for result in judged.values() for problem in result.problems}
    codes |= {each.problem.code for result in judged.values() for each in result.waived}
    if waiver.code in codes:
        use.found.append(name)
        return
    known = CATALOGUE.get(waiver.code)
    result = judged.get(known.step) if known else None
    use.unsure |= result is None or result.outcome in _DARK or bool(result.reason)


def _ended(waiver: Waiver, use: _Use) -> str:
    found = "the problem counts again on " + _listed(use.found) if use.found else "nothing needs it: remove it"
    return f"{_called(waiver)} ended on {waiver.until}; {found}."


def _ending(waiver: Waiver, use: _Use, days: int) -> str:
    when = "today" if days == 0 else "tomorrow" if days == 1 else f"in {days} days"
    found = f"; from then on the problem counts on {_listed(use.found)}" if use.found else ""
    return f"{_called(waiver)} ends {when}, at the end of {waiver.until} UTC{found}."


def _called(waiver: Waiver) -> str:
    place = f", {waiver.origin.file}:{waiver.origin.line}" if waiver.origin else ""
    return f"The waiver of {waiver.code} ({waiver.reason}{place})"


def _listed(names: list[str]) -> str:
    rest = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {rest} more" if rest > 0 else "")
