"""Waived: a problem that the inventory accepts stays visible, fails nothing, and blocks what it always blocked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.inventory.model import Origin, Waiver
from pytest_tentacle.judging.result import Outcome, accepted
from pytest_tentacle.link import Failure
from pytest_tentacle.run.waivers import waiver_notes
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT

SERVICES, ACROSS = "services-running", "welcome-page-across"
REFUSED = {"fails": "connect", "error": Failure.REFUSED}
ORIGIN = Origin(file="prod.yaml", line=7)


def waive(code: str, until: date | None = None) -> Waiver:
    return Waiver(code=code, reason="known to ops", until=until, origin=ORIGIN)


def codes(problems: Any) -> list[str]:
    return [problem.code for problem in problems]


@pytest.fixture
def stopped(world: Any) -> Any:
    """web-01's service is stopped, and does not start by itself either."""
    world["web-01"].service |= {"state": "stopped", "start_mode": "manual", "pid": None}
    assert codes(world.judge(SERVICES, "web-01").problems) == ["TT202", "TT205"]
    return world


class TestOutcome:
    """What a step comes to."""

    def test_all_problems_waived(self, stopped: Any) -> None:
        """Waived, with the problems, the reason and the day."""
        stopped["web-01"].declare(waive=(waive("TT202", date(2027, 1, 31)), waive("TT205")))
        result = stopped.judge(SERVICES, "web-01")
        assert (result.outcome, result.problems) == (Outcome.WAIVED, ())
        told = [(each.problem.code, each.reason, each.until) for each in result.waived]
        assert told == [("TT202", "known to ops", "2027-01-31"), ("TT205", "known to ops", "")]

    def test_the_others_fail_the_step(self, stopped: Any) -> None:
        """One of two problems is waived: failed for the other only."""
        stopped["web-01"].declare(waive=(waive("TT205"),))
        result = stopped.judge(SERVICES, "web-01")
        assert (result.outcome, codes(result.problems)) == (Outcome.FAILED, ["TT202"])
        assert codes(each.problem for each in result.waived) == ["TT205"]

    def test_another_machines_waiver(self, stopped: Any) -> None:
        """Is not this one's."""
        stopped["octo-1"].declare(waive=(waive("TT202"), waive("TT205")))
        assert stopped.judge(SERVICES, "web-01").outcome is Outcome.FAILED

    def test_what_was_not_seen_is_not_waived(self, stopped: Any) -> None:
        """A step with a waived problem and an unknown is unknown: the waiver does not say what that would have shown."""
        stopped["web-01"].declare(waive=(waive("TT522"), waive("TT520")))
        stopped["web-01"].unknown["services"] = "access denied"
        assert stopped.judge(SERVICES, "web-01").outcome is Outcome.UNKNOWN

    @pytest.mark.parametrize(
        ("until", "outcome"),
        [(date(2026, 11, 21), Outcome.FAILED), (date(2026, 11, 22), Outcome.WAIVED), (None, Outcome.WAIVED)],
    )
    def test_its_last_day(self, stopped: Any, until: date | None, outcome: Outcome) -> None:
        """Counted by the surveys' day, and not by today's: a replay gives the same verdicts."""
        stopped["web-01"].declare(waive=(waive("TT202", until), waive("TT205", until)))
        assert stopped.judge(SERVICES, "web-01").outcome is outcome


class TestBlocking:
    """A waived problem stands in the way as before."""

    def test_on_its_own_machine_what_it_blocks_is_waived_with_it(
        self, stopped: Any, make_probe: Any, across: Any
    ) -> None:
        """Who accepts that a service is stopped accepts that its server cannot reach it."""
        stopped["web-01"].listeners.clear()
        stopped["web-01"].replace(OWN_PORT, make_probe(**REFUSED))
        across(stopped, "listening", REFUSED, REFUSED)
        before = stopped.judge(ACROSS, "web-01")
        assert (before.outcome, before.blocked_by) == (Outcome.BLOCKED, ("TT202", "web-01"))
        stopped["web-01"].declare(waive=(waive("TT202"), waive("TT205")))
        result = stopped.judge(ACROSS, "web-01")
        assert result.outcome is Outcome.WAIVED
        assert result.reason.startswith("blocked by TT202 on web-01")
        assert result.reason.endswith("which is waived: known to ops")

    def test_on_other_machines_it_stays_a_block(self, world: Any, make_probe: Any, across: Any) -> None:
        """Or a waiver on one server would pass a fleet that nobody looked at; and its cause is told."""
        world["octo-1"].service |= {"state": "stopped", "pid": None}
        world["octo-1"].listeners.clear()
        world["octo-1"].replace(SERVERS_OWN_PORT, make_probe(port=10943, **REFUSED))
        across(world, "polling", REFUSED, REFUSED)
        before = world.judge(ACROSS, "poll-01")
        assert (before.outcome, before.blocked_by) == (Outcome.BLOCKED, ("TT206", "octo-1"))
        world["octo-1"].declare(waive=(waive("TT206"),))
        fleet = world.fleet()
        result = fleet.subject("poll-01").result(ACROSS)
        assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT206", "octo-1"))
        results = [result, fleet.subject("octo-1").result(SERVICES)]
        assert [cause.affected for cause in diagnose(fleet, results).causes] == [("poll-01",)]


