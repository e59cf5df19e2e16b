"""Linux without processes: the lab's SSH servers answer both contestants at once, with what they once said themselves.

Nothing is recorded beforehand: before anything is measured, each machine runs the survey and each fact's command once,
and after that repeats the answers.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import paramiko
from facts import facts_about

from pytest_tentacle.inventory.model import Inventory, Machine, OperatingSystem
from pytest_tentacle.lab.site import Lab
from pytest_tentacle.lab.ssh_server import SSHServer
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.linux import linux_call
from pytest_tentacle.survey.targets import own_targets, ports_of_interest

SURVEY = "the survey"
_NONCE = re.compile(r"survey-([0-9a-f]+)$")


class CannedSSHServer(SSHServer):
    """A lab machine's SSH server that starts no process."""

    def __init__(self, *arguments: Any, environment: Any, cwd: Any, **others: Any) -> None:
        super().__init__(*arguments, environment=environment, cwd=cwd, **others)
        self._where = {"env": environment, "cwd": cwd}
        self.learnt: dict[str, tuple[bytes, bytes, int]] = {}

    def learn(self, inventory: Inventory, machine: Machine) -> None:
        """Run all that will be asked, once."""
        found = inventory.find(machine.name)
        call = linux_call(Request(targets=own_targets(inventory, found), ports=ports_of_interest([found])))
        stdout, stderr, code = self._really_run(call.command, call.stdin)
        self.learnt[SURVEY] = (stdout.replace(call.nonce.encode(), b"@nonce@"), stderr, code)
        for fact in facts_about(inventory, found):
            if fact.host == machine.name:
                self.learnt[fact.command] = self._really_run(fact.command, b"")

    def run(self, channel: paramiko.Channel, line: str) -> None:
        """Answer in a thread of its own, as a command would: this one must go on reading the connection."""
        self.execs += 1  # one connection a machine, and one command at a time on it
        threading.Thread(target=self._answer, args=(channel, line), daemon=True).start()

    def _answer(self, channel: paramiko.Channel, line: str) -> None:
        known = self.learnt.get(SURVEY if _NONCE.search(line) else line, (b"", b"no canned answer\n", 127))
        self._respond(channel, line, known)

    def _respond(self, channel: paramiko.Channel, line: str, known: tuple[bytes, bytes, int]) -> None:
        nonce = _NONCE.search(line)
        stdout, stderr, code = known
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # the client has gone
            if nonce:
                while channel.recv(65536):  # the script and the request
                    pass
                stdout = stdout.replace(b"@nonce@", nonce[1].encode())
            channel.sendall(stdout)
            channel.sendall_stderr(stderr)
            channel.shutdown_write()
            channel.send_exit_status(code)
            channel.close()

    def _really_run(self, command: str, stdin: bytes) -> tuple[bytes, bytes, int]:
        done = subprocess.run(["/bin/sh", "-c", command], input=stdin, capture_output=True, check=False, **self._where)
        return done.stdout, done.stderr, done.returncode


def learn_all(inventory: Inventory, lab: Lab) -> None:
    """Let each Linux machine learn its answers."""
    linux = [machine for machine in inventory.machines if machine.os is OperatingSystem.LINUX]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda machine: lab.access[machine.name].server.learn(inventory, machine), linux))
