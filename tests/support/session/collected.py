"""The ids of all tests, as a process wrote them down that only collected: `scripts/dev.py check` starts one before the tests.

What the tests' own processes collect is held against it (`tests/suite/test_moods.py`).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FILE = "PYTEST_TENTACLE_COLLECTED"
"""The variable that names the file."""


def write(session: pytest.Session) -> None:
    """Write them, where this process is the one that is to."""
    if session.config.option.collectonly and (file := os.environ.get(FILE)):
        Path(file).write_text("".join(f"{item.nodeid}\n" for item in session.items), encoding="utf-8")


def written() -> set[str] | None:
    """What was written; None where nobody was to."""
    file = os.environ.get(FILE)
    return set(Path(file).read_text(encoding="utf-8").splitlines()) if file else None
