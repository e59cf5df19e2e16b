"""What tests of several parts share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent

RunPytest = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def top() -> Path:
    """The top of the checkout."""
    return TOP


@pytest.fixture(scope="session")
def run_pytest() -> RunPytest:
    """Run pytest as a user does, in a process of its own: `run_pytest(*arguments, cwd=..., environment=...)`."""

    def run(*arguments: object, cwd: Path, environment: Mapping[str, str] | None = None) -> object:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *map(str, arguments)],
            cwd=cwd,
            env={**kept, "COLUMNS": "140", "NO_COLOR": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    return run
