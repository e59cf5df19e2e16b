"""What is set up at http.sys, from the registry: certificates by endpoint, and for whom prefixes are reserved."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.sections.connections.reserved import entries_of_descriptor

OWN, OTHER = "0123456789ABCDEF" * 2 + "01234567", "F" * 40
PREFIXES = "https://octopus.example/, http://*:8080/x"


@pytest.fixture
def sections():
    return {"reservations", "listeners"}


@pytest.fixture
def server(machine: Any) -> Any:
    """A German one, with a portal and a web socket."""
    machine.description |= {
        "locale": "de",
        "bindings": [
            {"endpoint": "0.0.0.0:443", "thumbprint": OWN},
            {"endpoint": "[::]:8444", "thumbprint": OTHER, "store": "WebHosting", "without_key": True},
            {"endpoint": "octopus.example:443", "thumbprint": OTHER, "lost": True},
        ],
        "url_acl": {"https://octopus.example:443/": "S-1-5-21-1-2-3-1001"},
        "sockets": [{"address": "::", "port": port, "pid": 4, "state": "listen"} for port in (443, 8080, 8443, 9000)],
    }
    settings = {
        "Octopus.WebPortal.ListenPrefixes": PREFIXES,
        "Octopus.Communications.WebSocketPrefix": "https://+:9000/c",
    }
    machine.add_instance("OctopusServer", machine.settings | settings, product="OctopusServer")
    return machine


@pytest.mark.parametrize("named_keys", [True, False])
def test_what_is_set_up(server: Any, named_keys: bool) -> None:
    """A key of a host's name may be called by it, or hold it as a value: 8f is not sure."""
    server.description["named_keys"] = named_keys
    survey = server.run().survey
    found = survey.reservations.data
    assert {each.endpoint: (each.thumbprint, each.store, each.stored, each.has_key) for each in found.bindings} == {
        "0.0.0.0:443": (OWN, "MY", True, True),
        "[::]:8444": (OTHER, "WebHosting", True, False),
        "octopus.example:443": (OTHER, "MY", False, None),
    }
    reserved = {each.url: [entry.sid for entry in entries_of_descriptor(each.descriptor)] for each in found.prefixes}
    assert reserved["https://octopus.example:443/"] == ["S-1-5-21-1-2-3-1001"]
    assert reserved["http://+:80/Temporary_Listen_Addresses/"] == ["S-1-1-0"]
    assert found.unread_settings is None
    assert {each.port for each in survey.listeners.data} == {443, 8080, 8443, 9000}


def test_netsh_that_fails_takes_nothing_of_it(server: Any) -> None:
    server.deny("netsh")
    found = server.run().survey.reservations.data
    assert (found.excluded, found.http_sys) == (None, None)
    assert "exit code 1" in found.unread
    assert len(found.bindings) == 3


def test_a_tentacle_is_not_asked(healthy: Any) -> None:
    found = healthy.reservations.data
    assert (found.bindings, found.prefixes, found.unread_settings) == (None, None, None)
