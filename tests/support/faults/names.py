"""Names that lead nowhere, or elsewhere (causes/names.py)."""

from __future__ import annotations

from pytest_tentacle.link import By, Failure, Stage, Tried
from support.fleets.failures import DROPPED, NO_DNS, NO_NAME, REFUSED
from support.fleets.whole import Whole
from support.fleets.world import probe

from . import case


@case("TC5101", confidence="possible", unsure="resolve web-01.example on another machine")
def one_dns(world: Whole) -> None:
    """The name fails, the address works, and nobody else was asked for the name."""
    world.across("web-01", NO_NAME, {})


@case("TC5101", "poll-01", confidence="certain", unsure="")
def dns_of_that_machine(world: Whole) -> None:
    """The name fails on one poller, and the other one resolves it."""
    world.across("poll-01", NO_NAME, {})


@case("TC5102", "poll-01", "poll-02", confidence="likely")
def no_record(world: Whole) -> None:
    for name in ("poll-01", "poll-02"):
        world.across(name, NO_NAME, {})


@case("TC5103", "web-01", "web-02", confidence="certain")
def dns_down(world: Whole) -> None:
    world.across("web-01", NO_DNS, {})
    world.across("web-02", NO_DNS, {})


@case("TC5101", confidence="possible", unsure="Nobody else could tell")
def dns_fails_on_one_name(world: Whole) -> None:
    """Its DNS server refuses one name (a short one, say), and resolves others."""
    world.across("web-01", NO_DNS, {})


@case("TC5104", "web-01", "web-02")
def zone_unknown(world: Whole) -> None:
    world.across("web-01", NO_NAME, {})
    world.across("web-02", NO_NAME, {})


@case("TC5121")
def stale_record(world: Whole) -> None:
    world.across("web-01", {"addresses": ("192.0.2.99",), **DROPPED}, {})


@case("TC5121")
def a_search_domain_that_answers_all(world: Whole) -> None:
    """Elsewhere the name leads to the right address: what is wrong is the server's own."""
    stale_record(world)
    world.controller["web-01"] = (probe("web-01.example", 10933, By.NAME, whose="web-01"),)


def polled_in_local(world: Whole, *pollers: str) -> None:
    """The server's name is one in .local, for the survey and these pollers."""
    old, new = "octo-1.example", "octo-1.corp.local"
    node = world["octo-1"]
    node.machine = node.machine.model_copy(update={"dns_name": new})
    for name in pollers:
        draft = world[name]
        draft.trusted[0]["Address"] = draft.trusted[0]["Address"].replace(old, new)
        draft.own = [each.model_copy(update={"host": new}) if each.host == old else each for each in draft.own]
        world.logs[name] = world.logs[name].replace(old, new)


@case("TC5105", "poll-01", confidence="possible", unsure="Nobody else could tell")
def kept_for_multicast(world: Whole) -> None:
    """The poller's system asks no DNS server for names in .local."""
    world.across("poll-01", NO_NAME, {})
    polled_in_local(world, "poll-01")


@case("TC5105", "poll-01", confidence="likely", unsure="")
def kept_for_multicast_on_one_of_two(world: Whole) -> None:
    """Another poller gets the address for the same name."""
    world.across("poll-01", NO_NAME, {})
    polled_in_local(world, "poll-01", "poll-02")


@case("TC5122", confidence="likely")
def proxied_by_cloudflare(world: Whole) -> None:
    """The name's record was switched to be proxied, and that proxy takes web ports only."""
    world.across("web-01", {"addresses": ("104.21.5.77", "2606:4700:3031::6815:54d"), **DROPPED}, {})


@case("TC5123", confidence="possible")
def answered_by_a_client_for_private_access(world: Whole) -> None:
    """On the one machine the name has an address of the client's, behind which the port is not let through."""
    world.across("web-01", {"addresses": ("100.64.1.7",), **DROPPED}, {})


@case("TC5124", confidence="likely")
def blocked_by_a_filter_of_dns(world: Whole) -> None:
    world.across("web-01", {"addresses": ("0.0.0.0", "::"), **REFUSED}, {})


@case("TC5124")
def led_to_a_page_that_blocks(world: Whole) -> None:
    world.across("web-01", {"addresses": ("146.112.61.106",), **DROPPED}, {})


@case("TC5207")
def one_dead_address(world: Whole) -> None:
    world.across("web-01", {"addresses": ("2001:db8::1", "198.51.100.1"), **DROPPED}, {})


def tried(*failures: Failure | None, own: str = "198.51.100.1", six: bool = False) -> dict[str, object]:
    """A name with so many addresses, of which these fail: the last is the machine's own."""
    addresses = [*(f"2001:db8::{number}" if six else f"198.51.100.{90 + number}" for number in range(1, len(failures)))]
    looks = [
        Tried(address=address, ms=2, stage=Stage.CONNECT if failure else None, error=failure)
        for address, failure in zip([*addresses, own], failures, strict=True)
    ]
    return {"addresses": tuple(look.address for look in looks), "tried": tuple(looks)}


@case("TT715", confidence="certain")
def one_of_two_refuses(world: Whole) -> None:
    """Of two addresses the first refuses, and the second is the machine's."""
    world.across("web-01", tried(Failure.REFUSED, None))


@case("TT717", "web-01", "web-02", confidence="likely")
def first_dns_server_is_silent(world: Whole) -> None:
    """The server's resolver waits for one DNS server before it asks the next."""
    for name in ("web-01", "web-02"):
        world.across(name, {"resolve_ms": 5_010})


@case("TT717", "poll-01", confidence="likely")
def a_pollers_first_dns_server_is_late(world: Whole) -> None:
    world.across("poll-01", {"resolve_ms": 1_200})


@case("TT716", "poll-01", confidence="likely")
def a_silent_one_first(world: Whole) -> None:
    """The poller runs on Linux, and the IPv6 address of its server's name is silent."""
    world.across("poll-01", tried(Failure.TIMED_OUT, None, own="192.0.2.10", six=True))
