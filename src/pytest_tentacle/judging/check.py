"""What a check is: a small function that looks at one machine and says what it finds.

The one list of a step's checks is the table of steps (`sections.STEPS`). Diagnosis and the rule of blocking use it
without pytest; the tests in `tests_infra/` name the same checks, step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from .finding import Blocked, Evidence, Problem, Unknown

Finding: TypeAlias = Problem | Evidence | Unknown | Blocked
"""What a check yields: a problem; what was seen where nothing is wrong; or why a part was not looked at.

A check that can look at nothing raises Unknown or Blocked instead.
"""

Look: TypeAlias = Callable[[Any], Iterator[Finding]]
"""Takes a `Subject`."""


@dataclass(frozen=True, eq=False)
class Check:
    """One check, equal to itself alone.

    Attributes:
        name: the section's folder and the function, such as `services.service_keeps_running`.
        codes: every code that it may yield.
        reads: the sections of the surveys that it reads; those of the machine's peers as `peer.<section>`, and what is
            compared over all machines as `fleet.<section>`.
        look: the function itself.
    """

    name: str
    codes: frozenset[str]
    reads: frozenset[str]
    look: Look


def check(*, codes: tuple[str, ...], reads: tuple[str, ...]) -> Callable[[Look], Check]:
    """Make a function a check; the table of steps says to which step it belongs."""

    def make(look: Look) -> Check:
        return Check(f"{_section_of(look.__module__)}.{look.__name__}", frozenset(codes), frozenset(reads), look)

    return make


def _section_of(module: str) -> str:
    """The folder below `sections`; of a user's own check, the module."""
    _, inside, path = module.partition(".sections.")
    return path.split(".")[0] if inside else module.rpartition(".")[2]
