"""Fifty hostile machines beside fifty healthy ones."""

from __future__ import annotations

import copy
import json
import os
import resource
import subprocess
import time
from itertools import cycle, islice

import pytest

from support import hostile

from .attacks import ATTACKS
from .conftest import Case

HALF = 50
MACHINE_TIMEOUT = 60
MEGABYTES = 300
MEASURED = """
import atexit, pathlib, re
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: pathlib.Path("peak").write_text(re.search("VmHWM:[^0-9]*([0-9]+)", status.read_text())[1]))
"""
"""The most memory that a run's process had itself: what `getrusage` tells begins with its parent's."""


@pytest.fixture
def fleet(tmp_path, documents, forks):
    """A case of that fleet: pollers, half of which answer with an attack each."""
    case = Case(tmp_path, documents, forks)
    rows = ["defaults: {tentacle: {os: linux, mode: polling, transport: {kind: ssh, user: u, password: 'a b c d'}}}"]
    rows += ["servers: [{name: octo-1, os: linux, transport: {kind: ssh, host: octo-1, user: u, password: 'a b c d'}}]"]
    rows += ["tentacles:"]
    for kind in ("hostile", "healthy"):
        rows += [f"- {{name: {kind}-{number:02d}, transport: {{host: {kind}-{number:02d}}}}}" for number in range(HALF)]
    (case.folder / "fleet.yaml").write_text("\n".join(rows) + "\n", encoding="utf-8")
    own = copy.deepcopy(documents["poll-01"])
    own["probes"] = [probe for probe in own["probes"] if "instance" in probe["link"]]
    for number, attack in enumerate(islice(cycle(ATTACKS), HALF)):
        case.says(f"hostile-{number:02d}", attack.answer(copy.deepcopy(documents["web-01"])), seconds=number % 3)
        case.says(f"healthy-{number:02d}", hostile.framed(own))
    (case.folder / "measured.py").write_text(MEASURED, encoding="utf-8")
    return case


def outcomes(case, name):
    """Each machine's steps and their outcomes, by a JSON report."""
    report = json.loads((case.folder / f"{name}.json").read_text(encoding="utf-8"))
    return {
        machine["name"]: {result["step"]: result["outcome"] for result in machine["results"]}
        for machine in report["machines"]
    }


class TestFleet:
    def test_fifty_hostile_machines_beside_fifty_healthy_ones(self, fleet):
        """Fifty right verdicts and fifty unknowns, in less CPU than twice the machine time-out, and under 300 MB."""
        path = os.pathsep.join([str(fleet.folder), fleet.environment()["PYTHONPATH"]])
        common = ("-p", "measured", "--machine-timeout", MACHINE_TIMEOUT)
        alone = fleet.run(*common, "--limit", "healthy-*", "--html", "alone.html", PYTHONPATH=path)
        assert alone.returncode in {0, 1}, alone.stdout[-2000:]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        both = subprocess.run(
            fleet.command(*common, "--html", "both.html"), cwd=fleet.folder, env=fleet.environment(PYTHONPATH=path),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        took = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert both.returncode == 1, both.stdout[-2000:]
        assert "Traceback" not in both.stdout + both.stderr
        expected, found = outcomes(fleet, "alone"), outcomes(fleet, "both")
        for number in range(HALF):
            name = f"healthy-{number:02d}"
            assert "passed" in found[name].values()
            assert found[name] == expected[name]
            assert set(found[f"hostile-{number:02d}"].values()) == {"unknown"}
        peak = int((fleet.folder / "peak").read_text()) / 1024
        print(f"\n{took:.0f} s, {cpu:.0f} s of CPU, {peak:.0f} MB at most")
        assert cpu < 2 * MACHINE_TIMEOUT
        assert peak < MEGABYTES
