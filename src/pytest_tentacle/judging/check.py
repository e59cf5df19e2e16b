"""What a check is: a small function that looks at one machine and says what it finds, registered for one step.

The list of a step's checks is this registry, in the order in which the check modules write them down. Diagnosis and the
rule of blocking use it without pytest; the tests in `tests_infra/` judge it step by step.
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


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: module (of `checks` modules the folder) and function, such as `services.running`.
        step: the step's slug.
        codes: every code that it may yield.
        reads: the sections of the surveys that it reads; those of the machine's peers as `peer.<section>`, and what is
            compared over all machines as `fleet.<section>`.
        look: the function itself.
    """

    name: str
    step: str
    codes: frozenset[str]
    reads: frozenset[str]
    look: Look


REGISTRY: dict[str, list[Check]] = {}
"""By step, in the order of registration."""


def check(step: str, *, codes: tuple[str, ...], reads: tuple[str, ...]) -> Callable[[Look], Check]:
    """Register a function as a check of a step."""

    def register(look: Look) -> Check:
        module = look.__module__.removesuffix(".checks").rpartition(".")[2]
        made = Check(f"{module}.{look.__name__}", step, frozenset(codes), frozenset(reads), look)
        REGISTRY.setdefault(step, []).append(made)
        return made

    return register


def checks_of(step: str) -> tuple[Check, ...]:
    """A step's checks. Raises LookupError for a step without any: it would pass without a look."""
    found = REGISTRY.get(step)
    if not found:
        raise LookupError(f"no check is registered for the step {step!r}")
    return tuple(found)
