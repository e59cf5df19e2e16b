"""The server's own promises: limits, clean ends, what it counts, and what runs in its shells."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest
from winrm.protocol import Protocol

from pytest_tentacle.lab.winrm.runner import COMMAND_LINE_LIMIT, PowerShellRunner, ProcessCommand
from pytest_tentacle.lab.winrm.server import WinRMServer


def logged_on(server, user="vagrant", password="pass:wörd'\"", address="localhost"):
    return Protocol(
        f"http://{address}:{server.port}/wsman",
        transport="ntlm",
        username=user,
        password=password,
        ca_trust_path=None,
        proxy=None,
        read_timeout_sec=20,
        operation_timeout_sec=10,
    )


def ended(command, seconds=2.0):
    end = time.monotonic() + seconds
    while command._process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    return command._process.poll() is not None


class TestProcesses:
    """What was started ends with its shell."""

    def test_deleting_the_shell_ends_the_command_and_its_children(self, serve, runner, tmp_path):
        """Windows ends the whole job."""
        note = tmp_path / "pid"
        server = serve("http")
        client = logged_on(server)
        shell = client.open_shell()
        child = "import time; time.sleep(600)"
        client.run_command(
            shell,
            f"import subprocess, sys, pathlib, time; p = subprocess.Popen([sys.executable, '-c', {child!r}]); "
            f"pathlib.Path({str(note)!r}).write_text(str(p.pid) + '.'); time.sleep(60)",
        )
        end = time.monotonic() + 60
        while not (note.exists() and note.read_text().endswith(".")) and time.monotonic() < end:
            time.sleep(0.02)
        client.close_shell(shell)
        assert ended(runner.started[0])
        pid = int(note.read_text().rstrip("."))
        end = time.monotonic() + 60
        while _runs(pid) and time.monotonic() < end:
            time.sleep(0.02)
        assert not _runs(pid)

    def test_a_signal_ends_the_command(self, serve, runner):
        """The shell stays."""
        server = serve("http")
        client = logged_on(server)
        shell = client.open_shell()
        command = client.run_command(shell, "import time; time.sleep(600)")
        client.cleanup_command(shell, command)
        assert ended(runner.started[0])
        assert server.open_shells == 1

    def test_stopping_takes_less_than_a_second(self, serve, runner):
        """With a command that runs and a connection that is open."""
        server = serve("http")
        client = logged_on(server)
        shell = client.open_shell()
        client.run_command(shell, "import time; time.sleep(600)")
        server.stop()
        assert ended(runner.started[0])
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", server.port), 1)

    def test_a_client_that_says_nothing_holds_nothing_up(self, serve):
        """Neither before the TLS handshake nor after it."""
        server = serve("https")
        with socket.create_connection(("127.0.0.1", server.port)):
            time.sleep(0.1)
            server.stop()


class TestLimits:
    """A lab that is more patient than Windows would hide our faults."""

    def test_output_comes_in_envelopes(self, serve):
        """The client's MaxEnvelopeSize of 150 kB holds for each answer."""
        server = serve("http")
        client = logged_on(server)
        shell = client.open_shell()
        command = client.run_command(shell, "print('x' * 299_999)")
        pieces = []
        done = False
        while not done:
            out, _, _, done = client.get_command_output_raw(shell, command)
            pieces.append(out)
        assert max(map(len, pieces)) * 4 / 3 < 153600
        assert sum(map(len, pieces)) == 300_000

    def test_a_users_shell_is_his_own(self, serve, accounts):
        """Another user does not find it."""
        server = serve("http")
        shell = logged_on(server).open_shell()
        other = logged_on(server, "LAB\\admin", accounts["LAB\\admin"])
        with pytest.raises(Exception, match="2150858843"):
            other.run_command(shell, "print(1)")

    def test_a_command_line_that_cmd_would_not_take(self):
        """8,191 characters, then an error of cmd.exe's."""
        command = PowerShellRunner(Path("never-started")).start(
            "powershell.exe -EncodedCommand " + "A" * COMMAND_LINE_LIMIT
        )
        assert command.read(1000, 1) == (b"", b"The command line is too long.\r\n")
        assert command.poll() == 1

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("ipconfig /all", "'ipconfig' is not recognized"),
            ("powershell.exe -NoProfile -EncodedCommand !!!", "not properly encoded"),
            ("powershell.exe -Command Get-Date", "'powershell.exe' is not recognized"),
            ("", "'' is not recognized"),
        ],
    )
    def test_what_the_lab_cannot_run(self, line, said):
        """It says so on stderr, as a machine would."""
        command = PowerShellRunner(Path("never-started")).start(line)
        assert said in command.read(1000, 1)[1].decode()
        assert command.poll() == 1


class TestProtocol:
    """HTTP around it."""

    @pytest.mark.parametrize(
        ("request_line", "body", "status"),
        [
            ("POST /other HTTP/1.1", b"", b"404"),
            ("POST /wsman HTTP/1.1", b"", b"401"),
            ("GET /wsman HTTP/1.1", b"", b"501"),
            ("POST /wsman HTTP/1.1\r\nAuthorization: Negotiate !!!", b"", b"401"),
            ("POST /wsman HTTP/1.1\r\nAuthorization: Negotiate TlRMTVNTUAADAAAA", b"", b"401"),
            ("POST /wsman HTTP/1.1\r\nAuthorization: Digest x", b"", b"401"),
        ],
    )
    def test_strangers_are_answered(self, serve, request_line, body, status):
        """With a status, not with a traceback."""
        server = serve("http")
        with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
            connection.sendall(f"{request_line}\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            assert connection.recv(65536).split()[1] == status

    def test_it_listens_where_it_is_told(self, runner, accounts):
        """Every lab machine has an address of its own, IPv6 included."""
        for address, url in (("127.0.0.77", "127.0.0.77"), ("::1", "[::1]")):
            with WinRMServer(address, 0, users=accounts, runner=runner) as server:
                shell = logged_on(server, address=url).open_shell()
                assert shell
                assert [one.client for one in server.seen if one.action == "Create"]

    def test_what_it_counts(self, serve):
        """Per action and per client."""
        server = serve("http")
        client = logged_on(server)
        client.close_shell(client.open_shell())
        assert [one.action for one in server.seen] == ["login", "login", "login", "Create", "Delete"]
        assert (server.count(), server.count("Create", client="127.0.0.1"), server.count(client="127.0.0.9")) == (
            5,
            1,
            0,
        )
        assert server.connections == 1


class TestProcessCommand:
    """A process as a running command."""

    def test_large_input_does_not_block_the_writer(self):
        """A Send is answered before the process has read it."""
        command = ProcessCommand(
            [sys.executable, "-c", "import sys, time; time.sleep(1.0); print(len(sys.stdin.read()))"]
        )
        command.write(b"x" * 1_000_000)
        command.close_stdin()
        assert command.poll() is None
        assert command.read(100, 10) == (b"1000000\n", b"")
        assert command.poll() == 0
        command.kill()

    def test_its_environment_is_added_to(self):
        """Not replaced: the engine needs its own."""
        command = ProcessCommand(
            [sys.executable, "-c", "import os; print(os.environ['LAB'], 'PATH' in os.environ)"], {"LAB": "ä"}
        )
        assert command.read(100, 10)[0].decode().split() == ["ä", "True"]
        command.kill()


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rsplit(")", 1)[1].split()[0] != "Z"  # a zombie has ended
