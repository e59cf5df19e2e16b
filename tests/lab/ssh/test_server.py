"""The lab's SSH server: real commands for real clients, and nothing left behind."""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import paramiko
import pytest

from pytest_tentacle.lab.ssh_server import SSHServer

PASSWORD = 'ö\'pus "8"'


def log_in(server: SSHServer, password: str = PASSWORD, user: str = "octo") -> paramiko.Transport:
    session = paramiko.Transport(socket.create_connection(("127.0.0.1", server.port)))
    session.connect(username=user, password=password)
    return session


def alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def running(pid: int) -> bool:
    """Whether a process runs; one that only waits for somebody else's init to reap it does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(condition, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class TestWithOpenSSH:
    def test_streams_and_exit_code(self, ssh) -> None:
        """OpenSSH's own client gets both streams and the exit code."""
        done = ssh("cat; echo oops >&2; exit 7", stdin=b"in\x00\xff")

        assert (done.stdout, done.stderr, done.returncode) == (b"in\x00\xff", b"oops\n", 7)

    def test_environment_and_folder(self, ssh, tmp_path) -> None:
        """Commands run in the given folder, with the given environment and no other; stand-ins come first."""
        done = ssh("pwd; systemctl is-active x; env | cut -d= -f1 | sort | tr '\\n' ' '")

        assert done.stdout.decode().splitlines()[:2] == [str(tmp_path), "stand-in m1 is-active x"]
        assert set(done.stdout.decode().splitlines()[2].split()) <= {"MACHINE", "PATH", "PWD", "OLDPWD", "SHLVL", "_"}

    def test_much_data(self, ssh) -> None:
        """10 MB there and back."""
        data = os.urandom(10_000_000)

        assert ssh("cat", stdin=data).stdout == data

    def test_a_short_command_never_overtakes_its_acceptance(self, ssh) -> None:
        """Fifty commands that end at once: each is answered, with its code."""
        with ThreadPoolExecutor(4) as pool:
            codes = list(pool.map(lambda number: ssh(f"exit {number}").returncode, range(50)))

        assert codes == list(range(50))

    def test_a_killed_command(self, ssh) -> None:
        """A command that a signal ended has a shell's exit code for it."""
        assert ssh("kill -9 $$").returncode == 128 + 9

    def test_counts(self, ssh, server) -> None:
        """Connections and commands are counted."""
        ssh("true")
        ssh("true")

        assert (server.connections, server.execs) == (2, 2)

    @pytest.mark.parametrize("options", [("-tt",), ("-s",)], ids=["terminal", "subsystem"])
    def test_offers_commands_only(self, ssh, options) -> None:
        """Neither terminal nor subsystem: what a survey does not need is not there."""
        done = ssh("sftp", *options)

        assert done.returncode != 0 or b"PTY allocation request failed" in done.stderr

    def test_forwards_nothing(self, ssh) -> None:
        """It is no jump host."""
        assert ssh("x", "-W", "127.0.0.1:22").returncode != 0


class TestLogin:
    def test_by_password(self, server) -> None:
        """Quotes and umlauts in a password are fine."""
        log_in(server).close()

    @pytest.mark.parametrize(
        ("user", "password"), [("octo", "wrong"), ("octo", ""), ("other", PASSWORD), ("other", "")]
    )
    def test_refuses(self, server, user, password) -> None:
        """Wrong password, wrong user, no password."""
        session = paramiko.Transport(socket.create_connection(("127.0.0.1", server.port)))
        try:
            with pytest.raises(paramiko.AuthenticationException):
                session.connect(username=user, password=password)
        finally:
            session.close()

    def test_refuses_another_users_key(self, ssh) -> None:
        """A key counts for its user alone."""
        done = ssh("true", user="other")

        assert done.returncode == 255
        assert b"Permission denied" in done.stderr

    def test_no_command_without_login(self, server) -> None:
        """A client that has not logged in runs nothing."""
        session = paramiko.Transport(socket.create_connection(("127.0.0.1", server.port)))
        try:
            session.start_client(timeout=10)
            with pytest.raises(paramiko.SSHException):
                session.open_session(timeout=3)
        finally:
            session.close()
        assert server.execs == 0


class TestStop:
    def test_kills_commands_and_ends_threads(self, tmp_path) -> None:
        """Within a second, commands with their children are gone, and so are the threads."""
        before = set(threading.enumerate())
        server = SSHServer(
            "127.0.0.1",
            0,
            host_key=paramiko.ECDSAKey.generate(),
            users={"octo": "x"},
            environment=dict(os.environ),
            cwd=tmp_path,
        ).start()
        sessions = [log_in(server, "x") for _ in range(3)]
        pids = []
        for session in sessions:
            channel = session.open_session()
            channel.exec_command("sleep 600 & echo $$ $!; trap '' TERM HUP; wait; sleep 600")
            pids += [int(pid) for pid in channel.makefile().readline().split()]
        silent = socket.create_connection(("127.0.0.1", server.port))
        server.stop()
        for session in sessions:
            session.close()
        silent.close()

        assert len(pids) == 6
        assert until(lambda: not any(map(running, pids)), 60)
        assert until(lambda: set(threading.enumerate()) <= before, 60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), 1)

    @pytest.mark.parametrize(
        "command", ["echo $$; sleep 60", "echo $$; exec >&- 2>&-; sleep 60", "echo $$; exec <&-; sleep 60"]
    )
    def test_a_client_that_goes_ends_its_command(self, server, command) -> None:
        """A broken connection kills what it ran, also while stdin is full or stdout is closed."""
        session = log_in(server)
        channel = session.open_session()
        channel.exec_command(command)
        pid = int(channel.makefile().readline())
        channel.settimeout(0.5)
        with suppress(TimeoutError, OSError):
            channel.sendall(bytes(500_000))
        session.close()

        assert until(lambda: not alive(pid))

    def test_reaps_its_children(self, ssh) -> None:
        """No zombie is left by a command that has ended."""
        pid = int(ssh("echo $$").stdout)

        assert until(lambda: not alive(pid))

    def test_the_silent_keep_nobody_waiting(self, server, ssh) -> None:
        """Connections that say nothing do not stand in the way of others."""
        silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
        try:
            assert ssh("echo in").stdout == b"in\n"
        finally:
            for connection in silent:
                connection.close()

    def test_never_started(self, tmp_path) -> None:
        """A server that was made but not started can be stopped, and frees its port."""
        server = SSHServer(
            "127.0.0.1", 0, host_key=paramiko.ECDSAKey.generate(), users={}, environment={}, cwd=tmp_path
        )
        server.stop()
        socket.create_server(("127.0.0.1", server.port)).close()

    def test_a_folder_that_is_gone(self, tmp_path) -> None:
        """A command that cannot be started ends with 126, and the server lives on."""
        with SSHServer(
            "127.0.0.1",
            0,
            host_key=paramiko.ECDSAKey.generate(),
            users={"octo": "x"},
            environment={},
            cwd=tmp_path / "gone",
        ) as server:
            session = log_in(server, "x")
            channel = session.open_session(timeout=5)
            channel.exec_command("true")
            assert channel.status_event.wait(5)
            assert channel.recv_exit_status() == 126
            session.close()
