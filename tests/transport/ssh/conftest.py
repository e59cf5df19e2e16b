"""Real servers for the SSH transport: OpenSSH's sshd as a child process, the lab's own, and such as misbehave."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.lab.ssh_server import SSHServer
from pytest_tentacle.transport import Deadline
from pytest_tentacle.transport.ssh.transport import SSHTransport

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")
PASSWORD = 'pä\'ss "wörd" $(id) `x`\\'
PRIVILEGE_SEPARATION = Path("/run/sshd")


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)], check=True)
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@dataclass
class Sshd:
    """A running sshd, and what a client needs to know of it."""

    port: int
    folder: Path
    user_key: Path

    @property
    def host_key(self) -> str:
        """The public host key: type and base64."""
        return " ".join((self.folder / "host_key.pub").read_text().split()[:2])

    @property
    def known_line(self) -> str:
        return f"[127.0.0.1]:{self.port} {self.host_key}\n"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def settings(self, **changes: object) -> SSH:
        values: dict[str, object] = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "key": self.user_key,
            "known_hosts": self.folder / "known_hosts",
        }
        return SSH.model_validate(values | changes)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without keys, known hosts or ssh_config, and no agent."""
    folder = tmp_path / "home"
    (folder / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return folder


@pytest.fixture(scope="session")
def user_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("user") / "id")


@pytest.fixture(scope="session")
def start_sshd(tmp_path_factory: pytest.TempPathFactory, user_key: Path) -> Iterator[Callable[..., Sshd]]:
    """Start an sshd with a host key of its own and further lines for its configuration."""
    if SSHD is None:
        pytest.fail("these tests need OpenSSH's server: install openssh-server")
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    processes: list[subprocess.Popen[bytes]] = []
    ports: set[int] = set()

    def start(*lines: str, kind: str = "ed25519", port: int | None = None, **environment: str) -> Sshd:
        folder = tmp_path_factory.mktemp("sshd")
        make_key(folder / "host_key", kind=kind)
        (folder / "authorized_keys").write_text(user_key.with_suffix(".pub").read_text())
        port = port or free_port()
        config = [
            *lines,
            f"Port {port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder}/host_key",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            "PidFile none",
            "UsePAM no",
            "StrictModes no",
            "UseDNS no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "MaxStartups 200",
            "LogLevel VERBOSE",
            "SetEnv SHLVL=1",  # so bash reads no ~/.bashrc of whoever runs the tests, which may take more CPU than a log-on
        ]
        (folder / "config").write_text("\n".join(config) + "\n")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(folder / "config")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | environment,
            )
        processes.append(process)
        ports.add(port)
        sshd = Sshd(port, folder, user_key)
        (folder / "known_hosts").write_text(sshd.known_line)
        end = time.monotonic() + 120
        while "listening on" not in sshd.log:
            assert process.poll() is None, sshd.log
            assert time.monotonic() < end, sshd.log
            time.sleep(0.02)
        return sshd

    yield start
    for process in processes:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
    for pid in _commands(ports):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _commands(ports: set[int]) -> Iterator[int]:
    """What a log-on that was cut off has left: sshd lets a command go on, and tells it by whose port it came."""
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            for variable in file.read_bytes().split(b"\0"):
                if variable.startswith(b"SSH_CONNECTION=127.0.0.1 ") and int(variable.split()[-1]) in ports:
                    yield int(file.parent.name)


@pytest.fixture(scope="session")
def shared_sshd(start_sshd: Callable[..., Sshd]) -> Sshd:
    return start_sshd()


@pytest.fixture
def sshd(shared_sshd: Sshd) -> Sshd:
    """One sshd for all tests; its log begins anew with each."""
    (shared_sshd.folder / "log").write_text("")
    return shared_sshd


@pytest.fixture
def open_ssh() -> Iterator[Callable[..., SSHTransport]]:
    """Log on; what was opened is closed at the end, and leaves no thread behind."""
    before = set(threading.enumerate())
    opened: list[SSHTransport] = []

    def log_on(settings: SSH, seconds: float = 20.0) -> SSHTransport:
        transport = SSHTransport(settings)
        opened.append(transport)
        transport.connect(Deadline(seconds))
        return transport

    yield log_on
    for transport in opened:
        transport.close()
    end = time.monotonic() + 60
    while left := [
        t for t in threading.enumerate() if t not in before and isinstance(t, paramiko.Transport) and not t.server_mode
    ]:
        assert time.monotonic() < end, left
        time.sleep(0.02)


@pytest.fixture(scope="session")
def lab_host_key() -> paramiko.PKey:
    return paramiko.ECDSAKey.generate()


@pytest.fixture
def lab_server(lab_host_key: paramiko.PKey, user_key: Path, tmp_path: Path) -> Iterator[SSHServer]:
    with SSHServer(
        "127.0.0.1",
        0,
        host_key=lab_host_key,
        users={"octo": PASSWORD},
        authorized_keys={"octo": [user_key.with_suffix(".pub").read_text()]},
        environment={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
    ) as server:
        yield server


@pytest.fixture
def lab_settings(lab_server: SSHServer, lab_host_key: paramiko.PKey, tmp_path: Path) -> SSH:
    """How to log on to the lab's server with its password."""
    known = tmp_path / "lab_known_hosts"
    known.write_text(f"[127.0.0.1]:{lab_server.port} {lab_host_key.get_name()} {lab_host_key.get_base64()}\n")
    return SSH.model_validate(
        {"host": "127.0.0.1", "port": lab_server.port, "user": "octo", "password": PASSWORD, "known_hosts": known}
    )


@pytest.fixture
def misbehave() -> Iterator[Callable[[Callable[[socket.socket], None]], SSH]]:
    """A server that treats each connection as told; gives the settings to log on to it."""
    listeners: list[socket.socket] = []
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def treat(connection: socket.socket, behaviour: Callable[[socket.socket], None]) -> None:
        try:
            behaviour(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def serve(listener: socket.socket, behaviour: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            connections.append(connection)
            threads.append(threading.Thread(target=treat, args=(connection, behaviour), daemon=True))
            threads[-1].start()

    def start(behaviour: Callable[[socket.socket], None]) -> SSH:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threads.append(threading.Thread(target=serve, args=(listener, behaviour), daemon=True))
        threads[-1].start()
        return SSH(host="127.0.0.1", port=listener.getsockname()[1], user="x", host_keys="insecure", agent=False)

    yield start
    for one in (*listeners, *connections):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
