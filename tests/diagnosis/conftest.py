"""The small fleet of the checks' tests, to be broken in one place and diagnosed."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from pytest_tentacle.diagnosis import Diagnosis, diagnose
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.sections import STEPS, applicable
from support import faults
from support.fleets import whole


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`fault` is each of the faults."""
    if "fault" in metafunc.fixturenames:
        metafunc.parametrize("fault", faults.CASES, ids=[case.id for case in faults.CASES])


def results_of(world: Any, extra: tuple[Problem, ...] = ()) -> tuple[Any, list[StepResult]]:
    """The fleet, and every applicable step's result; `extra` problems are added as a step of their own."""
    fleet = world.fleet()
    results = [
        subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)
    ]
    results += [StepResult(each.machine, "extra", Outcome.FAILED, (each,)) for each in extra]
    return fleet, results


@pytest.fixture(name="faults")
def faults_() -> ModuleType:
    """The package of faults: `CASES`."""
    return faults


@pytest.fixture(name="whole")
def whole_() -> ModuleType:
    """The module that builds fleets of which everything was surveyed."""
    return whole


@pytest.fixture
def world() -> Any:
    """octo-1; web-01 and web-02 listen, poll-01 and poll-02 poll; each pair in a subnet of its own, all of them well."""
    return whole.wide_fleet()


@pytest.fixture
def new_fleet() -> Any:
    """Makes one more of these fleets."""
    return whole.wide_fleet


@pytest.fixture
def new_world() -> Any:
    """Makes an empty world, to be filled with servers and Tentacles."""
    return whole.Whole


@pytest.fixture
def diagnosed() -> Any:
    """Judges a world and diagnoses it: `diagnosed(world, *extra problems)`."""

    def run(world: Any, *extra: Problem) -> Diagnosis:
        fleet, results = results_of(world, extra)
        return diagnose(fleet, results)

    return run


@pytest.fixture
def judged() -> Any:
    """A world's fleet and results."""
    return results_of


@pytest.fixture
def make_problem() -> Any:
    """Makes a problem that no check of today yields: `make_problem(code, machine, **facts)`."""

    def make(code: str, machine: str = "web-01", **facts: Any) -> Problem:
        return Problem(code, machine, "it is well", f"it shows {code}", (Evidence(machine, "seen"),), facts)

    return make
