"""A systemd before 235 counts no restarts: what is not counted is neither none nor a loop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from support import NOW

STEP = "services-running"


@pytest.mark.parametrize(("restarts", "outcome"), [(None, Outcome.UNKNOWN), (0, Outcome.PASSED), (3, Outcome.FAILED)])
def test_a_fresh_start(around: Any, restarts: int | None, outcome: Outcome) -> None:
    """Somebody started it, or systemd did: only a count tells."""
    around.world["poll-01"].service |= {"restarts": restarts, "started_utc": NOW - timedelta(seconds=20)}
    result = around.judge(STEP, "poll-01")
    assert result.outcome is outcome
    assert restarts is not None or "was started 20 s ago, and its systemd does not count restarts" in str(result.reason)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"started_utc": NOW - timedelta(minutes=6)}, Outcome.PASSED),
        ({"started_utc": None}, Outcome.UNKNOWN),
        ({"started_utc": None, "detail": "masked"}, Outcome.PASSED),
    ],
)
def test_its_age_tells(around: Any, changes: dict[str, Any], outcome: Outcome) -> None:
    """One that runs for some minutes keeps running; of a masked unit nothing is started again."""
    around.world["poll-01"].service |= {"restarts": None} | changes
    assert around.judge(STEP, "poll-01").outcome is outcome


def test_windows_counts_none_either(around: Any) -> None:
    """There the System log tells."""
    around.world["web-01"].service["started_utc"] = NOW - timedelta(seconds=20)
    assert around.judge(STEP, "web-01").outcome is Outcome.PASSED
    around.sections["web-01"]["events"] = "refused"
    result = around.judge(STEP, "web-01")
    assert result.outcome is Outcome.UNKNOWN
    assert "was started 20 s ago, and whether it ended unexpectedly before was not read" in str(result.reason)
    around.world["web-01"].service["started_utc"] = NOW - timedelta(minutes=6)
    assert around.judge(STEP, "web-01").outcome is Outcome.PASSED
