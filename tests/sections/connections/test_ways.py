"""The way between two machines, by their own tables and filters: what lets nothing out, or knows no way back."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging import evaluate
from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By, Failure, Stage
from pytest_tentacle.link.model import Tried
from pytest_tentacle.sections.connections.ways import connection_comes_about_soon
from pytest_tentacle.survey.surroundings import Route
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, declared
from support.pictures import misdrawn
from support.rules import linux_rules

STEP = "welcome-page-across"
SILENT = {"fails": "connect", "error": Failure.TIMED_OUT}
CUT = {"fails": "tls", "error": Failure.NO_COMMON_CIPHER}
SERVER, TENTACLE = "192.0.2.10", "192.0.2.20"


def way(peer: str = SERVER, **more: Any) -> tuple[Route, ...]:
    return (Route.model_validate({"peer": peer, "address": peer, "device": "eth0", **more}),)


def silence(around: Any, across: Any) -> None:
    """The server's attempts get no answer."""
    across(around.world, "listening", SILENT, SILENT)


def codes(around: Any) -> list[str]:
    return [problem.code for problem in around.judge(STEP, "web-01").problems]


class TestWays:
    @pytest.mark.parametrize(
        ("route", "words"),
        [
            ({"error": "no-route"}, "it has no route there"),
            ({"error": "blackhole"}, "swallows"),
            ({"via": "192.0.2.1", "neighbour": "failed"}, "its router 192.0.2.1 does not answer"),
            ({"neighbour": "incomplete"}, "nobody on its own network"),
            ({"device": "eth1", "source": "198.51.100.7", "rp_filter": 1}, "reverse path filter"),
            ({"via": "192.0.2.1", "neighbour": "reachable", "hops": 1}, "end at the router 192.0.2.1"),
        ],
    )
    def test_the_way_back(self, around: Any, across: Any, route: Any, words: str) -> None:
        """The Tentacle has no way to its server."""
        silence(around, across)
        around.sections["web-01"]["routes"] = way(**route)
        result = around.judge(STEP, "web-01")
        found = [problem for problem in result.problems if problem.code == "TT532"]
        assert len(found) == 1, result
        assert found[0].facts["end"] == "web-01"
        assert words in found[0].actual

    @pytest.mark.parametrize(
        ("route", "by_name", "found"),
        [
            ({"error": "blackhole"}, CUT, ["TT526", "TT532"]),
            ({"via": "192.0.2.1", "neighbour": "failed"}, CUT, ["TT526", "TT532"]),
            ({"via": "192.0.2.1", "neighbour": "reachable"}, CUT, ["TT526"]),
            ({"error": "blackhole"}, {}, []),
        ],
    )
    def test_the_way_back_where_something_else_answers(
        self, around: Any, across: Any, route: Any, by_name: Any, found: list[str]
    ) -> None:
        """It took the connection, and never showed to be the Tentacle, which by its own tables could not even answer."""
        across(around.world, "listening", by_name, by_name)
        around.sections["web-01"]["routes"] = way(**route)
        assert sorted(codes(around)) == found

    def test_the_way_there(self, around: Any, across: Any) -> None:
        """The server has none to its Tentacle."""
        silence(around, across)
        around.sections["octo-1"]["routes"] = way(TENTACLE, error="unreachable")
        found = [problem for problem in around.judge(STEP, "web-01").problems if problem.code == "TT532"]
        assert [problem.facts["end"] for problem in found] == ["octo-1"]

    @pytest.mark.parametrize(
        "route",
        [
            {"via": "192.0.2.1", "neighbour": "reachable"},
            {"via": "192.0.2.1", "neighbour": "reachable", "hops": 32},
            {"device": "eth0", "hops": 1},
            {"via": "192.0.2.1", "neighbour": "stale", "rp_filter": 1, "source": TENTACLE},
            {"source": "198.51.100.7", "rp_filter": 2},
        ],
    )
    def test_a_way_that_is_well(self, around: Any, across: Any, route: Any) -> None:
        """Whatever keeps the connection away, it is not the tables."""
        silence(around, across)
        around.sections["web-01"]["routes"] = way(**route)
        assert "TT532" not in codes(around)

    def test_a_link_that_works_needs_no_table(self, around: Any) -> None:
        """A connection that came about has a way, whatever the tables seem to say."""
        around.sections["web-01"]["routes"] = way(error="no-route")
        assert around.judge(STEP, "web-01").outcome is Outcome.PASSED


