"""Pong: our own ping, TentaclePing's requests, and a Tentacle's preamble."""

from __future__ import annotations

import importlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import warnings

import pytest

from pytest_tentacle.cli import main
from pytest_tentacle.link import By, Target
from pytest_tentacle.link.pings.ping import ping
from pytest_tentacle.link.pings.pong import ANSWER, Pong

LOOPBACK = "127.0.0.1"


@pytest.fixture
def pong():
    with Pong(0) as listening:
        yield listening


def talk(port: int, *pieces: bytes, host: str = LOOPBACK, version: ssl.TLSVersion | None = None) -> bytes:
    """A client that does what .NET's SslStream does: write, then read to the end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    with socket.create_connection((host, port), timeout=20) as plain, context.wrap_socket(plain) as stream:
        for piece in pieces:
            stream.sendall(piece)
        answer = b""
        while data := stream.recv(65536):
            answer += data
        return answer


def old_client() -> ssl.SSLContext:
    """A client of TLS 1.0 and 1.1 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


class TestTentaclePing:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_plain_request(self, pong, version):
        """`HTTP/1.0 200 OK`, Content-Length 10240, as many `A`s."""
        answer = talk(pong.port, b"GET / HTTP/1.1\r\n", b"Host: localhost\r\n", b"\r\n", version=version)
        assert b"HTTP/1.0 200 OK\r\nContent-Length: 10240\r\n\r\n" + b"A" * 10240 == answer == ANSWER

    def test_payload_in_chunks(self, pong):
        """A header line of megabytes, sent in pieces, before the blank line."""
        chunks = [b"A" * 2_000_000] * 5
        assert talk(pong.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n", *chunks, b"\r\n\r\n") == ANSWER

    def test_line_feeds_only(self, pong):
        """TentaclePing on Linux ends lines with LF."""
        assert talk(pong.port, b"GET / HTTP/1.1\nHost: localhost\n\n") == ANSWER

    def test_blank_line_over_two_reads(self, pong):
        """Wherever the pieces are cut."""
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        pieces = [request[at : at + 1] for at in range(len(request))]
        assert talk(pong.port, *pieces) == ANSWER

    def test_old_tls_is_refused(self, pong):
        """Current TLS only: no handshake below 1.2."""
        context = old_client()
        with (
            socket.create_connection((LOOPBACK, pong.port), timeout=20) as plain,
            pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
        ):
            context.wrap_socket(plain)


class TestHalibut:
    @pytest.mark.parametrize("preamble", [b"MX\r\n\r\n", b"MX\n\n"])
    @pytest.mark.parametrize("identity", [b"MX-CLIENT 1.0\r\n\r\n", b"MX-SUBSCRIBER 1.0 poll://abc/\r\n\r\n"])
    def test_preamble_and_identity(self, pong, preamble, identity):
        """Both are read, together or apart, and answered by `MX-SERVER`."""
        assert talk(pong.port, preamble, identity) == b"MX-SERVER 1.0\r\n\r\n"
        assert talk(pong.port, preamble + identity) == b"MX-SERVER 1.0\r\n\r\n"

    def test_probe_with_identity(self, pong, probe_of):
        """`--probe-identity` has something to see."""
        found = probe_of(LOOPBACK, pong.port, identity=True)
        assert (found.failed, found.identity.line) == (None, "MX-SERVER 1.0")


class TestOwnPing:
    def test_no_loss(self, pong):
        """Ping and pong understand each other, with a payload too."""
        target = Target(host=LOOPBACK, port=pong.port, by=By.ADDRESS)
        result = ping(target, count=3, interval=0.01, payload_bytes=3_000_000, seconds=20)
        assert (result.sent, result.lost) == (3, 0)
        assert {len(ANSWER)} == {one.probe.page.length for one in result.attempts}
        assert (pong.certificate.thumbprint,) == result.thumbprints

    def test_dual_stack(self, pong, probe_of):
        """IPv4 and IPv6 on one port."""
        assert probe_of(LOOPBACK, pong.port).failed is None
        assert probe_of("::1", pong.port).failed is None

    def test_bind(self, probe_of):
        """Only the address that was asked for."""
        with Pong(0, bind="127.0.0.5") as pong:
            assert probe_of("127.0.0.5", pong.port).failed is None
            assert probe_of(LOOPBACK, pong.port).failed is not None


class TestEvents:
    def test_clients_are_told(self):
        """Accepted, agreed, read, sent; a client without TLS by its failure."""
        events = []
        with Pong(0, on_event=events.append) as pong:
            talk(pong.port, b"GET / HTTP/1.1\r\n\r\n")
            with socket.create_connection((LOOPBACK, pong.port), timeout=5) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                while plain.recv(100):
                    pass
            deadline = time.monotonic() + 60
            while not events[-1].what.startswith("failed") and time.monotonic() < deadline:
                time.sleep(0.01)
        told = [event.what for event in events]
        assert ["accepted", "TLSv1.3 agreed", "18 bytes read", f"{len(ANSWER):,} bytes sent", "accepted"] == told[:5]
        assert told[5].startswith("failed: not-tls")
        assert all(event.client.startswith("127.0.0.1:") for event in events)


class TestCommand:
    def test_duration(self, capsys, monkeypatch):
        """It says where it listens, and ends by itself, when its time is over and not before."""
        module, made = importlib.import_module("pytest_tentacle.cli.pong"), []
        deadline = module.Deadline
        monkeypatch.setattr(module, "Deadline", lambda seconds: made.append(deadline(seconds)) or made[0])
        assert main(["pong", "--port", "0", "--bind", LOOPBACK, "--duration", "0.3"]) == 0
        assert [each.left for each in made] == [0]
        assert re.match(r"listening on port \d+, thumbprint [0-9A-F]{40}", capsys.readouterr().out)

    def test_port_is_taken(self, pong, capsys):
        """Exit code 1 and one line."""
        assert main(["pong", "--port", str(pong.port)]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1

    def test_port_out_of_range(self, capsys):
        """No traceback for a typing error."""
        assert main(["pong", "--port", "70000"]) == 1
        assert "70000" in capsys.readouterr().err

    def test_ctrl_c(self):
        """The way to end it: exit code 0, no traceback; the client is told before."""
        command = [sys.executable, "-m", "pytest_tentacle.cli", "pong", "--port", "0", "--bind", LOOPBACK]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        port = int(re.search(r"port (\d+)", running.stdout.readline()).group(1))
        assert talk(port, b"GET / HTTP/1.1\r\n\r\n") == ANSWER
        os.kill(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=30)
        assert (running.returncode, err) == (0, "")
        assert "accepted" in out
