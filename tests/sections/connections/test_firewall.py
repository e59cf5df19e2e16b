"""The step "Local firewall": Windows' decision rule, Linux' rule sets, and what a link that is well says to both."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.packet_filter import PacketFilter
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallProfile, FirewallRule
from pytest_tentacle.sections.connections.filter_rules import Filtered, on_windows
from pytest_tentacle.survey.model import Listener, Process
from support.fleets.looks import OWN_PORT
from support.rules import as_survey, linux_rules

SILENT = {"fails": "connect", "error": Failure.TIMED_OUT}
ALLOW = FirewallRule(name="Octopus", action="allow", ports=("10933",))
BLOCK = FirewallRule(name="Blocked", action="block", ports=("10000-11000",))
DOMAIN = FirewallProfile(name="Domain", enabled=True, inbound="block", local_rules=True, active=True)
PUBLIC = FirewallProfile(name="Public", enabled=True, inbound="block", local_rules=True, active=False)
PROGRAM = r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe"


def windows(*rules: FirewallRule, profiles: tuple[FirewallProfile, ...] = (DOMAIN, PUBLIC)) -> Firewall:
    return Firewall(engine="windows", running=True, profiles=profiles, rules=rules)


def rule(base: FirewallRule = ALLOW, **values: Any) -> FirewallRule:
    return base.model_copy(update=values)


SWITCH = FirewallRule(name="DoNotAllowExceptions", action="block", profiles=("Domain",))
CLOSED = {
    "TT541": windows(),
    "TT542": windows(ALLOW, BLOCK),
    "TT543": windows(ALLOW, SWITCH),
    "TT544": windows(ALLOW, profiles=(DOMAIN.model_copy(update={"local_rules": False}),)),
    "TT545": windows(rule(profiles=("Public",))),
}
NFT = linux_rules("ct state established,related accept", 'iif "lo" accept', "tcp dport 22 accept", policy="drop")


def silence(around: Any, across: Any) -> None:
    """Nobody across gets an answer; on the machine itself the page is shown."""
    for mode in ("listening", "polling"):
        across(around.world, mode, SILENT, SILENT)
    for probe in [probe for probe in around.world["poll-01"].own if probe.link.instance is None]:
        around.world["poll-01"].own.remove(probe)


def linux_listener(around: Any) -> None:
    around.world["web-01"].os = "linux"
    around.sections["web-01"]["firewall"] = NFT


class TestEachCode:
    @pytest.mark.parametrize("code", CLOSED)
    def test_on_windows(self, around: Any, across: Any, code: str) -> None:
        silence(around, across)
        around.sections["web-01"]["firewall"] = CLOSED[code]
        self._is_found(around, code)

    def test_on_linux(self, around: Any, across: Any) -> None:
        silence(around, across)
        linux_listener(around)
        self._is_found(around, "TT546")

    def test_at_the_server(self, around: Any, across: Any) -> None:
        """Its polling port, likewise."""
        silence(around, across)
        around.sections["octo-1"]["firewall"] = windows()
        assert around.codes("local-firewall", "octo-1") == ["TT541"]

    def test_where_nobody_could_look_across(self, around: Any) -> None:
        """Windows' decision rule is clear enough without."""
        around.world["octo-1"].peer = []
        around.world["octo-1"].peer_unknown = "its time ran out"
        around.sections["web-01"]["firewall"] = windows()
        assert around.codes("local-firewall", "web-01") == ["TT541"]

    def _is_found(self, around: Any, code: str) -> None:
        result = around.judge("local-firewall", "web-01")
        assert result.outcome is Outcome.FAILED, result
        (problem,) = result.problems
        assert problem.code == code
        assert len(problem.evidence) >= 2


