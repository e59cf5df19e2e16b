"""A Windows machine as a folder, the engine that surveys it, and peers of every kind to probe."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pytest_tentacle.lab.windows.machine import prepare
from pytest_tentacle.survey.answer import read_document
from pytest_tentacle.survey.ingest import ingest
from pytest_tentacle.survey.model import Survey
from pytest_tentacle.survey.request import Call, Request
from pytest_tentacle.survey.scripts.windows import windows_call
from pytest_tentacle.transport.base import Answer
from support.surveys.parts import Part
from support.surveys.windows import FRONT, NEEDS, cut

PAGE = (
    b"HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 57\r\n\r\n"
    b"<h1>Octopus Tentacle configured successfully</h1>\n        \r\n\r\n"
)
STARTED = "2026-11-20T04:05:06Z"
SECRET = "AQAAANCMnd8BFdERjHoAwE"
LINUX_ONLY = {"access_control"}
"""Sections that a survey of Windows does not read."""


@dataclass
class Run:
    """What one run gave."""

    call: Call
    request: Request
    completed: subprocess.CompletedProcess[bytes]
    sections: Collection[str] | None = None

    @property
    def document(self) -> dict[str, Any]:
        answer = Answer(self.completed.stdout, self.completed.stderr, self.completed.returncode)
        return read_document(self.call, answer)

    @property
    def survey(self) -> Any:
        survey = ingest(self.document, self.request)
        return survey if self.sections is None else Part(survey, self.sections, NEEDS)


@dataclass
class WindowsMachine:
    """A lab machine's folder under construction; by default a healthy listening Tentacle.

    `sections` are what its surveys look at (None: all).
    """

    folder: Path
    engine: Path
    address: str = "127.0.0.1"
    sections: Collection[str] | None = None
    settings: dict[str, str] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = {
            "Octopus.Home": "C:\\Octopus",
            "Tentacle.Certificate": SECRET,
            "Tentacle.CertificateThumbprint": "A" * 40,
            "Tentacle.Services.ListenIP": self.address,
            "Tentacle.Services.NoListen": "false",
            "Tentacle.Services.PortNumber": "10933",
            "Octopus.Proxy.ProxyPassword": SECRET,
        }
        self.description = {
            "hostname": "web-1",
            "os": "windows",
            "addresses": ["127.8.7.6"],
            "locale": "en",
            "services": [service()],
            "processes": [process(2136, "Tentacle.exe")],
            "sockets": [{"address": self.address, "port": 10933, "pid": 2136, "state": "listen"}],
            "names": {},
            "denied": [],
        }

    def put(self, path: str, content: str | bytes) -> None:
        """A file on drive C: of the machine."""
        real = self.folder / "files" / "C" / path
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(content.encode() if isinstance(content, str) else content)

    def add_instance(self, name: str, settings: dict[str, str], *, product: str = "Tentacle") -> None:
        """An instance with its index and its configuration."""
        path = f"C:\\Octopus\\{product}-{name}.config"
        index = json.dumps({"Name": name, "ConfigurationFilePath": path}, indent=2)
        self.put(f"ProgramData/Octopus/{product}/Instances/{name.lower()}.config", index)
        self.put(f"Octopus/{product}-{name}.config", configuration(settings))

    def deny(self, *what: str) -> None:
        self.description["denied"] = list(what)

    def run(
        self,
        request: Request | None = None,
        front: str = "",
        timeout: float = 400,
        call: Callable[[Request], Call] = windows_call,
    ) -> Run:
        """Survey it, exactly as a login would: the engine stands for powershell.exe, the lab's prelude comes first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "machine.json").write_text(json.dumps(self.description), encoding="utf-8")
        prelude, environment = prepare(self.folder)
        request = request or Request(probe_seconds=5.0, budget_seconds=200)
        asked = call(request)
        if self.sections is not None:
            asked, named = cut(asked, self.sections)
            environment |= named
        options, own = asked.command.removeprefix("powershell.exe ").split(" -Command ")
        stdin = asked.stdin
        if own == "-":
            assert self.sections is None, "its script is another one"
            code, stdin = "-", f". '{prelude}'\n{front}\n".encode() + stdin
        else:
            assert own == own.strip('"').join('""')
            code = f". '{prelude}'\n{FRONT}\n{front}\n{own.strip(chr(34))}"
        arguments = [str(self.engine), *options.split(), "-Command", code]
        completed = subprocess.run(
            arguments,
            input=stdin,
            capture_output=True,
            env=os.environ | environment,
            timeout=timeout,
            check=False,
        )
        return Run(asked, request, completed, self.sections)

    def commands(self) -> list[dict[str, Any]]:
        """All calls of stand-ins."""
        return [json.loads(line) for line in (self.folder / "commands.log").read_text(encoding="utf-8").splitlines()]


def service(**changes: Any) -> dict[str, Any]:
    return {
        "name": "OctopusDeploy Tentacle",
        "display_name": "OctopusDeploy Tentacle",
        "state": "running",
        "start_mode": "auto",
        "account": "LocalSystem",
        "pid": 2136,
        "exit_code": 0,
        "command": '"C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe" run --instance="Tentacle"',
        "started_utc": STARTED,
        "environment": {},
    } | changes


def process(pid: int, name: str, **changes: Any) -> dict[str, Any]:
    path = f"C:\\Program Files\\{name}"
    return {
        "pid": pid,
        "parent_pid": 600,
        "name": name,
        "executable": path,
        "command_line": f'"{path}"',
        "started_utc": STARTED,
        "user": None,
    } | changes


