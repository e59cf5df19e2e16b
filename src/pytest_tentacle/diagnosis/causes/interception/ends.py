"""Who connects, and who should answer."""

from __future__ import annotations

from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.judging.finding import Problem


def vantage(problem: Problem) -> str:
    """Name of the machine that connects."""
    return str(problem.facts.get("vantage"))


def end_name(view: View, problem: Problem) -> str:
    """Name of the machine that should answer; of a polled address that is declared for none, its host."""
    end = view.end(problem)
    return end.name if end else str(problem.facts.get("server") or problem.facts.get("host"))


def is_well(view: View, problem: Problem) -> bool:
    """Whether the end that should answer does so to itself."""
    end = view.end(problem)
    return end is not None and end.answers_itself
