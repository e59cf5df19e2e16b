"""The machine that runs pytest as a target."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_tentacle.inventory.model import SSH, Local, NoTransport, WinRM
from pytest_tentacle.transport import Deadline, ReachStage, Transport, TransportError, open_transport
from pytest_tentacle.transport.local import LocalTransport


def running(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def children() -> str:
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()


def until(condition, seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(autouse=True)
def _leaves_nothing_behind():
    """No child, not even a zombie, and no thread outlives a test."""
    before, threads = children(), set(threading.enumerate())
    yield
    assert children() == before
    assert until(lambda: set(threading.enumerate()) <= threads)


class TestExecute:
    def test_gives_both_streams_and_the_exit_code(self) -> None:
        """Stdout, stderr and exit code come back, each as it was."""
        transport = LocalTransport()
        transport.connect(Deadline(1))
        answer = transport.execute("cat; echo oops >&2; exit 7", b"in\x00\xff", Deadline(20))

        assert (answer.stdout, answer.stderr, answer.exit_code) == (b"in\x00\xff", b"oops\n", 7)
        assert transport.requests == 1

    def test_feeds_and_drains_at_once(self) -> None:
        """20 MB there and back."""
        data = os.urandom(12_000_000)

        assert LocalTransport().execute("cat", data, Deadline(60)).stdout == data

    def test_a_command_need_not_read_its_stdin(self) -> None:
        """5 MB of stdin for a command that ends at once."""
        assert LocalTransport().execute("echo done", bytes(5_000_000), Deadline(20)).stdout == b"done\n"

    @pytest.mark.parametrize(
        "command",
        [
            "echo $$ >{pids}; sleep 30",
            "sleep 30 & echo $! >{pids}; sleep 30",
            "sleep 30 & echo $! >{pids}",
            "exec >&- 2>&-; echo $$ >{pids}; sleep 30",
        ],
        ids=["itself", "its-child", "an-orphan", "closed-streams"],
    )
    def test_the_deadline_ends_all_of_it(self, tmp_path, command) -> None:
        """What hangs, what it started, and what has closed its streams are ended with the deadline."""
        with pytest.raises(TransportError) as caught:
            LocalTransport().execute(command.format(pids=tmp_path / "pids"), b"", Deadline(0.6))

        assert caught.value.stage is ReachStage.TIME_OUT
        assert until(lambda: not running(int((tmp_path / "pids").read_text())))

    def test_hands_over_what_had_come_by_the_deadline(self) -> None:
        """What a command printed before it hung is not lost with it."""
        with pytest.raises(TransportError) as caught:
            LocalTransport().execute("echo one; sleep 30", b"", Deadline(3))

        assert caught.value.received == b"one\n"

    def test_does_not_wait_for_what_a_command_leaves_behind(self) -> None:
        """A child in the background that holds stdout open costs seconds, not the deadline."""
        answer = LocalTransport().execute("sleep 25 & echo $!", b"", Deadline(60))
        os.kill(int(answer.stdout), 9)

        assert answer.exit_code == 0

    @pytest.mark.parametrize("stream", ["1", "2"])
    def test_bounds_the_output(self, stream) -> None:
        """A command that floods is broken off at the limit."""
        with pytest.raises(TransportError, match="more than 1,000,000 bytes") as caught:
            LocalTransport().execute(f"cat /dev/zero >&{stream}", b"", Deadline(20), max_output=1_000_000)

        assert caught.value.stage is ReachStage.RUN

    def test_a_command_that_cannot_start(self) -> None:
        """A failure to start is told as one."""
        with pytest.raises(TransportError) as caught:
            LocalTransport().execute("echo \x00", b"", Deadline(20))

        assert caught.value.stage is ReachStage.START

    def test_ctrl_c_passes_through(self, monkeypatch, tmp_path) -> None:
        """KeyboardInterrupt ends the command and reaches the caller."""

        def interrupt(*_: object) -> bool:
            assert until((tmp_path / "pid").exists)
            raise KeyboardInterrupt

        monkeypatch.setattr("pytest_tentacle.transport.child.Streams.wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            LocalTransport().execute(
                f"echo $$ >{tmp_path}/p; mv {tmp_path}/p {tmp_path}/pid; sleep 30", b"", Deadline(20)
            )

        assert not running(int((tmp_path / "pid").read_text()))


class TestClose:
    def test_breaks_off_a_command(self) -> None:
        """Close from another thread ends a command at once; afterwards nothing starts."""
        transport = LocalTransport()
        timer = threading.Timer(0.3, transport.close)
        timer.start()
        with pytest.raises(TransportError, match="broken off"):
            transport.execute("sleep 30", b"", Deadline(30))
        timer.join()
        with pytest.raises(TransportError, match="broken off"):
            transport.execute("true", b"", Deadline(30))


class TestDetectOs:
    def test_is_this_machine(self) -> None:
        """These tests run on Linux."""
        assert sys.platform == "linux"
        assert LocalTransport().detect_os() == "linux"


class TestOpenTransport:
    @pytest.mark.parametrize("settings", [WinRM(host="box", user="octo", password="x"), SSH(host="box"), Local()])
    def test_gives_each_kind(self, settings) -> None:
        """Each kind of settings has its transport, which contacts nobody yet."""
        transport = open_transport(settings)

        assert isinstance(transport, Transport)
        assert type(transport).__name__.lower() == f"{settings.kind}transport"
        transport.close()

    def test_none_is_not_asked(self) -> None:
        """A machine without transport is told by its own stage."""
        with pytest.raises(TransportError) as caught:
            open_transport(NoTransport())

        assert caught.value.stage is ReachStage.NOT_ASKED

    def test_a_missing_part_disturbs_nobody_else(self, monkeypatch) -> None:
        """Without paramiko, SSH says what is missing, and the others work."""
        for name in [
            name for name in sys.modules if name.startswith(("paramiko", "pytest_tentacle.transport.ssh.transport"))
        ]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "paramiko", None)
        with pytest.raises(TransportError, match="ssh needs the Python package paramiko"):
            open_transport(SSH(host="box"))

        assert open_transport(Local()).detect_os() == "linux"
