"""The machine that runs pytest: its commands are child processes, ended with all that they started at the deadline."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO

from .base import LINGER_SECONDS, Answer, Deadline, ReachStage, Transport, TransportError
from .child import KILL_SECONDS, WINDOWS_FLAGS, Streams, has_ended, kill_tree

_SLICE = 0.1


class LocalTransport(Transport):
    """Runs commands here: through `sh -c` on POSIX; on Windows the command line is started as it stands."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._lock = threading.Lock()
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self, deadline: Deadline) -> None:
        """Do nothing: we are there already."""

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 16_000_000) -> Answer:
        """Run a command line with these bytes on its stdin, to its end.

        The exit code is negative where a signal ended the command (POSIX). Raises TransportError with stage START,
        RUN or TIME_OUT; nothing that belongs to the command runs on then.
        """
        self.requests += 1
        with self._running(command) as process:
            streams = Streams(_ends(process), stdin, max_output)
            try:
                return self._converse(process, streams, deadline, max_output)
            except TransportError as error:
                error.received = streams.stdout
                raise

    def _converse(
        self, process: subprocess.Popen[bytes], streams: Streams, deadline: Deadline, max_output: int
    ) -> Answer:
        linger: Deadline | None = None
        while not streams.wait(_SLICE):
            if self._closed:
                raise _broken_off()
            if deadline.expired():
                raise _too_late(deadline)
            if has_ended(process):
                linger = linger or Deadline(LINGER_SECONDS)
                if linger.expired():
                    break
        if streams.overflowed:
            raise TransportError(
                ReachStage.RUN,
                f"the command on this machine printed more than {max_output:,} bytes",
                "See what floods the output.",
            )
        try:
            code = process.wait(deadline.remaining())
        except subprocess.TimeoutExpired:
            raise _too_late(deadline) from None
        if self._closed:
            raise _broken_off()
        return Answer(streams.stdout, streams.stderr, code)

    def detect_os(self) -> str | None:
        """This machine's family; None where no Tentacle runs on it, as on macOS."""
        if sys.platform == "win32":
            return "windows"
        return "linux" if sys.platform.startswith("linux") else None

    def close(self) -> None:
        """End a command that still runs; never raises."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                kill_tree(self._process)

    @contextlib.contextmanager
    def _running(self, command: str) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._closed:
                raise _broken_off()
            process = self._process = _start(command)
        try:
            yield process
        except BaseException:
            kill_tree(process)
            raise
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(KILL_SECONDS)
            with self._lock:
                self._process = None


def _start(command: str) -> subprocess.Popen[bytes]:
    arguments = command if sys.platform == "win32" else ["/bin/sh", "-c", command]
    try:
        return subprocess.Popen(  # noqa: S603  the caller's command line, as it stands, is what is asked for
            arguments,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # a group of its own: Ctrl-C is ours to handle, and all that the command starts can be ended with it
            start_new_session=True,
            creationflags=WINDOWS_FLAGS,
        )
    except (OSError, ValueError) as error:  # ValueError: a null character in the command
        raise TransportError(
            ReachStage.START, f"the command cannot be started on this machine: {error}", "Is the shell there?"
        ) from error


def _ends(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise RuntimeError("it was started without pipes")
    return process.stdin, process.stdout, process.stderr


def _too_late(deadline: Deadline) -> TransportError:
    return TransportError(
        ReachStage.TIME_OUT,
        f"the command on this machine was not finished within {deadline.seconds:g} s",
        "Is the machine overloaded? --machine-timeout gives it longer.",
    )


def _broken_off() -> TransportError:
    return TransportError(ReachStage.RUN, "the command on this machine was broken off", "Run again.")
