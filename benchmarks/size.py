"""What a run of thousands of machines costs: memory, time, page, and how both grow.

    python benchmarks/size.py --machines 1000 5000

Each size is a whole `pytest --inventory=fleet.yaml` in a process of its own, with survey file, bundle and all
reports, over real SSH to canned answers (`many_ssh.py`), in a network namespace of its own; it needs root. The aims,
for 5,000 machines on two cores: 600 MB, 5.3 times the time of 1,000, and a page of 5 MB at most. Time is CPU, since
other work on the machine is none of ours; wall time is shown beside it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_ssh import PORT, address_of

HERE = Path(__file__).resolve().parent
APART = "PYTEST_TENTACLE_BENCHMARK_APART"


@dataclass(frozen=True)
class Cost:
    """One run."""

    machines: int
    cpu: float
    wall: float
    memory: float
    page: int
    surveys: int
    bundle: int
    progress: list[tuple[float, str]]
    said: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, nargs="+", default=[200, 1000], metavar="N")
    parser.add_argument("--progress", action="store_true", help="show the lines of progress with their seconds")
    parser.add_argument("--profile", type=Path, help="profile the last run (its figures are then too large)")
    options = parser.parse_args()
    if not os.environ.get(APART):
        inside = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        command = [*inside, sys.executable, __file__, *sys.argv[1:]]
        return subprocess.run(command, env={**os.environ, APART: "yes"}, check=False).returncode
    with tempfile.TemporaryDirectory() as folder:
        costs = [
            measured(machines, Path(folder), options.profile if machines == options.machines[-1] else None)
            for machines in options.machines
        ]
    for cost in costs:
        print(
            f"{cost.machines:>6,} machines: {cost.cpu:7.1f} s of CPU, {cost.wall:7.1f} s, {cost.memory:5.0f} MB; page "
            f"{cost.page:,} bytes, surveys {cost.surveys:,}, bundle {cost.bundle:,}; {cost.said}"
        )
        if options.progress:
            for seconds, line in cost.progress:
                print(f"        {seconds:7.1f} s  {line}")
    for before, after in itertools.pairwise(costs):
        print(
            f"{after.machines:,} : {before.machines:,} = {after.machines / before.machines:.1f} : 1, "
            f"CPU {after.cpu / before.cpu:.2f} : 1, wall {after.wall / before.wall:.2f} : 1, "
            f"memory {after.memory / before.memory:.2f} : 1"
        )
    return 0


def measured(machines: int, folder: Path, profile: Path | None) -> Cost:
    place = folder / str(machines)
    place.mkdir()
    command = [sys.executable, str(HERE / "many_ssh.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as fleet:
        assert fleet.stdin is not None
        assert fleet.stdout is not None
        fleet.stdin.write(f"{machines}\n")
        fleet.stdin.flush()
        described = json.loads(fleet.stdout.readline())
        write_inventory(place, machines, described)
        cost = run(place, machines, profile)
        fleet.stdin.close()
    return cost


def write_inventory(place: Path, machines: int, described: dict[str, Any]) -> None:
    known = "".join(f"[{address_of(number)}]:{PORT} {described['host_key']}\n" for number in range(machines))
    (place / "known_hosts").write_text(known, encoding="ascii")
    (place / "ssh_config").touch()
    login = {
        "kind": "ssh", "port": PORT, "user": "bench", "password": "${env:BENCH_PASSWORD}", "agent": False,
        "known_hosts": "known_hosts", "ssh_config": "ssh_config",
    }  # fmt: skip
    inventory = {
        "defaults": {"tentacle": {"transport": login, "os": "linux", "shares_certificate": True}},
        "servers": [{"name": "octo-1", **described["server"]}],
        "tentacles": [
            {
                "name": f"lin-{number:04}",
                "ip": address_of(number),
                "mode": ("listening", "polling")[number % 2],
                "thumbprint": described["thumbprints"][number % 2],
            }
            for number in range(machines)
        ],
    }
    (place / "fleet.yaml").write_text(json.dumps(inventory), encoding="utf-8")


def run(place: Path, machines: int, profile: Path | None) -> Cost:
    environment = {**os.environ, "PYTEST_ADDOPTS": "", "BENCH_PASSWORD": "canned", "COLUMNS": "120"}
    python = [sys.executable, *(["-m", "cProfile", "-o", str(profile.absolute())] if profile else [])]
    command = [
        *python, "-m", "pytest", "--inventory=fleet.yaml", "--html=page.html", "--save-surveys=surveys.json",
        "--bundle=case.zip", "-p", "no:cacheprovider", "-q", "--machine-timeout=600",
    ]  # fmt: skip
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    lines = [(time.monotonic() - started, line.strip()) for line in process.stdout]
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit("\n".join(line for _, line in lines[-30:]))
    return Cost(
        machines=machines,
        cpu=used.ru_utime + used.ru_stime,
        wall=time.monotonic() - started,
        memory=used.ru_maxrss / 1024,
        page=(place / "page.html").stat().st_size,
        surveys=(place / "surveys.json").stat().st_size,
        bundle=(place / "case.zip").stat().st_size,
        progress=[(seconds, line) for seconds, line in lines if line.startswith(("surveying", "probing"))],
        said=lines[-1][1],
    )


if __name__ == "__main__":
    sys.exit(main())
