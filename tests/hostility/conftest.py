"""The attacks' tests need what answers them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support import hostile
from support.session.forked import Runs


@pytest.fixture(scope="session")
def documents():
    """What the small fleet's machines say when they are well."""
    return hostile.healthy_documents()


@pytest.fixture
def beside(monkeypatch, documents):
    """Run the small fleet with web-01 answering so: `beside(answer)`; the others are well."""

    def run(answer: bytes, **options):
        answers = {name: hostile.framed(document) for name, document in documents.items()} | {"web-01": answer}
        return hostile.run(monkeypatch, answers, **options)

    return run


INVENTORY = """
defaults:
  tentacle: {transport: {kind: ssh, user: surveyor, password: 'correct horse  battery'}}
servers:
- {name: octo-1, os: linux, transport: {kind: ssh, host: octo-1, user: surveyor, password: 'correct horse  battery'}}
tentacles:
- {name: web-01, os: linux, mode: listening, transport: {host: web-01}}
- {name: poll-01, os: linux, mode: polling, transport: {host: poll-01}}
"""


class Case:
    """A folder with an inventory and what its machines answer, for whole runs in processes of their own."""

    def __init__(self, folder: Path, documents: dict[str, Any], forks: Runs) -> None:
        self.folder = folder
        self._forks = forks
        self.answers = folder / "answers"
        self.answers.mkdir()
        (folder / "fleet.yaml").write_text(INVENTORY, encoding="utf-8")
        for name, document in documents.items():
            own = [
                probe for probe in document["probes"] if "instance" in probe["link"]
            ]  # others are not asked for here
            self.says(name, hostile.framed({**document, "probes": own}))

    def says(self, name: str, answer: bytes, seconds: float = 0.0) -> None:
        """From now on a machine answers that, after so many seconds."""
        (self.answers / f"{name}.answer").write_bytes(answer)
        (self.answers / f"{name}.seconds").write_text(str(seconds))

    def command(self, *arguments: object) -> list[str]:
        """The command line of a run."""
        return [
            sys.executable, "-m", "pytest", "-p", "support.hostile", "-p", "no:cacheprovider",
            "--inventory", "fleet.yaml", *map(str, arguments),
        ]  # fmt: skip

    def environment(self, **more: str) -> dict[str, str]:
        """What a run gets to know."""
        tests = str(Path(__file__).parent.parent)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
        return {
            **kept,
            hostile.FOLDER: str(self.answers),
            "PYTHONPATH": tests,
            "NO_COLOR": "1",
            "COLUMNS": "140",
            **more,
        }

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """A run that goes on by itself."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True} | options
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, text=True,
            **options,
        )  # fmt: skip

    def run(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        """A run to its end."""
        words = self.command(*arguments)[3:]  # behind `python -m pytest`
        return self._forks.run(words, self.folder, self.environment(**more), timeout=280)

    def reports(self) -> dict[str, str]:
        """The reports that were written, by how their names end."""
        return {path.suffix: path.read_text(encoding="utf-8") for path in (self.folder / "reports").glob("*")}


@pytest.fixture
def case(tmp_path, documents, forks) -> Case:
    """The small fleet, all of it well."""
    return Case(tmp_path, documents, forks)
