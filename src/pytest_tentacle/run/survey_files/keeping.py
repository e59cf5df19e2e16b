"""What `--save-surveys` and `--bundle` write: while the surveys are taken, piece by piece, and once they are whole."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from pytest_tentacle import files
from pytest_tentacle.report.redaction.names import learn_surveys
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.run import bundle
from pytest_tentacle.run.outputs.failures import Failures
from pytest_tentacle.survey import store
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys

from .growing import GrowingBundle, GrowingFile
from .lines import Lines


class Keeping:
    """The survey file and the bundle of one run. What cannot be written is noted, and takes no verdict away."""

    def __init__(self, save: Path | None, archive: Path | None, redactor: Redactor, failures: Failures) -> None:
        self._save = save
        self._bundle = archive
        self._redactor = redactor
        self._failures = failures
        self._growing: dict[Path, GrowingFile] = {}
        self._written: dict[str, HostRecord] = {}
        self._lines = Lines(self._clean)

    def add(self, surveys: Surveys) -> None:
        """While surveys are taken: bring the hosts that have answered since, so that a killed run leaves them."""
        if not self._failures.attempt("the surveys", self._add, surveys):
            self.pause()

    def _add(self, surveys: Surveys) -> bool:
        """Whether all of it is written now."""
        learn_surveys(self._redactor, surveys)
        if not self._paths:
            return True
        if self._redactor.uses_pseudonyms:
            self.pause()  # a name that is known only now may stand in what was written before
        fresh = [record for record in surveys.records if self._written.get(record.host_key) is not record]
        lines = [self._line(record) for record in fresh]
        whole = True
        if not self._growing:
            head = store.UNFINISHED + store.opening(surveys, self._clean)[1:]
            for path, start in self._paths.items():
                made = self._failures.attempt(str(path), start, path, (head + ",".join(lines)).encode())
                if made is None:
                    whole = False
                else:
                    self._growing[path] = made
        elif lines:
            for path, growing in self._growing.items():
                whole &= self._failures.attempt(str(path), growing.add, ("," + ",".join(lines)).encode()) is not None
        self._written.update((record.host_key, record) for record in fresh)
        return whole

    def pause(self) -> None:
        """Let go of the files; a later `add` begins them anew."""
        for growing in self._growing.values():
            with contextlib.suppress(OSError):
                growing.close()
        self._growing.clear()
        self._written.clear()

    def close(self) -> None:
        """The run is over."""
        self.pause()
        self._lines.close()

    def finish(self, surveys: Surveys) -> None:
        """The surveys are whole: write them as such, before anything is judged."""
        self.pause()
        self._failures.attempt("the surveys", self._finish, surveys)

    def _finish(self, surveys: Surveys) -> None:
        learn_surveys(self._redactor, surveys)
        if self._save:
            self._failures.attempt(str(self._save), self._write, self._save, surveys)
        if self._bundle:
            parts = {bundle.SURVEYS: self.part(surveys)}
            self._failures.attempt(str(self._bundle), bundle.write_bundle, self._bundle, parts)

    def part(self, surveys: Surveys) -> bundle.Part:
        """A bundle's part of these surveys."""
        return lambda: store.pieces(surveys, self._clean, self._line)

    def _write(self, path: Path, surveys: Surveys) -> None:
        files.write_private(path, (piece.encode("utf-8") for piece in store.pieces(surveys, self._clean, self._line)))

    def _line(self, record: HostRecord) -> str:
        """A host's line. Under pseudonyms it is made each time: names that are known only now may stand in it."""
        return store.host_line(record, self._clean) if self._redactor.uses_pseudonyms else self._lines.of(record)

    @property
    def _paths(self) -> dict[Path, Callable[[Path, bytes], GrowingFile]]:
        found: dict[Path, Callable[[Path, bytes], GrowingFile]] = {}
        if self._save:
            found[self._save] = GrowingFile
        if self._bundle:
            found[self._bundle] = lambda path, start: GrowingBundle(path, start, bundle.manifest_text)
        return found

    def _clean(self, text: str) -> str:
        names, words = store.vocabulary()  # dear to make, and only for what is written
        return self._redactor.json_text(text, names=names, words=words)
