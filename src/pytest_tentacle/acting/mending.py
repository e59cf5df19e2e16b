"""Run a remedy's commands on one machine, look again, and say whether the problem is gone and what is new."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.diagnosis.kind import Found
from pytest_tentacle.guide.severity import DEFAULT_GATE
from pytest_tentacle.inventory.model import Machine
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.sections import STEPS, Fleet, applicable, fleet_of
from pytest_tentacle.survey.actions import Action, ActionResult, By
from pytest_tentacle.survey.store import Surveys

from .carrying_out import Sessions
from .scripts import StrangeValueError, command_order
from .sending import Sender, Sending, Sent

_LISTED = 5

_TITLES = {step.slug: step.title for step in STEPS}
_DARK = frozenset({Outcome.UNKNOWN, Outcome.BLOCKED})

COMMAND_SECONDS = 90.0
"""What each command may take, to end and to start a service included."""


@dataclass(frozen=True)
class Seen:
    """What a survey came to."""

    fleet: Fleet
    results: dict[tuple[str, str], StepResult]
    causes: dict[str, tuple[Found, ...]]

    def find(self, machine: str, code: str) -> Found | None:
        """A cause on a machine."""
        return next((found for found in self.causes.get(machine, ()) if found.kind.code == code), None)

    def problems(self) -> dict[tuple[str, str], str]:
        """By machine and code, each problem's step."""
        return {
            (machine, problem.code): step
            for (machine, step), result in self.results.items()
            for problem in result.problems
        }


def seen(surveys: Surveys) -> Seen:
    """Judge and diagnose all machines of a survey."""
    fleet = fleet_of(surveys, DEFAULT_GATE)
    results = {
        (subject.name, step.slug): subject.result(step.slug)
        for subject in fleet.subjects
        if subject.record is not None
        for step in STEPS
        if applicable(step.slug, subject) and step.slug != "tentacle-ping"
    }
    diagnosis = diagnose(fleet, results.values())
    return Seen(fleet, results, {name: each.causes for name, each in diagnosis.machines.items()})


@dataclass(frozen=True)
class Mending:
    """One machine's part: what is wrong there, and the commands against it."""

    machine: Machine
    found: Found
    commands: tuple[str, ...]
    is_windows: bool
    by: By


def carry_out(task: Mending, sender: Sender, sessions: Sessions) -> Action:
    """Run the commands: what came of them, before anybody has looked again. Nothing is DONE by that alone."""
    begun, started = datetime.now(UTC), time.monotonic()
    try:
        orders = tuple(
            command_order(number, command, is_windows=task.is_windows)
            for number, command in enumerate(task.commands, start=1)
        )
    except StrangeValueError as error:
        result, told, ran = ActionResult.LEFT_ALONE, f"left alone: {error}", 0
    else:
        sending = Sending(orders, task.machine.transport, COMMAND_SECONDS, task.machine.site)
        sent = sender(sending, sessions.watch)
        result, told, ran = judged(sent, task.commands)
    return Action(
        time=begun,
        seconds=round(time.monotonic() - started, 1),
        kind="mend",
        machine=task.machine.name,
        what=task.found.kind.code,
        commands=task.commands[:ran],
        result=result,
        told=told,
        by=task.by,
    )


def judged(sent: Sent, commands: Sequence[str]) -> tuple[ActionResult, str, int]:
    """What an answer, or as much as came of it, says: result, words, and how many commands may have been begun."""
    whole = len(commands)
    if sent.handed_over is None:
        under_way = "its command was" if whole == 1 else f"its {whole} commands were"
        told = f"{under_way} under way ({sent.why}): how far that came is not known"
        return ActionResult.NOT_KNOWN, told, whole
    begun = {number: mark for mark in sent.marks if mark.word == "BEGIN" and (number := mark.number(0))}
    ended = {number: mark for mark in sent.marks if mark.word == "END" and (number := mark.number(0))}
    last = min(whole, max(max(begun, default=0), sent.handed_over if sent.lost else 0))
    if not last:
        return ActionResult.LEFT_ALONE, f"left alone: {sent.why}", 0
    rest = f"; the {whole - last} behind it not sent" if last < whole else ""
    if last not in ended:
        seen = "was begun, and its end was not seen" if last in begun else "was sent, and no word of it came back"
        return ActionResult.NOT_KNOWN, f"command {last} of {whole} {seen} ({sent.why}){rest}", last
    code, printed = ended[last].number(1), f"{begun[last].text if last in begun else ''} {ended[last].text}"
    said = " ".join(printed.split())[:300]
    if code != 0:
        told = f"command {last} of {whole} ended with code {code}: {said or 'without a word'}{rest}"
        return ActionResult.FAILED, told, last
    if last < whole:
        told = f"command {last} of {whole} ended, and then the connection was lost ({sent.why}){rest}"
        return ActionResult.NOT_KNOWN, told, last
    return ActionResult.NOT_KNOWN, f"{'its command' if last == 1 else f'all {last} commands'} ended well", last


