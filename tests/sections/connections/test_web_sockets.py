"""Links over web sockets: judged by a standing connection, by their way, and by whose certificate is shown."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.surroundings import Connection
from support.certificates import thumbprint
from support.failures import CLOSED, DROPPED, NO_NAME, OLD_TLS, REFUSED
from support.looks import polled
from support.whole import Whole, wide_fleet
from support.world import probe

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
