"""The report's picture of a link never says otherwise than the step that judged it, on any machine of any lab."""

from __future__ import annotations

import json

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.report.document import LaneView
from pytest_tentacle.report.links import CONTROLLER, Looks
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.store import loads

from .conftest import LabRun


def _across(lane: LaneView) -> bool:
    return lane.by != "local" and lane.vantage != CONTROLLER


def _here(lane: LaneView) -> bool:
    return lane.by == "local"


@pytest.fixture(params=["real_run", "guide_run"])
def lab_run(request: pytest.FixtureRequest) -> LabRun:
    """A whole lab with the engine."""
    run: LabRun = request.getfixturevalue(request.param)
    return run


@pytest.mark.parametrize(("step", "decides"), [("welcome-page-across", _across), ("welcome-page-here", _here)])
def test_what_passed_is_drawn_whole_and_what_failed_broken(lab_run: LabRun, step: str, decides) -> None:
    """Over the looks that decide: those of the end that connects, and the machine's own at its port."""
    fleet = fleet_of(loads(json.dumps(lab_run.surveys).encode(), "the lab's surveys"))
    looks = Looks(fleet)
    seen = {Outcome.PASSED: 0, Outcome.FAILED: 0}
    wrong = []
    for subject in fleet.subjects:
        if step == "welcome-page-across" and not subject.is_tentacle:
            continue
        lanes = [lane for view in looks.links(subject.name) for lane in view.lanes if decides(lane)]
        broken = [(lane.by, stage.stage) for lane in lanes for stage in lane.stages if stage.state == "failed"]
        outcome = subject.result(step).outcome
        if outcome in seen:
            seen[outcome] += 1
            if (outcome is Outcome.PASSED) == bool(broken):
                wrong.append((subject.name, outcome.value, broken))
    assert not wrong
    assert all(seen.values())
