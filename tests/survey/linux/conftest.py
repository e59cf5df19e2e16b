"""Stand-in Linux machines on which the real script runs in a real shell, and real listeners to probe."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pytest_tentacle.lab.linux import machine as linux_machine
from pytest_tentacle.survey.answer import read_document
from pytest_tentacle.survey.ingest import ingest
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.linux import linux_call
from pytest_tentacle.transport.base import Answer
from support.surveys.linux import NEEDS, cut
from support.surveys.parts import Part

SHELLS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"], "mksh": ["mksh"]}
"""Shells, as the login's and as the machine's `sh`: Debian's, most others', Alpine's and routers', and the family of ksh."""

PAGE = (
    b"HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 61\r\n\r\n"
    b"<h1>Octopus Tentacle configured successfully</h1>\n<p>...</p>\n\r\n\r\n"
)
SETTINGS = {
    "Octopus.Home": "/etc/octopus/default",
    "Tentacle.Certificate": "MIIcanary-pfx",
    "Tentacle.CertificateThumbprint": "CD" * 20,
    "Tentacle.Deployment.ApplicationDirectory": "/home/Octopus/Applications",
    "Tentacle.Services.ListenIP": "127.0.0.77",
    "Tentacle.Services.NoListen": "false",
    "Tentacle.Services.PortNumber": "10933",
    "Tentacle.Communication.TrustedOctopusServers": json.dumps([{"Thumbprint": "AB" * 20, "CommunicationStyle": 1}]),
    "Octopus.Server.Proxy.ProxyPassword": "canary-proxy",
}
TENTACLE = "/opt/octopus/tentacle/Tentacle run --instance=Tentacle --noninteractive"
THUMBPRINT = "AB" * 20


def free_port(address: str = "127.0.0.1") -> int:
    with socket.create_server((address, 0)) as probe:
        return probe.getsockname()[1]


@dataclass
class Ran:
    """One run of the script: the call, the answer, and what it makes."""

    call: object
    request: Request
    answer: Answer
    seconds: float
    sections: frozenset[str] | None = None

    @property
    def document(self):
        return read_document(self.call, self.answer)

    @property
    def survey(self):
        survey = ingest(self.document, self.request)
        return survey if self.sections is None else Part(survey, self.sections, NEEDS)


def run(request, shell, environment, cwd, user=None, sections=None):
    """As an SSH server does it: the login shell gets the command line by -c, the rest comes on stdin."""
    call = linux_call(request) if sections is None else cut(linux_call(request), sections)
    began = time.monotonic()
    login = [shutil.which(shell[0]) or shell[0], *shell[1:], "-c", call.command]
    patience = 60 + max(60, request.budget_seconds)
    done = subprocess.run(
        login, input=call.stdin, capture_output=True, env=environment, cwd=cwd, timeout=patience, user=user, check=False
    )
    answer = Answer(done.stdout, done.stderr, done.returncode)
    return Ran(call, request, answer, time.monotonic() - began, None if sections is None else frozenset(sections))


@dataclass
class StandIn:
    """A lab machine's folder, filled step by step and surveyed.

    `sections` are what its surveys look at (None: all); with `records` it notes each command that they call. `shells` are
    the folders in which a shell is the machine's `sh`.
    """

    folder: Path
    shells: dict[str, Path]
    description: dict = field(default_factory=dict)
    sections: frozenset[str] | None = None
    records: bool = False

    @property
    def octopus(self) -> Path:
        return self.folder / "files" / "etc" / "octopus"

    def service(self, **changes):
        entry = {
            "name": "Tentacle", "state": "running", "start_mode": "auto", "account": "root", "pid": 2136, "exit_code": 0,
            "command": TENTACLE, "started_utc": "2026-11-20T10:11:12Z", "restarts": 0, "sub_state": "running", "result": "success",
            "environment": {},
        }  # fmt: skip
        self.description["services"] = [*self.description.get("services", []), entry | changes]

    def process(self, pid, command=TENTACLE, parent=1):
        entry = {
            "pid": pid,
            "parent_pid": parent,
            "name": command.split()[0].rsplit("/", 1)[-1],
            "command_line": command,
        }
        entry |= {"executable": command.split()[0], "started_utc": "2026-11-20T10:11:12Z", "user": "root"}
        self.description["processes"] = [*self.description.get("processes", []), entry]

    def listens(self, address, port, pid):
        entry = {"address": address, "port": port, "pid": pid, "state": "listen"}
        self.description["sockets"] = [*self.description.get("sockets", []), entry]

    def connected(self, local_port, remote, remote_port, state="established", pid=2136):
        entry = {"address": "127.0.0.77", "port": local_port, "pid": pid, "state": state}
        entry |= {"remote_address": remote, "remote_port": remote_port}
        self.description["sockets"] = [*self.description.get("sockets", []), entry]

    def file(self, path, content):
        """A file of the machine, by its path there."""
        place = self.folder / "files" / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def instance(self, content, name="Tentacle", kind="Tentacle", folder=None):
        index = self.octopus / kind / "Instances" / f"{name.lower()}.config"
        index.parent.mkdir(parents=True, exist_ok=True)
        path = self.octopus / (folder or name) / f"tentacle-{name}.config"
        index.write_text(json.dumps({"Name": name, "ConfigurationFilePath": str(path)}, indent=2))
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
        return path

    def ready(self):
        base = {
            "hostname": "web-7",
            "os": "linux",
            "addresses": ["127.0.0.77"],
            "locale": "en",
            "services": [],
            "processes": [],
        }
        base |= {"sockets": [], "names": {}, "denied": []}
        (self.folder / "machine.json").write_text(json.dumps(base | self.description))
        return linux_machine.prepare(self.folder, record=self.records)

    def survey(self, shell=("dash",), *, sections=None, **request):
        environment = self.ready() if not (self.folder / "bin").exists() else self.environment
        self.environment = environment
        asked = Request(**({"probe_seconds": 2.0} | request))
        environment = environment | {"PATH": f"{self.shells[shell[0]]}:{environment['PATH']}"}
        return run(asked, list(shell), environment, self.folder, sections=sections or self.sections)

    def called(self):
        assert self.records, "this machine notes no calls"
        return linux_machine.called(self.folder)


def settings_file(settings) -> bytes:
    from xml.sax.saxutils import escape

    rows = "".join(f'  <set key="{key}">{escape(value)}</set>\n' for key, value in sorted(settings.items()))
    head = '<?xml version="1.0" encoding="utf-8"?>\n<octopus-settings xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
    return b"\xef\xbb\xbf" + (head + rows + "</octopus-settings>").encode()


def polling(address, thumbprint=THUMBPRINT):
    return {
        "Thumbprint": thumbprint,
        "CommunicationStyle": 2,
        "Address": address,
        "Squid": None,
        "SubscriptionId": "poll://abc/",
    }


@pytest.fixture
def sections():
    """What the surveys of stand-in machines look at: everything, where a module or a class does not say otherwise."""
    return


@pytest.fixture(scope="session")
def shell_folders(tmp_path_factory):
    """A folder for each shell, in which it is called `sh`; with the `printf` that mksh has not in itself."""
    folders = {}
    for name in filter(shutil.which, SHELLS):
        folders[name] = tmp_path_factory.mktemp(name)
        folders[name].chmod(0o755)
        (folders[name] / "sh").symlink_to(shutil.which(name))
        if name == "mksh":
            (folders[name] / "printf").symlink_to(shutil.which("printf"))
    return folders


@pytest.fixture
def machine(tmp_path, shell_folders, sections):
    folder = tmp_path / "machine"
    folder.mkdir()
    return StandIn(folder, shell_folders, sections=sections)


@pytest.fixture
def whole(machine):
    """A healthy machine: a listening Tentacle, its service, process, socket and files."""
    machine.service()
    machine.process(2136)
    machine.listens("127.0.0.77", 10933, 2136)
    machine.instance(settings_file(SETTINGS), folder="default")
    return machine


@pytest.fixture(params=sorted(SHELLS))
def shell(request):
    found = SHELLS[request.param]
    if not shutil.which(found[0]):
        pytest.skip(f"{found[0]} is not installed")
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A Tentacle's kind of certificate: paths of certificate and key, and the DER bytes."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Octopus Tentacle")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=3650)).sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "c.pem", folder / "k.pem", made.public_bytes(serialization.Encoding.DER)


class Listener:
    """A real TCP listener in threads; `serve(connection)` plays one client's session."""

    def __init__(self, serve, address="127.0.0.1", port=0):
        self.serve = serve
        self.received = []
        self.socket = socket.create_server((address, port), backlog=256)
        self.port = self.socket.getsockname()[1]
        self.threads = []
        self.stopped = threading.Event()
        self.main = threading.Thread(target=self._accept)
        self.main.start()

    def _accept(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(connection,))
            thread.start()
            self.threads.append(thread)

    def _one(self, connection):
        connection.settimeout(10)
        with contextlib.suppress(OSError), connection:
            self.serve(self, connection)

    def stop(self):
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.main.join(5)
        for thread in self.threads:
            thread.join(15)


