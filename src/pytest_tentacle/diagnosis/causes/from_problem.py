"""How a cause is made that a problem proves by itself: what to do is what the catalogue of problems says."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence, Predicate
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.sections.catalogue import CATALOGUE


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


def from_problem(
    code: str,
    problem: str,
    title: str,
    sentence: str,
    *,
    fold_by: tuple[str, ...] = (),
    also: frozenset[str] = frozenset(),
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
        also=also - {problem},
        echoes=echoes - {problem},
        fold_by=fold_by,
        rank=rank,
        confidence=confidence,
    )
