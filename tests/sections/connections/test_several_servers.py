"""A polling Tentacle of several servers: what one link comes to says nothing of the others."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By, Failure
from pytest_tentacle.survey.surroundings import TlsProtocol
from support.fleets.looks import SERVERS_OWN_PORT, declared, polled

UNKNOWN_NAME = {"fails": "resolve", "error": Failure.NAME_NOT_FOUND}
DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
SECOND = "octo-2.example"


@pytest.fixture
def second(world: Any, make_probe: Any, thumbprint_of: Any) -> Any:
    """Lets poll-01 poll octo-2 as well: its probe by name goes as it is told."""

    def add(**how: Any) -> None:
        world.add_server("octo-2", "192.0.2.11")
        poller = world["poll-01"]
        poller.declare(servers=("octo-1", "octo-2"))
        trust = {"Address": f"https://{SECOND}:10943/", "Thumbprint": thumbprint_of("octopus")}
        poller.trusted.append({**poller.trusted[0], **trust})
        common = {"port": 10943, "page": "server", "whose": "octopus", "by": By.NAME, "addresses": ("192.0.2.11",)}
        for look in (polled(1), declared("poll-01", "octo-2", SECOND)):
            poller.own.append(make_probe(SECOND, look=look, **common | how))

    return add


class TestConnections:
    """Which of them the process should hold."""

    def test_a_server_that_cannot_be_reached_hides_no_other(self, around: Any, across: Any, second: Any) -> None:
        """To the second one it could connect, and does not."""
        second()
        around.sections["octo-2"] = around.healthy("octo-2")
        across(around.world, "polling", DROPPED, DROPPED)
        around.sections["poll-01"]["connections"] = ()
        (problem,) = around.judge("connections-established", "poll-01").problems
        assert (problem.code, problem.facts["server"]) == ("TT551", "octo-2")

    def test_a_page_with_another_certificate_is_no_server(self, around: Any, across: Any) -> None:
        """The Tentacle lets go of whoever stands between: the step of the welcome page has said so."""
        across(around.world, "polling", {"whose": "inspector"}, {"whose": "inspector"})
        around.sections["poll-01"]["connections"] = ()
        result = around.judge("connections-established", "poll-01")
        assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT531", "poll-01"))

    def test_a_stopped_server_is_the_reason(self, around: Any, across: Any) -> None:
        """Nobody can be connected to it, and that is no unknown."""
        around.world["octo-1"].service |= {"state": "stopped", "pid": None}
        refused = {"fails": "connect", "error": Failure.REFUSED}
        around.world["octo-1"].drop(SERVERS_OWN_PORT)
        across(around.world, "polling", refused, refused)
        around.sections["poll-01"]["connections"] = ()
        result = around.judge("connections-established", "poll-01")
        assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT206", "octo-1"))


class TestAddresses:
    """Whose address is to blame."""

    def test_a_name_that_does_not_resolve_hides_no_other_address(self, world: Any, across: Any, second: Any) -> None:
        """octo-1's name is one thing, the address that octo-2's leads to another."""
        second(addresses=("198.51.100.9",), **DROPPED)
        world["octo-2"].host["addresses"] = ("192.0.2.11",)
        world["octo-2"].declare(ip=None)
        across(world, "polling", UNKNOWN_NAME)
        (problem,) = world.judge("ip-addresses", "poll-01").problems
        assert (problem.code, problem.facts["server"]) == ("TT711", "octo-2")


class TestTrust:
    """Whom it should trust."""

    def test_what_the_server_presents_counts_more_than_the_inventory(self, world: Any, thumbprint_of: Any) -> None:
        """A declared thumbprint of old is the server's problem (TT404), not that of those who trust the new one."""
        world["octo-1"].declare(thumbprint=thumbprint_of("octopus of old"))
        assert world.judge("communication-settings", "poll-01").outcome is Outcome.PASSED


class TestMinimum:
    """MinProtocol is to blame for what Octopus could use alone."""

    def test_an_older_version_beyond_it_is_no_way_out(self, around: Any, across: Any) -> None:
        """Without TLS 1.3 here and without 1.2 there, nobody is helped by TLS 1.0."""
        dead = {"fails": "tls", "error": Failure.PROTOCOL_VERSION}
        across(around.world, "polling", dead, dead)
        around.world["poll-01"].drop(declared("poll-01", "octo-1", "octo-1.example"))
        around.change("poll-01", "tls", library="OpenSSL 1.1.0l  10 Sep 2019", minimum="TLSv1.2")
        around.change("octo-1", "tls", protocols=(TlsProtocol(name="TLS 1.2", side="server", enabled=False),))
        assert around.codes("schannel-and-tls", "poll-01") == ["TT902"]
