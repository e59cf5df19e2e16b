"""How long a name takes."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from support.fleets.looks import SERVERS_OWN_PORT

STEP = "ip-addresses"


@pytest.mark.parametrize(
    ("name", "kind", "ms", "lag", "found"),
    [
        ("web-01", "listening", 1_600, 0, ["TT717"]),
        ("web-01", "listening", 1_400, 0, []),
        ("web-01", "listening", 1_600, 200, []),
        ("web-01", "listening", 9_000, None, []),
        ("poll-01", "polling", 9_000, 0, []),
    ],
)
def test_slow(around: Any, across: Any, name: str, kind: str, ms: float, lag: float | None, found: list[str]) -> None:
    """In each look of the machine, of which a poller has two; what the machine may be late by itself does not count."""
    across(around.world, kind, {"resolve_ms": ms, "lag_ms": lag}, {})
    problems = around.judge(STEP, name).problems
    assert [problem.code for problem in problems] == found
    assert all(problem.facts["ms"] == ms for problem in problems)


@pytest.mark.parametrize(("ms", "outcome"), [(400, Outcome.FAILED), (1_400, Outcome.UNKNOWN)])
def test_a_machine_that_is_busy(around: Any, across: Any, ms: float, outcome: Outcome) -> None:
    """Whoever is as slow to itself says nothing about its resolver."""
    across(around.world, "listening", {"resolve_ms": 1_600, "lag_ms": 0}, {})
    draft = around.world["octo-1"]
    own = draft.own[SERVERS_OWN_PORT.place_in(draft.own)]
    draft.replace(SERVERS_OWN_PORT, own.model_copy(update={"tls": own.tls.model_copy(update={"ms": ms})}))
    result = around.judge(STEP, "web-01")
    assert result.outcome is outcome
    assert ("octo-1 was so busy" in (result.reason or "")) is (outcome is Outcome.UNKNOWN)
