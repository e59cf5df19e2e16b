"""Certain is a word with a rule: not where all links of the machine stand, and never twice for one stage."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pytest_tentacle.sections import step_of


class TestStanding:
    """A cause that interrupts, on a machine whose connections stand."""

    def test_likely_at_most(self, world: Any, diagnosed: Any) -> None:
        """Its settings name another port for the server than it is connected to: since when, nobody knows."""
        world["poll-01"].trusted[0]["Thumbprint"] = "0" * 40
        (cause,) = [each for each in diagnosed(world).causes if "poll-01" in each.machines]
        assert cause.confidence == "likely"
        assert "stands now" in " ".join(item.text for item in cause.evidence)

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