class TestTheLinkIsStronger:
    @pytest.mark.parametrize(
        ("rules", "across_is"),
        [(rules, {}) for rules in (*CLOSED.values(), NFT, "no rights")]
        + [(rules, {"fails": "tls", "error": Failure.PROTOCOL_VERSION}) for rules in (*CLOSED.values(), "no rights")],
    )
    def test_a_connection_that_came_through(self, around: Any, across: Any, rules: Any, across_is: Any) -> None:
        """Whatever the rules say, and even where they could not be read."""
        across(around.world, "listening", across_is, across_is)
        around.sections["web-01"]["firewall"] = rules
        result = around.judge("local-firewall", "web-01")
        assert result.outcome is Outcome.PASSED, result
        assert "a connection comes through" in " ".join(result.looked_at)

    @pytest.mark.parametrize(
        ("rules", "outcome"),
        [
            (NFT, Outcome.FAILED),
            (linux_rules("tcp dport 10933 accept"), Outcome.PASSED),
            (linux_rules('tcp dport 10933 meta hour "00:00"-"23:59" drop'), Outcome.UNKNOWN),
        ],
    )
    @pytest.mark.parametrize(
        "across_is",
        [{"fails": "tls", "error": Failure.NOT_TLS}, {"fails": "tls", "error": Failure.CLOSED}, {"whose": "another"}],
    )
    def test_who_answers_is_not_the_machine(
        self, around: Any, across: Any, rules: Any, across_is: Any, outcome: Outcome
    ) -> None:
        """What something else took is no proof of Linux' rules, which are followed for the server's very packets."""
        linux_listener(around)
        across(around.world, "listening", across_is, across_is)
        around.sections["web-01"]["firewall"] = rules
        result = around.judge("local-firewall", "web-01")
        assert result.outcome is outcome, result
        assert [problem.code for problem in result.problems] == (["TT546"] if outcome is Outcome.FAILED else [])

    def test_a_refusal_is_none_of_windows_firewalls(self, around: Any, across: Any) -> None:
        refused = {"fails": "connect", "error": Failure.REFUSED}
        across(around.world, "listening", refused, refused)
        around.sections["web-01"]["firewall"] = windows()
        assert around.codes("local-firewall", "web-01") == []

    @pytest.mark.parametrize("rules", [CLOSED["TT541"], NFT])
    def test_somebody_else_gets_through(self, around: Any, across: Any, make_probe: Any, rules: Any) -> None:
        """The machine that runs pytest: then the rules do not say what we read in them."""
        silence(around, across)
        around.sections["web-01"]["firewall"] = rules
        around.world.controller = {"web-01": (make_probe(),)}
        assert around.codes("local-firewall", "web-01") == []

    def test_linux_lets_in_one_peer(self, around: Any, across: Any) -> None:
        """What is kept out is another peer's address: the link's own rules let it in, and that is said."""
        silence(around, across)
        linux_listener(around)
        around.sections["web-01"]["firewall"] = linux_rules("ip saddr 198.51.100.7 tcp dport 10933 drop")
        result = around.judge("local-firewall", "web-01")
        assert result.outcome is Outcome.PASSED, result
        assert "it lets port 10933 in" in str(result.looked_at)


class TestLinux:
    """The rule itself is told; which rules keep what out is held against real connections (`tests/packet_filter`)."""

    @pytest.mark.parametrize(
        ("rules", "words"),
        [
            (linux_rules("tcp dport 10933 counter packets 7 bytes 420 drop"), "it counted 7 packets"),
            (linux_rules("tcp dport 10933 reject with icmpx admin-prohibited"), "reject with icmpx admin-prohibited"),
            (linux_rules("tcp sport 10933 drop", hook="output"), "its answers are kept in"),
            (linux_rules("ip saddr 192.0.2.10 drop"), "ip saddr 192.0.2.10 drop"),
        ],
    )
    def test_the_rule_is_told(self, around: Any, across: Any, rules: Any, words: str) -> None:
        silence(around, across)
        linux_listener(around)
        around.sections["web-01"]["firewall"] = rules
        result = around.judge("local-firewall", "web-01")
        assert [problem.code for problem in result.problems] == ["TT546"]
        assert words in result.problems[0].actual

    def test_the_machines_own_look_is_kept_out(self, around: Any, make_probe: Any) -> None:
        """A port that is filtered on loopback too says nothing about the process that listens there."""
        linux_listener(around)
        around.sections["web-01"]["firewall"] = linux_rules("tcp dport 10933 drop")
        around.world["web-01"].replace(OWN_PORT, make_probe(fails="connect", error=Failure.TIMED_OUT))
        result = around.judge("welcome-page-here", "web-01")
        assert result.outcome is Outcome.UNKNOWN, result
        assert "keeps its own look" in str(result.reason)

    def test_the_machines_own_look_may_be_kept_out(self, around: Any, make_probe: Any) -> None:
        """Nor where a rule that could not be judged may be why nothing answers; whoever is refused met no such rule."""
        linux_listener(around)
        around.sections["web-01"]["firewall"] = linux_rules('tcp dport 10933 meta hour "00:00"-"23:59" drop')
        around.world["web-01"].replace(OWN_PORT, make_probe(fails="connect", error=Failure.TIMED_OUT))
        result = around.judge("welcome-page-here", "web-01")
        assert result.outcome is Outcome.UNKNOWN, result
        assert "meta hour" in str(result.reason)
        around.world["web-01"].replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        assert around.judge("welcome-page-here", "web-01").outcome is Outcome.FAILED
        around.sections["web-01"]["firewall"] = linux_rules("tcp dport 10933 ct count over 9 reject with tcp reset")
        assert around.judge("welcome-page-here", "web-01").outcome is Outcome.UNKNOWN