def configuration(settings: dict[str, str]) -> bytes:
    """A configuration file as Tentacle writes it: with a BOM, keys sorted."""
    lines = [f'  <set key="{key}">{escape(value)}</set>' for key, value in sorted(settings.items())]
    text = '<?xml version="1.0" encoding="utf-8"?>\n<octopus-settings>\n' + "\n".join(lines) + "\n</octopus-settings>"
    return text.encode("utf-8-sig")


@pytest.fixture(scope="session")
def healthy_run(tmp_path_factory: pytest.TempPathFactory, engine: Path) -> tuple[WindowsMachine, Run]:
    """A healthy listening Tentacle that is left as it is, and its survey: for tests that only look at it."""
    machine = WindowsMachine(tmp_path_factory.mktemp("healthy") / "web-1", engine)
    machine.add_instance("Tentacle", machine.settings)
    return machine, machine.run()


@pytest.fixture(scope="session")
def healthy(healthy_run: tuple[WindowsMachine, Run]) -> Survey:
    """What a healthy listening Tentacle says of itself."""
    return healthy_run[1].survey


@pytest.fixture(scope="session")
def refused(tmp_path_factory: pytest.TempPathFactory, engine: Path) -> Survey:
    """A German machine that refuses what can be refused without taking a whole instance out of sight."""
    machine = WindowsMachine(tmp_path_factory.mktemp("refused") / "web-1", engine)
    machine.add_instance("Tentacle", machine.settings)
    machine.description["locale"] = "de"
    machine.deny(
        "sockets",
        "netstat",
        "connections",
        "volumes",
        "disks",
        "proxies",
        "tls",
        "firewall",
        "events",
        "tasks",
        "netsh",
    )
    survey = machine.run().survey
    for section in (survey.host, survey.services, survey.instances, survey.logs, survey.permissions, survey.loading):
        assert section.data
    return survey


@pytest.fixture
def sections() -> set[str] | None:
    """What the surveys of a machine look at: everything, where a module or a class does not say otherwise."""
    return None


@pytest.fixture
def machine(tmp_path: Path, engine: Path, sections: set[str] | None) -> WindowsMachine:
    """A machine without an instance yet."""
    return WindowsMachine(tmp_path / "web-1", engine, sections=sections)


@pytest.fixture
def tentacle(machine: WindowsMachine) -> WindowsMachine:
    """A healthy listening Tentacle."""
    machine.add_instance("Tentacle", machine.settings)
    return machine


class Peer:
    """A listener on loopback that does one thing with each connection, and remembers what it was sent."""

    def __init__(
        self, behaviour: str, certificate: Path | None = None, page: bytes = PAGE, *, versions: str = ""
    ) -> None:
        self.behaviour, self.page = behaviour, page
        self.received: list[bytes] = []
        self.names: list[str] = []
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.socket.getsockname()[1]
        self.context: ssl.SSLContext | None = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
            if versions == "1.2":
                self.context.maximum_version = ssl.TLSVersion.TLSv1_2
            if versions == "1.3":
                self.context.minimum_version = ssl.TLSVersion.TLSv1_3
            if versions == "1.1":
                self.context.set_ciphers("ALL:@SECLEVEL=0")
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    self.context.minimum_version = self.context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.threads: list[threading.Thread] = []
        self.stop = threading.Event()
        self.acceptor = threading.Thread(target=self._accept)
        self.acceptor.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(120)
        with connection, contextlib.suppress(OSError):
            if self.behaviour == "page" and self.context:
                self._tls(connection)
            elif self.behaviour == "banner":
                connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n")
                connection.recv(4096)
            elif self.behaviour == "closed":
                connection.recv(4096)
            elif self.behaviour == "reset":
                connection.recv(4096)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif self.behaviour == "silent" or (self.behaviour == "awake" and self.connections == 1):
                self.stop.wait()
            elif self.behaviour == "awake" and self.context:
                self.context.sni_callback = lambda _secure, name, _context: self.names.append(name)
                self._tls(connection)

    def _tls(self, connection: socket.socket) -> None:
        assert self.context
        with self.context.wrap_socket(connection, server_side=True) as secure:
            data = b""
            while b"\r\n\r\n" not in data:
                piece = secure.recv(4096)
                if not piece:
                    break
                data += piece
            self.received.append(data)
            if data.startswith(b"MX"):
                return
            secure.sendall(self.page)
            with contextlib.suppress(OSError):
                secure.unwrap()

    def close(self) -> None:
        self.stop.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.acceptor.join(10)
        for thread in self.threads:
            thread.join(15)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate with its key, as a Tentacle has one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Octopus Tentacle")])
    start = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "tentacle.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def peer(certificate: Path):
    """Starts peers and stops them at the end."""
    peers: list[Peer] = []

    def start(behaviour: str = "page", **options: Any) -> Peer:
        peers.append(Peer(behaviour, certificate, **options))
        return peers[-1]

    yield start
    for one in peers:
        one.close()


@pytest.fixture
def shapes():
    """The builders of a machine's parts."""
    return Shapes


@pytest.fixture(scope="session")
def shapes_of_machines() -> Any:
    """Makes a machine in a folder, with the builders of its parts: for those that a whole file looks at."""
    return lambda folder, engine: (WindowsMachine(folder, engine), Shapes)


class Shapes:
    """The builders of a machine's parts."""

    service = staticmethod(service)
    process = staticmethod(process)
    configuration = staticmethod(configuration)
    secret = SECRET
    started = STARTED
    page = PAGE
    linux_only = LINUX_ONLY
