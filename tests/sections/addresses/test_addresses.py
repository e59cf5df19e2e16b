"""The step "IP addresses": whose address is used, who listens on it, and what is left to other steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from pytest_tentacle.inventory.model import NoTransport
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import By, Failure
from support.fleets.looks import from_server, polled

DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
REFUSED = {"fails": "connect", "error": Failure.REFUSED}
FOREIGN, LINK_LOCAL = "198.51.100.9", "169.254.17.4"


class Ends(NamedTuple):
    """A link: its mode, the Tentacle, and the machine that should answer."""

    mode: str
    machine: str
    end: str


LINKS = [Ends("listening", "web-01", "web-01"), Ends("polling", "poll-01", "octo-1")]


def judge(world: Any, name: str) -> StepResult:
    result: StepResult = world.fleet().subject(name).result("ip-addresses")
    return result


def leads_to(world: Any, across: Any, mode: str, address: str, how: dict[str, Any]) -> None:
    """The name leads to an address where it goes like this; no address is declared."""
    end = "web-01" if mode == "listening" else "octo-1"
    across(world, mode, {"addresses": (address,)} | how)
    world[end].host.setdefault("addresses", (world[end].machine.ip,))
    world[end].declare(ip=None)
    world["octo-1"].drop(from_server("web-01", By.ADDRESS))


def foreign(world: Any, across: Any, link: Ends) -> None:
    leads_to(world, across, link.mode, FOREIGN, DROPPED)


def bound_elsewhere(world: Any, across: Any, link: Ends) -> None:
    leads_to(world, across, link.mode, "10.0.0.5", REFUSED)
    world[link.end].host["addresses"] = ("10.0.0.5", "192.0.2.77")
    for listener in world[link.end].listeners:
        listener["address"] = "192.0.2.77"


def bound_to_the_other_family(world: Any, across: Any, link: Ends) -> None:
    leads_to(world, across, link.mode, "2001:db8::5", REFUSED)
    world[link.end].host["addresses"] = ("2001:db8:0::5", "192.0.2.77")
    for listener in world[link.end].listeners:
        listener["address"] = "0.0.0.0"


def bound_to_six_alone(world: Any, across: Any, link: Ends) -> None:
    leads_to(world, across, link.mode, "10.0.0.5", REFUSED)
    world[link.end].host["addresses"] = ("10.0.0.5", "2001:db8::5")
    for listener in world[link.end].listeners:
        listener |= {"address": "::", "six_alone": True}


def link_local(world: Any, across: Any, link: Ends) -> None:
    leads_to(world, across, link.mode, LINK_LOCAL, DROPPED)
    world[link.end].host["addresses"] = (LINK_LOCAL,)


def unknown_server(world: Any, across: Any, link: Ends) -> None:
    """All that may tell its thumbprint is asked, and nothing does."""
    foreign(world, across, link)
    world["octo-1"].instances = ["-"]
    world["octo-1"].declare(thumbprint=None)


def bound_elsewhere_behind_a_device(world: Any, across: Any, link: Any) -> None:
    """Something in between takes connections, and closes them: the machine itself listens on another address."""
    bound_elsewhere(world, across, link)
    leads_to(world, across, link.mode, "10.0.0.5", {"fails": "tls", "error": Failure.CLOSED})


CASES = [
    ("TT712", bound_elsewhere_behind_a_device),
    ("TT711", foreign),
    ("TT711", unknown_server),
    ("TT712", bound_elsewhere),
    ("TT712", bound_to_the_other_family),
    ("TT712", bound_to_six_alone),
    ("TT713", link_local),
]


@pytest.mark.parametrize("link", LINKS, ids=[link.mode for link in LINKS])
class TestEitherMode:
    """The same conclusions on either link."""

    @pytest.mark.parametrize(("code", "change"), CASES, ids=[change.__name__ for _, change in CASES])
    def test_is_found(self, world: Any, across: Any, link: Ends, code: str, change: Any) -> None:
        """The step fails with this code and no other, with evidence."""
        change(world, across, link)
        result = judge(world, link.machine)
        assert [problem.code for problem in result.problems] == [code], result
        problem = result.problems[0]
        assert problem.machine == link.machine
        assert problem.facts["server"] == "octo-1"
        assert problem.evidence

    def test_healthy(self, world: Any, link: Ends) -> None:
        """The right machine answers at an address of its own."""
        result = judge(world, link.machine)
        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at
        assert "NAT" not in " ".join(result.looked_at)

    def test_nat(self, world: Any, across: Any, link: Ends) -> None:
        """An address that is not the machine's, and answers with its certificate, is no problem."""
        leads_to(world, across, link.mode, FOREIGN, {})
        result = judge(world, link.machine)
        assert result.outcome is Outcome.PASSED, result
        assert f"{FOREIGN} is none of {link.end}'s own addresses" in " ".join(result.looked_at)

    @pytest.mark.parametrize(
        ("code", "how"),
        [
            ("TT531", {"whose": "another machine"}),
            ("TT530", {"page": "other", "whose": "a balancer"}),
            ("TT528", {"fails": "tls", "error": Failure.TIMED_OUT}),
        ],
    )
    def test_somebody_answers(self, world: Any, across: Any, link: Ends, code: str, how: dict[str, Any]) -> None:
        """A balancer, an inspecting device, another machine: what it is, the step of the welcome page says."""
        leads_to(world, across, link.mode, FOREIGN, how)
        assert judge(world, link.machine).blocked_by == (code, link.machine)

    def test_the_address_is_right(self, world: Any, across: Any, link: Ends) -> None:
        """Nothing answers at an address that is the machine's and open: a firewall, and so another step's finding."""
        across(world, link.mode, DROPPED, DROPPED)
        assert judge(world, link.machine).outcome is Outcome.PASSED

    def test_addresses_not_known(self, world: Any, across: Any, link: Ends) -> None:
        """Unknown, but only where it matters: what answers as it should needs no explanation."""
        world[link.end].unknown["host"] = "access denied"
        assert judge(world, link.machine).outcome is Outcome.PASSED
        leads_to(world, across, link.mode, FOREIGN, DROPPED)
        result = judge(world, link.machine)
        assert result.outcome is Outcome.UNKNOWN
        assert "access denied" in result.reason

    def test_no_address_was_read(self, world: Any, across: Any, link: Ends) -> None:
        """An empty list says nothing."""
        leads_to(world, across, link.mode, FOREIGN, DROPPED)
        world[link.end].host["addresses"] = ()
        assert judge(world, link.machine).outcome is Outcome.UNKNOWN

    def test_sockets_not_known(self, world: Any, across: Any, link: Ends) -> None:
        """Nobody knows what it listens on."""
        bound_elsewhere(world, across, link)
        world[link.end].unknown["listeners"] = "access denied"
        assert judge(world, link.machine).outcome is Outcome.UNKNOWN

    @pytest.mark.parametrize("error", [Failure.NAME_NOT_FOUND, Failure.RESOLVER_FAILED])
    def test_no_such_name(self, world: Any, across: Any, link: Ends, error: Failure) -> None:
        """What the step of the welcome page says of a name is not said twice."""
        across(world, link.mode, {"fails": "resolve", "error": error})
        assert judge(world, link.machine).blocked_by == ("TT510", link.machine)

    def test_not_the_declared_address(self, world: Any, across: Any, link: Ends) -> None:
        """Likewise for a name that leads elsewhere than the inventory says."""
        across(world, link.mode, {"addresses": (FOREIGN,)} | DROPPED)
        assert judge(world, link.machine).blocked_by == ("TT512", link.machine)

    def test_stopped(self, world: Any, across: Any, link: Ends) -> None:
        """A service that is not running answers at no address."""
        foreign(world, across, link)
        world[link.end].service |= {"state": "stopped", "pid": None, "exit_code": 0}
        assert judge(world, link.machine).blocked_by == ("TT202" if link.end == "web-01" else "TT206", link.end)

    def test_mode_not_known(self, world: Any, link: Ends) -> None:
        """Nobody knows who connects to whom."""
        world[link.machine].declare(mode=None)
        world[link.machine].unknown["instances"] = "access denied"
        assert judge(world, link.machine).outcome is Outcome.UNKNOWN


