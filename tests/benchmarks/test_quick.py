"""The benchmark of one machine still runs. No figure is asserted: the machine has other work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_prints_its_figures(top: Path) -> None:
    """Ours judged what can be seen from outside; the peer reached the port."""
    done = subprocess.run(
        [sys.executable, str(top / "benchmarks" / "quick.py"), "--repeat", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(
        r"^pytest-tentacle +[\d.]+ s of CPU, [\d.]+ s in all: 2 passed, .*unknown", done.stdout, re.MULTILINE
    )
    assert re.search(r"^testinfra +[\d.]+ s of CPU, [\d.]+ s in all: 1 passed", done.stdout, re.MULTILINE)
