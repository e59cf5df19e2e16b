"""The law of knowledge: fewer facts make a cause less certain, and never another one; more facts make no right one wrong.

Each fault is judged as a whole, and again with something taken away. Here some of what can be taken away, another part for
each fault; all of it by `python3 scripts/dev.py faults --law`.
"""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from support.law import broken, of_fault, reductions, told, well
from support.rejudging import Judged

_STEP = 8
"""One of so many reductions is tried here."""


def test_less_never_leads_elsewhere(fault: Any, world: Any, faults: Any) -> None:
    """What is left of a survey gives the same causes, or doubtful ones that say what else it may be, or unknowns."""
    fault.change(world)
    surveys = world.surveys()
    judged = Judged(surveys, [well()])
    whole = told(surveys, judged)
    some = list(reductions(surveys, faults.CASES.index(fault) % _STEP, _STEP))
    assert len(some) > 10
    assert [f"{what}: {wrong}" for what, less in some for wrong in broken(whole, told(less, judged))] == []


@pytest.mark.parametrize(
    ("name", "less"),
    [
        ("a_silent_one_first", "poll-01: no host"),
        ("further_node_not_polled", "poll-01: no connections"),
        ("flaps_on_windows", "web-01: no events"),
    ],
)
def test_a_fact_that_decides_between_two_is_read(whole: Any, faults: Any, name: str, less: str) -> None:
    """Where the one fact is missing by which two explanations differ, neither is told."""
    surveys = _faulty(whole, faults, name)
    left = told(dict(reductions(surveys))[less])
    machine = less.partition(":")[0]
    assert broken(told(surveys), left) == []
    assert (left.causes[machine], left.open[machine]) == ({}, True)


def test_one_look_tells_no_slow_path_from_a_silent_one(whole: Any, faults: Any) -> None:
    """A connection that took long, and heard nothing after it."""
    surveys = _faulty(whole, faults, "slow_way")
    left = told(dict(reductions(surveys))["all: no looks by name"])
    assert broken(told(surveys), left) == []
    assert left.causes["web-01"] == {"TC5281": ("possible", True)}


@pytest.mark.parametrize(
    ("name", "less", "machine", "left"),
    [
        # Who listens is told by its process, as long as the Tentacle's own is known.
        ("somebody_else_has_the_port", "web-01: no services", "web-01", {"TC3111": ("possible", True)}),
        # It is in the inventory alone: that the links stand makes it no less certain.
        ("inventory_port_is_old", "poll-01: no looks by name", "poll-01", {"TC3142": ("certain", False)}),
        # By the words of the log, whether or not anybody read which Windows it is.
        ("framework_without_its_update", "web-01: no host", "web-01", {"TC1501": ("likely", False)}),
    ],
)
def test_what_is_left_is_told_as_it_deserves(
    whole: Any, faults: Any, name: str, less: str, machine: str, left: dict[str, object]
) -> None:
    """Nothing else, nothing surer, and nothing less sure than it is."""
    surveys = _faulty(whole, faults, name)
    found = told(dict(reductions(surveys))[less])
    assert broken(told(surveys), found) == []
    assert found.causes[machine] == left


def test_settings_alone_tell_that_a_tentacle_is_polled(whole: Any, faults: Any) -> None:
    """Where nobody looked, the certificate that the poller expects is still that of another Tentacle."""
    surveys = _faulty(whole, faults, "polls_a_tentacle")
    left = told(dict(reductions(surveys))["all: no looks by name"])
    assert broken(told(surveys), left) == []
    assert left.causes["poll-01"] == {"TC5304": ("certain", False)}


def _faulty(whole: Any, faults: Any, name: str) -> Any:
    world = whole.wide_fleet()
    next(case for case in faults.CASES if case.change.__name__ == name).change(world)
    return world.surveys()


class TestTheLawItself:
    """It tells what offends."""

    def test_another_cause(self, whole: Any) -> None:
        """A diagnosis of another fault is no less certain one of this."""
        one, two = (told(of_fault(whole, code)) for code in ("TC2021", "TC5202"))
        assert any(line.startswith("OTHER web-01: TC5202") for line in broken(one, two))

    def test_all_right(self, whole: Any) -> None:
        """Nothing found, and nothing unknown, where something is wrong."""
        sick, well = told(of_fault(whole, "TC2021")), told(whole.wide_fleet().surveys())
        assert any(line.startswith("LOST web-01") for line in broken(sick, well))

    def test_surer(self, whole: Any) -> None:
        """The same cause, surer than with all facts."""
        sure = told(of_fault(whole, "TT532"))
        doubtful = told(dict(reductions(of_fault(whole, "TC5202")))["web-01: no firewall"])
        certain = told(of_fault(whole, "TC5202"))
        assert sure.causes["web-01"]["TT532"][0] == "certain"
        assert any(line.startswith("SURER web-01: TC5202") for line in broken(doubtful, certain)) or (
            "TC5202" not in doubtful.causes["web-01"]
        )


@pytest.mark.parametrize("code", ["TC5202", "TC5411", "TC2021"])
def test_less_is_less_certain(code: str, whole: Any) -> None:
    """What was not read is said, and the cause is no more than possible."""
    surveys = of_fault(whole, code)
    causes = told(dict(reductions(surveys))["web-01: cut off before instances"]).causes["web-01"]
    assert causes
    assert all(sure == "possible" and doubts for sure, doubts in causes.values())


def test_a_doubt_names_few_and_counts_the_rest(whole: Any, faults: Any) -> None:
    """However many servers there are of which nobody saw the certificate."""
    world = whole.wide_fleet()
    next(case for case in faults.CASES if case.change.__name__ == "a_poller_mistrusts").change(world)
    for number in range(5):
        world.add_server(f"dark-{number}", f"192.0.2.{200 + number}").declare(thumbprint=None)
        world.dark(f"dark-{number}")
    fleet = fleet_of(world.surveys())
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    (cause,) = diagnose(fleet, results).machines["poll-01"].causes
    assert (cause.kind.code, cause.confidence) == ("TC3211", "possible")
    assert "dark-0, dark-1, dark-2 and 2 more: what" in cause.unsure
