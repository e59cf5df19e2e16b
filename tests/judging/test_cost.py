"""A problem costs what the link costs that it stands in the way of: nothing, where it is proved that nobody needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.inventory.model import Waiver
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import By
from pytest_tentacle.run.verdict import from_data, to_data
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from support.faults import settings as spare
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED, NO_NAME, REFUSED
from support.fleets.looks import polled
from support.fleets.whole import LISTENS, Whole, started, wide_fleet
from support.fleets.world import probe

REFUSAL = f"The remote host at https://{spare.OLD}:10943/ refused the connection. This may mean that the expected listening service is not running."  # fmt: skip


def retired(world: Whole) -> None:
    """poll-01 polls a server that was retired, whose name is gone."""
    spare.also_polls(world, "poll-01", NO_NAME)


def judged(world: Whole, gate: Severity = Severity.DEGRADED) -> tuple[Any, list[StepResult]]:
    """The fleet and all results."""
    fleet = fleet_of(world.surveys(), gate)
    return fleet, [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]


def costs(results: list[StepResult], machine: str) -> dict[str, Severity]:
    """Of each problem of a machine, by its code."""
    return {p.code: p.severity for each in results if each.machine == machine for p in each.problems}


def no_connection(world: Whole) -> None:
    world.sections["poll-01"]["connections"] = ()


def connections_unread(world: Whole) -> None:
    world.sections["poll-01"]["connections"] = "nobody may read them"


def own_server_silent(world: Whole) -> None:
    world.both("poll-01", DROPPED)


def own_looks_unread(world: Whole) -> None:
    world["poll-01"].own = [each for each in world["poll-01"].own if each.host == spare.OLD or (each.link.instance is None and not each.link.server)]  # fmt: skip


def old_is_declared(world: Whole) -> None:
    world["octo-1"].declare(addresses=(spare.OLD,))


def own_server_polled_elsewhere(world: Whole) -> None:
    """The address of its settings is refused; the declared one, which it does not use, would answer."""
    world["poll-01"].trusted[0]["Address"] = "https://octo-1.example:10999/"
    world["poll-01"].replace(polled(0), probe("octo-1.example", 10999, By.NAME, **REFUSED))


def another_node_not_polled(world: Whole) -> None:
    """The retired name may have been this node's."""
    world.add_server("octo-2", "192.0.2.11")
    world["poll-01"].declare(servers=("octo-1", "octo-2"))


def no_server_is_declared(world: Whole) -> None:
    world["poll-01"].declare(servers=())


class TestLeftovers:
    """A polled server that is no more."""

    def test_costs_nothing_where_all_links_work(self) -> None:
        world = wide_fleet()
        retired(world)
        fleet, results = judged(world)
        assert costs(results, "poll-01") == {"TT511": Severity.HYGIENE}
        assert {each.outcome for each in results} == {Outcome.PASSED, Outcome.NOTED}
        (cause,) = diagnose(fleet, results).causes
        assert (cause.code, cause.severity) == ("TC5215", Severity.HYGIENE)
        assert "no declared link needs it" in " ".join(item.text for item in cause.evidence)

    @pytest.mark.parametrize(
        "spoil",
        [
            no_connection,
            connections_unread,
            own_server_silent,
            own_looks_unread,
            old_is_declared,
            no_server_is_declared,
            own_server_polled_elsewhere,
            another_node_not_polled,
        ],
        ids=lambda each: each.__name__,
    )
    def test_is_an_outage_where_that_is_not_proved(self, spoil: Callable[[Whole], None]) -> None:
        """The declared link fails, or was not seen; the address may be a declared server's; nothing is declared."""
        world = wide_fleet()
        retired(world)
        spoil(world)
        _, results = judged(world)
        assert Severity.HYGIENE not in costs(results, "poll-01").values()
        across = next(each for each in results if (each.machine, each.step) == ("poll-01", "welcome-page-across"))
        assert across.outcome is Outcome.FAILED

    def test_fails_where_hygiene_fails(self) -> None:
        """`--fail-on hygiene`: then what it blocks is blocked as well."""
        world = wide_fleet()
        retired(world)
        _, results = judged(world, Severity.HYGIENE)
        outcomes = {each.step: each.outcome for each in results if each.machine == "poll-01"}
        assert outcomes["welcome-page-across"] is Outcome.FAILED
        assert outcomes["ip-addresses"] is Outcome.BLOCKED

    @pytest.mark.parametrize(
        ("every", "times", "cost"),
        [(120, 30, Severity.HYGIENE), (5, 400, Severity.DEGRADED), (5, 5, Severity.HYGIENE)],
        ids=["at Halibut's pace", "every five seconds", "a few at once"],
    )
    def test_a_storm_of_attempts_costs(self, every: float, times: int, cost: Severity) -> None:
        world = wide_fleet()
        spare.also_polls(world, "poll-01", REFUSED, REFUSAL, every=every, times=times)
        fleet, results = judged(world)
        assert set(costs(results, "poll-01").values()) == {cost}
        (cause,) = diagnose(fleet, results).causes
        assert cause.severity is cost
        failed = [each.step for each in results if each.outcome is Outcome.FAILED]
        assert bool(failed) is (cost is Severity.DEGRADED)

    def test_what_costs_nothing_and_what_does_are_two_lines(self) -> None:
        """poll-02's own server does not answer, and it polls the same retired one."""
        world = wide_fleet()
        for name in ("poll-01", "poll-02"):
            spare.also_polls(world, name, NO_NAME)
        world.both("poll-02", DROPPED)
        fleet, results = judged(world)
        lines = [(each.severity, each.machines) for each in diagnose(fleet, results).causes if each.code == "TC5215"]
        assert sorted(lines) == [(Severity.HYGIENE, ("poll-01",)), (Severity.OUTAGE, ("poll-02",))]

    def test_a_problem_of_the_declared_link_beside_it(self) -> None:
        """It keeps what its code says."""
        world = wide_fleet()
        retired(world)
        world["poll-01"].service["start_mode"] = "manual"
        world.sections["poll-01"]["disks"] = (
            world.sections["poll-01"]["disks"][0].model_copy(update={"free_bytes": 0}),
        )
        _, results = judged(world)
        found = costs(results, "poll-01")
        assert (found["TT511"], found["TT205"], found["TT971"]) == ("hygiene", "will-fail", "outage")


