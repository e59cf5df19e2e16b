"""Links over web sockets: judged by a standing connection, by their way, and by whose certificate is shown."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.surroundings import Connection
from support.faults.services import serve
from support.fleets.certificates import thumbprint
from support.fleets.failures import CLOSED, DROPPED, NO_NAME, OLD_TLS, REFUSED
from support.fleets.looks import polled
from support.fleets.whole import Whole, wide_fleet
from support.fleets.world import probe

PORTAL = {"page": "other", "whose": "portal"}


@pytest.fixture
def world() -> Whole:
    made = wide_fleet()
    draft = made["poll-01"]
    draft.trusted[0] |= {"Address": "wss://portal.example:443/OctopusComms", "Thumbprint": thumbprint("portal")}
    made["octo-1"].declare(portal="https://portal.example")
    made.sections["poll-01"]["connections"] = ()
    return made


def judge(world: Whole, how: dict[str, Any] | None) -> Any:
    """The step's result where the look at the web server comes to this; None: nobody looked."""
    if how is None:
        world["poll-01"].drop(polled(0))
    else:
        world["poll-01"].replace(polled(0), probe("portal.example", 443, **how))
    return world.fleet().subject("poll-01").result("welcome-page-across")


def codes(result: Any) -> list[str]:
    return [problem.code for problem in result.problems]


@pytest.mark.parametrize(
    ("how", "code"),
    [(NO_NAME, "TT511"), (REFUSED, "TT520"), (DROPPED, "TT521"), (CLOSED, "TT524"), (OLD_TLS, "TT525")],
    ids=["name", "refused", "dropped", "closed", "tls"],
)
def test_its_way(world: Whole, how: dict[str, Any], code: str) -> None:
    """What stands on the way to a web server stands on the web socket's, too."""
    assert codes(judge(world, how)) == [code]


def test_another_certificate(world: Whole) -> None:
    result = judge(world, {"page": "other", "whose": "renewed"})
    (problem,) = result.problems
    assert problem.code == "TT534"
    assert problem.facts["presented"] == thumbprint("renewed")
    assert problem.facts["configured"] == thumbprint("portal")


@pytest.mark.parametrize("how", [PORTAL, None])
def test_nobody_can_tell(world: Whole, how: dict[str, Any] | None) -> None:
    """The trusted certificate alone does not show that a web socket is served behind it."""
    result = judge(world, how)
    assert result.outcome is Outcome.UNKNOWN
    assert "over a web socket" in result.reason


@pytest.mark.parametrize("how", [PORTAL, DROPPED, {"page": "other", "whose": "renewed"}])
def test_a_standing_connection(world: Whole, how: dict[str, Any]) -> None:
    """Shows that it is up, whatever a look of ours comes to."""
    world.sections["poll-01"]["connections"] = (
        Connection(
            local_address="203.0.113.1", local_port=50000, remote_address="192.0.2.98", remote_port=443,
            state="established", pid=900,
        ),
    )  # fmt: skip
    assert judge(world, how).outcome is Outcome.PASSED


def test_through_a_proxy(world: Whole) -> None:
    """Then the direct way is not the one that it takes."""
    keys = {"UseDefaultProxy": "false", "ProxyHost": "proxy.example", "ProxyPort": "3128"}
    world["poll-01"].settings |= {f"Octopus.Server.Proxy.{key}": value for key, value in keys.items()}
    assert codes(judge(world, DROPPED)) == []