class TestUnknown:
    @pytest.mark.parametrize(
        "rules",
        [
            "no rights",
            Firewall(engine="windows", running=False),
            Firewall(engine="windows"),
            windows(profiles=(PUBLIC,)),
            windows(rule(conditional=True)),
            windows(ALLOW, rule(BLOCK, conditional=True)),
            windows(rule(remote=("LocalSubnet",))),
            windows(profiles=(DOMAIN.model_copy(update={"enabled": None}),)),
            linux_rules("tcp dport 10933 limit rate 5/second accept", policy="drop"),
            linux_rules("meta length > 1000 drop"),
            Firewall(engine="nftables", running=True, text="of an older version"),
        ],
    )
    def test_what_the_rules_do_not_tell(self, around: Any, across: Any, rules: Any) -> None:
        silence(around, across)
        around.sections["web-01"]["firewall"] = rules
        result = around.judge("local-firewall", "web-01")
        assert result.outcome is Outcome.UNKNOWN, result
        assert result.advice

    def test_linux_where_nobody_tried(self, around: Any) -> None:
        """Rules that say it beyond doubt say it to nobody in particular, too."""
        around.world["octo-1"].peer = []
        around.world["octo-1"].peer_unknown = "its time ran out"
        around.sections["web-01"]["firewall"] = linux_rules("limit rate 5/second accept", policy="drop")
        assert around.judge("local-firewall", "web-01").outcome is Outcome.UNKNOWN
        around.sections["web-01"]["firewall"] = NFT
        assert around.codes("local-firewall", "web-01") == ["TT546"]

    def test_a_machine_that_was_not_surveyed(self, around: Any, unreachable: Any, across: Any) -> None:
        silence(around, across)
        around.world["web-01"].unreachable = unreachable
        assert around.judge("local-firewall", "web-01").outcome is Outcome.UNKNOWN

    def test_a_tentacle_that_listens_on_no_port(self, around: Any) -> None:
        around.world["web-01"].settings["Tentacle.Services.NoListen"] = "true"
        result = around.judge("local-firewall", "web-01")
        assert result.outcome is Outcome.BLOCKED
        around.world["web-01"].declare(mode=None)
        around.world["web-01"].trusted = []
        assert around.judge("local-firewall", "web-01").outcome is Outcome.UNKNOWN


def led(to: str) -> Firewall:
    """Its rules lead what comes to its port elsewhere."""
    chain = "type nat hook prerouting priority dstnat; policy accept;"
    return as_survey(f"table ip n {{\n\tchain c {{\n\t\t{chain}\n\t\ttcp dport 10933 {to}\n\t}}\n}}\n")


STRANGERS = ({"fails": "tls", "error": Failure.NOT_TLS}, {"whose": "another"})


class TestLedPastTheService:
    """Who answers its peers is whom the machine's own rules lead them to."""

    @pytest.mark.parametrize("across_is", STRANGERS)
    @pytest.mark.parametrize("to", ["redirect to :7000", "dnat to 192.0.2.99:10933"])
    def test_by_its_own_rules(self, around: Any, across: Any, to: str, across_is: Any) -> None:
        linux_listener(around)
        across(around.world, "listening", across_is, across_is)
        around.sections["web-01"]["firewall"] = led(to)
        (problem,) = around.judge("local-firewall", "web-01").problems
        assert (problem.code, problem.facts["diverted"]) == ("TT546", True)

    @pytest.mark.parametrize("across_is", STRANGERS)
    @pytest.mark.parametrize(
        "why", ["to its own port", "a container's", "its port is closed", "who listens is not known"]
    )
    def test_where_they_should(self, around: Any, across: Any, make_probe: Any, across_is: Any, why: str) -> None:
        """A container's published port is led to the container; another port may be led to the service's own."""
        linux_listener(around)
        across(around.world, "listening", across_is, across_is)
        around.sections["web-01"]["firewall"] = led(
            "redirect to :10933" if why == "to its own port" else "redirect to :7000"
        )
        if why == "a container's":
            holder = Process(pid=4, name="docker-proxy")
            around.sections["web-01"]["listeners"] = (Listener(address="::", port=10933, pid=4, owner=holder),)
        elif why == "who listens is not known":
            around.sections["web-01"]["listeners"] = ()
        elif why == "its port is closed":
            around.world["web-01"].replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        assert "TT546" not in around.codes("local-firewall", "web-01")


