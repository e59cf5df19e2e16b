"""Runs of pytest that begin with all modules read: each is a fork of one process that has imported them.

To import pytest, its plugins and the product costs 1.7 s of CPU, which some two hundred runs would pay each. The fork is a
process of its own, with its folder, environment, arguments and open files; what a start by itself costs and imports, others ask.
Its workers (`-n 2`) are such forks, too. The workers of the tests themselves (`let_workers_be_forks`) are forks of one that has
imported all tests: what is left for each of them to collect costs a third.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import marshal
import os
import platform
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import NoReturn

_OWN = ("PYTHON", "COVERAGE", "LANG", "LC_", "TZ")
"""How the variables begin that Python reads once, as it starts. PYTHONPATH is looked at anew."""


_LATE = (
    "hypothesis",
    "pydantic.type_adapter",
    "pdb",
    "faulthandler",
    "pytest_tentacle.lab.site",
    "pytest_tentacle.octopus.reading",
    "pytest_tentacle.octopus.evidence",
    "pytest_tentacle.transport.ssh.transport",
    "pytest_tentacle.transport.winrm.transport",
)
"""What plugins, pytest and the product import only when they are at work."""


_SHARED = "PYTEST_TENTACLE_FORKS"
"""The variable that tells workers of the process that all of them may ask: its address and its number."""

WORKERS = ".workers"
"""What the address ends with of the process that has imported the tests."""


class Runs:
    """Starts runs by a process that is there."""

    def __init__(self, address: str, pid: int) -> None:
        self.address, self.pid = address, pid  # of the process that is forked
        self._own = _of_process(os.environ)

    def run(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` of `python -m pytest`, with both outputs as text. Raises subprocess.TimeoutExpired."""
        if _of_process(environment) != self._own:  # a start by itself would differ by more than its cost
            command = [sys.executable, "-m", "pytest", *arguments]
            return subprocess.run(
                command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False, timeout=timeout,
            )  # fmt: skip
        asked = marshal.dumps((list(arguments), str(cwd), dict(environment)))
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            Path(os.devnull).open("rb") as none,
            socket.socket(socket.AF_UNIX) as own,
        ):
            own.connect(self.address)
            socket.send_fds(own, [len(asked).to_bytes(4, "little")], [none.fileno(), out.fileno(), err.fileno()])
            own.sendall(asked)
            own.settimeout(timeout)
            try:
                code = int.from_bytes(own.recv(4), "little", signed=True)
            except TimeoutError:
                raise subprocess.TimeoutExpired([*arguments], timeout) from None
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n"))
        return subprocess.CompletedProcess([sys.executable, "-m", "pytest", *arguments], code, *texts)


