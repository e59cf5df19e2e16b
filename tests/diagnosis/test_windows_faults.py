"""Faults of Windows machines, by the first thing that a person is told of them; they are in `support/windows_faults/`.

And what looks like one of the rarer ones and is another: the cause of that one is not named.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.sections import STEPS, applicable
from pytest_tentacle.survey.surroundings import AccessEntry, Proxy, Route
from support.faults.surroundings import FULL, HOME, ME, READ, on, rights
from support.fleets.failures import DROPPED, REFUSED
from support.fleets.whole import Whole, make_windows, wide_fleet
from support.windows_faults import TRUTHS, Truth, wrongs
from support.windows_faults.rarer import network_event

DENIED = "System.UnauthorizedAccessException: Access to the path '{}' is denied."


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda each: each.id)
def test_the_first_cause_is_the_truth_and_nobody_else_is_accused(truth: Truth) -> None:
    assert wrongs(truth) == [], truth.what


def conflict_of_yesterday(world: Whole) -> None:
    world.sections["web-01"]["events"] = network_event(4199, 86400, "", "198.51.100.1", "00-50-56-9A-12-34")
    world.both("web-01", REFUSED)


def conflict_about_another_address(world: Whole) -> None:
    """It is that of its card for backups, which nobody asks for."""
    world.sections["web-01"]["events"] = network_event(4199, 300, "", "10.0.0.5", "00-50-56-9A-12-34")
    world.both("web-01", REFUSED)


def way_back_by_the_same_card(world: Whole) -> None:
    world["web-01"].host["addresses"] = ("198.51.100.1", "10.0.0.5")
    way = {"via": "198.51.100.254", "device": "Ethernet", "source": "198.51.100.1"}
    world.sections["web-01"]["routes"] = (Route(peer="192.0.2.10", address="192.0.2.10", **way),)
    world.both("web-01", DROPPED)


def refused_though_the_way_back_is_another(world: Whole) -> None:
    """A refusal is an answer, and it came back."""
    world["web-01"].host["addresses"] = ("198.51.100.1", "10.0.0.5")
    way = {"via": "10.0.0.1", "device": "Ethernet 2", "source": "10.0.0.5"}
    world.sections["web-01"]["routes"] = (Route(peer="192.0.2.10", address="192.0.2.10", **way),)
    world.both("web-01", REFUSED)


def proxy_of_the_account_beside_winhttps(world: Whole) -> None:
    make_windows(world, "poll-01")
    one = Proxy(layer="winhttp", enabled=True, address="proxy.example:8080")
    own = Proxy(layer="wininet", account="LocalSystem", enabled=True, address="proxy.example:8080")
    world.sections["poll-01"]["proxies"] = (one, own)
    world.both("poll-01", DROPPED)


def winhttps_proxy_is_off(world: Whole) -> None:
    make_windows(world, "poll-01")
    world.sections["poll-01"]["proxies"] = (Proxy(layer="winhttp", enabled=False, address="proxy.example:8080"),)
    world.both("poll-01", DROPPED)


def denied_by_the_list(world: Whole) -> None:
    rights(world, on(HOME, AccessEntry(sid=ME, mask=READ)))
    world.say("web-01", "ERROR", DENIED.format(rf"{HOME}\Work"))


def denied_elsewhere(world: Whole) -> None:
    """The home's access lists say nothing of an application's folder."""
    rights(world, on(HOME, AccessEntry(sid=ME, mask=FULL)))
    world.say("web-01", "ERROR", DENIED.format(r"D:\inetpub\wwwroot"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (conflict_of_yesterday, "TC5200"),
        (conflict_about_another_address, "TC5200"),
        (way_back_by_the_same_card, "TC5219"),
        (refused_though_the_way_back_is_another, "TC5219"),
        (proxy_of_the_account_beside_winhttps, "TC5217"),
        (winhttps_proxy_is_off, "TC5217"),
        (denied_by_the_list, "TC1261"),
        (denied_elsewhere, "TC1261"),
    ],
)
def test_it_is_another_fault(change: Callable[[Whole], None], code: str) -> None:
    world = wide_fleet()
    change(world)
    fleet = world.fleet()
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    found = [cause.code for cause in diagnose(fleet, results).views()]
    assert found
    assert code not in found
