"""Causes as the report wants them; and, where no diagnosis gives any, problems folded by their code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import StepResult

from .catalogue import link_of, meaning_of, remedy_of, title_of


class CauseView(Protocol):
    """What a diagnosis hands over for each cause.

    Attributes:
        code: stable, such as `TC2021`, or a problem's that is its own cause, `TT503`.
        title: a few words.
        sentence: what is wrong and how far it reaches, in one sentence.
        machines: names of all machines that it holds for.
        confidence: `certain`, `likely` or `possible`; empty where nobody judged.
        evidence: what it rests on, most telling first.
        remedy_windows: lines; those that start with `$ ` are commands to copy, the others are words.
        remedy_linux: the same for Linux.
        link: into the guide.
        unsure: what could have told it apart from another cause, and how to find out; empty where nothing is left.
    """

    @property
    def code(self) -> str: ...  # noqa: D102  described above
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def sentence(self) -> str: ...  # noqa: D102
    @property
    def machines(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def confidence(self) -> str: ...  # noqa: D102
    @property
    def evidence(self) -> tuple[Evidence, ...]: ...  # noqa: D102
    @property
    def remedy_windows(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def remedy_linux(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def link(self) -> str: ...  # noqa: D102
    @property
    def unsure(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Cause:
    """A plain `CauseView`."""

    code: str
    title: str
    sentence: str
    machines: tuple[str, ...]
    confidence: str = ""
    evidence: tuple[Evidence, ...] = ()
    remedy_windows: tuple[str, ...] = ()
    remedy_linux: tuple[str, ...] = ()
    link: str = ""
    unsure: str = ""


def fold_problems(results: Iterable[StepResult]) -> tuple[Cause, ...]:
    """One cause for each problem code, most machines first: what is wrong, without a guess at why."""
    found: dict[str, list[Problem]] = {}
    for result in results:
        for problem in result.problems:
            found.setdefault(problem.code, []).append(problem)
    causes = [_folded(code, problems) for code, problems in found.items()]
    return tuple(sorted(causes, key=lambda cause: (-len(cause.machines), cause.code)))


def _folded(code: str, problems: list[Problem]) -> Cause:
    machines = tuple(dict.fromkeys(problem.machine for problem in problems))
    first = problems[0]
    common = {
        name: value
        for name, value in first.facts.items()
        if all(problem.facts.get(name) == value for problem in problems)
    }
    return Cause(
        code=code,
        title=title_of(code),
        sentence=meaning_of(code) or f"Expected: {first.expected}. Seen: {first.actual}.",
        machines=machines,
        evidence=(
            Evidence(first.machine, f"expected {first.expected}; seen {first.actual}"),
            *first.evidence[:3],
        ),
        remedy_windows=remedy_of(code, "windows", common),
        remedy_linux=remedy_of(code, "linux", common),
        link=link_of(code),
    )
