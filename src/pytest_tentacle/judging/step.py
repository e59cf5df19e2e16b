"""What a step is: a row of the table of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from pytest_tentacle.guide.sections import Section

from .check import Check

Applies: TypeAlias = Callable[[Any], bool]
"""Takes a `Subject`: whether the step says anything about that machine."""


@dataclass(frozen=True)
class Step:
    """What one test looks at on one machine.

    Attributes:
        slug: its name in the test id, `<machine>-<slug>`.
        title: its name in the report, in a few words.
        section: the section of the guide that it is made of.
        applies: to which machines.
        checks: in the order of the guide's sentences.
        rests_on: slugs of the steps whose problems its checks ask for, on the same machine or at the other end of a
            link. Asking for another one is an error.
    """

    slug: str
    title: str
    section: Section
    applies: Applies
    checks: tuple[Check, ...]
    rests_on: tuple[str, ...] = ()


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps so that each comes after those that it rests on.

    Raises ValueError for a step without a check (it would pass without a look), for one that rests on itself by
    whatever way, and for one that rests on a step that is not there.
    """
    table = {step.slug: step for step in steps}
    for step in table.values():
        unknown = sorted(set(step.rests_on) - table.keys())
        if unknown:
            raise ValueError(f"the step {step.slug} rests on {', '.join(unknown)}, which is no step")
        if not step.checks:
            raise ValueError(f"the step {step.slug} has no check: it would pass without a look")
    try:
        order = tuple(TopologicalSorter({slug: step.rests_on for slug, step in table.items()}).static_order())
    except CycleError as error:
        raise ValueError(f"steps rest on one another: {' -> '.join(error.args[1])}") from None
    return tuple(table[slug] for slug in order)
