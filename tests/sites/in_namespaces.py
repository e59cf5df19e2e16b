"""Two sites in network namespaces, each with a machine of the same private address, and a controller that reaches neither.

Process 1 of namespaces of its own (`support.namespaces`), which is the controller: `in_namespaces.py FOLDER`. It writes
what it has seen into `seen.json` there. Each site is a namespace with a link to the controller's; its machine, a real
SSH server with a Tentacle's port, has 10.0.0.5 on the site's own loopback, where no route leads.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import one_machine

from support.fleets.clusters import ENGINE, Cluster, wait_for
from support.session.begun import Begun, enter_network, module
from support.session.forked import read_modules

CANARY = "canary-4711-Password"
OF_WORKER = "canary-0815-Secret"
CLONE_NEWUTS = 0x04000000
MACHINE = "10.0.0.5"
RUN = ["pytest", "-p", "no:cacheprovider", "-q"]
INVENTORY = f"""
defaults: {{tentacle: {{os: linux, mode: listening, port: 10933}}}}
servers:
- {{name: octo-1, dns_name: octo-1.example}}
tentacles:
- name: north-01
  ip: {MACHINE}
  site: north
  transport: {{kind: ssh, user: someone, password: '${{env:NORTH}}', host_keys: insecure, agent: false}}
- name: south-01
  ip: {MACHINE}
  site: south
  secrets: worker
  transport: {{kind: ssh, user: someone, password: '${{env:SOUTH}}', host_keys: insecure, agent: false}}
- name: west-01
  ip: {MACHINE}
  site: west
  transport: {{kind: ssh, user: someone, password: '${{env:NORTH}}', host_keys: insecure, agent: false}}
"""


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, timeout=20)


def main(folder: Path) -> None:
    Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)  # names of namespaces are ours alone
    ip("link set lo up")
    for number, site in enumerate(("north", "south")):
        ip(f"netns add {site}")
        ip(f"link add {site} type veth peer name out netns {site}")
        ip(f"addr add 192.0.2.{4 * number + 1}/30 dev {site}")
        ip(f"link set {site} up")
        ip(f"-n {site} link set lo up")
        ip(f"-n {site} addr add {MACHINE}/32 dev lo")
        ip(f"-n {site} addr add 192.0.2.{4 * number + 2}/30 dev out")
        ip(f"-n {site} link set out up")
        ip(f"-n {site} route add default via 192.0.2.{4 * number + 1}")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")
    read_modules(ENGINE)
    machines = [machine(folder, "north", CANARY), machine(folder, "south", OF_WORKER)]
    (folder / "fleet.yaml").write_text(INVENTORY, encoding="utf-8")
    seen: dict[str, Any] = {"reached": [reaches(MACHINE, port) for port in (22, 10933)]}
    with Cluster(folder / "cluster", "192.0.2.1") as cluster:
        cluster.worker("north-a", "north", network=network("north"), words=["--host", "192.0.2.2"])
        cluster.worker("south-a", "south", network=network("south"), words=["--host", "192.0.2.6"], SOUTH=OF_WORKER)
        seen["whole"] = run(folder, cluster, "whole")
        cut_short(folder, cluster, seen)
        cluster.worker("north-b", "north", network=network("north"), words=["--host", "192.0.2.2"])
        seen["killed"] = killed(folder, cluster)
        seen["stranger"] = stranger(cluster)
        names = ("scheduler", "north-a", "south-a", "north-b")
        seen["said"] = {name: cluster.said(name) for name in names}
    seen["spilled"] = [
        str(file) for file in (folder / "cluster").rglob("*") if file.is_file() and has_canary(file.read_bytes())
    ]
    for each in machines:
        each.kill()
    (folder / "seen.json").write_text(json.dumps(seen), encoding="utf-8")


def network(site: str) -> Path:
    return Path("/run/netns") / site


def machine(folder: Path, site: str, password: str) -> Begun:
    """In its site's network, with a name of its own, its password on stdin."""
    theirs, ours = os.pipe()
    os.write(ours, password.encode() + b"\n")

    def work() -> None:
        enter_network(network(site))
        enter_own_name(f"host-of-{site}")
        one_machine.main(MACHINE, folder / site)

    process = Begun(work, cwd=folder, environment=os.environ, out=2, stdin=theirs)
    os.close(theirs)
    wait_for(f"the machine of {site}", (folder / site / "ready").exists)
    return process


def enter_own_name(name: str) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUTS):
        raise OSError(ctypes.get_errno(), "unshare")
    socket.sethostname(name)


def run(folder: Path, cluster: Cluster, name: str) -> dict[str, Any]:
    return ended(folder, name, begun(folder, cluster, name))


