"""The benchmark still runs, and its table has the shape that docs/benchmarks.md explains. No timing is asserted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def run(top: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """One small run over SSH, which needs no PowerShell: the printed table and the JSON file."""
    figures = tmp_path_factory.mktemp("benchmark") / "figures.json"
    arguments = ["--machines", "2", "--kind", "linux", "--repeat", "1", "--workers", "2", "--json", str(figures)]
    done = subprocess.run(
        [sys.executable, str(top / "benchmarks" / "fleet.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(figures.read_text(encoding="utf-8"))


class TestFigures:
    """One class, so that one process makes the run for all of them."""

    def test_has_both_contestants_and_their_ratio_in_each_row(self, run: tuple[str, dict[str, Any]]) -> None:
        """Machines per second, CPU and peak memory stand beside each other, as a ratio."""
        lines = run[0].splitlines()
        assert any(re.search(r"ours\s+testinfra\s+ours : testinfra$", line) for line in lines)
        for title in ("machines per second", "client CPU per machine", "client's peak memory"):
            (row,) = [line for line in lines if line.startswith(title)]
            assert re.search(r"\s[\d.]+\s+[\d.]+\s+([\d.]+ : 1|1 : [\d.]+)$", row), row

    def test_says_what_it_measured(self, run: tuple[str, dict[str, Any]]) -> None:
        """How many machines, threads and runs; versions; and that wall time is not the client's alone."""
        assert "2 machines (linux), 2 worker threads each, 1 runs" in run[0]
        assert re.search(r"pytest-testinfra \d+\.\d+", run[0])
        assert "the lab's servers share the cores" in run[0]

    def test_one_login_and_one_command_a_machine_against_one_for_each_fact(
        self, run: tuple[str, dict[str, Any]]
    ) -> None:
        """What the lab's servers counted, which does not depend on the machine's speed."""
        measures = run[1]["measures"]
        assert measures["linux_connections"]["ours"]["median"] == 1
        assert measures["linux_commands"]["ours"]["median"] == 1
        assert measures["linux_commands"]["testinfra"]["median"] > 10
        assert measures["cpu"]["ratio"] > 0

    def test_both_got_a_healthy_machine_s_answers(self, run: tuple[str, dict[str, Any]]) -> None:
        """Else the contestants would not have done the same work."""
        (ours,), (testinfra,) = run[1]["runs"]["ours"], run[1]["runs"]["testinfra"]
        assert ours["wrong"] == testinfra["wrong"] == []
        assert ours["got"]["passed"] > 5
        assert testinfra["got"] == {"answered": 30, "not answered": 0}
