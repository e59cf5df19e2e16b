"""A real scheduler and real workers of the engine, as processes, with certificates of an authority made for the test.

They are forks of the program that makes them (`support.session.begun`), which has read the module `ENGINE`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Self

import trustme

from support.session.begun import Begun, enter_network, module

ENGINE = "distributed"
PATIENCE = 60.0


def wait_for(what: str, is_there: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Until it is there; AssertionError with the words for it where it does not come."""
    end = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


class Certificates:
    """An authority, and a certificate for everybody of a test."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.ca, self.cert = folder / "ca.pem", folder / "cert.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca)
        authority.issue_cert("everybody.example").private_key_and_cert_chain_pem.write_to_path(self.cert)

    @property
    def for_engine(self) -> list[str]:
        """Words for the engine's commands, and for `pytest-tentacle worker`."""
        return ["--tls-ca-file", str(self.ca), "--tls-cert", str(self.cert), "--tls-key", str(self.cert)]

    @property
    def for_run(self) -> list[str]:
        """Words for pytest."""
        return [f"--executor-ca={self.ca}", f"--executor-cert={self.cert}", f"--executor-key={self.cert}"]


class Cluster:
    """A scheduler and its workers. What they say is kept in files of `folder`; all of them end with the `with` block."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.folder = folder
        self.host = host
        self.certificates = Certificates(folder / "certificates")
        self.address = ""
        self.dashboard = ""
        self._processes: dict[str, tuple[Begun, IO[bytes]]] = {}

    def __enter__(self) -> Self:
        words = ["--host", self.host, "--port", "0", "--protocol", "tls", "--dashboard-address", f"{self.host}:0"]
        self._start("scheduler", ["distributed.cli.dask_scheduler", *words, *self.certificates.for_engine])
        wait_for("the scheduler", lambda: re.search(r"Scheduler at:\s+(\S+)", self.said("scheduler")))
        self.address = re.search(r"Scheduler at:\s+(\S+)", self.said("scheduler"))[1]  # type: ignore[index]
        found = re.search(r"dashboard at:\s+(\S+)", self.said("scheduler"))
        self.dashboard = f"http://{found[1].removeprefix('http://').removesuffix('/status')}" if found else ""
        return self

    def __exit__(self, *_: object) -> None:
        for process, log in reversed(self._processes.values()):
            process.kill()
            process.wait()
            log.close()

    def worker(
        self, name: str, site: str, *, network: Path | None = None, words: Sequence[str] = (), **environment: str
    ) -> None:
        """Start one, in a network namespace if given, and wait until the scheduler has it."""
        (self.folder / f"{name} scratch").mkdir()
        command = ["pytest_tentacle.cli", "worker", "--site", site, "--scheduler", self.address, "--workers", "4"]
        command += [*self.certificates.for_engine, "--", "--no-nanny", "--name", name]
        command += ["--local-directory", str(self.folder / f"{name} scratch"), *words]
        self._start(name, command, network, environment)
        wait_for(f"the worker {name}", lambda: "Registered to:" in self.said(name) or self._has_ended(name))
        assert not self._has_ended(name), self.said(name)

    def kill(self, name: str) -> None:
        """As `kill -9` does."""
        process, _ = self._processes[name]
        process.kill()
        process.wait()

    def pid(self, name: str) -> int:
        """Of a process."""
        return self._processes[name][0].pid

    def strangers_certificate(self) -> list[str]:
        """Words for the engine's worker: a certificate of another authority."""
        return Certificates(self.folder / "stranger").for_engine

    def said(self, name: str) -> str:
        """All that a process has written."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    @property
    def executor(self) -> list[str]:
        """Words for pytest."""
        return [f"--executor=dask:{self.address}", *self.certificates.for_run]

    def _has_ended(self, name: str) -> bool:
        return self._processes[name][0].poll() is not None

    def _start(
        self, name: str, command: Sequence[str], network: Path | None = None, environment: dict[str, str] | None = None
    ) -> None:
        log = (self.folder / f"{name}.log").open("wb")

        def work() -> None:
            if network is not None:
                enter_network(network)
            module(*command)()

        whole = {**os.environ, **(environment or {})}
        self._processes[name] = Begun(work, cwd=self.folder, environment=whole, out=log.fileno()), log