class TestLetOut:
    def test_kept_in(self, around: Any, across: Any) -> None:
        """The server's own rules stop its connection: the rule is told."""
        silence(around, across)
        around.sections["octo-1"]["firewall"] = linux_rules("tcp dport 10933 drop", hook="output")
        found = [problem for problem in around.judge(STEP, "web-01").problems if problem.code == "TT533"]
        assert [problem.facts["end"] for problem in found] == ["octo-1"]
        assert "tcp dport 10933 drop" in found[0].actual

    def test_the_answer_is_kept_out(self, around: Any, across: Any) -> None:
        """The connection gets out, its answer does not come in."""
        silence(around, across)
        around.sections["octo-1"]["firewall"] = linux_rules("tcp sport 10933 drop")
        assert "TT533" in codes(around)

    @pytest.mark.parametrize("rule", ["tcp dport 10934 drop", "ip daddr 198.51.100.1 drop", "limit rate 1/second drop"])
    def test_let_out(self, around: Any, across: Any, rule: str) -> None:
        """Another port, another peer, or a rule that nobody can judge."""
        silence(around, across)
        around.sections["octo-1"]["firewall"] = linux_rules(rule, hook="output")
        assert "TT533" not in codes(around)


class TestSlow:
    """A connection that takes a second or longer; how long each stage of a look took, and how late the machine was."""

    @pytest.mark.parametrize(
        ("times", "found"),
        [
            ({"connect_ms": 999}, []),
            ({"connect_ms": 1000}, ["TT535"]),
            ({"connect_ms": 1000, "lag_ms": 1}, []),
            ({"connect_ms": 3000, "lag_ms": None}, []),
            ({"connect_ms": 3000, "lag_ms": 600}, ["TT535"]),
        ],
    )
    def test_both_looks(self, around: Any, across: Any, times: Any, found: Any) -> None:
        """What the looking machine itself may have been late is taken off; where nobody knows that, nothing is said."""
        across(around.world, "listening", times, times)
        assert codes(around) == found

    def test_one_of_two(self, around: Any, across: Any) -> None:
        """A single packet that was lost is none of a path's properties."""
        across(around.world, "listening", {"connect_ms": 1050}, {})
        assert codes(around) == []

    @pytest.mark.parametrize(
        ("system", "by_address", "rules", "found"),
        [
            ("linux", 3181, "tcp dport 10933 accept", True),
            ("linux", 4, "tcp dport 10933 accept", False),
            ("linux", 3181, "tcp dport 10933 reject", False),
            ("windows", 3181, "tcp dport 10933 accept", False),
        ],
    )
    def test_late_refusals(
        self, around: Any, across: Any, make_probe: Any, system: str, by_address: float, rules: str, found: bool
    ) -> None:
        """Nobody listens, which Linux says at once: what comes late tells of a slow way, or of what seldom says no."""
        refused = {"fails": "connect", "error": Failure.REFUSED}
        around.world["octo-1"].os = system
        web = around.world["web-01"]
        web.os, web.listeners = "linux", []
        web.service |= {"state": "stopped", "pid": None}
        web.host["addresses"] = (TENTACLE,)
        web.replace(OWN_PORT, make_probe(**refused))
        around.sections["web-01"]["firewall"] = linux_rules(rules)
        across(around.world, "listening", refused | {"connect_ms": 3091}, refused | {"connect_ms": by_address})
        result = around.judge(STEP, "web-01")
        assert result.outcome is (Outcome.UNKNOWN if found else Outcome.BLOCKED), result
        assert ("each connection was refused after 3091 ms or more" in (result.reason or "")) is found

    @pytest.mark.parametrize(("rules", "found"), [("tcp dport 10943 accept", True), ("tcp dport 10943 reject", False)])
    def test_late_refusals_of_a_server(
        self, around: Any, across: Any, make_probe: Any, rules: str, found: bool
    ) -> None:
        """The same where a Tentacle polls: then nobody listens on the server, and its rules are asked."""
        late = {"fails": "connect", "error": Failure.REFUSED, "connect_ms": 3091}
        around.world["poll-01"].os = "linux"
        server = around.world["octo-1"]
        server.os, server.listeners = "linux", []
        server.service |= {"state": "stopped", "pid": None}
        server.host["addresses"] = (SERVER,)
        server.replace(SERVERS_OWN_PORT, make_probe(port=10943, **late))
        around.sections["octo-1"]["firewall"] = linux_rules(rules)
        across(around.world, "polling", late, late)
        by_name = make_probe("octo-1.example", 10943, By.NAME, addresses=(SERVER,), **late)
        around.world["poll-01"].replace(declared("poll-01", "octo-1", "octo-1.example"), by_name)
        alone = evaluate.findings(connection_comes_about_soon, around.fleet().subject("poll-01"))
        assert [type(each) for each in alone] == ([Unknown] if found else [])
        result = around.judge(STEP, "poll-01")
        assert result.outcome is (Outcome.UNKNOWN if found else Outcome.BLOCKED), result
        assert ("each connection was refused after 3091 ms or more" in (result.reason or "")) is found

    @pytest.mark.parametrize(("first", "found"), [(TENTACLE, ["TT535"]), ("169.254.7.7", [])])
    def test_of_several_addresses_one_that_failed_later(
        self, around: Any, across: Any, first: str, found: list[str]
    ) -> None:
        """It has the milliseconds of the stage that failed: what it took to connect is known of the first one alone."""
        late, other = {"fails": "tls", "error": Failure.TIMED_OUT, "connect_ms": 4227}, "169.254.7.7"
        ones = [
            Tried(address=TENTACLE, ms=788, stage=Stage.TLS, error=Failure.TIMED_OUT),
            Tried(address=other, ms=1040, stage=Stage.CONNECT, error=Failure.UNREACHABLE),
        ]
        tried = tuple(sorted(ones, key=lambda one: one.address != first))
        across(around.world, "listening", late | {"addresses": (TENTACLE, other), "tried": tried}, {"connect_ms": 334})
        draft = around.world["octo-1"]
        by_name, look = draft.peer
        draft.peer = [by_name, look.model_copy(update={"page": look.page.model_copy(update={"ms": 3611})})]
        assert [code for code in codes(around) if code == "TT535"] == found

    @pytest.mark.parametrize(("page", "found"), [(4, []), (1200, ["TT535"])])
    def test_one_alone(self, around: Any, across: Any, page: float, found: list[str]) -> None:
        """The same, where there is but one look: only what comes behind it on the same way tells."""
        across(around.world, "listening", {"connect_ms": 2253, "lag_ms": 513})
        look = around.world["octo-1"].peer[0]
        read = look.page.model_copy(update={"ms": page})
        around.world["octo-1"].peer = [look.model_copy(update={"page": read})]
        assert codes(around) == found

    @pytest.mark.parametrize(("busy", "look"), [("web-01", OWN_PORT), ("octo-1", SERVERS_OWN_PORT)])
    @pytest.mark.parametrize(("ms", "found"), [(400, Outcome.FAILED), (1400, Outcome.UNKNOWN)])
    def test_a_busy_end(self, around: Any, across: Any, busy: str, look: Any, ms: float, found: Outcome) -> None:
        """Whoever is as slow to itself says nothing about a path."""
        across(around.world, "listening", {"connect_ms": 3000}, {"connect_ms": 3000})
        draft = around.world[busy]
        own = draft.own[look.place_in(draft.own)]
        draft.replace(look, own.model_copy(update={"tls": own.tls.model_copy(update={"ms": ms})}))
        result = around.judge(STEP, "web-01")
        assert result.outcome is found
        assert (f"{busy} was so busy" in (result.reason or "")) is (found is Outcome.UNKNOWN)

    @pytest.mark.parametrize(
        ("by_name", "own_ms", "found"),
        [({}, 1400, Outcome.PASSED), ({"connect_ms": 1100}, 1400, Outcome.UNKNOWN), ({}, 400, Outcome.FAILED)],
    )
    def test_a_busy_end_and_a_quick_look(
        self, around: Any, across: Any, by_name: Any, own_ms: float, found: Outcome
    ) -> None:
        """Beside a look that was quick, a late one tells of the busy end, and no more of the path."""
        across(around.world, "listening", by_name, {"connect_ms": 3000})
        draft = around.world["octo-1"]
        first, look = draft.peer
        draft.peer = [first, look.model_copy(update={"page": look.page.model_copy(update={"ms": 3611})})]
        own = draft.own[SERVERS_OWN_PORT.place_in(draft.own)]
        draft.replace(SERVERS_OWN_PORT, own.model_copy(update={"tls": own.tls.model_copy(update={"ms": own_ms})}))
        assert around.judge(STEP, "web-01").outcome is found
        assert misdrawn(around.fleet(), STEP)[0] == []

    def test_what_ends_too_early(self, around: Any, across: Any) -> None:
        """The stages' times stand beside the time-out."""
        slow = {"fails": "tls", "error": Failure.TIMED_OUT, "connect_ms": 3010}
        across(around.world, "listening", slow, slow)
        problems = {problem.code: problem for problem in around.judge(STEP, "web-01").problems}
        assert sorted(problems) == ["TT528", "TT535"]
        assert "connect 3010 ms, tls 1 ms (timed-out)" in problems["TT535"].actual

    def test_one_that_is_silent(self, around: Any, across: Any) -> None:
        """One connection was late, and whoever took it says nothing: that is no slow way."""
        silent = {"fails": "tls", "error": Failure.TIMED_OUT}
        across(around.world, "listening", silent | {"connect_ms": 1201}, silent | {"connect_ms": 4})
        draft = around.world["octo-1"]
        draft.peer = [each.model_copy(update={"tls": each.tls.model_copy(update={"ms": 4800})}) for each in draft.peer]
        assert codes(around) == ["TT528"]