class TestHealthy:
    @pytest.mark.parametrize("name", ["octo-1", "web-01"])
    def test_nothing_is_found(self, around: Any, name: str) -> None:
        result = around.judge("local-firewall", name)
        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    def test_no_filter_at_all(self, around: Any, across: Any) -> None:
        silence(around, across)
        around.sections["web-01"]["firewall"] = Firewall(engine="none", running=False, filters=PacketFilter())
        assert around.judge("local-firewall", "web-01").outcome is Outcome.PASSED


class TestWindowsRules:
    """windows-shapes 3.3."""

    @pytest.mark.parametrize(
        ("rules", "what"),
        [
            ((ALLOW,), Filtered.OPEN),
            ((rule(ports=()),), Filtered.OPEN),
            ((rule(ports=("10900-11000",)),), Filtered.OPEN),
            ((rule(ports=("10934",)),), Filtered.NO_RULE),
            ((rule(program=PROGRAM),), Filtered.OPEN),
            ((rule(program=r"C:\other.exe"),), Filtered.OTHER_SCOPE),
            ((rule(remote=("192.0.2.0/24",)),), Filtered.OPEN),
            ((rule(remote=("192.0.2.1-192.0.2.99",)),), Filtered.OPEN),
            ((rule(remote=("198.51.100.0/24",)),), Filtered.OTHER_SCOPE),
            ((rule(profiles=("Domain", "Private")),), Filtered.OPEN),
            ((ALLOW, rule(BLOCK, profiles=("Public",))), Filtered.OPEN),
            ((ALLOW, rule(BLOCK, remote=("198.51.100.7",))), Filtered.OPEN),
            ((ALLOW, rule(BLOCK, remote=("192.0.2.10",))), Filtered.BLOCK_RULE),
            ((rule(conditional=True), ALLOW), Filtered.OPEN),
        ],
    )
    def test_one_profile(self, rules: tuple[FirewallRule, ...], what: Filtered) -> None:
        assert on_windows(windows(*rules), 10933, ["192.0.2.10"], [PROGRAM.upper()]).filtered is what

    def test_what_counts_under_group_policy(self) -> None:
        strict = DOMAIN.model_copy(update={"local_rules": False})
        policy = windows(ALLOW, rule(source="policy"), profiles=(strict,))
        assert on_windows(policy, 10933, [], []).filtered is Filtered.OPEN
        blocked = windows(rule(source="policy"), BLOCK, profiles=(strict,))
        assert on_windows(blocked, 10933, [], []).filtered is Filtered.OPEN

    def test_profiles(self) -> None:
        off = DOMAIN.model_copy(update={"enabled": False})
        assert on_windows(windows(profiles=(off,)), 10933, [], []).filtered is Filtered.OPEN
        lets = DOMAIN.model_copy(update={"inbound": "allow"})
        assert on_windows(windows(profiles=(lets,)), 10933, [], []).filtered is Filtered.OPEN
        both = (DOMAIN, PUBLIC.model_copy(update={"active": True}))
        assert on_windows(windows(profiles=both), 10933, [], []).filtered is Filtered.NO_RULE
        some = windows(rule(profiles=("Domain",)), profiles=both)
        assert on_windows(some, 10933, [], []).filtered is Filtered.UNCLEAR


class TestThePortIsNotOpen:
    """A port that nobody opens is as silent from outside as one that is filtered, on Windows."""

    @pytest.mark.parametrize("server", ["left out", "looked"])
    @pytest.mark.parametrize("rules", CLOSED.values())
    def test_a_stopped_service(self, around: Any, across: Any, make_probe: Any, server: str, rules: Any) -> None:
        """No rule is blamed: what stopped the service is to be mended first."""
        silence(around, across)
        web = around.world["web-01"]
        web.replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        web.service |= {"state": "stopped", "pid": None}
        web.listeners = []
        around.sections["web-01"]["firewall"] = rules
        if server == "left out":
            around.world["octo-1"].peer = []
        result = around.judge("local-firewall", "web-01")
        assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT202", "web-01"))
        assert result.looked_at

    @pytest.mark.parametrize(
        ("rules", "outcome"),
        [
            (NFT, Outcome.FAILED),
            (linux_rules("tcp dport 10933 accept"), Outcome.BLOCKED),
            (linux_rules('tcp dport 10933 meta hour "00:00"-"23:59" drop'), Outcome.UNKNOWN),
        ],
    )
    def test_the_rules_of_linux_hold_once_it_runs(
        self, around: Any, across: Any, make_probe: Any, rules: Any, outcome: Outcome
    ) -> None:
        """The next thing that keeps the server out is told beside the stopped service."""
        silence(around, across)
        linux_listener(around)
        web = around.world["web-01"]
        web.replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        web.service |= {"state": "stopped", "pid": None}
        web.listeners = []
        around.sections["web-01"]["firewall"] = rules
        assert around.judge("local-firewall", "web-01").outcome is outcome
