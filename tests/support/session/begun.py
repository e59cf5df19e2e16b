"""Processes that a program begins as forks of itself, after it has read all modules (`forked.read_modules`).

Each has its folder, environment, open files, signals and networks as a Python that starts by itself would have them, and
is handled as a `subprocess.Popen` is. What a start and its imports cost, the program has paid once for all of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import runpy
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from support.session.forked import as_main

_CLONE_NEWNET = 0x40000000


class Begun:
    """A process that does one thing, and its exit code once it has ended. The program that begins it has but one thread."""

    def __init__(
        self,
        work: Callable[[], object],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        out: int,
        stdin: int | None = None,
    ) -> None:
        """Begin it.

        Args:
            work: what it does; then it ends.
            cwd: its folder.
            environment: all of it.
            out: where both its outputs go, an open file.
            stdin: an open file; None for none.
        """
        self.returncode: int | None = None
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # or it would say that again
        self.pid = os.fork()
        if self.pid == 0:
            _become(work, cwd, dict(environment), out, stdin)

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            watch = os.pidfd_open(self.pid)
            try:
                if not select.select([watch], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            finally:
                os.close(watch)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def module(name: str, *arguments: str) -> Callable[[], object]:
    """What `python -m name arguments` does."""

    def work() -> None:
        sys.argv = [name, *arguments]
        runpy.run_module(name, run_name="__main__", alter_sys=True)

    return work


def enter_network(file: Path) -> None:
    """Stand in the network namespace that a file is, from now on."""
    with file.open("rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {file}")


def _become(
    work: Callable[[], object], cwd: Path, environment: dict[str, str], out: int, stdin: int | None
) -> NoReturn:
    """In the fork: be a process of its own, which returns to nothing that the program was about to do."""
    with contextlib.suppress(BaseException):
        try:
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever was started in the background ignores it
            none = os.open(os.devnull, os.O_RDONLY)
            for number, descriptor in enumerate((none if stdin is None else stdin, out, out)):
                os.dup2(descriptor, number)
            os.closerange(3, 256)
            sys.stdin = os.fdopen(0, closefd=False)
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(environment)
            sys.path[0] = str(cwd)
            as_main(work)
        except BaseException:  # noqa: BLE001  as Python does at its end
            traceback.print_exc()
            sys.stderr.flush()
    os._exit(1)
