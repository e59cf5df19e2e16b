"""What tests of several parts share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent

RunPytest = Callable[..., "subprocess.CompletedProcess[str]"]


def _missing(what: str) -> None:
    """A tool that CI is meant to have is a failure there, and elsewhere a skip that says what was not tested."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(f"{what} (in CI this is a failure)")


@pytest.fixture(scope="session")
def engine() -> Path:
    """A PowerShell."""
    found = os.environ.get("PYTEST_TENTACLE_POWERSHELL") or shutil.which("pwsh")
    if not found:
        _missing("no PowerShell: set PYTEST_TENTACLE_POWERSHELL to the path of a pwsh, or put it on the PATH")
    return Path(str(found))


@pytest.fixture(scope="session")
def analyzer() -> str:
    """What says whether a script keeps to Windows PowerShell 5.1."""
    found = os.environ.get("PYTEST_TENTACLE_ANALYZER") or shutil.which("analyze")
    if not found:
        _missing("no analyzer: set PYTEST_TENTACLE_ANALYZER to its path")
    return str(found)


@pytest.fixture(scope="session")
def root() -> None:
    """The right to make network namespaces."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        _missing("network namespaces need root")


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
