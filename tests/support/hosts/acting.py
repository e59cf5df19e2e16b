"""The lab of hosts as a place in which the product's own commands run: `pytest --restart`, `pytest-tentacle mend`.

As a program (`support.namespaces.start` only) it builds the hosts, and answers each line of stdin, a JSON order:
`{"sh": [host, command]}` runs a command in a host, `{"run": [words], "cwd": folder, "terminal": text | null,
"interrupt": text | null}` runs a module with its words where the survey's machine stands, with `text` typed on a terminal,
and SIGINT 1.5 s after it has printed that text; with `"during": command`, when a process of that command is there. The
answer is `{"code", "out"}`. `{"ready": []}` is answered once all services listen, and all pollers are connected.

A run is a fork of this process, which has read all modules (`support.session.begun`), without the 1.7 s of CPU that the imports cost.
"""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "tests"))

from support import namespaces  # noqa: E402  as a program it finds them by the line above
from support.hosts.network import Network  # noqa: E402
from support.session.begun import Begun, module  # noqa: E402
from support.session.forked import read_modules  # noqa: E402

SECONDS = 240


class Place:
    """The running lab, from outside."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self.folder = folder
        self.inventory = folder / "hosts.yaml"

    def at(self, folder: Path) -> Place:
        """The same lab, whose commands run in another folder, once all its services are up again."""
        self._ask({"ready": []})
        other = Place(self._process, folder)
        other.inventory.write_bytes(self.inventory.read_bytes())
        return other

    def sh(self, host: str, command: str) -> str:
        """Run a command in a host: what it prints. Raises RuntimeError where it fails."""
        answer = self._ask({"sh": [host, command]})
        if answer["code"]:
            raise RuntimeError(f"{command}: {answer['out']}")
        return str(answer["out"])

    def run(
        self, *words: str, terminal: str | None = None, interrupt: str | None = None, during: str | None = None
    ) -> tuple[int, str]:
        """Run a module with its words: exit code, and all that it printed."""
        order = {"run": words, "cwd": str(self.folder), "terminal": terminal, "interrupt": interrupt, "during": during}
        answer = self._ask(order)
        return int(answer["code"]), str(answer["out"])

    def pytest(self, *words: str, **how: Any) -> tuple[int, str]:
        """Run the guide over the lab's inventory."""
        return self.run("pytest", "-p", "no:cacheprovider", f"--inventory={self.inventory}", *words, **how)

    def tentacle(self, *words: str, **how: Any) -> tuple[int, str]:
        """Run `pytest-tentacle`."""
        return self.run("pytest_tentacle.cli", *words, **how)

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the lab of hosts ended (exit code {self._process.wait()}); its words are on stderr")
        return dict(json.loads(line))

    def wait(self) -> None:
        """Until it is up, and its inventory is written."""
        assert self._process.stdout is not None
        text = json.loads(self._process.stdout.readline())["inventory"]
        self.inventory.write_text(text, encoding="utf-8")


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """A lab that is up; ended with all that it started."""
    namespaces.require("sshd", "ssh-keygen", "dnsmasq")
    with namespaces.answering(Path(__file__)) as process:
        made = Place(process, folder)
        made.wait()
        yield made


def declared(network: Network) -> str:
    """The inventory as a person would write it."""
    lines = ["defaults:"]
    transport = "kind: ssh, user: root, key: /mnt/login, known_hosts: /mnt/known_hosts, ssh_config: /mnt/ssh_config, agent: false"
    lines += [f"  {role}: {{os: linux, transport: {{{transport}}}}}" for role in ("server", "tentacle")]
    lines.append("servers:")
    for server in network.inventory.servers:
        lines.append(f"- {{name: {server.name}, dns_name: {server.dns_name}, ip: {server.ip}, transport: "
                     f"{{host: {server.transport.hosts[0]}}}}}")  # fmt: skip
    lines.append("tentacles:")
    for each in network.inventory.tentacles:
        lines.append(f"- {{name: {each.name}, dns_name: {each.dns_name}, ip: {each.ip}, mode: {each.mode}, "
                     f"servers: [octo-1], transport: {{host: {each.transport.hosts[0]}}}}}")  # fmt: skip
    return "\n".join(lines) + "\n"


def _run(order: dict[str, Any]) -> dict[str, Any]:
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "160", "PYTHONPATH": str(TOP / "tests")}
    terminal = order.get("terminal")
    ours, theirs = pty.openpty() if terminal is not None else (-1, -1)
    reading, writing = os.pipe()
    run = Begun(
        module(*order["run"]), cwd=Path(order["cwd"]), environment=environment, out=writing,
        stdin=None if terminal is None else theirs,
    )  # fmt: skip
    os.close(writing)
    if terminal is not None:
        os.write(ours, str(terminal).encode())
    said, wanted, ends = b"", order.get("interrupt"), time.monotonic() + SECONDS
    during = order.get("during")
    while time.monotonic() < ends:
        if during and subprocess.run(["pgrep", "-f", during], capture_output=True, check=False).returncode == 0:
            during = None
            run.send_signal(signal.SIGINT)
        ready, _, _ = select.select([reading], [], [], 0.2)
        if not ready:
            continue
        data = os.read(reading, 65_536)
        if not data:
            break
        said += data
        if wanted and wanted.encode() in said:
            wanted = None
            time.sleep(1.5)  # into the midst of what comes next
            run.send_signal(signal.SIGINT)
    else:
        run.kill()
    os.close(reading)
    code = run.wait()
    if terminal is not None:
        os.close(ours)
        os.close(theirs)
    return {"code": code, "out": said.decode("utf-8", "replace")}


def _answer(network: Network, order: dict[str, Any]) -> dict[str, Any]:
    if "ready" in order:
        network.ready()
        return {}
    return _run(order) if "run" in order else _shell(network, *order["sh"])


def _shell(network: Network, host: str, command: str) -> dict[str, Any]:
    done = subprocess.run(
        [*network.host(host).inside, "sh", "-ec", command], capture_output=True, text=True, check=False, timeout=60
    )
    return {"code": done.returncode, "out": done.stdout + done.stderr}


def main() -> None:
    """Until stdin ends."""
    network = Network()
    try:
        network.start()
        Path("/mnt/ssh_config").touch()
        read_modules()
        print(json.dumps({"inventory": declared(network)}), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            print(json.dumps(_answer(network, order)), flush=True)
    finally:
        network.stop()


if __name__ == "__main__":
    main()
