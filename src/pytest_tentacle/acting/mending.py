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
from .restarting import Sent, send
from .scripts import StrangeValueError, commands_order

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


def carry_out(task: Mending, sessions: Sessions) -> Action:
    """Run the commands: what came of them, before anybody has looked again. Nothing is DONE by that alone."""
    begun, started = datetime.now(UTC), time.monotonic()
    try:
        order = commands_order(task.commands, is_windows=task.is_windows)
    except StrangeValueError as error:
        result, told, ran = ActionResult.LEFT_ALONE, f"left alone: {error}", 0
    else:
        sent = send(order, task.machine.transport, COMMAND_SECONDS * len(task.commands), sessions.watch)
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
    """What an answer, or as much as came of it, says: result, words, and how many commands were begun."""
    begun = {int(mark.arguments[0]): mark for mark in sent.marks if mark.word == "BEGIN"}
    ended = {int(mark.arguments[0]): mark for mark in sent.marks if mark.word == "END"}
    last = max(begun, default=0)
    why = sent.lost.summary if sent.lost else f"the machine said {sent.words or 'nothing'}"
    if not last:
        return ActionResult.LEFT_ALONE, f"left alone: {why}", 0
    rest = f"; the {len(commands) - last} behind it not begun" if last < len(commands) else ""
    if last not in ended:
        told = f"command {last} of {len(commands)} was begun, and its end was not seen ({why}){rest}"
        return ActionResult.NOT_KNOWN, told, last
    code, printed = ended[last].arguments[1], f"{begun[last].text} {ended[last].text}"  # sh prints as it goes
    said = " ".join(printed.split())[:300]
    if code != "0":
        told = f"command {last} of {len(commands)} ended with code {code}: {said or 'without a word'}{rest}"
        return ActionResult.FAILED, told, last
    if last < len(commands):
        told = f"command {last} of {len(commands)} ended, and then the connection was lost ({why}){rest}"
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

    @property
    def is_well(self) -> bool:
        """Whether it is gone and nothing came instead."""
        return self.gone is True and not self.new


def compared(task: Mending, before: Seen, after: Seen) -> After:
    """Whether a cause's problems are gone, and what is new."""
    name = task.machine.name
    were, are = before.problems(), after.problems()
    own = {problem.code for problem in task.found.problems if problem.code in task.found.kind.needs}
    new = tuple(f"{code} on {machine}" for machine, code in sorted(are.keys() - were.keys()))
    if left := sorted(code for code in own if (name, code) in are):
        return After(gone=False, new=new, why=f"{', '.join(left)} still there")
    steps = {were[name, code] for code in own if (name, code) in were}
    dark = [
        result
        for step in steps
        if (result := after.results.get((name, step))) is None or result.outcome in {Outcome.UNKNOWN, Outcome.BLOCKED}
    ]
    if dark:
        reason = next((each.reason for each in dark if each is not None and each.reason), "it was not judged again")
        return After(gone=None, new=new, why=reason)
    return After(gone=True, new=new)


def finished(action: Action, after: After | None) -> Action:
    """An action with what the second look says of it; without one, as it was."""
    if after is None or action.result is ActionResult.LEFT_ALONE:
        return action
    new = f"; new: {', '.join(after.new)}" if after.new else "; nothing new came"
    if after.gone is None:
        told = f"{action.told}; whether {action.what} is gone cannot be told: {after.why}{new}"
        return action.model_copy(update={"told": told, "result": ActionResult.NOT_KNOWN})
    if not after.gone:
        told = f"{action.told}; {action.what} is not gone: {after.why}{new}"
        return action.model_copy(update={"told": told, "result": ActionResult.FAILED})
    whole = action.told.endswith("ended well")
    result = ActionResult.DONE if whole else action.result
    return action.model_copy(update={"told": f"{action.told}; {action.what} is gone{new}", "result": result})


def broken_off(task: Mending) -> Action:
    """Of a machine that told nothing any more when the run was interrupted."""
    return Action(
        time=datetime.now(UTC),
        kind="mend",
        machine=task.machine.name,
        what=task.found.kind.code,
        commands=task.commands,
        result=ActionResult.NOT_KNOWN,
        told="its commands were under way when it was interrupted: how far they came is not known",
        by=task.by,
    )
