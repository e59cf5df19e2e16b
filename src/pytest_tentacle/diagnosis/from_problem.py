"""How a cause is made that takes what to do from the catalogue of problems, and a problem that is its own cause."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.guide.problem import Confidence, ProblemKind
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.sections.catalogue import CATALOGUE

from .kind import CauseKind, Clue, Predicate
from .view import View


def told(view: View, problem: Problem) -> Clue:
    """It explains the problem.

    Of its facts, `vantage` is the machine whose log it is, or who connects; `server` the one of the link, where that is
    known; `far_end` names what is connected to. Where the problem names no thumbprint,
    it is that of the server.
    """
    host, port = problem.facts.get("host"), problem.facts.get("port")
    facts = {
        "vantage": view.vantage_of(problem),
        "server": view.server_of(problem),
        "far_end": f"{host}:{port}" if host and port else host or "the other end",
    }
    if not problem.facts.get("thumbprint"):
        facts["thumbprint"] = view.server_thumbprint(problem)
    return Clue(facts=facts)


def own_cause(kind: ProblemKind) -> CauseKind:
    """A problem that can have one explanation only, as a cause: it has the problem's code."""

    def match(view: View, problem: Problem) -> Clue:
        clue = told(view, problem)
        place = problem.facts.get(kind.place) if kind.place else None
        return replace(clue, place=str(place)) if place else clue

    return CauseKind(
        kind.code,
        kind.title,
        kind.sentence,
        frozenset({kind.code}),
        kind.windows,
        kind.linux,
        match,
        consequences=kind.consequences - {kind.code},
        echoes=kind.echoes - {kind.code},
        fold_by=kind.fold_by,
        rank=kind.rank,
        confidence=kind.confidence,
    )


def from_problem(
    code: str,
    problem: str,
    title: str,
    sentence: str,
    *,
    fold_by: tuple[str, ...] = (),
    consequences: frozenset[str] = frozenset(),
    echoes: frozenset[str] = frozenset(),
    match: Predicate = told,
    rank: int = 60,
    confidence: Confidence = Confidence.CERTAIN,
) -> CauseKind:
    """A cause that the problem alone proves, as far as the predicate agrees."""
    kind = CATALOGUE[problem]
    return CauseKind(
        code,
        title,
        sentence,
        frozenset({problem}),
        kind.windows,
        kind.linux,
        match,
        consequences=consequences - {problem},
        echoes=echoes - {problem},
        fold_by=fold_by,
        rank=rank,
        confidence=confidence,
    )
