"""Healthy set-ups, each by itself, in both modes and on both systems: every step passes on every machine."""

from __future__ import annotations

import pytest

from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.sections import STEPS, applicable
from support.fleets.whole import Whole
from support.setups import SETUPS, Trial, trials

SINGLE = tuple(trial for trial in trials() if len(trial.setups) == 1)


def judged(world: Whole) -> list[StepResult]:
    """All steps that apply, on all machines."""
    fleet = world.fleet()
    return [subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)]


class TestHealthySetUps:
    """The set-ups are in `support/setups/`."""

    @pytest.mark.parametrize("trial", SINGLE, ids=str)
    def test_passes(self, trial: Trial) -> None:
        """No problem, no unknown, nothing blocked, but for what a set-up is to be told of, which fails no run."""
        sick = [
            (each.machine, each.step, each.outcome.value, [(p.code, p.actual) for p in each.problems], each.reason)
            for each in judged(trial.world())
            if not trial.allows(each)
        ]
        assert sick == []

    def test_each_is_had_somewhere(self) -> None:
        """A set-up that no mode or system has would be tried by nobody."""
        assert {trial.setups[0].name for trial in SINGLE} == {each.name for each in SETUPS}