def begun(folder: Path, cluster: Cluster, name: str, *words: str) -> Begun:
    command = [
        *RUN,
        "--inventory=fleet.yaml",
        "--machine-timeout=200",  # on a busy machine, too; a later one overrides it
        *cluster.executor,
        f"--html={name}.html",
        f"--save-surveys={name}.surveys",
    ]
    with (folder / f"{name}.out").open("wb") as out:
        environment = {**os.environ, "NORTH": CANARY}
        return Begun(module(*command, *words), cwd=folder, environment=environment, out=out.fileno())


def ended(folder: Path, name: str, process: Begun) -> dict[str, Any]:
    code = process.wait(timeout=250)
    surveys = folder / f"{name}.surveys"
    known = json.loads(surveys.read_text()) if surveys.exists() else None
    report = folder / f"{name}.json"
    return {
        "said": (folder / f"{name}.out").read_text(),
        "code": code,
        "surveys": known,
        "report": report.read_text() if report.exists() else "",
    }


def cut_short(folder: Path, cluster: Cluster, seen: dict[str, Any]) -> None:
    """Three runs at once over one machine that does not answer, by one worker: each ends in its own way."""
    hold(folder)
    words = {"ctrl_c": (), "machine_timeout": ("--machine-timeout=6",), "run_timeout": ("--run-timeout=9",)}
    runs = {name: begun(folder, cluster, name, "--limit=north-01", *more) for name, more in words.items()}
    wait_for("three sessions", lambda: len(sessions(cluster, "north-a")) == 3)
    seen["pages"] = pages(cluster)
    runs["ctrl_c"].send_signal(signal.SIGINT)
    for name, process in runs.items():
        seen[name] = ended(folder, name, process)
    wait_for("their end", lambda: not sessions(cluster, "north-a"), 20)
    seen["left"] = len(sessions(cluster, "north-a"))
    (folder / "north" / "hold").unlink()


def hold(folder: Path) -> None:
    (folder / "north" / "held").unlink(missing_ok=True)
    (folder / "north" / "hold").touch()


def killed(folder: Path, cluster: Cluster) -> dict[str, Any]:
    """A run whose first worker is killed in the middle of the survey, and the second one finishes it."""
    hold(folder)
    process = begun(folder, cluster, "killed", "--limit=north-01")
    wait_for("the survey", (folder / "north" / "held").exists)
    first = next(name for name in ("north-a", "north-b") if sessions(cluster, name))
    cluster.kill(first)
    (folder / "north" / "hold").unlink()
    return {**ended(folder, "killed", process), "killed": first}


def sessions(cluster: Cluster, name: str) -> list[str]:
    """A worker's connections to the machine's SSH port."""
    found = subprocess.run(
        ["ip", "netns", "exec", "north", "ss", "-Htnp", "dst", f"{MACHINE}:22"],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout
    return [line for line in found.splitlines() if f"pid={cluster.pid(name)}," in line]


def pages(cluster: Cluster) -> dict[str, str]:
    """All pages of the scheduler's dashboard, as its links lead to them, while orders are under way."""
    found: dict[str, str] = {}
    open_ = ["info/main/workers.html", "info/main/logs.html", "info/main/exceptions.html", "json/counts.json"]
    open_ += ["json/identity.json", "json/index.html", "sitemap.json"]
    while open_ and len(found) < 40:
        page = open_.pop(0)
        if page in found:
            continue
        try:
            with urllib.request.urlopen(f"{cluster.dashboard}/{page}", timeout=10) as answer:
                found[page] = answer.read().decode("utf-8", "replace")
        except OSError as error:
            found[page] = str(error)
        links = re.findall(r'href="([^"#:]+\.html)"', found[page])
        open_ += [urllib.parse.urljoin(f"/{page}", link).lstrip("/") for link in links]
    return found


def stranger(cluster: Cluster) -> str:
    """A worker without a certificate of the authority."""
    words = ["distributed.cli.dask_worker", cluster.address, "--no-nanny", "--death-timeout", "6"]
    other = cluster.strangers_certificate()
    log = cluster.folder / "stranger.log"
    with log.open("wb") as out:
        work = module(*words, "--resources", "site:west=4", *other)
        process = Begun(work, cwd=cluster.folder, environment=os.environ, out=out.fileno())
    try:
        code = process.wait(timeout=40)
    except subprocess.TimeoutExpired:
        process.kill()
        return f"still trying: {log.read_text()}"
    return f"exit {code}: {log.read_text()[-2000:]}"


def reaches(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def has_canary(raw: bytes) -> bool:
    return any(secret.encode() in raw for secret in (CANARY, OF_WORKER))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
