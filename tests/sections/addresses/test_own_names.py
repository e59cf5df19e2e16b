"""What a machine's own names lead to on itself: evidence, but for a name that leads to another machine that we know."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.survey.surroundings import OwnName

SILENT = {"fails": "connect", "error": Failure.TIMED_OUT}


def named(*found: str, name: str = "web-01.example") -> list[OwnName]:
    return [OwnName(name=name, addresses=found)]


@pytest.fixture
def silent(world: Any, across: Any) -> Any:
    """web-01's server gets no answer, by its name nor by its address."""
    across(world, "listening", SILENT, SILENT)
    return world


def codes(world: Any, name: str = "web-01") -> list[str]:
    return [problem.code for problem in world.judge("ip-addresses", name).problems]


class TestAnotherMachine:
    def test_is_found(self, silent: Any) -> None:
        """192.0.2.30 is poll-01's."""
        silent["web-01"].own_names = named("192.0.2.30")
        (problem,) = silent.judge("ip-addresses", "web-01").problems
        assert problem.code == "TT714"
        assert (problem.facts["other"], problem.facts["address"]) == ("poll-01", "192.0.2.30")
        assert problem.facts["host"] == "web-01.example"

    def test_its_address_may_work_all_the_same(self, world: Any, across: Any) -> None:
        """Then the name alone is wrong."""
        across(world, "listening", SILENT | {"addresses": ("192.0.2.30",)})
        world["web-01"].own_names = named("192.0.2.30")
        assert codes(world) == ["TT714"]

    def test_a_link_that_is_well_is_stronger(self, world: Any) -> None:
        world["web-01"].own_names = named("192.0.2.30")
        result = world.judge("ip-addresses", "web-01")
        assert result.outcome is Outcome.PASSED
        assert any("web-01.example: 192.0.2.30" in line for line in result.looked_at)

    @pytest.mark.parametrize(
        "found",
        [
            named("192.0.2.20"),
            named("192.0.2.30", "192.0.2.20"),
            named("127.0.1.1"),
            named("::ffff:192.0.2.20"),
            named("203.0.113.80"),
            named("fe80::1"),
            named(),
            named("192.0.2.30", name="WEB-01"),
            [OwnName(name="web-01.example", error="name-not-found", detail="11001: Name or service not known")],
            [OwnName(name="web-01.example", error="timed-out")],
        ],
    )
    def test_evidence_only(self, silent: Any, found: list[OwnName]) -> None:
        """Its own address, Debian's 127.0.1.1, a NAT device's, none, and names that no server uses."""
        silent["web-01"].own_names = found
        assert codes(silent) == []
        assert any(found[0].name in line for line in silent.judge("ip-addresses", "web-01").looked_at)

    def test_an_address_that_is_declared_for_it(self, silent: Any) -> None:
        """A balancer that two share: somebody says that it leads to this machine."""
        silent["web-01"].declare(ip="192.0.2.30")
        silent["web-01"].host["addresses"] = ("10.0.0.1",)
        silent["web-01"].own_names = named("192.0.2.30")
        assert codes(silent) == []

    def test_its_own_addresses_were_not_read(self, silent: Any) -> None:
        silent["web-01"].host["addresses"] = ()
        silent["web-01"].own_names = named("192.0.2.30")
        assert codes(silent) == []

    def test_a_polling_one_is_not_reached_by_a_name(self, world: Any, across: Any) -> None:
        across(world, "polling", SILENT, SILENT)
        world["poll-01"].own_names = named("192.0.2.20", name="poll-01.example")
        assert codes(world, "poll-01") == []


class TestNotSeen:
    def test_unknown(self, silent: Any) -> None:
        silent["web-01"].unknown["own_names"] = "not surveyed"
        result = silent.judge("ip-addresses", "web-01")
        assert "not surveyed" in result.reason

    def test_not_needed_where_the_link_is_well(self, world: Any) -> None:
        world["web-01"].unknown["own_names"] = "not surveyed"
        assert world.judge("ip-addresses", "web-01").outcome is Outcome.PASSED
