"""What the tests of the middle boxes and of the Halibut listener share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_thread_left(no_thread_left: None) -> None:
    """No test here leaves a server's thread behind."""
