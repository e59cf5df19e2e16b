"""Guide: Check the IP Address."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("ip-addresses")
def test_ip_addresses(judge: Callable[[], None]) -> None:
    """Your Octopus Server or Tentacle Server may have multiple IP addresses, and may not listen on all of them.

    Check which addresses are configured, which one the other end uses, and which of them answers. An address of a NAT
    device is none of the machine's, and right as long as it answers.
    """
    judge()
