"""Each cause by itself: one fault in a healthy fleet that was surveyed as a whole, and just that cause is found."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.diagnosis import CAUSES


class TestEachFault:
    """One fault, one cause, and nothing left. The faults are in `faults/`; `fault` is each of them."""

    def test_it_alone(self, fault: Any, world: Any, diagnosed: Any) -> None:
        """The fault gives the cause on just the machines that have it; every fact of what is said is known."""
        fault.change(world)
        diagnosis = diagnosed(world)
        assert sorted(cause.code for cause in diagnosis.causes) == sorted((fault.code, *fault.besides))
        assert not diagnosis.unexplained
        cause = next(cause for cause in diagnosis.causes if cause.code == fault.code)
        assert {name for name in cause.machines if name not in cause.affected} == set(fault.machines)
        assert "?" not in cause.sentence
        words = (line for line in (*cause.remedy_windows, *cause.remedy_linux) if not line.startswith("$ "))
        assert "{" not in "".join((*words, cause.unsure, cause.sentence))

    def test_how_sure_it_is(self, fault: Any, world: Any, diagnosed: Any) -> None:
        """As sure as what was seen allows; what could have told it from another cause, and was not known, is said."""
        fault.change(world)
        cause = next(cause for cause in diagnosed(world).causes if cause.code == fault.code)
        assert fault.confidence in (None, cause.confidence)
        if fault.unsure is not None:
            assert fault.unsure in cause.unsure
            assert bool(fault.unsure) is bool(cause.unsure)

    def test_its_evidence_was_seen(self, fault: Any, world: Any, judged: Any, diagnosed: Any) -> None:
        """Whatever a problem or a survey did not say is not cited: each of a problem's own evidence is among it."""
        fault.change(world)
        _, results = judged(world)
        told = {item.text for result in results for problem in result.problems for item in problem.evidence}
        told |= {problem.actual for result in results for problem in result.problems}
        for machine in diagnosed(world).machines.values():
            for found in machine.causes:
                assert found.evidence
                assert all(item.source and item.text for item in found.evidence)
                assert any(text in item.text for item in found.evidence for text in told)


class TestEveryCause:
    """The registry as a whole."""

    def test_has_a_fault(self, faults: Any) -> None:
        """A cause that no fault of a survey or an inventory yields is a guess, or dead."""
        proven = {code for case in faults.CASES for code in (case.code, *case.besides)}
        assert sorted(kind.code for kind in CAUSES if kind.code not in proven) == []
        assert sorted(proven - {kind.code for kind in CAUSES}) == []

    def test_doubts_are_tested_from_both_sides(self, faults: Any, new_fleet: Any, diagnosed: Any) -> None:
        """What can leave a question open, as where the sick machine is one that we cannot log on to, has a fault that does."""
        open_ones: set[str] = set()
        for case in faults.CASES:
            for dark in (False, True):
                world = new_fleet()
                case.change(world)
                if dark:
                    world.dark(case.machines[0])
                open_ones |= {cause.code for cause in diagnosed(world).causes if cause.unsure}
        assert sorted(open_ones - {case.code for case in faults.CASES if case.unsure}) == []
