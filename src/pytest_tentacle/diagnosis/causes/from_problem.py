"""How a cause is made that a problem proves by itself: what to do is what the catalogue of problems says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence, Predicate
from pytest_tentacle.guide.problems_account import ACCOUNT
from pytest_tentacle.guide.problems_addresses import ADDRESSES
from pytest_tentacle.guide.problems_certificate import CERTIFICATE
from pytest_tentacle.guide.problems_loading import LOADING
from pytest_tentacle.guide.problems_logs import LOGS
from pytest_tentacle.guide.problems_machine import MACHINE
from pytest_tentacle.guide.problems_messages import MESSAGES
from pytest_tentacle.guide.problems_proxies import PROXIES
from pytest_tentacle.guide.problems_sockets import SOCKETS
from pytest_tentacle.guide.problems_zombies import ZOMBIES

if TYPE_CHECKING:
    from pytest_tentacle.diagnosis.view import View
    from pytest_tentacle.guide.outcome import Problem

REMEDIES = {
    kind.code: kind
    for kind in (*LOGS, *CERTIFICATE, *SOCKETS, *PROXIES, *ADDRESSES, *ZOMBIES, *ACCOUNT, *LOADING, *MESSAGES, *MACHINE)
}
"""By code, the problems whose remedy is that of their cause as well."""


def told(view: View, problem: Problem) -> Clue:
    """It explains the problem; `vantage` is the machine whose log it is, or who connects."""
    return Clue(facts={"vantage": problem.facts.get("vantage") or view.name})


def from_problem(
    code: str,
    problem: str,
    title: str,
    sentence: str,
    *,
    fold_by: tuple[str, ...] = (),
    also: frozenset[str] = frozenset(),
    match: Predicate = told,
    rank: int = 60,
    confidence: Confidence = Confidence.CERTAIN,
) -> CauseKind:
    """A cause that the problem alone proves, as far as the predicate agrees."""
    kind = REMEDIES[problem]
    return CauseKind(
        code,
        title,
        sentence,
        frozenset({problem}),
        kind.windows,
        kind.linux,
        match,
        also=also - {problem},
        fold_by=fold_by,
        rank=rank,
        confidence=confidence,
    )