class Forks(Runs):
    """Starts that process, too, which ends with `close`, or with the process that began it."""

    def __init__(self, tests: Sequence[str] = ()) -> None:
        """`tests`: paths, as pytest wants them; another process imports those for workers (`let_workers_be_forks`)."""
        self._folder = tempfile.TemporaryDirectory(prefix="forks-")
        address = f"{self._folder.name}/socket"
        unset = ("PYTEST_XDIST", "PYTEST_CURRENT_TEST", "PYTHONPATH", _SHARED)
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, address, *tests],
            env={name: value for name, value in os.environ.items() if not name.startswith(unset)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        super().__init__(address, self._process.pid)
        assert self._process.stdout is not None
        for _ in ("runs", "workers") if tests else ("runs",):
            self._process.stdout.readline()  # it listens

    def close(self) -> None:
        """Runs that are under way are ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


def let_workers_be_forks(tests: Sequence[str]) -> Forks:
    """In who hands out the tests: its workers are forks, and one process begins the runs of all of them. To be closed."""
    forks = Forks(tests)
    os.environ[_SHARED] = f"{forks.pid} {forks.address}"
    fork_workers(forks.address + WORKERS)
    return forks


def shared() -> Runs | None:
    """In such a worker: what begins its runs."""
    pid, _, address = os.environ.get(_SHARED, "").partition(" ")
    return Runs(address, int(pid)) if address else None


def _of_process(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_OWN) and name != "PYTHONPATH"}


class _Run:
    """A fork, and who waits for its exit code."""

    def __init__(self, pid: int, client: socket.socket) -> None:
        self.pid, self.client = pid, client
        self.watch = os.pidfd_open(pid)

    def end(self) -> None:
        """Say its exit code; one whose client has gone is ended."""
        os.kill(self.pid, signal.SIGKILL)  # it is a zombie, or nobody waits for it any more
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        with contextlib.suppress(OSError), self.client:
            self.client.sendall(code.to_bytes(4, "little", signed=True))
        os.close(self.watch)


class _Server:
    """Forks for each that asks, until stdin ends."""

    def __init__(self, address: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen(16)
        self._runs: dict[int, _Run] = {}
        self._waiting = selectors.DefaultSelector()
        self._waiting.register(self._listener, selectors.EVENT_READ)
        self._waiting.register(0, selectors.EVENT_READ)

    def serve(self) -> bytes | None:
        """In a fork: what it was asked for. At the end: None."""
        while True:
            for key, _ in self._waiting.select():
                if key.fd == 0:
                    for run in set(self._runs.values()):
                        run.end()
                    return None
                if key.fileobj is not self._listener:
                    self._ended(key.fd)
                elif (asked := self._fork()) is not None:
                    return asked

    def _ended(self, descriptor: int) -> None:
        run = self._runs.get(descriptor)
        if run is None:  # of its two, the other one came first
            return
        for each in (run.watch, run.client.fileno()):
            del self._runs[each]
            self._waiting.unregister(each)
        run.end()

    def _fork(self) -> bytes | None:
        client, _ = self._listener.accept()
        head, files, _, _ = socket.recv_fds(client, 4, 3)
        with client.makefile("rb") as stream:
            asked = stream.read(int.from_bytes(head, "little"))
        pid = os.fork()
        if pid == 0:
            for number, descriptor in enumerate(files):
                os.dup2(descriptor, number)
            os.closerange(3, max(client.fileno(), *files, *self._runs, 16) + 1)
            return asked
        for descriptor in files:
            os.close(descriptor)
        run = _Run(pid, client)
        for descriptor in (run.watch, client.fileno()):
            self._runs[descriptor] = run
            self._waiting.register(descriptor, selectors.EVENT_READ)
        return None


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the forks
    address, *tests = sys.argv[1:]
    read_modules()
    importer = os.fork() if tests else None
    if importer == 0:
        server = _Server(address + WORKERS)
        print("listening", flush=True)
        _import_tests(tests)
    else:
        server = _Server(address)
        fork_workers(address)
        print("listening", flush=True)
    asked = server.serve()
    if asked is None:
        if importer:
            os.waitpid(importer, 0)
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments, folder, environment = marshal.loads(asked)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0:0] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    if arguments[:2] == ["-u", "-c"]:
        sys.argv = arguments[1:2]
        as_main(lambda: exec(arguments[2], {"__name__": "__main__"}))
    sys.argv = ["pytest", *arguments]
    as_main(lambda: runpy.run_module("pytest", run_name="__main__", alter_sys=True))


class _NoTests:
    """Let pytest import modules and make no tests of them.

    It keeps ids that it has made with what they are made of: the next to collect would escape them once more.
    """

    @staticmethod
    def pytest_pycollect_makeitem() -> list[object]:
        return []


def _import_tests(tests: Sequence[str]) -> None:
    """Who cannot be imported, the workers say."""
    with contextlib.redirect_stdout(io.StringIO()):
        words = [*tests, "--collect-only", "-qq", "-n0", "-p", "no:cacheprovider"]
        import_module("pytest").main(words, plugins=[_NoTests()])
    gc.collect()
    gc.freeze()


def as_main(work: Callable[[], object]) -> NoReturn:
    """What a fork is there for; then what Python does at its end, but to give back all objects.

    The fork would copy their memory for that: a third of the CPU of a small run.
    """
    code: int | str = 0
    try:
        work()
    except SystemExit as end:
        code = end.code or 0
        if not isinstance(code, int):
            raise
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def fork_workers(address: str) -> None:
    """Let what pytest-xdist starts be forks: execnet hands each its code through stdin, as it would to a new Python."""
    start = [sys.executable, "-IS", str(Path(__file__).with_name("worker.py")), address]
    gateway_io = import_module("execnet.gateway_io")
    gateway_io.popen_args = lambda _: [*start, "-u", "-c", gateway_io.popen_bootstrapline]


def read_modules(*more: str) -> None:
    """Import what a run imports, its plugins and `more` as well, and make once what a process makes once; then fork as you like."""
    import pytest  # noqa: F401

    import pytest_tentacle.run.hooks  # noqa: F401  with all that it brings
    from pytest_tentacle.report.page import environment
    from pytest_tentacle.survey.store import vocabulary

    for plugin in metadata.entry_points(group="pytest11"):
        if not plugin.value.startswith("xdist"):  # it keeps sys.path as it is imported, for its workers
            plugin.load()
    for name in (*_LATE, *more):
        import_module(name)
    vocabulary()
    platform.processor()  # asks a program
    environment().get_template("page.html.j2")
    for name, module in list(sys.modules.items()):
        if "." not in name and name not in sys.stdlib_module_names:
            # or each run warns that it comes too late to rewrite its assertions
            module.__doc__ = f"{module.__doc__ or ''} PYTEST_DONT_REWRITE"
    gc.collect()
    gc.freeze()  # what all runs share, none of them looks through
    collect_seldom()


def collect_seldom() -> None:
    """Look for garbage in cycles every 2,000 objects, and seldom among the older ones.

    Of 50,000 objects most have left the processor's cache by then: to look through them took twice as long, an eighth of
    the CPU of judging.
    """
    gc.set_threshold(2_000, 20, 100)


if __name__ == "__main__":
    _main()