class TestCauses:
    """What is accepted needs no cause."""

    def test_none_for_a_waived_problem(self, stopped: Any) -> None:
        """Neither a cause nor an unexplained problem."""
        stopped["web-01"].declare(waive=(waive("TT202"), waive("TT205")))
        fleet = stopped.fleet()
        assert diagnose(fleet, [fleet.subject("web-01").result(SERVICES)]).views() == ()


class TestNotes:
    """What a run says of its waivers."""

    def notes(self, world: Any, *steps: str) -> Any:
        fleet = world.fleet()
        results = [fleet.subject(name).result(step) for name in ("web-01", "octo-1") for step in steps]
        return waiver_notes(world.surveys(), results)

    def test_one_that_holds(self, stopped: Any) -> None:
        """Nothing to be said."""
        stopped["web-01"].declare(waive=(waive("TT202"),))
        assert self.notes(stopped, SERVICES) == waiver_notes(stopped.surveys(), ())

    def test_one_that_has_ended(self, stopped: Any) -> None:
        """With its day, its place and whom it hits."""
        stopped["web-01"].declare(waive=(waive("TT202", date(2026, 1, 1)), waive("TT201", date(2026, 1, 1))))
        notes = self.notes(stopped, SERVICES)
        assert notes.ended == (
            "The waiver of TT202 (known to ops, prod.yaml:7) ended on 2026-01-01; the problem counts again on web-01.",
            "The waiver of TT201 (known to ops, prod.yaml:7) ended on 2026-01-01; nothing needs it: remove it.",
        )
        assert notes.idle == ()

    def test_one_that_matched_nothing(self, stopped: Any) -> None:
        """It is to be taken out; one that many machines share only if it matched on none of them."""
        stopped["web-01"].declare(waive=(waive("TT202"), waive("TT201")))
        stopped["octo-1"].declare(waive=(waive("TT202"),))
        assert self.notes(stopped, SERVICES).idle == (
            "The waiver of TT201 (known to ops, prod.yaml:7) matches nothing any more: remove it.",
        )

    @pytest.mark.parametrize(
        ("days", "told"),
        [
            (0, "ends today, at the end of {day} UTC; from then on the problem counts on web-01."),
            (1, "ends tomorrow, at the end of {day} UTC; from then on the problem counts on web-01."),
            (14, "ends in 14 days, at the end of {day} UTC; from then on the problem counts on web-01."),
            (15, None),
        ],
    )
    def test_one_that_ends_soon(self, stopped: Any, days: int, told: str | None) -> None:
        """Two weeks before, by the surveys' day in UTC."""
        day = stopped.surveys().taken_utc.date() + timedelta(days)
        stopped["web-01"].declare(waive=(waive("TT202", day),))
        expected = () if told is None else (f"The waiver of TT202 (known to ops, prod.yaml:7) {told.format(day=day)}",)
        assert self.notes(stopped, SERVICES).ending == expected

    def test_one_whose_step_was_not_judged(self, stopped: Any) -> None:
        """Nobody knows whether it would have matched."""
        stopped["web-01"].declare(waive=(waive("TT301"),))
        assert self.notes(stopped, SERVICES).idle == ()

    def test_one_whose_step_could_not_look(self, stopped: Any) -> None:
        """Nor here."""
        stopped["web-01"].declare(waive=(waive("TT201"),))
        stopped["web-01"].unknown["services"] = "access denied"
        assert self.notes(stopped, SERVICES).idle == ()


def test_words() -> None:
    """One wording everywhere."""
    assert accepted("r", "2027-01-31") == "waived until 2027-01-31: r"
    assert accepted("r", "") == "waived: r"
