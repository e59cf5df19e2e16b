"""Guide: not in it, and as common: disk space, clocks, versions with known defects."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("machine-health")
def test_machine_health(judge: Callable[[], None]) -> None:
    """There is free disk space, the clocks agree as far as that matters, and no known defect of the version shows.

    A disabled watchdog and what earlier installations left behind are evidence. Where an earlier step failed, the
    guide's last advice stands here: restart the services, then a clean slate ("Uninstall Tentacles").
    """
    judge()
