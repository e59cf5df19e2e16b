"""Links and ports where more than one thing has to be weighed: two ways to one machine, aliases, workers, proxies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.inventory.model import NoTransport
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By, Failure
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, from_server, polled

HERE, ACROSS = "welcome-page-here", "welcome-page-across"
SETTINGS = "communication-settings"


def codes(result: Any) -> list[str]:
    return [problem.code for problem in result.problems]


class TestLink:
    """By name, then by address, and what the two say together."""

    def test_an_address_that_fails_is_no_matter_where_the_name_works(self, world: Any, across: Any) -> None:
        """The guide tries the address only if the name fails."""
        for mode, name in (("listening", "web-01"), ("polling", "poll-01")):
            across(world, mode, {}, {"fails": "connect", "error": Failure.TIMED_OUT})
            assert world.judge(ACROSS, name).outcome is Outcome.PASSED

    @pytest.mark.parametrize(
        ("by_name", "code"), [({"addresses": ("192.0.2.20",)}, "TT522"), ({"addresses": ("192.0.2.99",)}, "TT512")]
    )
    def test_what_a_router_says_is_more_than_silence(self, world: Any, across: Any, by_name: Any, code: str) -> None:
        """Of two looks at one address the router answered one: it may limit its answers."""
        silent = {"fails": "connect", "error": Failure.TIMED_OUT} | by_name
        across(world, "listening", silent, {"fails": "connect", "error": Failure.UNREACHABLE})
        assert codes(world.judge(ACROSS, "web-01"))[0] == code

    @pytest.mark.parametrize(
        ("local", "seen", "found"),
        [
            (Failure.REFUSED, {"fails": "tls", "error": Failure.NOT_TLS}, ["TT529"]),
            (Failure.REFUSED, {"fails": "tls", "error": Failure.CLOSED}, []),
            (Failure.TIMED_OUT, {"fails": "tls", "error": Failure.NOT_TLS}, []),
        ],
    )
    def test_who_answers_for_a_stopped_service(
        self, world: Any, across: Any, make_probe: Any, local: Failure, seen: Any, found: list[str]
    ) -> None:
        """Nobody listens on the machine, and something that is not Octopus answers the server: it stands between."""
        web = world["web-01"]
        web.service |= {"state": "stopped", "pid": None}
        web.listeners = []
        web.replace(OWN_PORT, make_probe(fails="connect", error=local))
        across(world, "listening", seen, seen)
        result = world.judge(ACROSS, "web-01")
        assert codes(result) == found
        assert result.outcome is (Outcome.FAILED if found else Outcome.BLOCKED)

    @pytest.mark.parametrize(
        ("seen", "found"),
        [
            ({"fails": "connect", "error": Failure.TIMED_OUT}, ["TT521"]),
            ({"fails": "tls", "error": Failure.TIMED_OUT}, []),
        ],
    )
    def test_a_process_that_hangs_explains_no_lost_connection(
        self, world: Any, across: Any, make_probe: Any, seen: Any, found: list[str]
    ) -> None:
        """The system takes connections for it, on the machine itself, and would from elsewhere."""
        world["web-01"].replace(OWN_PORT, make_probe(fails="tls", error=Failure.TIMED_OUT))
        across(world, "listening", seen, seen)
        assert codes(world.judge(HERE, "web-01")) == ["TT505"]
        assert codes(world.judge(ACROSS, "web-01")) == found

    @pytest.mark.parametrize(("by_name", "found"), [(Failure.TIMED_OUT, ["TT512"]), (Failure.REFUSED, [])])
    def test_a_name_that_leads_elsewhere_beside_a_stopped_service(
        self, world: Any, across: Any, make_probe: Any, by_name: Failure, found: list[str]
    ) -> None:
        """The machine refuses, as nobody listens: whoever is silent is not the machine, nor forwards to it."""
        web = world["web-01"]
        web.service |= {"state": "stopped", "pid": None}
        web.listeners = []
        refused = {"fails": "connect", "error": Failure.REFUSED}
        web.replace(OWN_PORT, make_probe(**refused))
        across(world, "listening", {"fails": "connect", "error": by_name, "addresses": ("192.0.2.99",)}, refused)
        assert codes(world.judge(ACROSS, "web-01")) == found

    @pytest.mark.parametrize(("seconds", "outcome"), [(5, Outcome.UNKNOWN), (600, Outcome.FAILED)])
    def test_a_service_that_was_just_started(self, world: Any, make_probe: Any, seconds: int, outcome: Outcome) -> None:
        """It did not listen yet when its machine was surveyed, and then showed its page to the server."""
        web = world["web-01"]
        web.listeners = []
        web.replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        clock = web.record().survey.host.data.clock_utc
        web.service |= {"started_utc": clock - timedelta(seconds=seconds)}
        assert world.judge(HERE, "web-01").outcome is outcome

    def test_name_and_address_fail_each_in_its_own_way(self, world: Any, across: Any) -> None:
        """Two things are wrong, and both are told."""
        across(
            world,
            "listening",
            {"fails": "resolve", "error": Failure.NAME_NOT_FOUND},
            {"fails": "connect", "error": Failure.TIMED_OUT},
        )
        assert codes(world.judge(ACROSS, "web-01")) == ["TT511", "TT521"]

    def test_mapped_and_plain_addresses_are_the_same(self, world: Any, across: Any) -> None:
        """::ffff:192.0.2.20 is 192.0.2.20: no name that leads elsewhere."""
        refused = {"fails": "connect", "error": Failure.REFUSED, "addresses": ("::ffff:192.0.2.20",)}
        across(world, "listening", refused, refused)
        assert codes(world.judge(ACROSS, "web-01")) == ["TT520"]

    def test_a_restart_needed_is_no_interception(self, world: Any, thumbprint_of: Any) -> None:
        """The same certificate is seen here and there: nobody stands between, though the file says otherwise."""
        world["web-01"].settings["Tentacle.CertificateThumbprint"] = thumbprint_of("its new certificate")
        assert world.judge(ACROSS, "web-01").outcome is Outcome.PASSED

    def test_subject_and_issuer_are_named(self, world: Any, across: Any, real_certificate: str) -> None:
        """Of the certificate that is presented on the way, by name and for folding."""
        across(world, "listening", {"der": real_certificate}, {"der": real_certificate})
        problem = world.judge(ACROSS, "web-01").problems[0]
        assert problem.code == "TT531"
        assert "CN=www.example.com issued by CN=Inspection CA" in problem.actual
        assert (problem.facts["subject"], problem.facts["issuer"]) == ("CN=www.example.com", "CN=Inspection CA")
        assert (problem.facts["vantage"], problem.facts["server"]) == ("octo-1", "octo-1")

    def test_every_server_is_asked(self, world: Any, make_probe: Any) -> None:
        """A listening Tentacle must be reached from each of its nodes."""
        second = world.add_server("octo-2", "192.0.2.11")
        world["web-01"].declare(servers=("octo-1", "octo-2"))
        second.peer = [
            make_probe(
                "192.0.2.20",
                fails="connect",
                error=Failure.UNREACHABLE,
                look=from_server("web-01", By.ADDRESS, "octo-2"),
            ),
        ]
        problems = world.judge(ACROSS, "web-01").problems
        assert [(problem.code, problem.facts["vantage"]) for problem in problems] == [("TT522", "octo-2")]

    def test_no_server_declared(self, world: Any) -> None:
        """Nobody knows from where to look."""
        world["web-01"].declare(servers=())
        assert world.judge(ACROSS, "web-01").outcome is Outcome.UNKNOWN


class TestPolledNodes:
    """Which node an address belongs to, and by which address it is judged."""

    def test_an_alias_whose_certificate_is_the_nodes(self, world: Any, make_probe: Any) -> None:
        """A name that is not declared, but leads to the node, is as good."""
        draft = world["poll-01"]
        draft.trusted[0]["Address"] = "https://octopus.example:10943/"
        draft.replace(polled(0), make_probe("octopus.example", 10943, whose="octopus", page="server"))
        assert world.judge(SETTINGS, "poll-01").outcome is Outcome.PASSED
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.PASSED

    def test_one_alias_for_two_nodes(self, world: Any, make_probe: Any) -> None:
        """A load balancer before them: each is polled in its turn, which is told, with what Octopus recommends."""
        self.test_an_alias_whose_certificate_is_the_nodes(world, make_probe)
        world.add_server("octo-2", "192.0.2.11")
        world["poll-01"].declare(servers=("octo-1", "octo-2"))
        result = world.judge(SETTINGS, "poll-01")
        assert result.outcome is Outcome.PASSED
        assert "an address of its own for each node" in " ".join(result.looked_at)

    def test_the_name_of_one_node_does_not_do_for_two(self, world: Any) -> None:
        """Though both have one certificate: nobody comes to the other one by it."""
        world.add_server("octo-2", "192.0.2.11")
        world["poll-01"].declare(servers=("octo-1", "octo-2"))
        assert codes(world.judge(SETTINGS, "poll-01")) == ["TT313"]

    def test_two_aliases_do_for_two_nodes(self, world: Any, make_probe: Any) -> None:
        """The nodes of one server have one certificate; each address counts for another of them."""
        world.add_server("octo-2", "192.0.2.11")
        draft = world["poll-01"]
        draft.declare(servers=("octo-1", "octo-2"))
        entry = draft.trusted[0]
        draft.trusted = [entry | {"Address": f"https://{host}.example:10943/"} for host in ("east", "west")]
        draft.own = [
            make_probe(f"{host}.example", 10943, whose="octopus", page="server", look=polled(number))
            for number, host in enumerate(("east", "west"))
        ]
        assert world.judge(SETTINGS, "poll-01").outcome is Outcome.PASSED
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.PASSED

    @pytest.mark.parametrize(
        ("addresses", "found"),
        [
            (("192.0.2.10",), ["TT512"]),
            (("192.0.2.11",), []),
            (("192.0.2.10", "192.0.2.11"), []),
            (("203.0.113.9",), []),  # a device that translates
        ],
    )
    def test_a_nodes_name_that_leads_to_the_other_node(
        self, world: Any, make_probe: Any, addresses: tuple[str, ...], found: list[str]
    ) -> None:
        """They share a certificate and a page: the one is polled twice, and the other one never."""
        world.add_server("octo-2", "192.0.2.11")
        draft = world["poll-01"]
        draft.declare(servers=("octo-1", "octo-2"))
        entry = draft.trusted[0]
        draft.trusted = [entry, entry | {"Address": "https://octo-2.example:10943/"}]
        draft.own = [
            make_probe("octo-1.example", 10943, whose="octopus", page="server", look=polled(0)),
            make_probe("octo-2.example", 10943, whose="octopus", page="server", look=polled(1), addresses=addresses),
        ]
        assert codes(world.judge(ACROSS, "poll-01")) == found

    def test_further_addresses_of_a_node(self, world: Any, make_probe: Any) -> None:
        """`addresses` are as good as the DNS name."""
        world["octo-1"].declare(addresses=("OCTOPUS.example.",))
        draft = world["poll-01"]
        draft.trusted[0]["Address"] = "https://octopus.example:10943/"
        draft.replace(polled(0), make_probe("octopus.example", 10943, whose="octopus", page="server"))
        result = world.judge(SETTINGS, "poll-01")
        assert result.outcome is Outcome.PASSED
        assert any("polls octo-1 at" in fact for fact in result.looked_at)

    def test_a_node_that_is_not_configured_is_judged_by_what_is_declared(self, world: Any) -> None:
        """The link is looked at even where the settings name nobody."""
        world["poll-01"].trusted = []
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.PASSED

    def test_web_sockets_are_not_misjudged(self, world: Any) -> None:
        """Another port, another certificate and another page are right there: unknown, and no problem."""
        entry = world["poll-01"].trusted[0]
        entry |= {"Address": "wss://octo-1.example:443/OctopusComms", "Thumbprint": "A" * 40}
        assert world.judge(SETTINGS, "poll-01").outcome is Outcome.PASSED
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.UNKNOWN

    def test_web_sockets_by_a_name_of_no_node(self, world: Any, across: Any, thumbprint_of: Any) -> None:
        """A balancer's, perhaps: neither is a node missing, nor is the polling port its way."""
        entry = world["poll-01"].trusted[0]
        entry |= {"Address": "wss://octopus.example:443/OctopusComms", "Thumbprint": "A" * 40}
        assert world["octo-1"].machine.thumbprint == thumbprint_of("octopus")
        world["poll-01"].own = [
            one.model_copy(update={"connect": one.connect.model_copy(update={"error": Failure.TIMED_OUT})})
            for one in world["poll-01"].own
        ]
        assert world.judge(SETTINGS, "poll-01").outcome is Outcome.UNKNOWN
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.UNKNOWN

    @pytest.mark.parametrize("doubt", ["not-probed", "proxy", "certificate"])
    def test_an_alias_that_nobody_could_look_at_is_no_missing_node(
        self, world: Any, make_probe: Any, doubt: str
    ) -> None:
        """No probe, a proxy's way, or a server whose certificate nobody declares, as Octopus Cloud's may be."""
        draft = world["poll-01"]
        draft.trusted[0]["Address"] = "https://octopus.example:10943/"
        alias = make_probe("octopus.example", 10943, page="server", whose="octopus")
        draft.replace(polled(0), alias)
        if doubt == "not-probed":
            draft.drop(polled(0))
        elif doubt == "proxy":
            draft.settings |= {
                "Octopus.Server.Proxy.ProxyHost": "proxy.example",
                "Octopus.Server.Proxy.UseDefaultProxy": "false",
            }
            draft.replace(
                polled(0),
                make_probe("octopus.example", 10943, fails="connect", error=Failure.TIMED_OUT),
            )
        else:
            world["octo-1"].declare(transport=NoTransport(), thumbprint=None)
            world["octo-1"].drop(SERVERS_OWN_PORT)
        result = world.judge(SETTINGS, "poll-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "addresses: [octopus.example]" in result.advice

    def test_a_name_that_leads_to_another_address_of_the_machine_is_right(self, world: Any, across: Any) -> None:
        """Two networks, or IPv6 beside IPv4: what fails there is the connection, not the record; each address is told."""
        dropped = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(world, "listening", dropped | {"addresses": ("2001:db8::20",)}, dropped)
        assert "TT512" in codes(world.judge(ACROSS, "web-01"))
        world["web-01"].host["addresses"] = ("192.0.2.20", "2001:db8:0::20")
        assert codes(world.judge(ACROSS, "web-01")) == ["TT521", "TT521"]

    def test_behind_a_proxy_the_direct_way_says_nothing(self, world: Any, across: Any) -> None:
        """What the Tentacle does not use cannot be what is wrong with it."""
        settings = world["poll-01"].settings
        settings |= {"Octopus.Server.Proxy.ProxyHost": "proxy.example", "Octopus.Server.Proxy.UseDefaultProxy": "false"}
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(world, "polling", silent, silent)
        result = world.judge(ACROSS, "poll-01")
        assert (result.outcome, "proxy.example" in result.reason) == (Outcome.UNKNOWN, True)

    def test_a_proxy_that_is_ignored_is_none(self, world: Any, across: Any) -> None:
        """With UseDefaultProxy the named host is not used, so the direct way is the Tentacle's own."""
        world["poll-01"].settings["Octopus.Server.Proxy.ProxyHost"] = "proxy.example"
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(world, "polling", silent, silent)
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.FAILED

    def test_trusted_twice_is_no_left_over(self, world: Any, thumbprint_of: Any) -> None:
        """`configure --trust` and `server-comms` leave two entries for one server (tentacle-seen 4.1)."""
        world["poll-01"].declare(mode=None)
        world["poll-01"].trusted.append({"Thumbprint": thumbprint_of("octopus"), "CommunicationStyle": 1})
        assert world.judge(SETTINGS, "poll-01").outcome is Outcome.PASSED

    def test_a_second_server_may_be_trusted_to_connect(self, world: Any, thumbprint_of: Any) -> None:
        """A Tentacle that is declared to poll, and polls, is in its mode, whoever else is trusted."""
        world["poll-01"].trusted.append({"Thumbprint": thumbprint_of("another server"), "CommunicationStyle": 1})
        assert world.judge(SETTINGS, "poll-01").outcome is Outcome.PASSED

    def test_lower_case_is_right_for_a_listening_one(self, world: Any) -> None:
        """A listener compares without regard to case (tentacle-facts 1.2)."""
        world["web-01"].trusted[0]["Thumbprint"] = world["web-01"].trusted[0]["Thumbprint"].lower()
        assert world.judge(SETTINGS, "web-01").outcome is Outcome.PASSED


class TestPort:
    """Who holds it."""

    def test_the_services_own_worker(self, world: Any) -> None:
        """A wrapper starts the Tentacle, which then has another process number; its page is another one's business."""
        draft = world["web-01"]
        draft.settings.pop("Tentacle.CertificateThumbprint")
        draft.declare(thumbprint=None)
        draft.listeners[0] |= {"pid": 2137, "owner": {"pid": 2137, "name": "dotnet", "parent_pid": 2136}}
        assert world.judge(HERE, "web-01").outcome is Outcome.PASSED

    def test_somebody_on_another_address(self, world: Any, make_probe: Any) -> None:
        """ListenIP set: who listens on loopback alone is not in the way."""
        draft = world["web-01"]
        draft.settings["Tentacle.Services.ListenIP"] = "192.0.2.20"
        draft.listeners = [
            {"address": "127.0.0.1", "port": 10933, "pid": 5, "owner": {"pid": 5, "name": "other"}},
            {"address": "192.0.2.20", "port": 10933, "pid": 2136, "owner": {"pid": 2136, "name": "Tentacle.exe"}},
        ]
        draft.replace(OWN_PORT, make_probe("192.0.2.20", fails="tls", error=Failure.TIMED_OUT))
        assert codes(world.judge(HERE, "web-01")) == ["TT505"]

    def test_refused_though_the_service_listens(self, world: Any, make_probe: Any) -> None:
        """Then the port is open, and something else refuses."""
        world["web-01"].replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        assert codes(world.judge(HERE, "web-01")) == ["TT505"]

    def test_its_server_is_shown_what_it_is_not(self, world: Any, make_probe: Any, across: Any) -> None:
        """Its own look times out: with its server's look beside it, its process does not hang."""
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        world["web-01"].replace(OWN_PORT, make_probe(**silent))
        result = world.judge(HERE, "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "octo-1 was shown the page there" in result.reason
        across(world, "listening", silent, silent)
        assert codes(world.judge(HERE, "web-01")) == ["TT505"]

    def test_without_wmi_the_executable_tells(self, world: Any, make_probe: Any) -> None:
        """Then the service's process number is not known."""
        draft = world["web-01"]
        draft.service["pid"] = None
        draft.listeners[0]["owner"]["executable"] = draft.service["executable"].upper()
        draft.replace(OWN_PORT, make_probe(fails="tls", error=Failure.TIMED_OUT))
        assert codes(world.judge(HERE, "web-01")) == ["TT505"]