class TestEntries:
    """A damaged entry."""

    def test_beside_a_whole_one(self) -> None:
        world = wide_fleet()
        spare.trusts_a_damaged_thumbprint_besides(world)
        spare.has_half_an_entry_besides(world)
        _, results = judged(world)
        assert costs(results, "web-01") == {"TT322": Severity.HYGIENE}
        assert costs(results, "poll-01") == {"TT315": Severity.HYGIENE}
        assert Outcome.FAILED not in {each.outcome for each in results}

    @pytest.mark.parametrize("name", ["web-01", "poll-01"])
    def test_alone(self, name: str) -> None:
        """It is the only one of the server, and nobody knows with which settings the process that runs was started."""
        world = wide_fleet()
        world.logs["poll-01"] = world.secured("poll-01", "octo-1")
        world[name].trusted[0] = world[name].trusted[0] | {
            "Thumbprint": "\u200e" + world[name].trusted[0]["Thumbprint"]
        }
        _, results = judged(world)
        assert costs(results, name)["TT322"] is Severity.OUTAGE


def pasted(world: Whole, name: str) -> None:
    """An invisible character before the thumbprint in the file."""
    entry = world[name].trusted[0]
    world[name].trusted[0] = entry | {"Thumbprint": "\u200e" + entry["Thumbprint"]}


def knows_its_server(world: Whole, name: str = "web-01") -> None:
    """The process said at its start whom it trusts."""
    trusts = f"Agent will trust Octopus Servers with the thumbprint: {thumbprint('octopus')}"
    world.logs[name] = started(2136, trusts, LISTENS) + world.visit(name, "octo-1")


class TestUntilTheNextStart:
    """What a process reads when it starts."""

    @pytest.mark.parametrize("name", ["web-01", "poll-01"])
    def test_will_fail_where_the_process_knows_better(self, name: str) -> None:
        world = wide_fleet()
        knows_its_server(world)
        pasted(world, name)
        _, results = judged(world)
        assert costs(results, name)["TT322"] is Severity.WILL_FAIL
        assert set(costs(results, name).values()) == {Severity.WILL_FAIL}
        assert Outcome.FAILED not in {each.outcome for each in results}
        _, results = judged(world, Severity.WILL_FAIL)
        assert Outcome.FAILED in {each.outcome for each in results}

    @pytest.mark.parametrize("name", ["web-01", "poll-01"])
    @pytest.mark.parametrize("how", ["another process", "no look", "no start"])
    def test_is_an_outage_where_that_is_not_seen(self, name: str, how: str) -> None:
        """The start is another process's; the link was not seen to work; the log holds no start."""
        world = wide_fleet()
        knows_its_server(world)
        pasted(world, name)
        if how == "another process":
            world[name].service["pid"] += 1
        elif how == "no look":
            world.both(name, DROPPED)
        else:
            world.logs[name] = world.secured(name, "octo-1") if name == "poll-01" else world.visit(name, "octo-1")
        _, results = judged(world)
        assert Severity.OUTAGE in costs(results, name).values()

    def test_what_could_not_be_looked_at_for_it_stays_blocked(self) -> None:
        """The file is gone, and the process goes on: whatever stands in that file was not seen."""
        world = wide_fleet()
        knows_its_server(world)
        world["web-01"].config_error = "not-found"
        _, results = judged(world)
        assert costs(results, "web-01")["TT301"] is Severity.WILL_FAIL
        assert Outcome.BLOCKED in {each.outcome for each in results if each.machine == "web-01"}


class TestWhoReadsIt:
    """One value for all."""

    def test_it_crosses_processes(self) -> None:
        world = wide_fleet()
        retired(world)
        _, results = judged(world)
        (found,) = [each for each in results if each.problems]
        data = to_data(found)
        assert from_data(data) == found
        assert all(type(problem["cost"]) is str for problem in data["problems"])

    def test_a_waived_one_knows_it_too(self) -> None:
        world = wide_fleet()
        retired(world)
        world["poll-01"].declare(waive=(Waiver(code="TT511", reason="it goes in spring"),))
        _, results = judged(world)
        waived = [each for result in results for each in result.waived]
        assert [each.problem.severity for each in waived] == [Severity.HYGIENE]
