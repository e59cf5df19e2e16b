"""Faults in a lab of separate hosts, for real: some of each area here, all of them by `scripts/dev.py faults`.

Needs root, and the programs that `dev.py` names; without one of them these tests fail and say so.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import namespaces
from support.hosts.faults import figures
from support.hosts.lab import TOOLS, Lab
from support.hosts.scenarios import SCENARIOS
from support.hosts.together import combinable, drawn, leans_on, resources

TOP = Path(__file__).resolve().parents[2]

SINGLE = ("healthy", "own-iptables-legacy", "server-no-default", "crash-loop", "masked", "windows-box-poll-stunnel")
"""A sample: all of them are judged from recorded surveys, `test_recorded.py`."""

PAIRS = ("own-nft-drop server-one-source",)


@pytest.fixture(scope="module")
def starter() -> Iterator[subprocess.Popen[str]]:
    """A process that has started the lab, and gives it its own stdin and stdout."""
    words = (
        "import sys; sys.path.insert(0, 'tests'); from support import namespaces; from support.hosts.lab import PROGRAM\n"
        "namespaces.start(PROGRAM).wait()"
    )
    namespaces.require(*TOOLS)
    process = subprocess.Popen(
        [sys.executable, "-c", words],
        cwd=TOP,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=namespaces.die_with_parent,  # noqa: PLW1509  nothing but a system call
    )
    with namespaces.ended(process):
        yield process


@pytest.fixture(scope="module")
def lab(starter: subprocess.Popen[str]) -> Lab:
    up = Lab(starter)
    up.wait()
    return up


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


def test_scenarios_are_many() -> None:
    """Single faults over all areas; a pair may meet on a machine, and changes nothing in common."""
    assert sum(not each.healthy for each in SCENARIOS.values()) >= 110
    assert len({each.area for each in SCENARIOS.values()}) >= 12
    drawn_ones = drawn(list(SCENARIOS.values()), 200, seed=1)
    assert len(drawn_ones) == 200
    assert not any(resources(one) & resources(two) for one, two in drawn_ones)
    assert sum(bool(set(one.expect) & set(two.expect)) for one, two in drawn_ones) >= 60


@pytest.mark.parametrize(
    ("one", "two", "fit"),
    [
        ("own-nft-drop", "stopped", True),
        ("own-nft-drop", "stale-record", True),
        ("own-nft-drop", "own-iptables-drop", False),  # one cause names both
        ("stopped", "crash-loop", False),  # the service is started anew
        ("stale-record", "no-record", False),  # one DNS server, started anew
        ("box-silent", "box-closes", False),  # one port of the router
        ("box-haproxy-other", "own-two", False),  # the one leads to a machine that the other breaks
        ("router-one", "box-silent", False),  # the one takes the packets that the other drops
        ("own-nft-drop", "windows-stopped", False),  # other hosts are up
    ],
)
def test_what_can_be_combined(one: str, two: str, fit: bool) -> None:
    """Neither undoes what the other changes, works through it, or takes its packets away; and both can be told apart."""
    assert combinable(SCENARIOS[one], SCENARIOS[two]) is fit
    assert combinable(SCENARIOS[two], SCENARIOS[one]) is fit


def test_pairs_are_counted_apart() -> None:
    """What was named; what is masked; what is unknown beside the other; and what is wrong, whatever excuse it has."""
    answers = [
        {"right": True, "both": True, "masked": [], "unknown": ["b"]},
        {"right": True, "both": False, "masked": ["a"], "unknown": ["b"]},
        {"right": True, "both": False, "masked": [], "unknown": ["b"]},
        {"right": False, "both": False, "masked": ["a"], "unknown": []},
    ]
    assert figures(answers) == (
        "of 4 pairs: 1 with both causes named, 1 with one that is masked (the survey is that of the other fault alone), "
        "1 with a doubtful one that is said to be unknown beside the other, 1 misjudged"
    )


def test_what_a_fault_works_through() -> None:
    """A machine that its commands name, and that it does not break."""
    assert leans_on(SCENARIOS["box-haproxy-other"]) == {"web-2"}
    assert leans_on(SCENARIOS["own-nft-drop"]) == frozenset()


def test_nothing_is_left_after_a_kill(lab: Lab, starter: subprocess.Popen[str]) -> None:
    """The lab's processes end with whoever started it, even by SIGKILL. It comes last: the lab is gone then."""
    family = _descendants(starter.pid)
    assert len(family) > 10, family
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 30
    while (left := [pid for pid in family if _lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def _descendants(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):  # one of them ends meanwhile
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()):
            found += [child, *_descendants(child)]
    return found


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
