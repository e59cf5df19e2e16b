"""Two faults at once: what the end's own failure does not explain, and what a machine tells of itself for all that."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.packet_filter.firewall import Firewall
from pytest_tentacle.survey.surroundings import Route
from support.fleets.looks import OWN_PORT
from support.rules import as_survey, linux_rules

ACROSS, FIREWALL = "welcome-page-across", "local-firewall"
OWN, SERVER, NEIGHBOUR, ROUTER = "192.0.2.20", "192.0.2.10", "192.0.2.21", "192.0.2.1"
SILENT = {"fails": "connect", "error": Failure.TIMED_OUT}
REFUSED = {"fails": "connect", "error": Failure.REFUSED}
CLOSED = {"fails": "tls", "error": Failure.CLOSED}
OPEN = linux_rules("tcp dport 10933 accept")
DROPPED = linux_rules("tcp dport 10933 drop")
PERHAPS = linux_rules("tcp dport 10933 numgen inc mod 2 0 drop")
LED = "chain n {\n type nat hook prerouting priority dstnat;\n tcp dport 10933 dnat ip to 192.0.2.77:1\n }"
NO_ARP = as_survey("table arp t {\n\tchain c {\n\t\ttype filter hook output priority 0; policy drop;\n\t}\n}\n")


def linux(around: Any, rules: Firewall = OPEN) -> Any:
    web = around.world["web-01"]
    web.os = "linux"
    web.host["addresses"] = (OWN,)
    around.sections["web-01"]["firewall"] = rules
    return web


def stopped(around: Any, make_probe: Any, rules: Firewall = OPEN) -> Any:
    web = linux(around, rules)
    web.service |= {"state": "stopped", "pid": None}
    web.listeners = []
    web.replace(OWN_PORT, make_probe(**REFUSED))
    return web


def codes(around: Any, step: str = ACROSS) -> list[str]:
    return [problem.code for problem in around.judge(step, "web-01").problems]


class TestLostBefore:
    """Where nobody listens, Linux refuses: what is silent instead never came as far."""

    @pytest.mark.parametrize(
        ("rules", "seen", "found"),
        [
            (OPEN, SILENT, ["TT521"]),
            (OPEN, {"fails": "connect", "error": Failure.UNREACHABLE}, ["TT522"]),
            (OPEN, REFUSED, []),
            (DROPPED, SILENT, []),
            (PERHAPS, SILENT, []),
        ],
    )
    def test_a_stopped_service(
        self, around: Any, across: Any, make_probe: Any, rules: Any, seen: Any, found: Any
    ) -> None:
        stopped(around, make_probe, rules)
        across(around.world, "listening", seen, seen)
        assert codes(around) == found

    def test_an_address_that_is_not_its_own(self, around: Any, across: Any, make_probe: Any) -> None:
        """A balancer may be silent because nobody behind it listens."""
        stopped(around, make_probe).host["addresses"] = ("10.0.0.20",)
        across(around.world, "listening", SILENT, SILENT)
        assert around.judge(ACROSS, "web-01").outcome is Outcome.BLOCKED

    def test_windows_is_silent_itself(self, around: Any, across: Any, make_probe: Any) -> None:
        """Its firewall drops what comes to a port that nobody opened."""
        stopped(around, make_probe).os = "windows"
        around.sections["web-01"].pop("firewall")
        across(around.world, "listening", SILENT, SILENT)
        assert around.judge(ACROSS, "web-01").outcome is Outcome.BLOCKED

    def test_a_rule_that_was_not_read(self, around: Any, across: Any, make_probe: Any) -> None:
        stopped(around, make_probe, "no rights")  # type: ignore[arg-type]  why it was not read
        across(around.world, "listening", SILENT, SILENT)
        assert around.judge(ACROSS, "web-01").outcome is Outcome.BLOCKED

    @pytest.mark.parametrize(("listening", "outcome"), [(False, Outcome.UNKNOWN), (True, Outcome.BLOCKED)])
    def test_who_takes_connections_for_it(
        self, around: Any, across: Any, make_probe: Any, listening: bool, outcome: Outcome
    ) -> None:
        """Something on the way: whether it would pass them on to a service that runs, nobody knows."""
        web = stopped(around, make_probe)
        if listening:
            web.listeners = [{"address": "::", "port": 10933, "pid": 77}]
        across(around.world, "listening", CLOSED, CLOSED)
        result = around.judge(ACROSS, "web-01")
        assert result.outcome is outcome, result
        assert ("something on the way takes connections for web-01" in (result.reason or "")) is not listening

    @pytest.mark.parametrize(
        ("by_address", "listening", "outcome"),
        [(CLOSED, False, Outcome.UNKNOWN), (CLOSED, True, Outcome.BLOCKED), (REFUSED, False, Outcome.BLOCKED)],
    )
    def test_who_takes_connections_for_a_process_that_comes_and_goes(
        self, around: Any, across: Any, make_probe: Any, by_address: Any, listening: bool, outcome: Outcome
    ) -> None:
        """Each look was taken, though it did not run: by something on the way, or by itself in a moment in which it did."""
        web = stopped(around, make_probe)
        web.service |= {"state": "starting", "restarts": 57, "detail": "auto-restart / timeout", "exit_code": 15}
        if listening:
            web.listeners = [{"address": "::", "port": 10933, "pid": 77}]
        across(around.world, "listening", CLOSED, by_address)
        result = around.judge(ACROSS, "web-01")
        assert result.outcome is outcome, result
        told = "perhaps something on the way takes connections for web-01" in (result.reason or "")
        assert told is (outcome is Outcome.UNKNOWN)


class TestNameThatLeadsElsewhere:
    """Neither the name's address nor the declared one answers, and the end itself would not."""

    @pytest.mark.parametrize(
        ("seen", "outcome"),
        [
            (SILENT, Outcome.UNKNOWN),
            ({"fails": "connect", "error": Failure.UNREACHABLE}, Outcome.UNKNOWN),
            (REFUSED, Outcome.BLOCKED),
        ],
    )
    def test_a_hung_end(self, around: Any, across: Any, make_probe: Any, seen: Any, outcome: Outcome) -> None:
        """Silence may be the end's, by way of NAT, or that of an address of nobody; a refusal is an answer of somebody."""
        linux(around).replace(OWN_PORT, make_probe(**SILENT))
        across(around.world, "listening", seen | {"addresses": ("192.0.2.99",)}, seen)
        result = around.judge(ACROSS, "web-01")
        assert result.outcome is outcome, result
        told = "Whether that address leads to web-01 (NAT, a balancer)" in (result.reason or "")
        assert told is (outcome is Outcome.UNKNOWN)
        assert not result.problems

    def test_its_own_address(self, around: Any, across: Any, make_probe: Any) -> None:
        """Then the end's silence is the whole story."""
        linux(around).replace(OWN_PORT, make_probe(**SILENT))
        across(around.world, "listening", SILENT, SILENT)
        assert around.judge(ACROSS, "web-01").blocked_by == ("TT505", "web-01")


