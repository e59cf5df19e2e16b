"""The lab of hosts as a site: a worker stands where its machines are reached, and the controller in a network without them.

This module, run by `Place.run` with FOLDER, writes what came of three commands into FOLDER/seen.json: a run with `--restart`,
`pytest-tentacle mend` without and with `--executor`, and a run with `--restart` whose worker is killed in the middle. The
controller has neither a route to the machines nor the key to log on with.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from support.fleets.clusters import ENGINE, Cluster, wait_for
from support.session.begun import Begun, enter_network, module

SLOW_STOP = "sleep 9.25"
"""What web-2's service does before it ends, in the last run."""

CLONE_NEWNS = 0x00020000

HURRY = ("-p", "support.acting.hurry", "-k", "services-running")


def main(folder: Path) -> None:
    network = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        wait_for("a network of its own", lambda: _net(network.pid).readlink() != _net(os.getpid()).readlink())
        for words in (
            f"link add ctl type veth peer name out netns {network.pid}", "addr add 192.0.2.1/30 dev ctl", "link set ctl up",
        ):  # fmt: skip
            subprocess.run(["ip", *words.split()], check=True)
        for words in ("addr add 192.0.2.2/30 dev out", "link set out up", "link set lo up"):
            subprocess.run(["nsenter", "-t", str(network.pid), "-n", "ip", *words.split()], check=True)
        importlib.import_module(ENGINE)  # all else has been read by whoever began this
        with Cluster(folder / "cluster", "192.0.2.1") as cluster:
            cluster.worker("north-a", "north", words=["--host", "192.0.2.1"])
            seen = _seen(folder, cluster, _net(network.pid))
            seen["said"] = {name: cluster.said(name) for name in ("scheduler", "north-a", "north-b")}
        (folder / "seen.json").write_text(json.dumps(seen), encoding="utf-8")
    finally:
        network.kill()
        network.wait()


def _net(pid: int) -> Path:
    return Path(f"/proc/{pid}/ns/net")


def _be_controller(network: Path) -> None:
    """Without a route to the machines, nor the key to log on with."""
    enter_network(network)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    for words in (["--make-rprivate", "/"], ["-t", "tmpfs", "none", "/mnt"]):
        subprocess.run(["mount", *words], check=True)


def _seen(folder: Path, cluster: Cluster, network: Path) -> dict[str, Any]:
    def begun(*words: str) -> tuple[Begun, Path]:
        def work() -> None:
            _be_controller(network)
            module(*words)()

        with tempfile.NamedTemporaryFile(dir=folder, suffix=".out", delete=False) as out:
            return Begun(work, cwd=folder, environment=os.environ, out=out.fileno()), Path(out.name)

    def ended(process: Begun, out: Path) -> dict[str, Any]:
        return {"code": process.wait(timeout=200), "out": out.read_text(encoding="utf-8")}

    run = ["pytest", "-p", "no:cacheprovider", "--inventory=sited.yaml", *cluster.executor, "--yes", *HURRY]
    seen: dict[str, Any] = {
        "restarted": ended(*begun(*run, "--restart", "tentacle", "--limit", "web-1,web-2", "--html=restarted.html"))
    }
    mend = ["pytest_tentacle.cli", "mend", "restarted.json", "--cause", "TC2052", "--machine", "web-1", "--yes"]
    seen["from_here"] = ended(*begun(*mend))
    seen["mended"] = ended(*begun(*mend, *cluster.executor))
    cluster.worker("north-b", "north", words=["--host", "192.0.2.1"])
    before = {name: cluster.said(name).count("do_once") for name in ("north-a", "north-b")}
    killed = begun(*run, "--restart", "tentacle", "--limit", "poll-1", "--html=killed.html")
    wait_for("the restart", lambda: _runs(SLOW_STOP))
    doer = next(name for name in before if cluster.said(name).count("do_once") > before[name])
    cluster.kill(doer)
    seen["killed"] = ended(*killed)
    seen["calls"] = sum(cluster.said(name).count("do_once") - before[name] for name in before)
    return seen


def _runs(command: str) -> bool:
    return subprocess.run(["pgrep", "-f", command], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
