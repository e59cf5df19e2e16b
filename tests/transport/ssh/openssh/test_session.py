"""One session by a ticket of a real domain: one log-on, commands with data in and out, and its end."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from pytest_tentacle.transport import Deadline, ReachStage, TransportError, open_transport
from support.gss.by_ssh import TICKETS, as_localhost, logged_on, processes_of, settings, wait_for_the_end

ME = getpass.getuser()


class TestSession:
    def test_commands_share_one_log_on(self, machine, tickets) -> None:
        """Both streams, exit codes, bytes of all kinds; one connection, as sshd saw it."""
        (machine.folder / "log").write_text("")
        with logged_on(settings(machine)) as transport:
            answer = transport.execute("cat; echo oops >&2; exit 7", b"in\x00\xff", Deadline(60))
            assert (answer.stdout, answer.stderr, answer.exit_code) == (b"in\x00\xff", b"oops\n", 7)
            assert transport.execute("exit 255", b"", Deadline(60)).exit_code == 255
            assert transport.execute("echo last; kill -9 $$", b"", Deadline(60)).exit_code == -1
            data = os.urandom(3_000_000)
            assert transport.execute("cat", data, Deadline(60)).stdout == data
            unread = transport.execute("echo done; exit 4", bytes(3_000_000), Deadline(60))
            assert (unread.stdout, unread.exit_code) == (b"done\n", 4)
            both = transport.execute("head -c 3000000 /dev/zero >&2; wc -c", bytes(1_000_000), Deadline(60))
            assert (len(both.stderr), both.stdout) == (3_000_000, b"1000000\n")
            assert transport.requests == 6
            assert transport.detect_os() == "linux"
        assert machine.log.count("Connection from") == 1
        assert machine.log.count("Starting session: command") == 6
        assert f"Accepted gssapi-with-mic for {ME}" in machine.log

    def test_what_a_command_leaves_behind_is_not_waited_for(self, machine, tickets) -> None:
        """A child in the background that holds stdout open costs seconds, not the deadline."""
        with logged_on(settings(machine)) as transport:
            answer = transport.execute("sleep 90 & echo $!; exit 3", b"", Deadline(600))
            os.kill(int(answer.stdout), 15)
            assert answer.exit_code == 3
            assert transport.execute("echo on", b"", Deadline(60)).stdout == b"on\n"

    @pytest.mark.parametrize("data", [b"", bytes(50_000_000)], ids=["waiting", "feeding"])
    def test_the_deadline_ends_it(self, machine, tickets, data) -> None:
        """A command that hangs is told with what it had printed, and the session is over."""
        with logged_on(settings(machine)) as transport:
            with pytest.raises(TransportError) as caught:
                transport.execute("echo one; exec sleep 90 <&-", data, Deadline(3))
            assert (caught.value.stage, caught.value.received) == (ReachStage.TIME_OUT, b"one\n")
            assert "within 3 s" in caught.value.summary
            with pytest.raises(TransportError, match="there is no session") as caught:
                transport.execute("true", b"", Deadline(60))
            assert caught.value.stage is ReachStage.START

    @pytest.mark.parametrize("stream", ["1", "2"])
    def test_the_limit_ends_it(self, machine, tickets, stream) -> None:
        """Output over the limit is broken off; up to it, it is fine."""
        with logged_on(settings(machine)) as transport:
            command = f"head -c 1000000 /dev/zero >&{stream}"
            transport.execute(command, b"", Deadline(60), max_output=1_000_000)
            with pytest.raises(TransportError, match="more than 1,000,000 bytes") as caught:
                transport.execute(f"cat /dev/zero >&{stream}", b"", Deadline(60), max_output=1_000_000)
            assert caught.value.stage is ReachStage.RUN

    def test_a_lost_connection_is_told(self, machine, tickets) -> None:
        """When the server's process dies under the command, that is a failure, not an answer."""
        with logged_on(settings(machine)) as transport, pytest.raises(TransportError, match="was lost") as caught:
            transport.execute("kill -9 $PPID; sleep 9", b"", Deadline(60))
        assert caught.value.stage is ReachStage.RUN

    def test_a_refused_session_is_told(self, in_domain, start_sshd, tickets) -> None:
        """A server that opens no session fails at START."""
        sshd = as_localhost(start_sshd(*TICKETS, "MaxSessions 0", **in_domain))
        with logged_on(settings(sshd)) as transport, pytest.raises(TransportError, match="would not start") as caught:
            transport.execute("true", b"", Deadline(60))
        assert caught.value.stage is ReachStage.START

    def test_close_breaks_a_log_on_off(self, misbehave) -> None:
        """Close from another thread ends a connect to a silent server at once."""
        silent = misbehave(lambda connection: [connection.recv(10_000), connection.recv(1)])
        transport = open_transport(silent.model_copy(update={"auth": "kerberos"}))
        timer = threading.Timer(0.4, transport.close)
        timer.start()
        with pytest.raises(TransportError, match="broken off"):
            transport.connect(Deadline(600))
        timer.join()

    def test_close_breaks_it_off(self, machine, tickets) -> None:
        """Close from another thread ends a command at once; before connect, and twice, it is fine."""
        with logged_on(settings(machine)) as transport:
            timer = threading.Timer(0.4, transport.close)
            timer.start()
            with pytest.raises(TransportError, match="broken off") as caught:
                transport.execute("sleep 90", b"", Deadline(600))
            timer.join()
            assert caught.value.stage is ReachStage.RUN
        transport.close()
        open_transport(settings(machine)).close()

    def test_it_ends_with_whoever_logged_on(self, machine, tickets, tmp_path) -> None:
        """Also where that is killed, and can close nothing."""
        place = tempfile.gettempdir()
        program = (
            "import os, tempfile\n"
            "from pytest_tentacle.inventory.model import SSH\n"
            "from pytest_tentacle.transport import Deadline, open_transport\n"
            f"tempfile.tempdir = {place!r}\n"
            f"transport = open_transport(SSH.model_validate_json({settings(machine).model_dump_json()!r}))\n"
            "transport.connect(Deadline(60))\n"
            "os.kill(os.getpid(), 9)\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=100, check=False)
        assert done.returncode == -9, done.stderr
        wait_for_the_end(place)
        (folder,) = Path(place).iterdir()
        shutil.rmtree(folder)

    def test_no_command_line_tells_where_it_goes(self, machine, tickets) -> None:
        """The process list shows paths of ours alone."""
        with logged_on(settings(machine)):
            shown = processes_of(tempfile.gettempdir())
            assert [words[0].rpartition("/")[2] for words in shown.values() if words[0] != "/bin/sh"] == ["ssh"]
            told = {word for words in shown.values() for word in words}
            assert not [word for word in told if "localhost" in word or word == ME or str(machine.port) in word]


def test_a_survey(machine, domain, run_pytest, tmp_path) -> None:
    """A machine is surveyed over it as over any: one log-on, one script."""
    (machine.folder / "log").write_text("")
    (tmp_path / "prod.yaml").write_text(
        f"tentacles: [{{name: here, ip: 127.0.0.1, mode: listening, transport: {{kind: ssh, host: localhost, port: "
        f"{machine.port}, user: {ME}, auth: kerberos, known_hosts: {machine.folder}/known_hosts}}}}]\n"
    )
    arguments = ("--inventory=prod.yaml", "--save-surveys=run.json", "-k", "identify", "-p", "no:cacheprovider")
    shown = run_pytest(*arguments, cwd=tmp_path, environment=os.environ | domain.environment("good"))
    (record,) = json.loads((tmp_path / "run.json").read_text())["records"]
    assert (record["requests"], record["survey"]["host"]["data"]["os"]) == (1, "linux"), shown.stdout
    assert machine.log.count("Connection from") == machine.log.count("Starting session: command") == 1
