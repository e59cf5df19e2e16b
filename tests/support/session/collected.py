"""The ids of all tests, as a process wrote them down that only collected: `scripts/dev.py check` starts one before the tests.

What the tests' own processes collect is held against it (`tests/suite/test_moods.py`).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

FILE = "PYTEST_TENTACLE_COLLECTED"
"""The variable that names the file."""


def write(session: pytest.Session) -> None:
    """Write them, where this process is the one that is to: the first; those that tests start come later."""
    if session.config.option.collectonly and (file := os.environ.get(FILE)):
        with contextlib.suppress(FileExistsError), Path(file).open("x", encoding="utf-8") as ids:
            ids.writelines(f"{item.nodeid}\n" for item in session.items)


def written() -> set[str] | None:
    """What was written; None where nobody was to."""
    file = os.environ.get(FILE)
    return set(Path(file).read_text(encoding="utf-8").splitlines()) if file else None
