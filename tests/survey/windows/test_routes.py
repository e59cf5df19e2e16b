"""The way to each peer on Windows, by Find-NetRoute and the neighbours' table; no Windows was at hand."""

from __future__ import annotations

import pytest

from pytest_tentacle.survey.request import Request

PEERS = ("127.0.0.9", "127.0.0.10", "127.0.0.11", "127.0.0.12", "octo.lab")


@pytest.fixture
def sections():
    return {"routes"}


def asked(machine, **description):
    machine.description |= {"addresses": ["127.0.0.77"], "names": {"octo.lab": ["127.0.0.13"]}, **description}
    return machine.run(Request(peers=PEERS, probe_seconds=2.0, budget_seconds=200)).survey.routes


def test_ways(tentacle):
    """By a router, direct, none at all by either number of Windows, and another error; a name is looked up first."""
    routes = asked(
        tentacle,
        routes=[
            {"address": "127.0.0.9", "via": "127.0.0.1"},
            {"address": "127.0.0.11", "error": 1231},
            {"address": "127.0.0.12", "error": 87},
        ],
        neighbours=[{"address": "127.0.0.1", "state": 0}, {"address": "127.0.0.10", "state": 5}],
    ).data
    told = {route.address: (route.peer, route.via, route.error, route.neighbour, route.source) for route in routes}
    assert told == {
        "127.0.0.9": ("127.0.0.9", "127.0.0.1", None, "failed", "127.0.0.77"),
        "127.0.0.10": ("127.0.0.10", None, None, "reachable", "127.0.0.77"),
        "127.0.0.11": ("127.0.0.11", None, "no-route", None, None),
        "127.0.0.12": ("127.0.0.12", None, "other", None, None),
        "127.0.0.13": ("octo.lab", None, None, None, "127.0.0.77"),
    }
    assert {route.device for route in routes} == {"Ethernet0", None}


def test_refused(tentacle):
    """Without the right to ask nothing is known of the ways; without that to the neighbours they are known all the same."""
    assert "Windows System Error 5" in (asked(tentacle, denied=["routes"]).unknown or "")
    routes = asked(tentacle, denied=["neighbours"]).data
    assert [route.neighbour for route in routes] == [None] * len(PEERS)


def test_no_such_cmdlet(tentacle):
    """Before Windows Server 2012 there is none: unknown, and not a way that is missing."""
    assert asked(tentacle, absent=["Find-NetRoute"]).unknown
