"""A child process of ours: fed and drained at once, seen to have ended, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import IO

from .base import Deadline

_CHUNK = 65_536

KILL_SECONDS = 5.0
"""How long the system may take to end a process that is told to."""

WINDOWS_FLAGS = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)


class Streams:
    """Feeds and drains a command by three threads, which also Windows' pipes can do. It closes what it is given."""

    def __init__(self, ends: tuple[IO[bytes], IO[bytes], IO[bytes]], stdin: bytes, max_output: int) -> None:
        """Begin at once. `ends`: our ends of the command's stdin, stdout and stderr, unbuffered."""
        feed, *drain = ends
        self._room = max_output
        self._lock = threading.Lock()
        self._output: tuple[list[bytes], list[bytes]] = ([], [])
        self.overflowed = False
        self._threads = [
            threading.Thread(target=self._drain, args=(stream, chunks), daemon=True)
            for stream, chunks in zip(drain, self._output, strict=True)
        ]
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._feed, args=(feed, stdin), daemon=True).start()

    @property
    def stdout(self) -> bytes:
        """What has come on it."""
        return b"".join(self._output[0])

    @property
    def stderr(self) -> bytes:
        """What has come on it."""
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


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; where the system can tell that, without reaping it."""
    if sys.platform != "win32" and hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
        # not reaped yet: its number, and so its group's, stays its own until we are done with it
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None


def kill_tree(process: subprocess.Popen[bytes]) -> None:
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
                timeout=KILL_SECONDS,
                creationflags=WINDOWS_FLAGS,
            )
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
