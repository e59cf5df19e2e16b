"""pytest-html, brought to our words: the diagnosis on top, and in its table the user's own tests alone.

Its cells are raw HTML, and its filters know pytest's own words only; hence the hidden cell beside the shown one.
"""

from __future__ import annotations

import html
import traceback
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_html.basereport import BaseReport

from pytest_tentacle.judging.result import Outcome

from .document import Report
from .page import render_page
from .redaction.redactor import Redactor

ALL_ROWS = 200
"""Up to this many tests of a run, pytest-html's table shows every one of the user's own."""

MOST_ROWS = 1000
"""What it never exceeds: it builds every row at load, some 2 ms each. The page's own matrix has all of them."""

ATTRIBUTE = "tentacle"
"""Name of a test report's attribute that holds a step's result as plain data, with `machine`, `step` and `outcome`."""


def keep_row(outcome: str, total: int) -> bool:
    """Whether pytest-html's own table keeps a row: in a large run only failures, ours and others.

    Args:
        outcome: one of `Outcome`'s words; anything else (an error of a test, say) is kept.
        total: how many tests the run has.
    """
    return total <= ALL_ROWS or outcome not in tuple(each for each in Outcome if each is not Outcome.FAILED)


class HtmlReport:
    """Registered with pytest's plugin manager for the length of one run.

    Args:
        report: called once, when the session is over; gives None where it never came to a survey.
        redactor: what everything goes through.
        title: the page's.
        failed: told what part of the page could not be made, and why; None raises it.
        written: given the whole page once the session is over, None where there is none; who gives this writes the
            page, in pytest-html's place, and gives back where: another run may have taken the name.
    """

    def __init__(
        self,
        report: Callable[[], Report | None],
        redactor: Redactor,
        title: str = "Troubleshooting Tentacles",
        *,
        failed: Callable[[str, BaseException], None] | None = None,
        written: Callable[[str | None], Path | None] | None = None,
    ) -> None:
        self._report = report
        self._redactor = redactor
        self._title = title
        self._failed = failed
        self._written = written
        self._page: str | None = None
        self._reporters: list[BaseReport] = []
        self._total = 0
        self._kept = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Take the page from pytest-html's hands, which write it where it stands, be it half of it."""
        if self._written is not None:
            plugins = session.config.pluginmanager.get_plugins()
            self._reporters = [plugin for plugin in plugins if isinstance(plugin, BaseReport)]
            for reporter in self._reporters:
                reporter._write_report = self._keep  # noqa: SLF001  it has no other seam

    def _keep(self, page: str) -> None:
        self._page = page

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """The page is whole, or has failed, before the terminal's summary; a plugin that fails takes neither away."""
        if self._written is None or self._failed is None:
            return (yield)
        try:
            yield
        except Exception as error:  # noqa: BLE001  of pytest-html, or of JUnit's file on a full disk
            finish = [reporter for reporter in self._reporters if self._page is None]
            self._failed("the page" if finish and _is_of_html(error) else "another plugin's file", error)
            if not _is_of_html(error):
                self._finish_late(finish, session)
        place = self._written(self._page)
        if place is not None:
            for reporter in self._reporters:
                reporter._report_path = place.absolute()  # noqa: SLF001  the line that it writes on the console names this
        return None

    def _finish_late(self, reporters: Sequence[BaseReport], session: pytest.Session) -> None:
        """Where another plugin's failure kept pytest-html from its turn."""
        assert self._failed is not None  # noqa: S101
        for reporter in reporters:
            try:
                reporter.pytest_sessionfinish(session)
            except Exception as error:  # noqa: BLE001  told like any other
                self._failed("the page", error)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """How large this run is."""
        self._total = max(self._total, len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """How large this run is, where xdist's workers collect."""
        self._total = max(self._total, len(ids))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Title, the outcomes' words, and no environment: the page names what matters, and that table is unescaped."""
        report.title = self._redactor.text(self._title)
        report.set_data("environment", {})
        report.outcomes["error"]["label"] = "unknown"
        report.outcomes["skipped"]["label"] = "blocked"
        report.outcomes["xfailed"]["label"] = "waived"
        for word in ("passed", "failed"):
            report.outcomes[word]["label"] = word

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """The diagnosis."""
        try:
            report = self._report()
            if report is not None:
                prefix.append(render_page(report))
        except Exception as error:
            if self._failed is None:
                raise
            self._failed("the page's diagnosis", error)
            prefix.append("<p>The diagnosis could not be shown on this page: see the console, JSON or Markdown.</p>")

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Outcome, test, duration."""
        duration, links = cells[2:]
        cells[:] = [
            '<th hidden class="sortable" data-column-type="result">Result</th>',
            '<th class="sortable" data-column-type="outcome">Outcome</th>',
            '<th class="sortable" data-column-type="testId">Test</th>',
            duration,
            links,
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """A row for a test of the user's own; the guide's have the page's matrix. Above a threshold, failures alone."""
        outcome = "error" if report.when != "call" and report.outcome == "failed" else report.outcome
        ours = getattr(report, ATTRIBUTE, None) is not None
        if ours or self._kept >= MOST_ROWS or not keep_row(outcome, self._total):
            del cells[:]
            return
        if report.when == "call" or report.outcome != "passed":
            self._kept += 1
        result, duration, links = cells[0], *cells[2:]
        cells[:] = [
            result.replace("<td", "<td hidden", 1),
            f'<td class="col-outcome">{html.escape(outcome)}</td>',
            f'<td class="col-step">{html.escape(self._redactor.text(report.nodeid))}</td>',
            duration,
            links,
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """The log, clean."""
        if hasattr(report, "wasxfail"):
            data[:] = [html.escape(self._redactor.text(report.wasxfail), quote=False)]
        elif isinstance(report.longrepr, tuple):
            data[:] = [html.escape(self._redactor.text(report.longrepr[2]), quote=False)]
        else:
            data[:] = [html.escape(self._redactor.text(html.unescape(text)), quote=False) for text in data]


def _is_of_html(error: BaseException) -> bool:
    return any("pytest_html" in frame.filename for frame in traceback.extract_tb(error.__traceback__))
