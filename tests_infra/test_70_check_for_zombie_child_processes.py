"""Guide: Check for Zombie Child Processes Locking TCP Ports (Listening Tentacles)."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("zombie-child-processes")
def test_zombie_child_processes(judge: Callable[[], None]) -> None:
    """A zombie PowerShell.exe or Calamari.exe process that was launched by Tentacle may still hold the TCP port.

    Then the Tentacle fails to start: "A required communications port is already in use." Rebooting the machine, or
    killing the zombie process, fixes it. The port of a polled Octopus Server is looked at likewise.
    """
    judge()
