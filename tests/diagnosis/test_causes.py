"""Each cause by itself: one fault in a healthy fleet that was surveyed as a whole, and just that cause is found."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.diagnosis import CAUSES, Diagnosis, FoldedCause, diagnose
from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.survey.surroundings import Proxy
from support.faults import CASES, Case
from support.faults.last_words import proxy_opens_no_tunnel
from support.fleets.whole import make_linux
from support.pictures import DECIDES, misdrawn

LEFT_OPEN = {case.code for case in CASES if case.unsure}
"""Causes of which some fault says that something could not be told."""


class TestEachFault:
    """One fault, one cause, and nothing left. The faults are in `support/faults/`; `fault` is each of them."""

    def test_it_alone(self, fault: Any, world: Any, judged: Any) -> None:
        """The fault is injected, judged and diagnosed once; what is asked of the diagnosis stands below."""
        fault.change(world)
        fleet, results = judged(world)
        diagnosis = diagnose(fleet, results)
        is_the_only_cause(fault, diagnosis)
        is_as_sure_as_what_was_seen(fault, diagnosis)
        cites_what_was_seen(diagnosis, results)
        leaves_open_what_is_tested_open(diagnosis)
        assert [wrong for step in DECIDES for wrong in misdrawn(fleet, step)[0]] == []

    def test_where_the_sick_machine_is_dark(self, fault: Any, world: Any, diagnosed: Any) -> None:
        """What that leaves open, where we cannot log on to it, has a fault that leaves it open."""
        fault.change(world)
        world.dark(fault.machines[0])
        leaves_open_what_is_tested_open(diagnosed(world))


def is_the_only_cause(fault: Case, diagnosis: Diagnosis) -> None:
    """On just the machines that have it; every fact of what is said is known."""
    assert sorted(cause.code for cause in diagnosis.causes) == sorted((fault.code, *fault.besides))
    assert not diagnosis.unexplained
    cause = its_cause(fault, diagnosis)
    assert {name for name in cause.machines if name not in cause.affected} == set(fault.machines)
    assert "?" not in cause.sentence
    words = (line for line in (*cause.remedy_windows, *cause.remedy_linux) if not line.startswith("$ "))
    assert "{" not in "".join((*words, cause.unsure, cause.sentence))


def is_as_sure_as_what_was_seen(fault: Case, diagnosis: Diagnosis) -> None:
    """What could have told it from another cause, and was not known, is said."""
    cause = its_cause(fault, diagnosis)
    assert fault.confidence in (None, cause.confidence)
    if fault.unsure is not None:
        assert fault.unsure in cause.unsure
        assert bool(fault.unsure) is bool(cause.unsure)


def cites_what_was_seen(diagnosis: Diagnosis, results: list[StepResult]) -> None:
    """Whatever a problem or a survey did not say is not cited: each of a problem's own evidence is among it."""
    told = {item.text for result in results for problem in result.problems for item in problem.evidence}
    told |= {problem.actual for result in results for problem in result.problems}
    for machine in diagnosis.machines.values():
        for found in machine.causes:
            assert found.evidence
            assert all(item.source and item.text for item in found.evidence)
            assert any(text in item.text for item in found.evidence for text in told)


def leaves_open_what_is_tested_open(diagnosis: Diagnosis) -> None:
    """A doubt is tested from both sides: what can leave a question open has a fault that does.

    That something was not read may leave any of them open: `test_law.py`.
    """
    own = {cause.code for cause in diagnosis.causes if cause.unsure and not cause.unsure.startswith("Not read: ")}
    assert own <= LEFT_OPEN


def its_cause(fault: Case, diagnosis: Diagnosis) -> FoldedCause:
    """The cause that the fault is injected for."""
    return next(cause for cause in diagnosis.causes if cause.code == fault.code)


class TestEveryCause:
    """The registry as a whole."""

    def test_has_a_fault(self, faults: Any) -> None:
        """A cause that no fault of a survey or an inventory yields is a guess, or dead."""
        proven = {code for case in faults.CASES for code in (case.code, *case.besides)}
        assert sorted(kind.code for kind in CAUSES if kind.code not in proven) == []
        assert sorted(proven - {kind.code for kind in CAUSES}) == []


@pytest.mark.parametrize(
    ("bypass", "address", "named"),
    [
        ("localhost,192.0.2.0/24", "http://proxy.example:3128", True),
        ("localhost,10.0.0.0/8", "http://proxy.example:3128", False),  # the server is in no such network
        ("localhost,192.0.2.0/24", "http://other.example:3128", False),  # it did not go through that one
        (None, "http://proxy.example:3128", False),
    ],
)
def test_a_network_in_no_proxy_that_holds_the_server(
    world: Any, diagnosed: Any, bypass: str | None, address: str, named: bool
) -> None:
    """It is named only where it is what sent the call to the proxy."""
    make_linux(world, "web-01")
    proxy_opens_no_tunnel(world)
    proxy = Proxy(layer="environment", enabled=True, address=address, bypass=bypass)
    world.sections["web-01"]["proxies"] = (proxy,)
    (cause,) = diagnosed(world).causes
    assert (cause.code, "NO_PROXY names the network" in str(cause.facts["why"])) == ("TC1360", named)
