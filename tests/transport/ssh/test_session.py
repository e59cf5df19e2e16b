"""One session: one connection, commands with data in and out, and its end."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import paramiko
import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.lab.ssh_server import SSHServer
from pytest_tentacle.transport import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.ssh.transport import SSHTransport


class TestExecute:
    def test_gives_both_streams_and_the_exit_code(self, sshd, open_ssh) -> None:
        """Stdout, stderr and exit code come back, each as it was."""
        answer = open_ssh(sshd.settings()).execute("cat; echo oops >&2; exit 7", b"in\x00\xff", Deadline(20))

        assert (answer.stdout, answer.stderr, answer.exit_code) == (b"in\x00\xff", b"oops\n", 7)

    def test_counts_one_connection_and_one_exec(self, sshd, open_ssh) -> None:
        """A survey costs one connection and one exec, as sshd itself saw it."""
        transport = open_ssh(sshd.settings())
        transport.execute("true", b"", Deadline(20))

        assert transport.requests == 1
        assert sshd.log.count("Connection from") == 1
        assert sshd.log.count("Starting session: command") == 1
        assert sshd.log.count("Starting session") == 1

    def test_keeps_the_session(self, sshd, open_ssh) -> None:
        """Further commands use the same connection."""
        transport = open_ssh(sshd.settings())
        answers = [transport.execute(f"echo {number}", b"", Deadline(20)).stdout for number in range(5)]

        assert answers == [f"{number}\n".encode() for number in range(5)]
        assert sshd.log.count("Connection from") == 1

    @pytest.mark.parametrize("size", [0, 1, 40_000, 12_000_000], ids=["none", "one", "some", "much"])
    def test_feeds_and_drains_at_once(self, sshd, open_ssh, size) -> None:
        """Stdin that is echoed at once, far over every window, neither blocks nor loses a byte."""
        data = os.urandom(size)

        assert open_ssh(sshd.settings()).execute("cat", data, Deadline(60)).stdout == data

    def test_drains_both_streams_at_once(self, sshd, open_ssh) -> None:
        """5 MB on each of stdout and stderr, stderr first, with 3 MB on stdin that is read last."""
        command = "head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero; wc -c"
        answer = open_ssh(sshd.settings()).execute(command, bytes(3_000_000), Deadline(60))

        assert len(answer.stderr) == 5_000_000
        assert answer.stdout == bytes(5_000_000) + b"3000000\n"

    def test_a_command_need_not_read_its_stdin(self, sshd, open_ssh) -> None:
        """5 MB of stdin for a command that ends at once: its answer counts."""
        answer = open_ssh(sshd.settings()).execute("echo done; exit 4", bytes(5_000_000), Deadline(20))

        assert (answer.stdout, answer.exit_code) == (b"done\n", 4)

    def test_a_killed_command_has_no_exit_code(self, sshd, open_ssh) -> None:
        """A command that a signal ends has exit code -1, and its session lives on."""
        transport = open_ssh(sshd.settings())

        assert transport.execute("echo last; kill -9 $$", b"", Deadline(20)).exit_code == -1
        assert transport.execute("echo on", b"", Deadline(20)).stdout == b"on\n"

    def test_does_not_wait_for_what_a_command_leaves_behind(self, sshd, open_ssh) -> None:
        """A child in the background that holds stdout open costs seconds, not the deadline."""
        answer = open_ssh(sshd.settings()).execute("sleep 25 & echo $!", b"", Deadline(60))
        os.kill(int(answer.stdout), 15)

        assert answer.exit_code == 0

    def test_ends_at_the_deadline(self, sshd, open_ssh) -> None:
        """A command that hangs ends with the deadline, and says so."""
        transport = open_ssh(sshd.settings())
        with pytest.raises(TransportError) as caught:
            transport.execute("sleep 20", b"", Deadline(0.7))

        assert caught.value.stage is ReachStage.TIME_OUT
        assert "0.7 s" in caught.value.summary

    def test_hands_over_what_had_come_by_the_deadline(self, sshd, open_ssh) -> None:
        """What a command printed before it hung is not lost with it."""
        transport = open_ssh(sshd.settings())
        with pytest.raises(TransportError) as caught:
            transport.execute("echo one; sleep 30", b"", Deadline(5))

        assert caught.value.received == b"one\n"

    def test_ends_at_the_deadline_while_it_feeds(self, sshd, open_ssh) -> None:
        """A command that never reads its large stdin ends with the deadline."""
        transport = open_ssh(sshd.settings())
        with pytest.raises(TransportError) as caught:
            transport.execute("sleep 8", bytes(50_000_000), Deadline(0.7))

        assert caught.value.stage is ReachStage.TIME_OUT

    def test_bounds_the_output(self, sshd, open_ssh) -> None:
        """A command that floods stdout or stderr is broken off at the limit."""
        for stream in ("1", "2"):
            transport = open_ssh(sshd.settings())
            with pytest.raises(TransportError, match="more than 1,000,000 bytes") as caught:
                transport.execute(f"cat /dev/zero >&{stream}", b"", Deadline(20), max_output=1_000_000)
            assert caught.value.stage is ReachStage.RUN

    def test_output_up_to_the_limit_is_fine(self, sshd, open_ssh) -> None:
        """The limit itself is allowed."""
        answer = open_ssh(sshd.settings()).execute("head -c 1000000 /dev/zero", b"", Deadline(20), max_output=1_000_000)

        assert len(answer.stdout) == 1_000_000

    def test_a_lost_connection_is_told(self, sshd, open_ssh) -> None:
        """When the server's process dies under the command, that is a RUN failure, not an answer."""
        transport = open_ssh(sshd.settings())
        with pytest.raises(TransportError) as caught:
            transport.execute("kill -9 $PPID; sleep 5", b"", Deadline(20))

        assert caught.value.stage is ReachStage.RUN

    def test_a_refused_session_is_told(self, start_sshd, open_ssh) -> None:
        """A server that opens no session fails at START."""
        transport = open_ssh(start_sshd("MaxSessions 0").settings())
        with pytest.raises(TransportError) as caught:
            transport.execute("true", b"", Deadline(20))

        assert caught.value.stage is ReachStage.START

    def test_a_command_without_a_session_is_told(self, sshd) -> None:
        """Execute before connect, and after close, fails at START."""
        transport = SSHTransport(sshd.settings())
        with pytest.raises(TransportError) as before:
            transport.execute("true", b"", Deadline(5))
        transport.close()
        with pytest.raises(TransportError) as after:
            transport.execute("true", b"", Deadline(5))

        assert (before.value.stage, after.value.stage) == (ReachStage.START, ReachStage.START)


