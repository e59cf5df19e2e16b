"""The files that a run leaves at its end: page, JSON, Markdown, bundle, mapping, and what a gate asked for."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from pytest_tentacle import files
from pytest_tentacle.report.document import Report
from pytest_tentacle.report.earlier.past import Past
from pytest_tentacle.report.gate.ci import system_of, write_summary
from pytest_tentacle.report.gate.metrics import report_metrics
from pytest_tentacle.report.gate.sarif import report_sarif
from pytest_tentacle.report.json_report import report_pieces
from pytest_tentacle.report.markdown import report_markdown
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.run import bundle
from pytest_tentacle.run.options import Options
from pytest_tentacle.run.survey_files.keeping import Keeping
from pytest_tentacle.survey.store import Surveys

from .failures import Failures
from .places import check_apart, check_writable

T = TypeVar("T")

_PYTESTS_FILES = (("junitxml", "xmlpath"), ("log-file", "log_file"))
"""Options that let pytest itself write a file, and their names in its configuration."""


class Outputs:
    """Chosen before any machine is contacted, written once all is judged."""

    def __init__(self, options: Options, redactor: Redactor, failures: Failures) -> None:
        self._options = options
        self._redactor = redactor
        self._failures = failures
        self._page_is_ours = False
        """Nobody asked for that name, so that another is as good where it is taken."""
        self.page: Path | None = None
        """The HTML report; JSON and Markdown lie beside it."""
        self.mapping: Path | None = None
        """Who is who under `--pseudonyms`: private."""

    def choose(self, config: pytest.Config, inputs: Iterable[tuple[str, Path]]) -> None:
        """Where everything goes. Raises pytest.UsageError where that cannot be written, or is read as well.

        Args:
            config: pytest's; it is told where the page goes.
            inputs: every file that the run reads, each with the words for it.
        """
        chosen = getattr(config.option, "htmlpath", None)
        if chosen is not None:
            page = Path(chosen)
        else:
            stem = "diagnosis" if self._options.pseudonyms else self._options.name
            page = Path("reports") / f"{stem}-{time.strftime('%Y%m%d-%H%M%S')}.html"
            self._page_is_ours = True
        ours = [
            ("--save-surveys FILE", self._options.save_surveys),
            ("--bundle FILE.zip", self._options.bundle),
            ("--sarif FILE", self._options.sarif),
            ("--metrics FILE.prom", self._options.metrics),
            ("--html FILE", page),
            ("--html FILE (the JSON report beside it)", page.with_suffix(".json")),
            ("--html FILE (the Markdown report beside it)", page.with_suffix(".md")),
            *([("--html FILE (the mapping beside it)", _mapping(page))] * self._options.pseudonyms),
        ]
        others = [(f"--{name}", getattr(config.option, key, None)) for name, key in _PYTESTS_FILES]
        written = [(words, path) for words, path in ours if path is not None]
        for words, path in written:
            check_writable(path, words)
        theirs = [(words, Path(text)) for words, text in others if text and text != os.devnull]
        check_apart([*written, *theirs], inputs)
        config.option.htmlpath = str(page)
        config.option.self_contained_html = True
        self.page = page

    def write(
        self, page: str | None, report: Report | None, surveys: Surveys | None, keeping: Keeping, past: Past
    ) -> None:
        """Everything, each on its own: what cannot be made or written is noted, and takes nothing else away.

        Args:
            page: the HTML report; None where it could not be made.
            report: None where it could not be built.
            surveys: None where there were none.
            keeping: what has their text for the bundle.
            past: where the run is kept for later ones.
        """
        if self.page is None:
            return
        if page is not None:
            self._failures.attempt(str(self.page), self._write_page, page)
        if surveys is None:
            return
        parts: dict[str, bundle.Part | None] = {}
        if report is not None:
            parts["report.json"] = partial(report_pieces, report)
            parts["report.md"] = self._failures.attempt("the Markdown report", report_markdown, report)
            self._write_for_gate(report)
            self._failures.attempt("the history", past.keep, report)
        for name, part in parts.items():
            path = self.page.with_suffix(Path(name).suffix)
            if part is not None and not self._failures.attempt(str(path), bundle.write_part, path, part):
                # Its own place may be full while the bundle's has room
                parts[name] = self._failures.attempt("the JSON report", bundle.text_of, part)
        if self._options.bundle:
            parts["report.html"] = page
            whole: dict[str, bundle.Part] = {name: part for name, part in parts.items() if part is not None}
            whole[bundle.SURVEYS] = keeping.part(surveys)
            self._write(bundle.write_bundle, self._options.bundle, whole)
        if self._options.pseudonyms:
            self.mapping = _mapping(self.page)
            self._write(files.write_private, self.mapping, json.dumps(self._redactor.mapping(), indent=1))

    @property
    def ci_system(self) -> str | None:
        """Whose annotations are written."""
        return None if self._options.ci == "none" else self._options.ci or system_of(os.environ)

    def _write_for_gate(self, report: Report) -> None:
        """What a gate asked for."""
        for path, make in ((self._options.sarif, report_sarif), (self._options.metrics, report_metrics)):
            if path is not None and (text := self._failures.attempt(str(path), make, report)) is not None:
                self._write(files.write, path, text)
        if self.ci_system == "github":
            self._failures.attempt("the step summary", write_summary, report, os.environ)

    def _write(self, write: Callable[[Path, T], None], path: Path, content: T) -> None:
        self._failures.attempt(str(path), write, path, content)

    def _write_page(self, text: str) -> None:
        """Under a name that nobody else has, where none was asked for."""
        assert self.page is not None  # noqa: S101
        if not self._page_is_ours:
            files.write(self.page, text)
            return
        self.page = files.reserve(self.page)
        self._page_is_ours = False
        try:
            files.write(self.page, text)
        except BaseException:
            self.page.unlink(missing_ok=True)
            raise


def _mapping(page: Path) -> Path:
    return page.with_suffix(".mapping.json")
