"""What pytest and pytest-html keep of each step to the end, and never ask for again, is given up as the run goes.

Three reports a step with a dictionary of keywords each, and the tests that did not apply, are a third of what a run of
thousands of machines needs. What is kept is what pytest's summary counts and shows: one report a step. Tests of a
user's own keep all of theirs, for whatever plugins there are.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from pytest_html.basereport import BaseReport

from pytest_tentacle.run.verdict import ATTRIBUTE

from .collection import is_guides, machine_of

_NO_KEYWORDS: frozenset[str] = frozenset()
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_DESELECTED = SimpleNamespace(nodeid="")
_PLACES = 64
"""So far back in a list a report is looked for that came of late: some of other tests may stand behind it."""


class Slim:
    """Registered for the length of one run, in the process that reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._of_test: dict[str, list[pytest.TestReport]] = {}
        self._markers: dict[object, list[pytest.Mark]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        """Once everybody has seen the last of a step's reports."""
        try:
            return (yield)
        finally:
            reports = self._of_test.setdefault(report.nodeid, [])
            reports.append(report)
            if report.when == "teardown":
                del self._of_test[report.nodeid]
                if any(hasattr(each, ATTRIBUTE) for each in reports):
                    self._give_up(report.nodeid, reports)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """A step that was judged is not judged again: pytest only counts it."""
        try:
            return (yield)
        finally:
            if isinstance(item, pytest.Function) and is_guides(item) and machine_of(item) is not None:
                self._give_up_item(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_deselected(self, items: Sequence[pytest.Item]) -> Generator[None]:
        """The terminal only counts them; what nobody else holds is freed, once it does not hold itself."""
        try:
            return (yield)
        finally:
            for item in items:
                if is_guides(item) and item.parent:
                    item.keywords = item.parent.keywords
                    vars(item)["_request"] = None
            stats = self._stats()
            if "deselected" in stats:
                stats["deselected"] = [_DESELECTED] * len(stats["deselected"])

    def _give_up(self, nodeid: str, reports: list[pytest.TestReport]) -> None:
        for reporter in self._config.pluginmanager.get_plugins():
            if isinstance(reporter, BaseReport):
                vars(reporter).get("_reports", {}).pop(nodeid, None)
        silent = self._stats().get("", [])
        for report in reports:
            vars(report)["keywords"] = _NOTHING
            for name in ("sections", "user_properties"):  # what a user's own fixtures printed or noted is still shown
                if not getattr(report, name):
                    vars(report)[name] = ()
            vars(report).pop("extras", None)
            if not report.sections and self._config.option.durations is None:
                _drop(silent, report)

    def _give_up_item(self, item: pytest.Function) -> None:
        """What all machines' tests of a step have alike is shared, and what only collection and running need goes."""
        for name in ("indices", "_arg2scope"):
            vars(item.callspec)[name] = _NOTHING
        item.own_markers = self._markers.setdefault(item.obj, item.own_markers)
        item.keywords = item.parent.keywords if item.parent else item.keywords
        vars(item)["extra_keyword_matches"] = _NO_KEYWORDS
        item.stash = pytest.Stash()
        setattr(item, "_store", item.stash)  # noqa: B010  pytest's own second name of it

    def _stats(self) -> dict[str, list[Any]]:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        return {} if reporter is None else reporter.stats


def _drop(found: list[Any], report: pytest.TestReport) -> None:
    for place in range(len(found) - 1, max(len(found) - 1 - _PLACES, -1), -1):
        if found[place] is report:
            del found[place]
            return
