"""What it costs to replay N machines, beside pytest with pytest-html on as many empty tests: CPU and memory.

The fleet is that of `diagnosis.py`. Both are whole pytest runs, each in a process of its own, and write their page.
Each is run once before it counts, so that all modules are compiled, as those of an installed package are. The goal is
a ratio of 1.5 and 300 MB.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from diagnosis import sick_fleet
from pytest_tentacle.survey.store import dumps

EMPTY = """import pytest

@pytest.mark.parametrize("step", range({steps}))
@pytest.mark.parametrize("machine", range({machines}))
def test_empty(machine, step):
    pass
"""
WITHOUT_OURS = ("-p", "no:tentacle")
"""The other run has the same environment, with every other plugin in it."""


@dataclass(frozen=True)
class Cost:
    """One run: seconds of CPU, the most memory in MB, and its last line."""

    cpu: float
    memory: float
    said: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=1000, help="Tentacles, half of them listening (default 1000)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--cold", action="store_true", help="count the first run of each as well")
    options = parser.parse_args()
    before = 0 if options.cold else 1
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "surveys.json").write_text(dumps(sick_fleet(options.machines).surveys()), encoding="utf-8")
        ours = several(options.repeat, before, place, "--replay", "surveys.json", "--html", "ours.html")
        tests = number_of_tests(ours[0].said)
        machines = options.machines + 1
        whole, rest = divmod(tests, machines)
        empty = EMPTY.format(steps=whole + bool(rest), machines=machines)
        (place / "test_empty.py").write_text(empty, encoding="utf-8")
        theirs = several(options.repeat, before, place, *WITHOUT_OURS, "--html", "theirs.html", "test_empty.py")
    for name, costs in (("replay", ours), ("empty tests", theirs)):
        cpu, memory = (statistics.median(getattr(cost, key) for cost in costs) for key in ("cpu", "memory"))
        print(f"{name:<12} {cpu:6.2f} s of CPU, {memory:4.0f} MB: {costs[0].said}")
    ratio = statistics.median(cost.cpu for cost in ours) / statistics.median(cost.cpu for cost in theirs)
    print(f"ratio {ratio:.2f}")


def several(times: int, before: int, place: Path, *arguments: str) -> list[Cost]:
    """So many runs, after those that do not count."""
    return [run(place, *arguments) for _ in range(before + times)][before:]


def run(place: Path, *arguments: str) -> Cost:
    """One pytest run in a process of its own."""
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    with (place / "output").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=place, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().strip().splitlines()
    if process.returncode not in (0, 1):
        sys.exit("\n".join(lines[-20:]))
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, lines[-1])


def number_of_tests(last_line: str) -> int:
    """From pytest's last line."""
    words = r"(\d+) (?:passed|failed|unknown|blocked|waived|noted|errors?|skipped)"
    return sum(int(number) for number in re.findall(words, last_line))


if __name__ == "__main__":
    main()
