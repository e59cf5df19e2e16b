"""A few lab machines, surveyed once; most tests of a run then replay them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

MACHINES = "web-02,poll-02,missing-01,away-01,mode-01"
"""Linux ones, so that these tests need no PowerShell, and their server is kept out: it is a Windows machine."""


@pytest.fixture(scope="session")
def surveyed(run_pytest, top: Path, tmp_path_factory: pytest.TempPathFactory):
    """A real run over a part of the lab: its process, folder, and the survey file that it saved."""
    folder = tmp_path_factory.mktemp("run")
    done = run_pytest(
        "--inventory", top / "inventory" / "lab.yaml", "--limit", MACHINES + ",!octo-1", "--save-surveys", "saved.json",
        "--junitxml", "junit.xml", "-p", "no:cacheprovider",
        cwd=folder,
    )  # fmt: skip
    assert (folder / "saved.json").exists(), done.stdout + done.stderr
    return done, folder, folder / "saved.json"


@pytest.fixture
def run_here(run_pytest, pytester: pytest.Pytester) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run pytest in the folder of the test, on a console of 80 columns, without a terminal: `run_here(*arguments)`."""
    assert pytester.path.is_dir()

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return run_pytest(*arguments, cwd=Path.cwd(), environment={"COLUMNS": "80"})

    return run