class TestUnreadableSettings:
    """A process that holds the port serves it by the settings of its start."""

    @pytest.mark.parametrize(("runs", "found"), [(True, ["TT524"]), (False, [])])
    def test_the_link_is_judged(self, around: Any, across: Any, runs: bool, found: list[str]) -> None:
        web = linux(around)
        web.config_error = "not-found"
        if not runs:
            web.listeners = []
        across(around.world, "listening", CLOSED, CLOSED)
        assert codes(around) == found

    @pytest.mark.parametrize(("rules", "found"), [(DROPPED, ["TT546"]), (OPEN, [])])
    def test_its_rules_are_followed(self, around: Any, across: Any, rules: Any, found: list[str]) -> None:
        """For the port that its server tries."""
        linux(around, rules).config_error = "not-found"
        across(around.world, "listening", SILENT, SILENT)
        assert codes(around, FIREWALL) == found


class TestTwoWays:
    def test_each_address_fails_for_a_reason_of_its_own(self, around: Any, across: Any) -> None:
        """The name leads to another address of the machine than the one that is declared."""
        linux(around).host["addresses"] = (OWN, "2001:db8::20")
        by_name = {"fails": "connect", "error": Failure.UNREACHABLE, "addresses": ("2001:db8::20",)}
        across(around.world, "listening", by_name, SILENT)
        assert codes(around) == ["TT522", "TT521"]

    def test_the_first_of_two_addresses_is_another_machines(self, around: Any, across: Any) -> None:
        """Nobody gets to the own address by name, and what is wrong there is told for all that."""
        linux(around)
        across(around.world, "listening", {"addresses": ("192.0.2.99", OWN), "whose": "another"}, CLOSED)
        assert codes(around) == ["TT531", "TT524"]

    def test_one_address_fails_once(self, around: Any, across: Any) -> None:
        linux(around)
        across(around.world, "listening", SILENT, SILENT)
        assert codes(around) == ["TT521"]


