"""The report's picture of a link never says otherwise than the step that judged it, on any machine of any lab."""

from __future__ import annotations

import json

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.store import loads
from support.pictures import DECIDES, misdrawn

from .conftest import LabRun


@pytest.fixture(params=["real_run", "guide_run"])
def lab_run(request: pytest.FixtureRequest) -> LabRun:
    """A whole lab with the engine."""
    run: LabRun = request.getfixturevalue(request.param)
    return run


@pytest.mark.parametrize("step", DECIDES)
def test_what_passed_is_drawn_whole_and_what_failed_broken(lab_run: LabRun, step: str) -> None:
    """Over the looks that decide: those of the end that connects, and the machine's own at its port."""
    wrong, seen = misdrawn(fleet_of(loads(json.dumps(lab_run.surveys).encode(), "the lab's surveys")), step)
    assert not wrong
    assert seen[Outcome.PASSED]
    assert seen[Outcome.FAILED]
