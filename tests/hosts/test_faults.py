"""Faults in a lab of separate hosts, for real: some of each area here, all of them by `scripts/dev.py faults`.

Needs root, and the programs that `dev.py` names; without one of them these tests fail and say so.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts.lab import Lab, pairs, running
from support.hosts.scenarios import SCENARIOS

SINGLE = ("healthy", "own-iptables-legacy", "server-no-default", "crash-loop", "masked", "box-stunnel")
"""A sample: all of them are judged from recorded surveys, `test_recorded.py`."""

PAIRS = ("own-nft-drop server-one-source",)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running() as up:
        yield up


@pytest.mark.parametrize("name", SINGLE)
def test_one_fault(name: str, lab: Lab) -> None:
    """Its cause is named first on each machine that it concerns, and no other machine is accused."""
    answer = lab.tried(name)
    assert answer["right"], (answer["faults"], answer["found"])


@pytest.mark.parametrize("names", PAIRS)
def test_two_faults(names: str, lab: Lab) -> None:
    """Both causes are named."""
    answer = lab.tried(*names.split())
    assert answer["right"], (answer["faults"], answer["found"])


def test_nothing_is_left_after_a_kill() -> None:
    """The lab's processes end with whoever started it, even by SIGKILL."""
    words = (
        "import sys, time; sys.path.insert(0, 'tests'); from support.hosts.lab import running\n"
        "with running() as lab: print('up', flush=True); time.sleep(600)"
    )
    top = Path(__file__).resolve().parents[2]
    starter = subprocess.Popen([sys.executable, "-c", words], cwd=top, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "up\n"
    family = _descendants(starter.pid)
    assert len(family) > 10, family
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 30
    while (left := [pid for pid in family if _lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def test_scenarios_are_many() -> None:
    """Single faults over all areas; pairs never break the same place twice."""
    assert sum(not each.healthy for each in SCENARIOS.values()) >= 110
    assert len({each.area for each in SCENARIOS.values()}) >= 12
    assert len(pairs(list(SCENARIOS.values()), 200, seed=1)) == 200


def _descendants(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*/task/[0-9]*/children"):
        if folder.parts[2] == str(pid) and folder.parts[2] == folder.parts[4]:
            for child in map(int, folder.read_text(encoding="ascii").split()):
                found += [child, *_descendants(child)]
    return found


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
