"""Under pytest-xdist: the survey is taken once, by the controller, before the workers start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from .acting.words import LIST_VARIABLE
from .session import TentacleRun

WORKER_INPUT = "tentacle_surveys"


def distributes(config: pytest.Config) -> bool:
    """Whether this process only controls workers."""
    return bool(getattr(config.option, "dist", "no") != "no" and getattr(config.option, "tx", None)) and not is_worker(
        config
    )


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker."""
    return hasattr(config, "workerinput")


def worker_surveys(config: pytest.Config) -> Path | None:
    """The file with the surveys that the controller took."""
    data: dict[str, Any] = getattr(config, "workerinput", {})
    return Path(data[WORKER_INPUT]) if WORKER_INPUT in data else None


def machines_to_survey(config: pytest.Config, run: TentacleRun) -> list[str]:
    """Which machines have tests left after -k, -m and node ids: asked of a process that only collects.

    The controller of xdist does not collect, and must not contact a deselected machine.
    """
    with tempfile.TemporaryDirectory(prefix="pytest-tentacle-") as folder:
        listing = Path(folder) / "machines"
        command = [sys.executable, "-m", "pytest", *map(str, config.invocation_params.args)]
        command += ["-n0", "--collect-only", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(  # noqa: S603  our own command line, once more
            command,
            env={**os.environ, LIST_VARIABLE: str(listing)},
            cwd=config.invocation_params.dir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if not listing.exists():
            if done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED:
                return []
            raise pytest.UsageError(
                "collecting the tests failed:\n" + run.redactor.text(done.stdout.decode(errors="replace")[-4000:])
            )
        return listing.read_text(encoding="utf-8").split("\n")


def wants_listing() -> Path | None:
    """Where this process is to list the machines, if it was started for that."""
    name = os.environ.get(LIST_VARIABLE)
    return Path(name) if name else None
