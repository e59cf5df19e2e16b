"""Guide: Check the Load Time."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.tentacle_step("load-time")
def test_load_time(judge: Callable[[], None]) -> None:
    """`Tentacle.exe help`, or `Octopus.Server.exe help`, is displayed immediately (< 1s).

    Without Internet access, Windows' check of code signing certificates for revocation may cause a pause during
    loading, which may prevent Octopus and Tentacles connecting.
    """
    judge()