class TestListening:
    """What only a listening Tentacle's link has."""

    def test_the_same_from_two_servers(self, world: Any, across: Any) -> None:
        """One address, one problem."""
        foreign(world, across, LINKS[0])
        world.add_server("octo-2", "192.0.2.11")
        world["octo-2"].peer = list(world["octo-1"].peer)
        world["web-01"].declare(servers=("octo-1", "octo-2"))
        assert [problem.code for problem in judge(world, "web-01").problems] == ["TT711"]

    def test_the_declared_address_is_foreign(self, world: Any, across: Any) -> None:
        """Name and inventory agree on an address that the machine does not have: a cloud's NAT, and a closed port."""
        across(world, "listening", DROPPED, DROPPED)
        world["web-01"].host["addresses"] = ("10.0.0.5",)
        result = judge(world, "web-01")
        assert result.outcome is Outcome.PASSED
        assert "192.0.2.20 is declared for it, and none of its own addresses: NAT" in " ".join(result.looked_at)

    def test_by_it_we_log_on(self, world: Any, across: Any) -> None:
        """An address that leads us to the machine is right, whoever has it."""
        leads_to(world, across, "listening", "192.0.2.20", DROPPED)
        world["web-01"].host["addresses"] = ("10.0.0.5",)
        assert judge(world, "web-01").outcome is Outcome.PASSED

    def test_on_one_host(self, world: Any, across: Any) -> None:
        """For a server on the same host, the loopback address is the machine's own."""
        leads_to(world, across, "listening", "127.0.0.1", DROPPED)
        assert [problem.code for problem in judge(world, "web-01").problems] == ["TT711"]
        world["web-01"].declare(transport=world["octo-1"].machine.transport)
        assert judge(world, "web-01").problems == ()

    def test_the_server_could_not_be_surveyed(self, world: Any, unreachable: Any) -> None:
        """Its stage and advice are told."""
        world["octo-1"].unreachable = unreachable
        result = judge(world, "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "refused the password" in result.reason

    def test_not_probed(self, world: Any) -> None:
        """There is nothing to judge by."""
        world["octo-1"].peer = []
        assert judge(world, "web-01").outcome is Outcome.UNKNOWN

    def test_no_server_declared(self, world: Any) -> None:
        """Nobody uses its address."""
        world["web-01"].declare(servers=())
        assert judge(world, "web-01").outcome is Outcome.UNKNOWN


class TestPolling:
    """What only a polling Tentacle's links have."""

    def test_a_server_without_log_on(self, world: Any, across: Any, unreachable: Any) -> None:
        """Octopus Cloud: its addresses cannot be known, and need not while it answers."""
        world["octo-1"].declare(transport=NoTransport())
        world["octo-1"].unreachable = unreachable
        assert judge(world, "poll-01").outcome is Outcome.PASSED
        across(world, "polling", DROPPED, DROPPED)
        assert judge(world, "poll-01").outcome is Outcome.UNKNOWN

    def test_through_a_proxy(self, world: Any) -> None:
        """The proxy looks the name up, not this machine: there is nothing to compare, and nothing unknown for ever."""
        world["poll-01"].settings |= {
            "Octopus.Server.Proxy.UseDefaultProxy": "false",
            "Octopus.Server.Proxy.ProxyHost": "proxy.example",
        }
        result = judge(world, "poll-01")
        assert result.outcome is Outcome.PASSED
        assert "proxy.example" in " ".join(result.looked_at)

    def test_polls_nobody(self, world: Any) -> None:
        """That is a finding of the settings."""
        world["poll-01"].trusted = []
        assert judge(world, "poll-01").blocked_by == ("TT320", "poll-01")

    def test_polls_an_address_that_is_nobody_s(self, world: Any, make_probe: Any) -> None:
        """An address that is not declared, and does not answer: whose should it be?"""
        world["poll-01"].trusted[0]["Address"] = "https://old.example:10943/"
        world["poll-01"].replace(polled(0), make_probe("old.example", 10943, **DROPPED))
        assert judge(world, "poll-01").outcome is Outcome.UNKNOWN