class TestOwnRules:
    def test_no_arp(self, around: Any, across: Any) -> None:
        """Whoever answers no neighbour gets nothing, whatever else is let in."""
        linux(around, NO_ARP)
        across(around.world, "listening", SILENT, SILENT)
        result = around.judge(FIREWALL, "web-01")
        assert [problem.code for problem in result.problems] == ["TT546"]
        assert "stops all ARP" in result.problems[0].actual

    @pytest.mark.parametrize(("via", "found"), [(ROUTER, ["TT546"]), (None, [])])
    @pytest.mark.parametrize("change", ["ip ttl set 1", "ip ttl set 10"])
    def test_answers_of_a_short_life(self, around: Any, across: Any, via: Any, found: list[str], change: str) -> None:
        """They die at the first router, if there is one."""
        linux(around, linux_rules(f"tcp sport 10933 {change}", hook="postrouting"))
        around.sections["web-01"]["routes"] = (Route(peer=SERVER, address=SERVER, device="eth0", via=via),)
        across(around.world, "listening", SILENT, SILENT)
        assert codes(around, FIREWALL) == (found if change.endswith(" 1") else [])

    @pytest.mark.parametrize(
        ("looks", "outcome"),
        [
            (({}, SILENT), Outcome.UNKNOWN),
            (({}, {"connect_ms": 1040}), Outcome.UNKNOWN),
            (({}, {}), Outcome.PASSED),
        ],
    )
    def test_a_rule_that_lets_some_in(self, around: Any, across: Any, looks: Any, outcome: Outcome) -> None:
        """One connection came through, another did not, or not at once."""
        linux(around, PERHAPS)
        across(around.world, "listening", *looks)
        assert around.judge(FIREWALL, "web-01").outcome is outcome

    @pytest.mark.parametrize(
        ("rules", "found"),
        [
            (linux_rules("tcp dport 10933 ct state new accept", 'iif "lo" accept', policy="drop"), ["TT546"]),
            (linux_rules("tcp dport 10933 accept", 'iif "lo" accept', policy="drop"), []),
            (linux_rules("accept", more=LED), ["TT546"]),
        ],
    )
    def test_what_a_stopped_service_hides(
        self, around: Any, across: Any, make_probe: Any, rules: Any, found: list[str]
    ) -> None:
        """It refuses what is let in; once it runs, nothing would come after the connection, or it be led elsewhere."""
        stopped(around, make_probe, rules)
        across(around.world, "listening", REFUSED, REFUSED)
        assert codes(around, FIREWALL) == found

    def test_the_peers_address_is_its_own_as_well(self, around: Any, across: Any) -> None:
        """What the peer sends does not come by loopback for that."""
        linux(around, linux_rules('iif "lo" accept', "tcp dport 22 accept", policy="drop"))
        around.sections["web-01"]["routes"] = (Route(peer=SERVER, address=SERVER, device="lo", source=SERVER),)
        across(around.world, "listening", SILENT, SILENT)
        assert codes(around, FIREWALL) == ["TT546"]


class TestNextHop:
    """Tables that look right, and tell nothing of whether the next hop carries anything on."""

    @pytest.mark.parametrize(
        ("route", "words"),
        [
            ({"via": ROUTER, "neighbour": "permanent"}, "was made by hand"),
            ({"via": NEIGHBOUR, "neighbour": "reachable"}, "leads through poll-01"),
            ({"via": ROUTER, "neighbour": "reachable"}, ""),
        ],
    )
    def test_of_a_lost_link(self, around: Any, across: Any, route: Any, words: str) -> None:
        around.world["poll-01"].host["addresses"] = (NEIGHBOUR,)
        around.sections["web-01"]["routes"] = (Route(peer=SERVER, address=SERVER, device="eth0", **route),)
        across(around.world, "listening", SILENT, SILENT)
        assert ("holds cannot be told" in (around.judge(ACROSS, "web-01").reason or "")) is bool(words)
        assert words in (around.judge(ACROSS, "web-01").reason or "")


class TestAPortThatIsTiedToADevice:
    """The machine itself reaches it by no look; who comes by that device does."""

    @pytest.mark.parametrize(("look", "outcome"), [({}, Outcome.PASSED), (REFUSED, Outcome.UNKNOWN)])
    def test_its_own_look(self, around: Any, across: Any, make_probe: Any, look: Any, outcome: Outcome) -> None:
        """That its own look is refused is no process that hangs."""
        web = linux(around)
        web.listeners[0] |= {"address": "0.0.0.0", "device": "eth0"}
        web.replace(OWN_PORT, make_probe(**REFUSED))
        across(around.world, "listening", look, look)
        result = around.judge("welcome-page-here", "web-01")
        assert result.outcome is outcome, result
        assert "only what comes by eth0" in " ".join([result.reason, *result.looked_at])
        assert around.judge("tentacle-thumbprint", "web-01").outcome is Outcome.PASSED
