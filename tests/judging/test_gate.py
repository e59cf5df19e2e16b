"""Problems below the gate are told, and fail nothing; what is unknown or blocked beside them stays so."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections import fleet_of

SERVICES = "services-running"


def by_hand(world: Any) -> None:
    """A service that runs, and would not come back after a reboot."""
    world["web-01"].service["start_mode"] = "manual"


class TestGate:
    """`--fail-on`."""

    @pytest.mark.parametrize(
        ("gate", "outcome"),
        [("outage", "noted"), ("degraded", "noted"), ("will-fail", "failed"), ("hygiene", "failed")],
    )
    def test_what_will_fail(self, world: Any, gate: str, outcome: str) -> None:
        """TT205 costs nothing before the next reboot."""
        by_hand(world)
        result = fleet_of(world.surveys(), Severity(gate)).subject("web-01").result(SERVICES)
        assert result.outcome.value == outcome
        assert [problem.code for problem in result.problems] == ["TT205"]

    def test_beside_what_fails(self, world: Any) -> None:
        """Both are told, and the step has failed."""
        by_hand(world)
        world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 0}
        result = world.judge(SERVICES, "web-01")
        assert result.outcome is Outcome.FAILED
        assert {problem.code for problem in result.problems} == {"TT202", "TT205"}

    def test_beside_what_is_unknown(self, world: Any) -> None:
        """What could not be looked at is no pass."""
        by_hand(world)
        world["web-01"].service |= {"state": "unknown"}
        result = world.judge(SERVICES, "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert [problem.code for problem in result.problems] == ["TT205"]

    def test_below_the_gate_it_blocks_what_it_always_blocked(self, world: Any) -> None:
        """`problems_of` has it: how much a problem costs does not change what it explains."""
        by_hand(world)
        subject = world.fleet().subject("web-01")
        assert [problem.code for problem in subject.problems_of(SERVICES)] == ["TT205"]
