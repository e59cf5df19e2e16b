"""Settings that hold too much: servers that are no more, damaged entries beside whole ones. Nothing fails of it."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED, NO_NAME, REFUSED
from support.fleets.looks import polled
from support.fleets.whole import Whole, line
from support.fleets.world import probe

from . import case

OLD = "octo-old.example"
_AT_OLD = f"https://{OLD}:10943/        14  "
_SERVER: dict[str, Any] = {"port": 10943, "page": "server", "whose": "retired"}


def also_polls(
    world: Whole, name: str, how: dict[str, Any], words: str = "", every: float = 120, times: int = 30
) -> None:
    """It polls a server that the inventory lacks as well, where this answers; its log says so at this pace."""
    draft = world[name]
    entry = {"Thumbprint": thumbprint("retired"), "Address": f"https://{OLD}:10943/", "SubscriptionId": "poll://old00/"}
    draft.trusted.append(draft.trusted[0] | entry)
    draft.own.insert(1, probe(OLD, by=By.NAME, addresses=("192.0.2.77",), look=polled(1), **(_SERVER | how)))
    world.logs[name] = world.polls_at_start(name) + world.secured(name, "octo-1")
    for number in range(times if words else 0):
        world.logs[name] += line(every * (times - number), "ERROR", f"{_AT_OLD}{words}", 900)


@case("TC5215", "poll-01", confidence="certain")
def polls_a_server_without_a_name(world: Whole) -> None:
    also_polls(world, "poll-01", NO_NAME, "No such host is known.")


@case("TC5215", "poll-01", confidence="certain")
def polls_a_server_that_is_silent(world: Whole) -> None:
    text = f"The client was unable to establish the initial connection within the timeout 00:01:00 to {OLD}:10943"
    also_polls(world, "poll-01", DROPPED, text)


@case("TC5215", "poll-02", confidence="certain")
def polls_a_server_that_is_gone_every_five_seconds(world: Whole) -> None:
    text = f"The remote host at https://{OLD}:10943/ refused the connection. This may mean that the expected listening service is not running."  # fmt: skip
    also_polls(world, "poll-02", REFUSED, text, every=5, times=400)


@case("TC3222", "web-01")
def trusts_a_damaged_thumbprint_besides(world: Whole) -> None:
    world["web-01"].trusted.append({**world["web-01"].trusted[0], "Thumbprint": thumbprint("octopus")[:-1]})


@case("TC3222", "poll-01")
def has_half_an_entry_besides(world: Whole) -> None:
    draft = world["poll-01"]
    draft.trusted.append(draft.trusted[0] | {"Address": None, "SubscriptionId": None})


@case("TC3222", "poll-01")
def has_a_pasted_thumbprint_besides(world: Whole) -> None:
    draft = world["poll-01"]
    pasted = {"CommunicationStyle": 1, "Thumbprint": "\u200e" + thumbprint("octopus"), "Address": None}
    draft.trusted.append(draft.trusted[0] | pasted)
