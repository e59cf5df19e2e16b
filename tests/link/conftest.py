"""What the tests of the link share."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from pytest_tentacle.link import By, Probe, Target, probe
from pytest_tentacle.link.resolving import is_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def probe_of() -> Callable[..., Probe]:
    """Probe a host and port; every option of `probe` may be given."""

    def ask(host: str, port: int, *, seconds: float = 5.0, **options: object) -> Probe:
        by = By.ADDRESS if is_literal(host) else By.NAME
        return probe(Target(id="one", host=host, port=port, by=by), seconds=seconds, **options)

    return ask


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """No test leaves a server's thread behind."""
    yield
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        left = [one.name for one in threading.enumerate() if one.name.startswith(("accept", "serve "))]
        if not left:
            return
        time.sleep(0.02)
    pytest.fail(f"threads were left behind: {left}")
