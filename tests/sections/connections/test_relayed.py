"""Ways that a poller's own log alone can prove: through a proxy of its account, and to an address of another turn."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from support.fleets.certificates import thumbprint
from support.fleets.whole import POLL, Whole, make_windows, wide_fleet
from support.setups.clouds import name_that_leads_by_turns
from support.setups.networks import through_a_proxy_of_a_script, through_a_proxy_with_a_user_alone

PAGE, SOCKETS = "welcome-page-across", "connections-established"


def polling() -> Whole:
    """poll-01 on Windows."""
    world = wide_fleet()
    make_windows(world, "poll-01")
    return world


def outcome(world: Whole, step: str) -> Outcome:
    return Outcome(world.fleet().subject("poll-01").result(step).outcome)


def break_off(world: Whole) -> None:
    """Since the connection came about, it broke."""
    text = f"{POLL}Unexpected exception executing transaction.\nSystem.IO.EndOfStreamException: Attempted to read past the end of the stream."
    world.say("poll-01", "ERROR", text, 30)


def stranger(world: Whole) -> None:
    """Another certificate answered than the expected one."""
    world.logs["poll-01"] = world.logs["poll-01"].replace(
        f"identified by thumbprint: {thumbprint('octopus')}", f"identified by thumbprint: {'AB' * 20}"
    )


def other_process(world: Whole) -> None:
    """The log tells of a process that is gone."""
    world["poll-01"].service["pid"] = 901


@pytest.mark.parametrize("change", [break_off, stranger, other_process])
class TestWhatIsNoProof:
    @pytest.mark.parametrize("way", [through_a_proxy_of_a_script, through_a_proxy_with_a_user_alone])
    def test_through_a_proxy(self, change: Any, way: Any) -> None:
        world = polling()
        way(world, "poll-01")
        assert outcome(world, PAGE) is Outcome.PASSED
        change(world)
        assert outcome(world, PAGE) is not Outcome.PASSED

    def test_at_an_address_of_another_turn(self, change: Any) -> None:
        world = polling()
        name_that_leads_by_turns(world, "poll-01")
        assert outcome(world, SOCKETS) is Outcome.PASSED
        change(world)
        assert outcome(world, SOCKETS) is not Outcome.PASSED


def test_a_proxy_that_only_others_have_is_none() -> None:
    """The process says that there is no proxy for this server: the direct way is its way, and fails."""
    world = polling()
    through_a_proxy_of_a_script(world, "poll-01")
    world.logs["poll-01"] = world.logs["poll-01"].replace(
        "Agent will use the configured system proxy at proxy.example:3128 for server at",
        "Agent configured to use the system proxy, but no system proxy is configured for",
    )
    assert outcome(world, PAGE) is Outcome.FAILED
