"""The lab's SSH server, and OpenSSH's own client to hold it against."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from pytest_tentacle.lab.ssh_server import SSHServer


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def server(key: Path, tmp_path: Path) -> Iterator[SSHServer]:
    """A running server with a folder of stand-ins first on the PATH of its commands."""
    stand_ins = tmp_path / "bin"
    stand_ins.mkdir()
    (stand_ins / "systemctl").write_text("#!/bin/sh\necho stand-in $MACHINE $*\n")
    (stand_ins / "systemctl").chmod(0o755)
    with SSHServer(
        "127.0.0.1",
        0,
        host_key=paramiko.ECDSAKey.generate(),
        users={"octo": 'ö\'pus "8"'},
        authorized_keys={"octo": [key.with_suffix(".pub").read_text()]},
        environment={"PATH": f"{stand_ins}:{os.environ['PATH']}", "MACHINE": "m1"},
        cwd=tmp_path,
    ) as running:
        yield running


@pytest.fixture
def ssh(server: SSHServer, key: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a command with OpenSSH's client."""
    if shutil.which("ssh") is None:
        pytest.fail("these tests need OpenSSH's client: install openssh-client")

    def run(command: str, *options: str, stdin: bytes = b"", user: str = "octo") -> subprocess.CompletedProcess[bytes]:
        line = ["ssh", "-F", "none", "-T", "-p", str(server.port), "-i", str(key), "-o", "BatchMode=yes"]
        line += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"]
        line += ["-o", "LogLevel=ERROR", *options, f"{user}@127.0.0.1", command]
        return subprocess.run(line, input=stdin, capture_output=True, timeout=60, check=False)

    return run
