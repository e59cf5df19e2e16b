"""A lab WinRM server, machines that misbehave, certificates, and settings for all of them."""

from __future__ import annotations

import base64
import datetime as dt
import socket
import ssl
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest
import trustme
from pydantic import SecretStr

from pytest_tentacle.inventory.model import WinRM
from pytest_tentacle.lab.winrm.runner import ProcessCommand
from pytest_tentacle.lab.winrm.server import Rules, WinRMServer
from pytest_tentacle.transport.winrm.transport import WinRMTransport

USER = "LAB\\björn"
PASSWORD = 's3:crét "quoted" \'ß€'


class PythonRunner:
    """Runs the command line as a Python program: `print(1)`."""

    def start(self, command):
        return ProcessCommand([sys.executable, "-c", command])


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """PEM files: the CA, another CA, and server certificates that are good, expired, or for another name."""
    folder = tmp_path_factory.mktemp("certificates")
    ca, other = trustme.CA(), trustme.CA()
    files = SimpleNamespace(folder=folder)

    def write(name, authority, *identities, **options):
        issued = authority.issue_cert(*identities, **options)
        issued.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
        setattr(files, name, folder / f"{name}.pem")

    for name, authority in (("ca", ca), ("other_ca", other)):
        authority.cert_pem.write_to_path(folder / f"{name}.pem")
        setattr(files, name, folder / f"{name}.pem")
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    write("good", ca, "localhost", "127.0.0.1")
    write("elsewhere", ca, "elsewhere.lab")
    write("expired", ca, "localhost", "127.0.0.1", not_after=past)
    write("client", ca, "octopus@lab.example")
    write("former_client", ca, "octopus@lab.example", not_after=past)
    write("strange_client", other, "octopus@lab.example")
    return files


@pytest.fixture(autouse=True)
def no_threads_left():
    """A test ends with the threads that it began with."""
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 60
    while (left := set(threading.enumerate()) - before) and time.monotonic() < end:
        time.sleep(0.02)
    assert left == set()


@pytest.fixture
def serve(certificates):
    """Start a lab server: `serve("https", runner=..., rules=Rules(...), certificate=...)`."""
    with ExitStack() as stack:

        def start(scheme="https", *, runner=None, certificate=None, client_ca=None, **rules):
            return stack.enter_context(
                WinRMServer(
                    "127.0.0.1",
                    0,
                    users={USER: PASSWORD},
                    runner=runner or PythonRunner(),
                    certificate=(certificate or certificates.good) if scheme == "https" else None,
                    client_ca=client_ca,
                    rules=Rules(**rules),
                )
            )

        yield start


@pytest.fixture
def logged_on(certificates):
    """Make transports to a port: `logged_on(server, scheme="http")`, closed at the end."""
    with ExitStack() as stack:

        def make(server_or_port, **changes):
            port = server_or_port if isinstance(server_or_port, int) else server_or_port.port
            values = {"host": "localhost", "port": port, "user": USER, "password": SecretStr(PASSWORD)}
            values["ca"] = certificates.ca
            transport = WinRMTransport(WinRM(**values | changes))
            stack.callback(transport.close)
            return transport

        yield make


@pytest.fixture
def misbehaving():
    """Start a machine that does with each connection what a function says; gives its port.

    `misbehaving(behave, certificate, client_ca)`: with TLS, and with a client's certificate asked for.
    """
    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(_misbehaving(*arguments))


@contextmanager
def _misbehaving(behave, tls=None, client_ca=None):
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads = []

    def one(connection):
        with connection:
            connection.settimeout(5)
            try:
                if tls is None:
                    behave(connection, over)
                else:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(tls)
                    if client_ca is not None:
                        context.verify_mode = ssl.CERT_REQUIRED
                        context.load_verify_locations(client_ca)
                    with context.wrap_socket(connection, server_side=True) as secured:
                        behave(secured, over)
            except OSError:
                pass  # the client went away, which is what these tests are about

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=one, args=(connection,)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join(5)


@pytest.fixture
def answering(misbehaving):
    """Start a machine that gives one answer to a whole request and hangs up; `heard` gets what it was asked."""

    def start(answer, *tls, heard=None):
        def behave(connection, _):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.splitlines() if line.startswith(b"Content-Length:")), 0)
            while len(body) < length:
                body += connection.recv(65536)
            if heard is not None:
                heard.append((head, connection))
            connection.sendall(answer)

        return misbehaving(behave, *tls)

    return start


@pytest.fixture
def encoded():
    """A PowerShell script as the command line that carries it."""

    def make(script):
        text = base64.b64encode(script.encode("utf-16-le")).decode()
        return f"powershell.exe -NoProfile -NonInteractive -EncodedCommand {text}"

    return make
