"""Guide: Identify the Problem."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("identify-the-problem")
def test_identify_the_problem(judge: Callable[[], None]) -> None:
    """There is often specific information about the communication status of the machine in the logs.

    The Tentacle's own log files, and what the server logs of the machine's name, address or thumbprint: what they say
    last counts, and what was followed by proof of recovery is history.
    """
    judge()
