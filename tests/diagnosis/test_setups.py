"""Healthy set-ups, each by itself and with others that go together, in both modes and on both systems: nothing is found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.sections import STEPS, applicable
from support.rejudging import Judged, fleet_with
from support.setups import MODES, SETUPS, SYSTEMS, SetUp, Trial, trials

TRIALS: dict[tuple[str, str, str], list[Trial]] = {}
"""By the first set-up's name, mode and system."""

for each in trials():
    TRIALS.setdefault((each.setups[0].name, each.mode, each.system), []).append(each)


class TestHealthySetUps:
    """The set-ups are in `support/setups/`."""

    @pytest.mark.parametrize("first", SETUPS, ids=lambda each: each.name)
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("system", SYSTEMS)
    def test_nothing_is_wrong_and_nothing_unknown(self, first: SetUp, mode: str, system: str) -> None:
        """By itself and with each that is named after it: every step passes on every machine, and there is no cause."""
        tried = TRIALS.get((first.name, mode, system), [])
        assert bool(tried) is (mode in first.modes and system in first.systems)
        sick: dict[str, Any] = {}
        for trial in tried:
            found = what_is_found(trial)
            sick |= {str(trial): found} if found else {}
        assert sick == {}


@cache
def usual(mode: str, system: str) -> Judged:
    """The fleet without any set-up."""
    return Judged(Trial(mode, system, ()).world().surveys())


@cache
def single(trial: Trial) -> Judged:
    """A fleet with one set-up."""
    return Judged(trial.world().surveys(), [usual(trial.mode, trial.system)])


def what_is_found(trial: Trial) -> list[Any]:
    """What does not pass, and causes and doubts; without what the set-ups are to be told of.

    Of two set-ups, what rests on one of them alone is judged with that one alone.
    """
    fleet = fleet_with(trial.world().surveys(), [single(replace(trial, setups=(each,))) for each in trial.setups])
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    diagnosis = diagnose(fleet, results)
    fleet.forget()
    found: list[Any] = [
        (each.machine, each.step, each.outcome.value, [(p.code, p.actual) for p in each.problems], each.reason)
        for each in results
        if not trial.allows(each)
    ]
    found += [cause.code for cause in diagnosis.views() if not set(cause.explains) <= trial.told]
    return found + [doubt.advice for doubt in diagnosis.doubts if doubt.code not in trial.told and not trial.unread]
