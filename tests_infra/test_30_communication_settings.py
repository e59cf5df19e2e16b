"""Guide: Communication Settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("communication-settings")
def test_communication_settings(judge: Callable[[], None]) -> None:
    """Three pieces of information to verify.

    1. Ensure that the Tentacle is in listening, or polling, mode.
    2. Check the port that the Tentacle listens on, or polls the Octopus Server on.
    3. Check that the trusted Octopus Server thumbprint matches the one shown under Configuration, Thumbprints.
    """
    judge()
