"""Guide: Watch out for proxy servers or SSL offloading."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("proxies-and-ssl-offloading")
def test_proxies_and_ssl_offloading(judge: Callable[[], None]) -> None:
    """Full HTTP is not supported, so network services like SSL offloading are not supported.

    Make sure there is a direct connection between the Octopus Server and Tentacle, or that the proxy which a polling
    Tentacle is told to use can be one: its own settings, those of its account and of the machine are told apart.
    """
    judge()
