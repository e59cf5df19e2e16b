"""What one healthy machine costs the one who asks, from the command to the verdict: seconds of CPU, and of waiting.

The machine is a Tentacle's port on loopback, seen from outside: start-up, survey, verdict and report are those of any
run, but for a log-on. Its peer is testinfra with pytest-html, asking whether the same port can be reached.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate

PEER = """
def test_port(host):
    assert host.addr("127.0.0.1").port({port}).is_reachable
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    options = parser.parse_args()
    listener = HalibutListener("127.0.0.1", 0, certificate=make_certificate(), product="tentacle")
    listener.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "test_peer.py").write_text(PEER.format(port=listener.port), encoding="utf-8")
            ours = [
                run(place, "--tentacle", f"127.0.0.1:{listener.port}", "--unknown=warn", "--html=r.html")
                for _ in range(options.repeat)
            ]
            theirs = [
                run(place, "-p", "no:tentacle", "--hosts=local://", "--html=r.html", "test_peer.py")
                for _ in range(options.repeat)
            ]
    finally:
        listener.stop()
    for name, costs in (("pytest-tentacle", ours), ("testinfra", theirs)):
        cpu, seconds = (statistics.median(cost[at] for cost in costs) for at in (0, 1))
        print(f"{name:<15} {cpu:.2f} s of CPU, {seconds:.2f} s in all: {costs[0][2]}")


def run(place: Path, *options: str) -> tuple[float, float, str]:
    """Seconds of CPU of the process and of its children, seconds of the clock, and its last line."""
    before, started = _children(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return _children() - before, seconds, done.stdout.strip().splitlines()[-1].strip("= ")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
