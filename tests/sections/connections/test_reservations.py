"""Ports that Windows keeps: excluded ranges where nobody listens, and http.sys as the holder of the port."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.sections.connections.reserved import excluded_range, served_urls
from pytest_tentacle.survey.surroundings import PortRange, Reservations
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT

SYSTEM = {"pid": 4, "name": "System"}
HELD = [{"address": "::", "port": 10933, "pid": 4, "owner": SYSTEM}]
SERVED = Reservations(http_sys=("http://+:80/", "https://+:10933/OctopusComms/"))
EXCLUDED = Reservations(excluded=(PortRange(first=5357, last=5357), PortRange(first=10900, last=10999)))


def closed(world: Any, make_probe: Any, reservations: Reservations = EXCLUDED) -> Any:
    """Nobody listens on web-01's port."""
    web = world["web-01"]
    web.replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
    web.listeners = []
    web.reservations = reservations
    return web


def held(world: Any, make_probe: Any) -> Any:
    """The System process holds it, and answers as a web server does."""
    web = world["web-01"]
    web.replace(OWN_PORT, make_probe(page="other", whose="IIS"))
    web.listeners, web.reservations = HELD, SERVED
    return web


def codes(world: Any) -> list[str]:
    return [problem.code for problem in world.judge("welcome-page-here", "web-01").problems]


class TestExcluded:
    def test_nobody_listens_there(self, world: Any, make_probe: Any) -> None:
        """It takes the place of "the port is not open", which it explains."""
        closed(world, make_probe)
        (problem,) = world.judge("welcome-page-here", "web-01").problems
        assert problem.code == "TT506"
        assert "10900 to 10999" in problem.actual
        assert (problem.facts["first"], problem.facts["last"], problem.facts["port"]) == (10900, 10999, 10933)

    def test_it_stands_in_the_way_of_the_link(self, world: Any, make_probe: Any, across: Any) -> None:
        """What the server sees from outside is no news."""
        closed(world, make_probe)
        refused = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(world, "listening", refused, refused)
        assert world.judge("welcome-page-across", "web-01").blocked_by == ("TT506", "web-01")

    def test_a_stopped_service_is_told_as_well(self, world: Any, make_probe: Any) -> None:
        """Starting it would not help."""
        closed(world, make_probe).service |= {"state": "stopped", "pid": None}
        assert codes(world) == ["TT506"]

    @pytest.mark.parametrize("ranges", [(), (PortRange(first=10934, last=11033),)])
    def test_other_ports_are_no_matter(self, world: Any, make_probe: Any, ranges: Any) -> None:
        closed(world, make_probe, Reservations(excluded=ranges))
        assert codes(world) == ["TT501"]

    def test_who_listens_has_it(self, world: Any, make_probe: Any) -> None:
        """A range that came later does not close what is open; without the page the check is still passed."""
        web = world["web-01"]
        web.reservations = EXCLUDED
        assert world.judge("welcome-page-here", "web-01").outcome is Outcome.PASSED
        web.replace(OWN_PORT, make_probe(fails="page", error=Failure.TIMED_OUT))
        assert codes(world) == ["TT505"]

    def test_unknown(self, world: Any, make_probe: Any) -> None:
        """The port is not open, and why was not seen."""
        closed(world, make_probe).unknown["reservations"] = "netsh did not end in time"
        result = world.judge("welcome-page-here", "web-01")
        assert [problem.code for problem in result.problems] == ["TT501"]
        assert "netsh did not end" in result.reason

    def test_linux_has_none(self, world: Any, make_probe: Any) -> None:
        """Whatever stands there."""
        closed(world, make_probe).os = "linux"
        assert codes(world) == ["TT501"]

    def test_a_server_s_polling_port(self, world: Any, make_probe: Any) -> None:
        octo = world["octo-1"]
        octo.replace(SERVERS_OWN_PORT, make_probe(port=10943, fails="connect", error=Failure.REFUSED))
        octo.listeners, octo.reservations = [], Reservations(excluded=(PortRange(first=10943, last=10943),))
        (problem,) = world.judge("welcome-page-here", "octo-1").problems
        assert (problem.code, problem.facts["port"]) == ("TT506", 10943)


class TestHttpSys:
    def test_a_url_on_the_port(self, world: Any, make_probe: Any) -> None:
        held(world, make_probe)
        (problem,) = world.judge("welcome-page-here", "web-01").problems
        assert problem.code == "TT507"
        assert problem.facts["url"] == "https://+:10933/OctopusComms/"

    @pytest.mark.parametrize("known", [True, False])
    def test_without_a_url_it_is_just_another_process(self, world: Any, make_probe: Any, known: bool) -> None:
        web = held(world, make_probe)
        web.reservations = Reservations(http_sys=("http://+:80/",))
        if not known:
            web.unknown["reservations"] = "no rights"
        assert codes(world) == ["TT502"]

    def test_another_process_with_a_url_besides(self, world: Any, make_probe: Any) -> None:
        """Whoever holds the socket is not http.sys."""
        held(world, make_probe).listeners = [HELD[0] | {"pid": 77, "owner": {"pid": 77, "name": "nginx.exe"}}]
        assert codes(world) == ["TT502"]


class TestForms:
    @pytest.mark.parametrize(
        ("url", "port"),
        [
            ("HTTP://+:10933/x/", 10933),
            ("https://*:10933/", 10933),
            ("http://web-01.example:10933/", 10933),
            ("http://[::1]:10933/", 10933),
            ("http://10.0.0.1:10933:10.0.0.1/", 10933),
            ("http://[fe80::1]:10933:[fe80::1]/", 10933),
            ("https://+/", 443),
            ("http://*/", 80),
            ("http://+:99999/", None),
        ],
    )
    def test_a_prefix_has_a_port(self, url: str, port: int | None) -> None:
        """In each of the forms that http.sys knows."""
        found = Reservations(http_sys=(url,))
        assert served_urls(found, port or 80) == ((url,) if port else ())
        assert served_urls(found, 81) == ()

    @pytest.mark.parametrize(("port", "inside"), [(10899, False), (10900, True), (10999, True), (11000, False)])
    def test_both_ends_of_a_range_belong_to_it(self, port: int, inside: bool) -> None:
        assert (excluded_range(EXCLUDED, port) is not None) is inside