class TestClose:
    def test_breaks_off_a_command(self, sshd, open_ssh) -> None:
        """Close from another thread ends a command within a second."""
        transport = open_ssh(sshd.settings())
        timer = threading.Timer(0.4, transport.close)
        timer.start()
        with pytest.raises(TransportError, match="broken off") as caught:
            transport.execute("sleep 20", b"", Deadline(600))
        timer.join()

        assert caught.value.stage is ReachStage.RUN

    def test_breaks_off_a_handshake(self, misbehave) -> None:
        """Close from another thread ends a connect to a silent server within a second."""
        transport = SSHTransport(misbehave(lambda connection: [connection.recv(10_000), connection.recv(1)]))
        timer = threading.Timer(0.4, transport.close)
        timer.start()
        with pytest.raises(TransportError, match="broken off"):
            transport.connect(Deadline(600))
        timer.join()

    def test_breaks_off_a_tcp_connect(self) -> None:
        """Close from another thread ends the wait for a connection that nobody accepts."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            port = listener.getsockname()[1]
            fillers = []
            for _ in range(4):
                filler = socket.socket()
                filler.settimeout(0)
                filler.connect_ex(("127.0.0.1", port))
                fillers.append(filler)
            transport = SSHTransport(SSH(host="127.0.0.1", port=port, user="x", host_keys="insecure"))
            timer = threading.Timer(0.4, transport.close)
            timer.start()
            with pytest.raises(TransportError) as caught:
                transport.connect(Deadline(600))
            timer.join()
            for filler in fillers:
                filler.close()

        assert caught.value.stage is ReachStage.CONNECT

    def test_never_raises(self, sshd, open_ssh) -> None:
        """Close before connect, and twice, is fine."""
        SSHTransport(sshd.settings()).close()
        transport = open_ssh(sshd.settings())
        transport.close()
        transport.close()

    def test_leaves_no_thread_behind(self, sshd) -> None:
        """A closed session has no thread, least of all one that keeps the interpreter from ending."""
        before = set(threading.enumerate())
        transport = SSHTransport(sshd.settings())
        transport.connect(Deadline(20))
        transport.execute("true", b"", Deadline(20))
        transport.close()

        assert set(threading.enumerate()) - before == set()


class TestDetectOs:
    def test_other_servers_are_linux(self, sshd, open_ssh) -> None:
        """Debian's sshd tells Linux; before the login nothing is known."""
        assert SSHTransport(sshd.settings()).detect_os() is None
        assert open_ssh(sshd.settings()).detect_os() == "linux"

    def test_microsofts_server_is_windows(self, lab_settings, lab_server: SSHServer, open_ssh, monkeypatch) -> None:
        """`OpenSSH_for_Windows` in the banner tells Windows."""
        monkeypatch.setattr(paramiko.Transport, "_CLIENT_ID", "OpenSSH_for_Windows_9.5")

        assert open_ssh(lab_settings).detect_os() == "windows"
        assert lab_server.execs == 0


class TestConcurrency:
    def test_32_sessions_at_once(self, sshd, open_ssh: Callable[..., SSHTransport]) -> None:
        """32 threads with a session each get their own answers."""

        def survey(number: int) -> bytes:
            return open_ssh(sshd.settings(), 60.0).execute("cat", f"{number}".encode() * 1000, Deadline(60)).stdout

        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(survey, range(32)))

        assert answers == [f"{number}".encode() * 1000 for number in range(32)]
        assert sshd.log.count("Starting session: command") == 32
