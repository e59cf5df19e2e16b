"""The machine that runs pytest: its commands are child processes, ended with all that they started at the deadline."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO

from .base import Answer, Deadline, ReachStage, Transport, TransportError

_CHUNK = 65_536
_SLICE = 0.1
_KILL_SECONDS = 5.0
_WINDOWS_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)

LINGER_SECONDS = 5.0
"""How long output may still come after the command's end, where something that it started holds the streams open."""


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
            streams = _Streams(process, stdin, max_output)
            try:
                return self._converse(process, streams, deadline, max_output)
            except TransportError as error:
                error.received = streams.stdout
                raise

    def _converse(
        self, process: subprocess.Popen[bytes], streams: _Streams, deadline: Deadline, max_output: int
    ) -> Answer:
        linger: Deadline | None = None
        while not streams.wait(_SLICE):
            if self._closed:
                raise _broken_off()
            if deadline.expired():
                raise _too_late(deadline)
            if _has_ended(process):
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
                _kill_tree(self._process)

    @contextlib.contextmanager
    def _running(self, command: str) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._closed:
                raise _broken_off()
            process = self._process = _start(command)
        try:
            yield process
        except BaseException:
            _kill_tree(process)
            raise
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_KILL_SECONDS)
            with self._lock:
                self._process = None


class _Streams:
    """Feeds and drains a process by three threads, which also Windows' pipes can do."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, max_output: int) -> None:
        self._room = max_output
        self._lock = threading.Lock()
        self._output: tuple[list[bytes], list[bytes]] = ([], [])
        self.overflowed = False
        self._threads = [
            threading.Thread(target=self._drain, args=(process.stdout, self._output[0]), daemon=True),
            threading.Thread(target=self._drain, args=(process.stderr, self._output[1]), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._feed, args=(process.stdin, stdin), daemon=True).start()

    @property
    def stdout(self) -> bytes:
        return b"".join(self._output[0])

    @property
    def stderr(self) -> bytes:
        return b"".join(self._output[1])

    def wait(self, seconds: float) -> bool:
        """Wait that long for both ends of output, or an overflow; whether they came."""
        end = Deadline(seconds)
        for thread in self._threads:
            thread.join(end.remaining())
        return self.overflowed or not any(thread.is_alive() for thread in self._threads)

    def _drain(self, stream: IO[bytes], chunks: list[bytes]) -> None:
        with stream:
            while data := os.read(stream.fileno(), _CHUNK):
                with self._lock:
                    self._room -= len(data)
                    if self._room < 0:
                        self.overflowed = True
                        return
                    chunks.append(data)

    @staticmethod
    def _feed(stream: IO[bytes], data: bytes) -> None:
        with contextlib.suppress(OSError):  # the command ended without reading all of it, which is its right
            view = memoryview(data)
            while view:
                view = view[os.write(stream.fileno(), view) :]
        with contextlib.suppress(OSError):
            stream.close()


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
            creationflags=_WINDOWS_FLAGS,
        )
    except (OSError, ValueError) as error:  # ValueError: a null character in the command
        raise TransportError(
            ReachStage.START, f"the command cannot be started on this machine: {error}", "Is the shell there?"
        ) from error


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    if sys.platform != "win32" and hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
        # not reaped yet: its number, and so its group's, stays its own until we are done with it
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started; one that has been reaped is left alone, as its number may be another's."""
    if process.returncode is not None:
        return
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        if sys.platform == "win32":
            # Windows knows no process groups to kill, but its own tool follows the tree
            subprocess.run(  # noqa: S603  a number of ours is all that varies
                [
                    f"{os.environ.get('SYSTEMROOT', 'C:/Windows')}/System32/taskkill.exe",
                    "/F",
                    "/T",
                    "/PID",
                    str(process.pid),
                ],
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_KILL_SECONDS,
                creationflags=_WINDOWS_FLAGS,
            )
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _too_late(deadline: Deadline) -> TransportError:
    return TransportError(
        ReachStage.TIME_OUT,
        f"the command on this machine was not finished within {deadline.seconds:g} s",
        "Is the machine overloaded? --machine-timeout gives it longer.",
    )


def _broken_off() -> TransportError:
    return TransportError(ReachStage.RUN, "the command on this machine was broken off", "Run again.")
