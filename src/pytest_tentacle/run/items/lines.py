"""A line a step on the console, instead of a dot a machine: a fleet's dots fill screens and say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.report.console import COLOURS
from pytest_tentacle.run.verdict import ATTRIBUTE
from pytest_tentacle.sections import TABLE

from .collection import is_guides, step_of


class StepLines:
    """Registered for the length of one run whose tests run in this process.

    `-v` and `-q` show what pytest shows, and so does a terminal reporter that is not pytest's own (pytest-sugar). Tests
    of a user's own keep their dots.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reporter: pytest.TerminalReporter | None = None
        self._awaited: Counter[str] = Counter()
        self._counts: dict[str, Counter[Outcome]] = {}
        self._step: str | None = None
        self._reporting = False
        self._alone = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """What there is to count, once every plugin has chosen its tests."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if type(reporter) is not pytest.TerminalReporter or self._config.get_verbosity():
            return
        self._reporter = reporter
        self._awaited = Counter(step_of(item) for item in session.items if is_guides(item))
        self._alone = sum(self._awaited.values()) == len(session.items)
        if session.items and is_guides(session.items[0]):
            reporter.ensure_newline()
            reporter.write_line("")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """The step that the reports in between are about."""
        self._step = step_of(item) if self._reporter and is_guides(item) else None
        try:
            return (yield)
        finally:
            self._end(self._step)
            self._step = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, Any, Any]:
        """No name of a file for a step."""
        if self._reporter is None or self._step is None:
            return (yield)
        shown = self._reporter.showfspath
        self._reporter.showfspath = False
        try:
            return (yield)
        finally:
            self._reporter.showfspath = shown

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Count the result, and keep its letter off the console."""
        result = getattr(report, ATTRIBUTE, None)
        if self._reporter is None or self._step is None or (result is None and not report.passed):
            return (yield)
        if result is not None and report.when != "teardown":
            self._counts.setdefault(self._step, Counter())[result.outcome] += 1
            reported: set[Any] | None = getattr(self._reporter, "_progress_nodeids_reported", None)
            if (
                not self._alone and reported is not None
            ):  # the percentage beside tests of a user's own counts these, too
                reported.add(getattr(report, "id", report.nodeid))
        self._reporting = True
        try:
            return (yield)
        finally:
            self._reporting = False

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """The category counts as ever."""
        status = yield
        return (status[0], "", "") if self._reporting and status else status

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """What was cut short is told as such."""
        for step in [step for step, counts in self._counts.items() if counts]:
            self._write(step, f"{self._awaited[step]} not judged")

    def _end(self, step: str | None) -> None:
        """Write the step's line with its last test."""
        if step is None:
            return
        self._awaited[step] -= 1
        if self._awaited[step] <= 0:
            self._write(step)

    def _write(self, step: str, *more: str) -> None:
        counts = self._counts.pop(step, Counter[Outcome]())
        if self._reporter is None or not counts:
            return
        told = [f"{counts[outcome]:,} {outcome.value}" for outcome in COLOURS if counts[outcome]]
        colour = next(colour for outcome, colour in COLOURS.items() if counts[outcome])
        title = TABLE[step].title if step in TABLE else step
        self._reporter.write_line(f"{title}: {', '.join([*told, *more])}", **colour)
