"""Servers that hang, drip, flood or speak another language cost their own deadline and nobody else's."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.ssh.transport import SSHTransport

BANNER = b"SSH-2.0-OpenSSH_9.9\r\n"


def attempt(settings: SSH, seconds: float = 1.5) -> TransportError:
    """The error that logging on raises; no thread is left behind."""
    before = set(threading.enumerate())
    transport = SSHTransport(settings)
    with pytest.raises(TransportError) as caught:
        transport.connect(Deadline(seconds))
    left = [thread for thread in set(threading.enumerate()) - before if "resolve" in thread.name or not thread.daemon]
    assert left == []
    return caught.value


def silence(connection: socket.socket) -> None:
    while connection.recv(10_000):
        pass


class TestHang:
    def test_before_the_banner(self, misbehave) -> None:
        """A server that accepts and says nothing."""
        error = attempt(misbehave(silence))

        assert error.stage is ReachStage.TIME_OUT
        assert "no SSH banner came within 1.5 s" in error.summary

    def test_after_the_banner(self, misbehave) -> None:
        """A server that greets and then says nothing."""

        def greet(connection: socket.socket) -> None:
            connection.sendall(BANNER)
            silence(connection)

        error = attempt(misbehave(greet))

        assert error.stage is ReachStage.TIME_OUT
        assert "the key exchange was not finished" in error.summary

    def test_at_the_login(self, lab_settings, monkeypatch) -> None:
        """A server whose password check never ends."""
        monkeypatch.setattr("pytest_tentacle.lab.ssh_server.SSHServer.accepts_password", lambda *_: time.sleep(60))
        error = attempt(lab_settings)

        assert error.stage is ReachStage.TIME_OUT
        assert "the login was not finished" in error.summary

    def test_at_the_start(self, lab_settings, open_ssh, monkeypatch) -> None:
        """A server that accepts the request for a command and never runs it."""
        monkeypatch.setattr("pytest_tentacle.lab.ssh_server.SSHServer.run", lambda *_: None)
        transport = open_ssh(lab_settings)
        with pytest.raises(TransportError) as caught:
            transport.execute("true", b"", Deadline(0.7))

        assert caught.value.stage is ReachStage.TIME_OUT


class TestDrip:
    @pytest.mark.parametrize("start", [b"", BANNER + b"\x00\x00\x10\x0c\x05"], ids=["banner", "packet"])
    def test_a_byte_at_a_time(self, misbehave, start) -> None:
        """A server that keeps every read alive still has no more than the deadline."""

        def drip(connection: socket.socket) -> None:
            connection.sendall(start)
            while True:
                connection.sendall(b"x")
                time.sleep(0.1)

        error = attempt(misbehave(drip))

        assert error.stage is ReachStage.TIME_OUT

    def test_a_command_that_drips(self, sshd, open_ssh) -> None:
        """Output that trickles does not extend the deadline."""
        transport = open_ssh(sshd.settings())
        with pytest.raises(TransportError) as caught:
            transport.execute("while echo x; do sleep 0.1; done", b"", Deadline(1))

        assert caught.value.stage is ReachStage.TIME_OUT


class TestFlood:
    @pytest.mark.parametrize(
        "chunk",
        [b"x" * 10_000, b"hello\r\n" * 1000, BANNER + b"\x00\x0f\x42\x44\x05" + b"\x00" * 2_000_000],
        ids=["one-line", "lines", "packet"],
    )
    def test_before_the_login(self, misbehave, chunk) -> None:
        """A server that sends without end is left long before the deadline."""

        def flood(connection: socket.socket) -> None:
            while True:
                connection.sendall(chunk)

        error = attempt(misbehave(flood), 200)

        assert error.stage is ReachStage.CONNECT

    def test_does_not_slow_others(self, misbehave, sshd, open_ssh) -> None:
        """While four flood, a healthy machine is surveyed as ever."""

        def flood(connection: socket.socket) -> None:
            while True:
                connection.sendall(b"x" * 10_000)

        settings = misbehave(flood)
        threads = [threading.Thread(target=attempt, args=(settings, 10), daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert open_ssh(sshd.settings()).execute("echo fine", b"", Deadline(10)).stdout == b"fine\n"
        for thread in threads:
            thread.join()


class TestConnect:
    def test_nothing_listens(self) -> None:
        """A refused connection is told as such, at once."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        error = attempt(SSH(host="127.0.0.1", port=port, host_keys="insecure"))

        assert error.stage is ReachStage.CONNECT
        assert f"no connection to 127.0.0.1 port {port} (127.0.0.1: Connection refused)" in error.summary
        assert f"nothing listens on TCP {port}" in error.advice

    def test_an_unknown_name(self) -> None:
        """A name that does not exist fails at RESOLVE."""
        error = attempt(SSH(host="no-such-name.invalid"), 20)

        assert error.stage is ReachStage.RESOLVE
        assert "no-such-name.invalid cannot be resolved" in error.summary

    def test_an_impossible_name(self) -> None:
        """A name that no DNS could hold fails at RESOLVE as well."""
        assert attempt(SSH(host="x" * 70 + ".lab")).stage is ReachStage.RESOLVE

    def test_a_resolver_that_hangs(self, monkeypatch) -> None:
        """The system's resolver may hang; we do not."""
        hung = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: hung.wait() and [])
        transport = SSHTransport(SSH(host="box"))
        with pytest.raises(TransportError) as caught:
            transport.connect(Deadline(0.5))
        hung.set()

        assert caught.value.stage is ReachStage.TIME_OUT

    def test_another_protocol(self, misbehave) -> None:
        """A web server on the port is not SSH, and what it says is told in one line."""

        def answer(connection: socket.socket) -> None:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad\x1b[31m Request\r\n" * 101)

        error = attempt(misbehave(answer), 20)

        assert error.stage is ReachStage.CONNECT
        assert "does not speak SSH" in error.summary
        assert "\x1b" not in str(error)

    def test_a_dropped_connection_is_tried_again(self, misbehave) -> None:
        """A connection dropped before SSH began is tried three times in all, no more."""
        connections = []
        error = attempt(misbehave(connections.append), 20)

        assert error.stage is ReachStage.CONNECT
        assert "dropped it before SSH began" in error.summary
        assert len(connections) == 3

    def test_the_second_attempt_may_succeed(self, misbehave, sshd, open_ssh) -> None:
        """A server that drops the first connection, as a busy sshd does, and serves the second."""
        seen = []

        def drop_first(connection: socket.socket) -> None:
            seen.append(connection)
            if len(seen) == 1:
                return
            with socket.create_connection(("127.0.0.1", sshd.port)) as upstream:
                back = threading.Thread(target=copy, args=(upstream, connection), daemon=True)
                back.start()
                copy(connection, upstream)
                back.join(5)

        port = misbehave(drop_first).port
        open_ssh(sshd.settings(port=port, host_keys="insecure"))

        assert len(seen) == 2

    def test_no_common_algorithm(self, start_sshd) -> None:
        """A key exchange that fails is a CONNECT failure that says why."""
        sshd = start_sshd("Ciphers chacha20-poly1305@openssh.com")
        error = attempt(sshd.settings(), 20)

        assert error.stage is ReachStage.CONNECT
        assert "key exchange" in error.summary


def copy(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side ends."""
    try:
        while data := source.recv(10_000):
            target.sendall(data)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
