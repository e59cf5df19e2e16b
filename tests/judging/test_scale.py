"""Judging a large fleet: the work grows with the number of machines, and not with its square."""

from __future__ import annotations

import sys
from typing import Any

from pytest_tentacle.sections import STEPS as ALL_STEPS
from pytest_tentacle.sections import applicable, fleet_of

CORE = ("services-running", "communication-settings", "tentacle-thumbprint", "welcome-page-here", "welcome-page-across")
"""The steps that these tests hold; those of the other sections have files of their own, test_<section>.py."""

STEPS = tuple(step for step in ALL_STEPS if step.slug in CORE)


def calls_to_judge(world: Any, machines: int) -> int:
    """How many calls of Python functions it takes to judge a fleet of that size; half of it listens, half polls."""
    for number in range(machines // 2):
        world.add_listening(f"l{number}", f"198.51.{number // 200}.{number % 200}")
        world.add_polling(f"p{number}", f"203.0.{number // 200}.{number % 200}")
    surveys = world.surveys()
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        fleet = fleet_of(surveys)
        for subject in fleet.subjects:
            for step in STEPS:
                if applicable(step.slug, subject):
                    assert subject.result(step.slug).outcome == "passed"
    finally:
        sys.setprofile(None)
    return count


class TestScale:
    """1,000 machines are judged in about a second."""

    def test_four_times_the_machines_are_four_times_the_work(self, new_world: Any) -> None:
        """Counted in calls, so that no busy machine makes it fail."""
        small, large = calls_to_judge(new_world(), 50), calls_to_judge(new_world(), 200)
        assert large / small < 4.4

    def test_a_machine_costs_few_calls(self, new_world: Any) -> None:
        """At about ten million calls a second."""
        assert calls_to_judge(new_world(), 100) / 100 < 3_000

    def test_a_steps_result_is_worked_out_once(self, world: Any) -> None:
        """However many others ask for it."""
        subject = world.fleet().subject("octo-1")
        assert subject.result("services-running") is subject.result("services-running")
