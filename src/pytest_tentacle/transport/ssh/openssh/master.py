"""The one ssh process of a machine, which logs on and then lets sessions share its connection."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_tentacle.transport.child import KILL_SECONDS, has_ended, kill_tree

_TETHERED = 'exec 3<&0; (read -r _ <&3; kill -s KILL -- "-$$") & exec "$@" </dev/null 3<&-'
"""Become the program that is named, and end it, with all that it started, once whoever holds our stdin is gone.

So no connection stays open after a run that was killed.
"""

_SLICE = 0.1
_PAUSE = 0.02
_CHUNK = 65_536


class FloodError(Exception):
    """The log is longer than any log-on can make it."""


class Master:
    """An ssh process that logs on with a configuration. It is ended, and its folder removed, by `end`."""

    def __init__(self, folder: Path) -> None:
        """Nothing runs yet. `folder` is ours to remove."""
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = threading.Lock()
        self._logs: dict[Path, int] = {}
        self._said: dict[Path, bytearray] = {}
        self.control = folder / "shared"
        """The socket at which sessions are asked for."""

    def start(self, program: str, config: Path, name: str, logs: Sequence[Path]) -> None:
        """Begin to log on to the machine of that name; the last of the logs is its own. Raises OSError."""
        for log in logs:
            os.mkfifo(log, 0o600)
            self._logs[log] = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
            self._said[log] = bytearray()
        command = (program, "-F", str(config), "-E", str(logs[-1]), "-o", "ControlMaster=yes", "-N", "-T", "--", name)
        self._process = subprocess.Popen(  # noqa: S603  the program is ssh, what varies are paths of ours
            ["/bin/sh", "-c", _TETHERED, "ssh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"LC_ALL": "C", "SHELL": "/bin/sh"},
            start_new_session=True,
        )

    def logged_on(self, check: Callable[[], None], limit: int) -> bool:
        """Wait until it has logged on, or ended; which of them. Raises FloodError, or what `check` raises."""
        while True:
            check()
            came = self._read(limit)
            if self.control.exists():
                return True
            if self.is_over():
                self._read(limit)
                return False
            if not came:
                time.sleep(_PAUSE)

    def is_over(self) -> bool:
        """Whether it runs no more."""
        return self._process is None or has_ended(self._process)

    def said(self, log: Path) -> str:
        """What has come through a log so far, with plain ends of lines."""
        return self._said.get(log, b"").decode("utf-8", errors="replace").replace("\r\n", "\n")

    def let_talk(self) -> None:
        """Hear its logs no longer."""
        while self._logs:
            os.close(self._logs.popitem()[1])

    def break_off(self) -> None:
        """End it from another thread; who waits for it sees that it is over, and calls `end`."""
        with self._ending:
            if self._process is not None:
                kill_tree(self._process)

    def end(self) -> None:
        """End it, and remove its folder; never raises."""
        with self._ending:
            process, self._process = self._process, None
            if process is not None:
                kill_tree(process)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(KILL_SECONDS)
                if process.stdin is not None:
                    process.stdin.close()
        self.let_talk()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self, limit: int) -> bool:
        """Take what has come through the logs, after a short wait for anything; whether something had."""
        came = False
        with selectors.DefaultSelector() as selector:
            for log, number in self._logs.items():
                selector.register(number, selectors.EVENT_READ, log)
            ready = selector.select(_SLICE)
        for key, _ in ready:
            with contextlib.suppress(BlockingIOError):
                data = os.read(key.fd, _CHUNK)
                self._said[key.data] += data
                came = came or bool(data)
        if sum(map(len, self._said.values())) > limit:
            raise FloodError
        return came
