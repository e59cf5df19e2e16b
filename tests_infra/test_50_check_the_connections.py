"""Guide: Check the Connections."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("welcome-page-here")
def test_welcome_page_on_the_machine_itself(judge: Callable[[], None]) -> None:
    """On the Tentacle machine, https://localhost:10933 shows the page; for polling, on the server, port 10943.

    If you can't browse to the page, it is very likely that the communications port cannot be opened, either because of
    permissions, or because another process is listening on that port.
    """
    judge()


@pytest.mark.tentacle_step("welcome-page-across")
def test_welcome_page_across_the_link(judge: Callable[[], None]) -> None:
    """From the Octopus Server to a listening Tentacle, or from a polling Tentacle to every server node.

    First try the DNS hostname, then the IP address: success using the IP address but not the DNS hostname indicates a
    DNS issue. Failing to connect means that you have a network issue between the two: check the port in any firewalls.
    """
    judge()


@pytest.mark.tentacle_step("local-firewall")
def test_local_firewall(judge: Callable[[], None]) -> None:
    """Remember to check the built-in Windows Firewall, and any other firewalls.

    The packet filter of the machine that listens lets the port in. Where a peer's connection came through, the rules
    are evidence only; firewalls on the way are not seen from here.
    """
    judge()


@pytest.mark.tentacle_step("connections-established")
def test_connections_established(judge: Callable[[], None]) -> None:
    """A polling Tentacle's process holds a connection to each of its servers; at either end none pile up in CLOSE_WAIT.

    Many of them from one foreign address mean that something blocks or resets what comes from there.
    """
    judge()
