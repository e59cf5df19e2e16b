"""The benchmark of a replay still runs. No figure is asserted: the machine has other work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_prints_its_figures(top: Path) -> None:
    """Both runs with CPU, memory and what pytest said, and how they compare."""
    done = subprocess.run(
        [sys.executable, str(top / "benchmarks" / "replay.py"), "--machines", "12", "--repeat", "1", "--cold"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ours = re.search(r"^replay +[\d.]+ s of CPU, +\d+ MB: (.*)", done.stdout, re.MULTILINE)
    theirs = re.search(r"^empty tests +[\d.]+ s of CPU, +\d+ MB: (\d+) passed", done.stdout, re.MULTILINE)
    assert ours
    assert theirs
    judged = sum(int(number) for number in re.findall(r"(\d+) (?!deselected)[a-z]+[, ]", ours[1]))
    assert judged <= int(theirs[1]) < judged + 13
    assert re.search(r"^ratio \d+\.\d\d$", done.stdout, re.MULTILINE)
