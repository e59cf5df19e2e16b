"""Guide: Tentacle Ping."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("tentacle-ping")
def test_tentacle_ping(judge: Callable[[], None]) -> None:
    """Test the communications protocol between two servers: only where --ping-count or --ping-duration asks for it.

    For listening Tentacles the Octopus Server is the client, for polling ones the Tentacle is: from there the link is
    opened again and again. No attempt is lost, none is slow, and the same certificate answers each time.
    """
    judge()
