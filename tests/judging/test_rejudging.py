"""Judging again only what may have changed comes to what judging all comes to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest

from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.sections import STEPS, Fleet, applicable, fleet_of
from pytest_tentacle.survey.model import HostRecord, Section
from pytest_tentacle.survey.store import Surveys
from support.faults import CASES
from support.fleets.whole import wide_fleet
from support.law import reductions
from support.rejudging import Judged, fleet_with
from support.setups import Trial, trials


def results(fleet: Fleet) -> list[StepResult]:
    return [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]


def differing(fleet: Fleet, surveys: Surveys) -> list[tuple[str, str]]:
    """Machine and step of each result that judging all anew has otherwise."""
    anew = results(fleet_of(surveys))
    return [(one.machine, one.step) for one, two in zip(results(fleet), anew, strict=True) if one != two]


def with_less() -> Iterator[tuple[str, Surveys, Surveys]]:
    """Some faults, each with some of what a survey may lack."""
    for number, case in islice(enumerate(CASES), 3, None, 29):
        world = wide_fleet()
        case.change(world)
        surveys = world.surveys()
        for what, less in reductions(surveys, number % 23, 23):
            yield f"{case.id}, {what}", surveys, less


def test_what_is_taken_away() -> None:
    """Of faults, as in the law of knowledge."""
    wrong: dict[str, list[tuple[str, str]]] = {}
    known: dict[int, Judged] = {}
    for name, surveys, less in with_less():
        judged = known[id(surveys)] if id(surveys) in known else known.setdefault(id(surveys), Judged(surveys))
        assert results(fleet_with(surveys, [judged])) == list(map(judged.results.get, in_order(surveys)))
        wrong[name] = differing(fleet_with(less, [judged]), less)
    assert {name: found for name, found in wrong.items() if found} == {}
    assert len(known) > 8


def in_order(surveys: Surveys) -> list[tuple[str, str]]:
    fleet = fleet_of(surveys)
    return [(each.name, step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]


@cache
def usual(mode: str, system: str) -> Judged:
    """The fleet without any set-up."""
    return Judged(Trial(mode, system, ()).world().surveys())


def test_two_set_ups() -> None:
    """Each with what is known of the two alone."""
    wrong: dict[str, list[tuple[str, str]]] = {}
    for trial in islice((each for each in trials() if len(each.setups) > 1), 7, None, 401):
        base = [usual(trial.mode, trial.system)]
        known = [Judged(Trial(trial.mode, trial.system, (each,)).world().surveys(), base) for each in trial.setups]
        surveys = trial.world().surveys()
        wrong[str(trial)] = differing(fleet_with(surveys, known), surveys)
    assert len(wrong) > 20
    assert {name: found for name, found in wrong.items() if found} == {}


class TestDifferences:
    """What may differ, by login and field."""

    @pytest.fixture
    def judged(self) -> Judged:
        return Judged(wide_fleet().surveys())

    def other(self, judged: Judged, **values: Any) -> Surveys:
        """The same with another record of the first machine."""
        first, *rest = judged.surveys.records
        return judged.surveys.model_copy(update={"records": (first.model_copy(update=values), *rest)})

    def test_none(self, judged: Judged) -> None:
        assert judged.differences(wide_fleet().surveys()) == frozenset()

    def test_a_section(self, judged: Judged) -> None:
        """Of the survey, and what may rest on all of the machine."""
        first = self.first(judged)
        survey = first.survey.model_copy(update={"disks": Section(unknown="no")}) if first.survey else None
        found = judged.differences(self.other(judged, survey=survey))
        assert found == {(first.host_key, "disks"), (first.host_key, "*")}

    def test_no_survey(self, judged: Judged) -> None:
        """All of it, and that there is one."""
        found = judged.differences(self.other(judged, survey=None)) or frozenset()
        assert {(self.first(judged).host_key, name) for name in ("survey", "services", "probes", "*")} <= found

    def test_an_entry_of_the_inventory(self, judged: Judged) -> None:
        """Of the machine, and what may rest on all of the entry."""
        world = wide_fleet()
        world["web-01"].declare(port=10955)
        found = judged.differences(world.surveys())
        assert found == {("inventory/web-01", "port"), ("inventory/web-01", "*")}

    def test_another_machine(self, judged: Judged) -> None:
        """Everything may rest on it."""
        inventory = judged.surveys.inventory
        fewer = inventory.model_copy(update={"tentacles": inventory.tentacles[1:]})
        assert judged.differences(judged.surveys.model_copy(update={"inventory": fewer})) is None

    def first(self, judged: Judged) -> HostRecord:
        return judged.surveys.records[0]


def test_it_is_worth_it() -> None:
    """One section of one machine matters to few results; the services of a server to more."""
    judged = Judged(wide_fleet().surveys())
    less = dict(reductions(judged.surveys))
    disks, services = (len(list(judged.same_in(less[name]))) for name in ("web-01: no disks", "octo-1: no services"))
    assert len(judged.results) > disks > 0.9 * len(judged.results)
    assert disks > services > 0
