"""A Windows host's WinRM server, over HTTPS and HTTP, in the host's own namespace: `/etc/lab/winrm start` runs it.

Before each command it writes what the namespace is like into `machine.json`, by which the stand-ins answer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_tentacle.lab.blueprint import PID
from pytest_tentacle.lab.windows.machine import prepare
from pytest_tentacle.lab.winrm.runner import PowerShellRunner, RunningCommand
from pytest_tentacle.lab.winrm.server import WinRMServer

OWN = Path("/etc/lab")
STATES = {
    "LISTEN": "listen", "ESTAB": "established", "SYN-SENT": "syn-sent", "FIN-WAIT-1": "fin-wait", "FIN-WAIT-2": "fin-wait",
    "CLOSE-WAIT": "close-wait", "TIME-WAIT": "time-wait",
}  # fmt: skip
SYSTEM_PID = 4
"""http.sys', which serves WinRM."""


class Runner:
    """Runs commands in the engine, behind what the namespace is like now."""

    def __init__(self, inner: PowerShellRunner, folder: Path) -> None:
        self._inner = inner
        self._folder = folder
        self._lock = threading.Lock()

    def start(self, command: str) -> RunningCommand:
        """Start a command line."""
        with self._lock:
            text = json.dumps(description(self._folder))
            new = self._folder / "machine.json.new"
            new.write_text(text, encoding="utf-8")
            new.replace(self._folder / "machine.json")
            prepare(self._folder)  # programs that print what it says
        return self._inner.start(command)


def description(folder: Path) -> dict[str, Any]:
    """The blueprint's, the namespace's network, whether the product's process is there, and what a scenario changed."""
    machine: dict[str, Any] = json.loads((folder / "healthy.json").read_text(encoding="utf-8"))
    machine |= {"network_names": True, "names": {"localhost": ["127.0.0.1", "::1"]}}
    agent, winrm = _pid("agent"), _pid("winrm")
    known = {agent: PID, winrm: SYSTEM_PID}
    machine["addresses"] = [
        each["local"]
        for link in json.loads(_told("ip", "-j", "address"))
        for each in link.get("addr_info", ())
        if each["scope"] == "global"
    ]
    machine["sockets"] = [found for line in _told("ss", "-Htanp").splitlines() if (found := socket_of(line, known))]
    if not agent:
        for service in machine["services"]:
            service |= {"state": "stopped", "pid": 0}
        machine["processes"] = []
        for served in ("http_sys", "bindings"):  # by the Octopus Server
            machine.pop(served, None)
    others = {each["pid"] for each in machine["sockets"]} - {0, PID, SYSTEM_PID}
    machine["processes"] += [found for pid in sorted(others) if (found := _process(pid))]
    changes = OWN / "changes.json"
    return machine | (json.loads(changes.read_text(encoding="utf-8")) if changes.exists() else {})


def socket_of(line: str, known: dict[int, int]) -> dict[str, Any] | None:
    """A socket as `machine.json` has it, of a line of `ss -Htanp`; None for a state that Windows does not list."""
    state, _, _, local, remote, *rest = line.split()
    if state not in STATES:
        return None
    found = re.search(r"pid=(\d+)", " ".join(rest))
    owner = int(found[1]) if found else 0
    address, port = _end(local)
    row: dict[str, Any] = {"address": address, "port": port, "pid": known.get(owner, owner), "state": STATES[state]}
    if state != "LISTEN":
        row["remote_address"], row["remote_port"] = _end(remote)
    return row


def _end(text: str) -> tuple[str, int]:
    """Address and port; `*` is a socket of both families."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]").partition("%")[0].removeprefix("::ffff:")
    return "::" if host == "*" else host, int(port)


def _pid(name: str) -> int:
    """Of a program that is running; 0 where it is not."""
    try:
        pid = int((OWN / f"{name}.pid").read_text(encoding="ascii"))
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return 0
    return 0 if state == "Z" else pid


def _process(pid: int) -> dict[str, Any] | None:
    """A further program, as Windows would list it: its name is that of the file it was started from."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        started = datetime.fromtimestamp(Path(f"/proc/{pid}").stat().st_ctime, UTC)
    except OSError:
        return None
    path = f"C:\\Program Files\\{name}\\{name}.exe"
    return {
        "pid": pid, "parent_pid": 700, "name": f"{name}.exe", "executable": path, "command_line": f'"{path}"',
        "started_utc": f"{started:%Y-%m-%dT%H:%M:%SZ}", "user": "SYSTEM",
    }  # fmt: skip


def _told(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout


def main() -> None:
    """Until it is ended."""
    settings = json.loads((OWN / "host.json").read_text(encoding="utf-8"))
    folder = Path(settings["folder"])
    prelude, environment = prepare(folder)
    here = Path(__file__).with_name("network.ps1")
    engine = PowerShellRunner(
        Path(settings["engine"]), prelude=here, environment={**environment, "LAB_PRELUDE": str(prelude)}
    )
    runner = Runner(engine, folder)
    users = settings["users"]
    with (
        WinRMServer("0.0.0.0", 5986, users=users, runner=runner, certificate=OWN / "winrm.pem"),
        WinRMServer("0.0.0.0", 5985, users=users, runner=runner),
    ):
        threading.Event().wait()


if __name__ == "__main__" and sys.argv[1:] == ["run"]:
    main()
