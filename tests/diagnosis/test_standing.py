"""Certain is a word with a rule: not where all links of the machine stand, and never twice for one stage."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pytest_tentacle.sections import step_of
from support.faults.logs import INIT, hung_up_on


class TestStanding:
    """A cause that interrupts, on a machine whose connections stand."""

    def test_likely_at_most(self, world: Any, diagnosed: Any) -> None:
        """Its settings expect another thumbprint than the server's, with which it is connected: since when, nobody knows."""
        world["poll-01"].trusted[0]["Thumbprint"] = "0" * 40
        world.logs["poll-01"] = world.secured("poll-01", "octo-1")
        (cause,) = [each for each in diagnosed(world).causes if "poll-01" in each.machines]
        assert cause.confidence == "likely"
        assert "stands now" in " ".join(item.text for item in cause.evidence)

    def test_certain_where_its_process_says_what_it_goes_by(self, world: Any, diagnosed: Any) -> None:
        """The start of the process that runs names the server's own thumbprint: the file will break it, and later."""
        world["poll-01"].trusted[0]["Thumbprint"] = "0" * 40
        (cause,) = [each for each in diagnosed(world).causes if "poll-01" in each.machines]
        assert (cause.confidence, cause.severity) == ("certain", "will-fail")
        assert "knows it from its start" in " ".join(item.text for item in cause.evidence)

    def test_certain_without_a_connection(self, world: Any, diagnosed: Any) -> None:
        """The same, and none stands."""
        world["poll-01"].trusted[0]["Thumbprint"] = "0" * 40
        world.sections["poll-01"]["connections"] = ()
        (cause,) = [each for each in diagnosed(world).causes if "poll-01" in each.machines]
        assert cause.confidence == "certain"

    def test_what_costs_less_stays_certain(self, world: Any, diagnosed: Any) -> None:
        """A start mode is read, and interrupts nothing now."""
        world["poll-01"].service["start_mode"] = "disabled"
        (cause,) = diagnosed(world).causes
        assert (cause.confidence, cause.severity) == ("certain", "will-fail")


class TestOneCertainty:
    """Two certain causes of one stage on one machine cannot both be what is wrong there."""

    def test_over_all_faults(self, faults: Any, new_fleet: Any, diagnosed: Any) -> None:
        """Of each injected fault, but for those that are several faults."""
        twice: dict[str, list[Any]] = {}
        for case in faults.CASES:
            world = new_fleet()
            case.change(world)
            for name, machine in diagnosed(world).machines.items():
                certain = [found for found in machine.causes if found.confidence.value == "certain"]
                codes = {found.kind.code for found in certain} - set(case.besides)
                stages = Counter(step_of(found.problems[0].code) for found in certain if found.kind.code in codes)
                found_twice = [stage for stage, count in stages.items() if count > 1]
                if found_twice:
                    twice[f"{case.id} on {name}"] = found_twice
        assert twice == {}


class TestUnrecognised:
    """Errors that nobody knows, of the hour of a failure: told first where no cause is certain, and no problem alone."""

    WORDS = "The frobnicator gave up on its own"

    @pytest.mark.parametrize("whose", ["octo-1", "poll-01"])
    def test_of_either_end_is_told_first(self, world: Any, diagnosed: Any, whose: str) -> None:
        hung_up_on(world)
        world.say(whose, "ERROR", self.WORDS)

        (found,) = diagnosed(world).machines["poll-01"].causes

        assert found.kind.code == "TC1051"
        assert f"The log of {whose} also holds an error" in found.unsure
        assert self.WORDS in found.evidence[1].text

    def test_long_ago_tells_nothing(self, world: Any, diagnosed: Any) -> None:
        hung_up_on(world)
        world.say("octo-1", "ERROR", self.WORDS, ago=3700)

        (found,) = diagnosed(world).machines["poll-01"].causes

        assert "also holds an error" not in found.unsure
        assert not any(self.WORDS in each.text for each in found.evidence)

    def test_beside_what_is_known_it_is_left_out(self, world: Any, diagnosed: Any) -> None:
        world.say("octo-1", "ERROR", f"{INIT}Unable to receive the remote identity; the identity line was empty.")
        world.say("octo-1", "ERROR", self.WORDS)

        (found,) = diagnosed(world).machines["web-01"].causes

        assert found.kind.code == "TC9522"
        assert not any(self.WORDS in each.text for each in found.evidence)

    def test_is_no_problem_by_itself(self, world: Any, diagnosed: Any) -> None:
        for name in ("octo-1", "poll-01"):
            world.say(name, "ERROR", self.WORDS)

        assert not diagnosed(world).machines

    def test_is_what_a_service_that_ended_said_last(self, world: Any, diagnosed: Any) -> None:
        world.down("web-01", exit_code=1067)
        world.say("web-01", "ERROR", self.WORDS)

        (cause,) = [each for each in diagnosed(world).causes if "web-01" in each.machines]

        assert cause.code == "TC2032"
        assert self.WORDS in cause.sentence