@dataclass(frozen=True)
class After:
    """What a second look says of a remedy."""

    gone: bool | None
    """None: that cannot be told."""
    new: tuple[str, ...]
    """Problems that were not there before, on this machine and at the other ends of its links, in words."""
    why: str = ""
    dark: tuple[str, ...] = ()
    """Titles of its steps that were judged before and cannot be any more: a problem may hide there."""

    @property
    def is_well(self) -> bool:
        """Whether it is gone and nothing came instead."""
        return self.gone is True and not self.new and not self.dark

    @property
    def words(self) -> str:
        """What came instead, as the end of a sentence."""
        parts = [f"new: {', '.join(self.new)}"] if self.new else []
        if self.dark:
            some = ", ".join(self.dark[:_LISTED]) + (
                f" and {len(self.dark) - _LISTED} more" * (len(self.dark) > _LISTED)
            )
            parts.append(f"whether more is new cannot be told: no longer known are {some}")
        return "; ".join(parts) or "nothing new came"


def compared(task: Mending, before: Seen, after: Seen) -> After:
    """Whether a cause's problems are gone, and what is new."""
    name = task.machine.name
    were, are = before.problems(), after.problems()
    own = {problem.code for problem in task.found.problems if problem.code in task.found.kind.needs}
    new = tuple(f"{code} on {machine}" for machine, code in sorted(are.keys() - were.keys()))
    dark = tuple(
        _TITLES[step]
        for (machine, step), result in before.results.items()
        if machine == name and result.outcome not in _DARK and _is_dark(after.results.get((machine, step)))
    )
    if left := sorted(code for code in own if (name, code) in are):
        return After(gone=False, new=new, why=f"{', '.join(left)} still there", dark=dark)
    steps = {were[name, code] for code in own if (name, code) in were}
    unseen = [result for step in steps if _is_dark(result := after.results.get((name, step)))]
    if unseen:
        reason = next((each.reason for each in unseen if each is not None and each.reason), "it was not judged again")
        return After(gone=None, new=new, why=reason, dark=dark)
    return After(gone=True, new=new, dark=dark)


def _is_dark(result: StepResult | None) -> bool:
    return result is None or result.outcome in _DARK


def finished(action: Action, after: After | None) -> Action:
    """An action with what the second look says of it; without one, as it was."""
    if after is None or action.result is ActionResult.LEFT_ALONE:
        return action
    if after.gone is None:
        told = f"{action.told}; whether {action.what} is gone cannot be told: {after.why}; {after.words}"
        return action.model_copy(update={"told": told, "result": ActionResult.NOT_KNOWN})
    if not after.gone:
        told = f"{action.told}; {action.what} is not gone: {after.why}; {after.words}"
        return action.model_copy(update={"told": told, "result": ActionResult.FAILED})
    whole = action.told.endswith("ended well")
    result = ActionResult.DONE if whole else action.result
    return action.model_copy(update={"told": f"{action.told}; {action.what} is gone; {after.words}", "result": result})


def broken_off(task: Mending, why: str) -> Action:
    """Of a machine that told nothing any more."""
    return Action(
        time=datetime.now(UTC),
        kind="mend",
        machine=task.machine.name,
        what=task.found.kind.code,
        commands=task.commands,
        result=ActionResult.NOT_KNOWN,
        told=judged(Sent((), why, None), task.commands)[1],
        by=task.by,
    )
