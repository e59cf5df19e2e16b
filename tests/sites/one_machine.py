"""A machine of `in_namespaces.py`, its password on stdin. While FOLDER/hold is there, no command is answered."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import paramiko

from pytest_tentacle.lab.halibut.listener import HalibutListener
from pytest_tentacle.lab.ssh_server import SSHServer
from pytest_tentacle.link.certificate import make_certificate


class Held(SSHServer):
    """Runs each command when nothing holds it."""

    folder = Path()

    def run(self, channel: Any, line: str) -> None:
        def later() -> None:
            while (self.folder / "hold").exists():
                (self.folder / "held").touch()
                time.sleep(0.02)
            SSHServer.run(self, channel, line)

        threading.Thread(target=later, daemon=True).start()


def main(address: str, folder: Path) -> None:
    folder.mkdir()
    password = sys.stdin.readline().strip()
    Held.folder = folder
    key = paramiko.ECDSAKey.generate()
    listener = HalibutListener(address, 10933, certificate=make_certificate("Octopus Tentacle"))
    listener.start()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with Held(address, 22, host_key=key, users={"someone": password}, environment=environment, cwd=folder):
        (folder / "ready").touch()
        sys.stdin.read()
