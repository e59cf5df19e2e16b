"""A lab WinRM server for stock clients."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
import trustme

from pytest_tentacle.lab.winrm.runner import ProcessCommand
from pytest_tentacle.lab.winrm.server import Rules, WinRMServer

ACCOUNTS = {"vagrant": "pass:wörd'\"", "LAB\\admin": "geheim"}


class PythonRunner:
    """Runs `python <rest>` in this interpreter, and remembers what it started."""

    def __init__(self):
        self.commands = []
        self.started = []

    def start(self, command):
        self.commands.append(command)
        self.started.append(ProcessCommand([sys.executable, "-c", command]))
        return self.started[-1]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """PEM files of a server for localhost and of its CA."""
    folder = tmp_path_factory.mktemp("certificate")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    ca.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    return SimpleNamespace(ca=folder / "ca.pem", server=folder / "server.pem")


@pytest.fixture
def runner():
    return PythonRunner()


@pytest.fixture
def accounts():
    return ACCOUNTS


@pytest.fixture
def serve(certificate, runner):
    """Start a server: `serve("https", runner=..., max_envelope=...)`; at the end no thread and no process is left."""
    before = set(threading.enumerate())
    with ExitStack() as stack:

        def start(scheme, *, runner=runner, **rules):
            return stack.enter_context(
                WinRMServer(
                    "127.0.0.1",
                    0,
                    users=ACCOUNTS,
                    runner=runner,
                    certificate=certificate.server if scheme == "https" else None,
                    rules=Rules(**rules),
                )
            )

        yield start
    end = time.monotonic() + 60
    while (left := set(threading.enumerate()) - before) and time.monotonic() < end:
        time.sleep(0.02)
    assert left == set()
    assert all(command._process.poll() is not None for command in runner.started)
