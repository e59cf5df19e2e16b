"""The lab's faults judged anew from the surveys that they left: all of them, without the lab, and with facts taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_tentacle.diagnosis import CAUSES, Confidence, MachineDiagnosis
from pytest_tentacle.diagnosis.kind import Found
from pytest_tentacle.judging.finding import Problem
from support.hosts.faults import as_marked, replayed, table
from support.hosts.joining import joined_pairs
from support.hosts.judge import compared, contradictions, diagnosed
from support.hosts.recorded import pairs_recorded, recorded
from support.hosts.scenarios import SCENARIOS
from support.hosts.together import differences, masked, told_as_unknown
from support.law import broken, reductions, told, told_by

_STEP = 139
"""Of the reductions of each fault one of so many is tried."""


@pytest.fixture(scope="module")
def surveys() -> dict[str, object]:
    return dict(recorded())


def test_every_fault_is_recorded(surveys) -> None:
    """None is missing, and none is left over."""
    assert sorted(surveys) == sorted(SCENARIOS)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return replayed()


def test_each_fault(rows) -> None:
    """Its cause is named first on each machine that it concerns, and no other machine is accused.

    But for those that are known to be misjudged: each of them is, or its mark must go.
    """
    assert {row["scenarios"][0].name: row["faults"] for row in rows if not as_marked(row)} == {}


def test_what_is_awaited_is_held_to_it() -> None:
    """A fault that is known to be misjudged may be, and must be: once it is judged right, its mark has to go."""
    marked = replace(SCENARIOS["own-nft-drop"], awaited="nobody reads it")
    rows = [
        {"right": right, "scenarios": (each,)}
        for each in (marked, SCENARIOS["own-nft-drop"])
        for right in (False, True)
    ]
    assert [as_marked(row) for row in rows] == [True, False, False, True]
    assert not as_marked({"right": False, "made": False, "scenarios": (marked,)})


def test_certain_is_said_once() -> None:
    """Two causes that are certain of the same stage of one look contradict each other; it is said where they are."""
    facts = {"vantage": "octo-1", "host": "web-1", "port": 10933, "stage": "connect"}
    problem = Problem("TT521", "web-1", "it answers", "it does not", facts=facts)
    kinds = [kind for kind in CAUSES if kind.code in {"TC5201", "TC5411"}]
    causes = tuple(Found(kind, "web-1", (problem,), facts, (), Confidence.CERTAIN, "", "web-1") for kind in kinds)
    assert contradictions([MachineDiagnosis("web-1", causes, ())]) == [
        "web-1: TC5201 and TC5411 are both certain of octo-1 web-1 10933 connect"
    ]
    doubtful = (causes[0], replace(causes[1], confidence=Confidence.LIKELY))
    assert contradictions([MachineDiagnosis("web-1", doubtful, ())]) == []


def test_pairs(surveys) -> None:
    """Of two faults that do not meet, both causes are named, and nobody else is accused."""
    wrong = {}
    for pair, both in joined_pairs(surveys, SCENARIOS, 80, seed=2):
        answer = compared(both, pair)
        if not answer["right"]:
            wrong[" + ".join(each.name for each in pair)] = answer["faults"]
    assert wrong == {}


def test_pairs_that_were_injected() -> None:
    """Of two faults that were really there at once, mostly on one machine, both causes are named."""
    wrong, number, hidden = {}, 0, 0
    for names, both in pairs_recorded():
        answer = compared(both, [SCENARIOS[name] for name in names])
        number += 1
        hidden += bool(answer["masked"])
        if not answer["right"]:
            wrong["+".join(names)] = answer["faults"]
    assert wrong == {}
    assert number == 96
    assert hidden * 5 < number


class TestMasked:
    """A fault is masked where the survey of both is that of the other alone, and in no other case."""

    PAIR = (SCENARIOS["own-nft-drop"], SCENARIOS["router-one"])

    def test_nothing_else_was_seen(self, surveys) -> None:
        """The router drops what the machine would drop: that it does is seen nowhere."""
        hidden = masked(surveys["own-nft-drop"], surveys, self.PAIR)
        assert hidden == {"router-one"}
        answer = compared(surveys["own-nft-drop"], self.PAIR)
        assert (answer["right"], answer["masked"]) == (True, ["router-one"])

    def test_own_names_that_lead_nowhere(self, surveys) -> None:
        """They do so on healthy machines, too: that DNS is not reached shows in looks, or nowhere."""
        found = differences(surveys["router-arp"], surveys["healthy"])
        assert any("web-1 octo-1" in line for line in found)
        assert not any("own_names" in line for line in found)

    def test_something_was_seen(self, surveys) -> None:
        """What a look or a section shows has to be named."""
        pair = (SCENARIOS["own-nft-drop"], SCENARIOS["stale-record"])
        answer = compared(surveys["healthy"], pair)
        assert (answer["right"], answer["masked"]) == (False, [])
        assert len(answer["faults"]) == 2
        assert any("web-1" in line for line in differences(surveys["own-nft-drop"], surveys["stale-record"]))

    def test_what_may_be_unknown(self, surveys) -> None:
        """What alone is certain has to be named; what is doubtful alone may be unknown, if a step says so."""
        pair = (SCENARIOS["own-nft-drop"], SCENARIOS["own-hours"])
        alone = {each.name: diagnosed(surveys[each.name]) for each in pair}
        assert told_as_unknown(alone["own-hours"][0], alone, pair) == {"own-hours"}
        assert told_as_unknown(alone["own-nft-drop"][0], alone, pair) == frozenset()


def test_the_manuals_table(top, rows) -> None:
    """It is what the recorded surveys come to: `dev.py faults --replay --table docs/faults.md` writes it."""
    assert (top / "docs" / "faults.md").read_text(encoding="utf-8") == table(rows)


def test_the_law(surveys) -> None:
    """Fewer facts never lead to another cause."""
    wrong = []
    for number, (name, found) in enumerate(surveys.items()):
        whole = told_by(*diagnosed(found), [each.name for each in found.inventory.machines])
        for what, less in reductions(found, number % _STEP, _STEP):
            wrong += [f"{name} | {what} | {each}" for each in broken(whole, told(less))]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "less", "machine", "left"),
    [
        # Whether the other poller goes through a proxy is in its settings: without them, two may be cut off, or one.
        ("proxy-denies", "poll-1: no instances", "poll-2", {"TC5211": (Confidence.POSSIBLE, True)}),
        # That one poller came through does not tell whether the filter keeps another one out.
        # A router answers now and then: whether it does was not tried twice.
        ("router-unreachable", "octo-1: no looks by address", "web-1", {"TC5202": (Confidence.POSSIBLE, True)}),
        # Clocks matter to a link that fails: nobody knows whether this one does.
        ("server-one-source", "octo-1: no firewall", "octo-1", {}),
        ("clock-years-off", "octo-1: no looks at its Tentacles", "web-1", {}),
        # A gateway may lead by the name that a client says: who said none met another answer.
        ("healthy-by-name", "octo-1: no looks by name", "web-1", {"TC5241": (Confidence.POSSIBLE, True)}),
        # Of two looks the quicker one tells whether the way is slow, or the machine that looks.
        ("narrow-band", "octo-1: no looks by address", "web-1", {"TC5351": (Confidence.POSSIBLE, True)}),
        # A way that lets no large packet through is told from a silent device by the second machine that uses it.
        ("router-forgot", "poll-1: no looks by name", "poll-2", {"TC5281": (Confidence.POSSIBLE, True)}),
        # A certificate that nobody knows may be that of the server of which nobody saw it.
        ("servers-one-untrusted", "octo-1: dark", "web-b", {"TC3211": (Confidence.POSSIBLE, True)}),
        ("servers-swapped", "octo-1: no looks of its own", "poll-b", {"TC5311": (Confidence.POSSIBLE, True)}),
        ("servers-name-of-other", "octo-1: no looks of its own", "poll-b", {"TC5121": (Confidence.POSSIBLE, True)}),
    ],
)
def test_a_fact_that_decides(surveys, name: str, less: str, machine: str, left: dict[str, object]) -> None:
    """Where the one fact is missing by which two explanations differ, neither is told as if it were known."""
    found = told(dict(reductions(surveys[name]))[less])
    assert broken(told(surveys[name]), found) == []
    assert found.causes[machine] == left