@pytest.fixture
def listen():
    """Starts listeners that the test's end stops."""
    running = []

    def start(serve, **where):
        listener = Listener(serve, **where)
        running.append(listener)
        return listener

    yield start
    for listener in running:
        listener.stop()


@pytest.fixture
def tls(certificate):
    """A session that speaks TLS, reads the request up to its blank line and answers with these bytes."""

    def session(answer=PAGE, *, maximum=None, hold=0.0):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[0], certificate[1])
        if maximum is not None:
            context.maximum_version = maximum

        def serve(listener, connection):
            with context.wrap_socket(connection, server_side=True) as stream:
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = stream.recv(4096)
                    if not piece:
                        break
                    request += piece
                listener.received.append(request)
                stream.sendall(answer)
                if hold:
                    listener.stopped.wait(hold)

        return serve

    return session


@pytest.fixture
def real(shell_folders):
    """Runs the script on this very machine, without stand-ins."""

    def survey(request, shell=("dash",), **options):
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        # To mksh printf is a program, to which no more than 128 KB can be said: here, where all processes are listed, it is
        # the login's shell alone.
        own = shell_folders[shell[0] if shell[0] in SHELLS.keys() - {"mksh"} else "dash"]
        environment["PATH"] = f"{own}:{environment['PATH']}"
        return run(request, list(shell), environment | options.pop("environment", {}), "/", **options)

    return survey


@pytest.fixture
def tools():
    """Helpers for tests, since test modules cannot import each other."""

    class Tools:
        pass

    Tools.settings_file = staticmethod(settings_file)
    Tools.polling = staticmethod(polling)
    Tools.free_port = staticmethod(free_port)
    Tools.PAGE = PAGE
    Tools.THUMBPRINT = THUMBPRINT
    Tools.SETTINGS = SETTINGS
    return Tools