class TestByHttpSys:
    """What the server's own machine tells."""

    SERVED = ("HTTPS://PORTAL.EXAMPLE:443/", "HTTPS://+:443/OCTOPUSCOMMS/")

    def test_not_served(self, world: Whole) -> None:
        serve(world, "octo-1")
        (problem,) = judge(world, PORTAL).problems
        assert (problem.code, problem.facts["prefix"]) == ("TT537", "https://+:443/OctopusComms")
        assert problem.actual.endswith("/octopuscomms")

    @pytest.mark.parametrize(
        ("prefix", "words"),
        [("https://+:443/Comms", "its settings have"), ("https://+:9443/OctopusComms", "not started since")],
    )
    def test_not_served_though_it_is_set(self, world: Whole, prefix: str, words: str) -> None:
        serve(world, "octo-1")
        world["octo-1"].settings["Octopus.Communications.WebSocketPrefix"] = prefix
        (problem,) = judge(world, PORTAL).problems
        assert problem.code == "TT537"
        assert words in problem.actual

    @pytest.mark.parametrize("how", [PORTAL, None])
    def test_served_with_the_trusted_certificate(self, world: Whole, how: Any) -> None:
        """Whether a connection would stand is not known yet."""
        serve(world, "octo-1", http_sys=self.SERVED)
        assert judge(world, how).outcome is Outcome.UNKNOWN

    def test_nobody_looked_and_another_one_is_bound(self, world: Whole) -> None:
        """A balancer may open TLS before it: only a look proves what a Tentacle meets."""
        serve(world, "octo-1", http_sys=self.SERVED)
        world["poll-01"].trusted[0]["Thumbprint"] = thumbprint("renewed")
        (problem,) = judge(world, PORTAL).problems
        assert (problem.code, problem.facts["presented"]) == ("TT534", thumbprint("portal"))
        assert "it is the portal's own" in problem.actual
        assert judge(world, None).outcome is Outcome.UNKNOWN

    @pytest.mark.parametrize(
        "http_sys",
        [
            ("HTTPS://PORTAL.EXAMPLE:443/", "HTTPS://*:9443/OCTOPUSCOMMS/"),
            ("HTTPS://+:443/OCTOPUS/",),
            tuple(f"HTTP://+:80/{number}/" for number in range(500)),
            None,
        ],
        ids=["another-port-behind-a-balancer", "above-it", "cut-off", "not-read"],
    )
    def test_what_is_served_is_no_verdict(self, world: Whole, http_sys: tuple[str, ...] | None) -> None:
        serve(world, "octo-1", http_sys=http_sys)
        entry = world["poll-01"].trusted[0]
        if http_sys == ("HTTPS://+:443/OCTOPUS/",):
            entry["Address"] = "wss://portal.example:443/Octopus/Comms"
        assert judge(world, PORTAL).outcome is Outcome.UNKNOWN

    def test_a_web_socket_without_a_path(self, world: Whole) -> None:
        """The portal's own prefix would look the same."""
        serve(world, "octo-1")
        world["octo-1"].settings["Octopus.Communications.WebSocketPrefix"] = "https://+:443/"
        assert "TT537" not in codes(judge(world, PORTAL))

    def test_another_web_server_on_the_machine(self, world: Whole) -> None:
        """It may lead to another path."""
        serve(world, "octo-1")
        world["octo-1"].listeners.append(
            {"address": "::", "port": 443, "pid": 1000, "owner": {"pid": 1000, "name": "Octopus.Server.exe"}}
        )
        assert "TT537" not in codes(judge(world, PORTAL))

    def test_a_server_that_does_not_run(self, world: Whole) -> None:
        serve(world, "octo-1", http_sys=())
        world.down("octo-1", exit_code=1067)
        assert "TT537" not in codes(judge(world, PORTAL))

    def test_something_in_between(self, world: Whole) -> None:
        serve(world, "octo-1", http_sys=self.SERVED)
        (problem,) = judge(world, {"page": "other", "whose": "inspection"}).problems
        assert problem.code == "TT534"
        assert "it seems that something in between opens TLS" in problem.actual

    def test_several_nodes_of_one_name(self, world: Whole) -> None:
        """Which of them is looked at is the balancer's choice."""
        world.add_server("octo-2", "192.0.2.11")
        world["octo-2"].declare(portal="https://portal.example")
        world["poll-01"].declare(servers=("octo-1", "octo-2"))
        serve(world, "octo-1")
        assert "TT537" not in codes(judge(world, PORTAL))
