"""What a run said: one result for each step and machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pytest_tentacle.survey.store import Surveys

from .finding import Problem


class Outcome(StrEnum):
    """A step's outcome. pytest's own words for UNKNOWN and BLOCKED are *error* and *skipped*."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    WAIVED = "waived"
    NOTED = "noted"
    """Problems that cost too little to fail: all of them lie below the gate (`--fail-on`)."""


@dataclass(frozen=True, slots=True)
class WaivedProblem:
    """A problem that the inventory accepts on its machine: why, and until when (`2027-01-31`; empty: for good)."""

    problem: Problem
    reason: str
    until: str = ""


def accepted(reason: str, until: str) -> str:
    """How a waiver is told everywhere: `waived until 2027-01-31: its reason`."""
    return f"waived until {until}: {reason}" if until else f"waived: {reason}"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step on one machine.

    Attributes:
        step: the step's slug (`sections.STEPS`).
        problems: all that failed and is not waived; of other outcomes than FAILED, those
            that are below the gate.
        reason: why UNKNOWN or BLOCKED, in one line; of WAIVED, what a waived problem blocks. A step may have problems
            and unknowns; then it is FAILED, and this says what could not be looked at besides.
        advice: what to do about an UNKNOWN.
        blocked_by: code and machine of the failure that stands in the way.
        looked_at: what was seen where nothing is wrong, one line per fact.
        waived: what was found and is accepted; with any outcome but PASSED.
    """

    machine: str
    step: str
    outcome: Outcome
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    advice: str = ""
    blocked_by: tuple[str, str] | None = None
    looked_at: tuple[str, ...] = ()
    waived: tuple[WaivedProblem, ...] = ()


@dataclass(frozen=True)
class OwnTest:
    """A test that is no step of the guide: a user's own, or a file that could not be collected.

    Attributes:
        name: its node id.
        outcome: `passed`, `failed`, `error` or `skipped`.
        message: why, in a line; empty where it passed.
    """

    name: str
    outcome: str
    message: str = ""


@dataclass(frozen=True)
class Run:
    """Everything that a report needs: results in test order, and the surveys that they rest on."""

    surveys: Surveys
    results: tuple[StepResult, ...]
    started: datetime
    seconds: float
    options: dict[str, str]
    """Options of the command line that matter to a reader, without secrets."""
    interrupted: bool = False
    own_tests: tuple[OwnTest, ...] = ()
    manual: str = ""
    """Where the manual's site stands; empty: nowhere."""
    notes: tuple[str, ...] = ()
    """What a reader must know, such as that the lab's Windows machines answered from recordings."""
