"""Guide: Check the Octopus and Tentacle Services are Running."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("services-running")
def test_services_running(judge: Callable[[], None]) -> None:
    """Look for "OctopusDeploy Tentacle" and verify that the service is in the "Running" state.

    If it is not, start it and allow 30 seconds; if it stops, it is likely that it crashes during startup, and its log
    says why. On an Octopus Server the same goes for its own service.
    """
    judge()
