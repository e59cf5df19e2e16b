"""The lab's faults judged anew from the surveys that they left: all of them, without the lab, and with facts taken away."""

from __future__ import annotations

from itertools import islice

import pytest

from support.hosts.judge import compared
from support.hosts.recorded import recorded
from support.hosts.scenarios import SCENARIOS
from support.law import broken, reductions, told

_STEP = 60
"""Of the reductions of each fault one of so many is tried."""


@pytest.fixture(scope="module")
def surveys() -> dict[str, object]:
    return dict(recorded())


def test_every_fault_is_recorded(surveys) -> None:
    """None is missing, and none is left over."""
    assert sorted(surveys) == sorted(SCENARIOS)


def test_each_fault(surveys) -> None:
    """Its cause is named first on each machine that it concerns, and no other machine is accused."""
    answers = {name: compared(found, [SCENARIOS[name]]) for name, found in surveys.items()}
    assert {name: answer["faults"] for name, answer in answers.items() if not answer["right"]} == {}


def test_the_law(surveys) -> None:
    """Fewer facts never lead to another cause."""
    wrong = []
    for number, (name, found) in enumerate(surveys.items()):
        whole = told(found)
        for what, less in islice(reductions(found), number % _STEP, None, _STEP):
            wrong += [f"{name} | {what} | {each}" for each in broken(whole, told(less))]
    assert wrong == []
