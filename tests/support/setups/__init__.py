"""Set-ups that are well though they are not the usual one: whoever runs one must not be told that anything is wrong.

Each changes one Tentacle of a healthy fleet, or its server, in the way that a survey would see it. `aspect` names what
it changes; two set-ups of different aspects can be had at once, and the tests try every such pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any

from pytest_tentacle.judging.result import Outcome, StepResult
from support.fleets.whole import Whole, make_linux, make_windows, wide_fleet

MODES = ("listening", "polling")
SYSTEMS = ("windows", "linux")


@dataclass(frozen=True)
class SetUp:
    """One set-up.

    Attributes:
        name: of the function that makes it, which says what it is.
        aspects: what it changes of a machine.
        change: makes it of a machine, by the machine's name.
        modes: in which it is had.
        systems: on which it is had.
        unlike: aspects that it makes meaningless.
        told: codes of problems that it is told of all the same, none of which fails a run.
        unread: steps that may be unknown, since what they rest on was truly not shown to whoever logged on.
    """

    name: str
    aspects: frozenset[str]
    change: Callable[[Whole, str], None]
    modes: tuple[str, ...]
    systems: tuple[str, ...]
    unlike: frozenset[str]
    told: frozenset[str]
    unread: frozenset[str]

    def goes_with(self, other: SetUp) -> bool:
        """Whether one machine may have both."""
        if self.aspects & other.aspects or self.aspects & other.unlike or other.aspects & self.unlike:
            return False
        return bool(set(self.modes) & set(other.modes) and set(self.systems) & set(other.systems))


SETUPS: list[SetUp] = []


def setup(
    *aspects: str,
    modes: tuple[str, ...] = MODES,
    systems: tuple[str, ...] = SYSTEMS,
    unlike: tuple[str, ...] = (),
    told: tuple[str, ...] = (),
    unread: tuple[str, ...] = (),
) -> Callable[[Any], Any]:
    """Registers a set-up."""

    def register(change: Any) -> Any:
        about = map(frozenset, (unlike, told, unread))
        SETUPS.append(SetUp(change.__name__, frozenset(aspects), change, modes, systems, *about))
        return change

    return register


@dataclass(frozen=True)
class Trial:
    """A machine of one mode and system, with one set-up or two."""

    mode: str
    system: str
    setups: tuple[SetUp, ...]

    @property
    def machine(self) -> str:
        """The machine that has it."""
        return "web-01" if self.mode == "listening" else "poll-01"

    @property
    def told(self) -> frozenset[str]:
        """Codes that it is told of all the same."""
        return frozenset[str]().union(*(each.told for each in self.setups))

    @property
    def unread(self) -> frozenset[str]:
        """Steps that may be unknown."""
        return frozenset[str]().union(*(each.unread for each in self.setups))

    def allows(self, result: StepResult) -> bool:
        """Whether a step's result is that of a machine that is well: what it is to be told of fails nothing."""
        told = {problem.code for problem in result.problems}
        if result.outcome is Outcome.UNKNOWN and result.machine == self.machine and result.step in self.unread:
            return told <= self.told
        return result.outcome is Outcome.PASSED or (result.outcome is Outcome.NOTED and told <= self.told)

    def world(self) -> Whole:
        """A fleet with a machine that has it, and one of each mode beside it."""
        world = wide_fleet()
        if self.mode == "listening" and self.system == "linux":
            make_linux(world, self.machine)
        if self.mode == "polling" and self.system == "windows":
            make_windows(world, self.machine)
        for each in self.setups:
            each.change(world, self.machine)
        return world

    def __str__(self) -> str:
        return f"{self.mode}-{self.system}-{'+'.join(each.name for each in self.setups)}"


def trials() -> Iterator[Trial]:
    """Every set-up by itself, and each two that go together, in every mode and on every system that has them."""
    for one in SETUPS:
        yield from _everywhere((one,))
    for pair in combinations(SETUPS, 2):
        if pair[0].goes_with(pair[1]):
            yield from _everywhere(pair)


def _everywhere(setups: tuple[SetUp, ...]) -> Iterator[Trial]:
    for mode in MODES:
        for system in SYSTEMS:
            if all(mode in each.modes and system in each.systems for each in setups):
                yield Trial(mode, system, setups)


for folder in ("", "customers.", "documented."):
    for module in sorted((Path(__file__).parent / folder.rstrip(".")).glob("[!_]*.py")):
        import_module(f"{__name__}.{folder}{module.stem}")
