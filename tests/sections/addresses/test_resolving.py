"""How long a name takes."""

from __future__ import annotations

from typing import Any

import pytest

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
