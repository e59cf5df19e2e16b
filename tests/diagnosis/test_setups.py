"""Healthy set-ups, each by itself and with others that go together, in both modes and on both systems: nothing is found."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.judging.result import Outcome
from support.setups import MODES, SETUPS, SYSTEMS, SetUp, Trial, trials

TRIALS = tuple(trials(every=os.environ.get("PYTEST_TENTACLE_EVERY_PAIR") == "true"))
"""Half of the pairs, each in one mode and on one system; or all of them in all, where somebody asks and has the time."""


class TestHealthySetUps:
    """The set-ups are in `support/setups/`."""

    @pytest.mark.parametrize("first", SETUPS, ids=lambda each: each.name)
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("system", SYSTEMS)
    def test_nothing_is_wrong_and_nothing_unknown(self, first: SetUp, mode: str, system: str, judged: Any) -> None:
        """By itself and with each that is named after it: every step passes on every machine, and there is no cause."""
        if mode not in first.modes or system not in first.systems:
            assert not [
                trial for trial in TRIALS if trial.setups == (first,) and (trial.mode, trial.system) == (mode, system)
            ]
        sick: dict[str, Any] = {}
        for trial in TRIALS:
            if trial.setups[0] is first and (trial.mode, trial.system) == (mode, system):
                found = what_is_found(trial, judged)
                sick |= {str(trial): found} if found else {}
        assert sick == {}


def what_is_found(trial: Trial, judged: Any) -> list[Any]:
    """What does not pass, and causes and doubts; without what the set-ups are to be told of."""
    fleet, results = judged(trial.world())
    diagnosis = diagnose(fleet, results)
    found: list[Any] = [
        (each.machine, each.step, each.outcome.value, [(p.code, p.actual) for p in each.problems], each.reason)
        for each in results
        if each.outcome is not Outcome.PASSED
        and not (each.problems and {problem.code for problem in each.problems} <= trial.told)
    ]
    found += [cause.code for cause in diagnosis.views() if not set(cause.explains) <= trial.told]
    return found + [doubt.advice for doubt in diagnosis.doubts if doubt.code not in trial.told]
