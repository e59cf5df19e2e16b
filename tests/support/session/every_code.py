"""Each code fails in some test and passes in another, each check reads what it declares, each remedy can be filled in.

A code that nothing makes fail, or that is found in healthy machines, helps nobody. It is held against what the checks
did in all tests of the watched folders, as those run (`witness.py`); where only a part of them ran, only against what
that part can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[2]

WATCHED = (TESTS / "sections", TESTS / "judging", TESTS / "diagnosis")

OUTPUT = "every_code"
"""Name of what a worker of xdist sends to its controller."""

NO_SURVEY_TELLS = frozenset({"key", "user", "password", "pfx", "environment", "role", "portal"})
"""Placeholders of remedies that only a person can fill in, or Octopus's own API."""

_TAKES_AWAY = "diagnosis/test_law.py"
"""Tests that judge what is left when a part was not read."""

ONLY_A_PERSON_KNOWS = {
    "TT119": {"proxy"},  # a proxy that refuses does not name itself
    "TT133": {"address"},
    "TT203": {"home"},  # of an Octopus Server, and where the settings name none
    "TT315": {"polled"},  # which of several servers an entry without an address was for
    "TT413": {"polled"},  # a copy is registered with each of its servers
    "TT503": {"child"},
    "TT541": {"peers"},  # a server that is known by its name alone, and connects from nobody knows where
    "TT602": {"port"},  # what stands for it is no port
}
"""By code, further placeholders of its remedy that no survey fills in."""


class EveryCode:
    """Registered for a session of pytest; idle where no test of the watched folders is in it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._notes: Any = None
        self._end: Any = None
        self._collected: set[str] = set()
        self._ended: set[str] = set()
        self._left_out = config.option.collectonly
        self._wrong: list[str] = []

    # -- what is seen, in each process that runs tests ------------------------------------------------------------

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """By -k, -m, --deselect, --lf and the like."""
        self._left_out |= any(_is_watched(item.path) for item in items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Watch, if there is something to watch. xdist's controller collects nothing."""
        items = [item for item in session.items if _is_watched(item.path)]
        files = {file for folder in WATCHED for file in folder.rglob("test_*.py")}
        named = any("::" in str(argument) for argument in self._config.args)
        self._left_out |= named or files != {item.path for item in items}
        self._collected = {item.nodeid for item in items}
        if items and not self._config.option.collectonly:
            self._start()

    def _start(self) -> None:
        from .witness import Notes, watch

        self._notes = Notes()
        self._end = watch(self._notes)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A test begins."""
        if self._notes is not None:
            self._notes.forget()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        """A watched test that has passed counts."""
        report: Any = yield
        if self._notes is not None and report.when == "call" and report.passed and item.nodeid in self._collected:
            self._notes.passed(item.nodeid)
        return report

    # -- put together, in the controller or in the only process -----------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Which tests have come to their end."""
        if report.when == "teardown":
            self._ended.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What a worker has seen. One that crashed has sent nothing: its tests are missing then."""
        sent = getattr(node, "workeroutput", {}).get(OUTPUT)
        if sent is None:
            return
        if self._notes is None:
            from .witness import Notes

            self._notes = Notes()
        self._notes.add(sent["notes"])
        self._collected.update(sent["collected"])
        self._left_out |= sent["left_out"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand over, or tell what is wrong and let the session fail."""
        if self._end is not None:
            self._end()
        if self._notes is None:
            return
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            plain = self._notes.plain()
            output[OUTPUT] = {"notes": plain, "collected": sorted(self._collected), "left_out": self._left_out}
            return
        whole = not self._left_out and self._collected <= self._ended
        self._wrong = wrong_with(self._notes, whole=whole)
        if self._wrong and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Each offender in one line; the last line of all counts them as errors, lest it say that all passed."""
        if self._wrong:
            terminalreporter.section("codes and checks that the tests do not hold")
            for line in self._wrong:
                terminalreporter.write_line(line, red=True)
            place = ("codes and checks", None, "")
            errors = [pytest.TestReport("codes and checks", place, {}, "failed", line, "setup") for line in self._wrong]
            terminalreporter.stats.setdefault("error", []).extend(errors)


@cache
def _is_watched(path: Path) -> bool:
    """Asked of each of thousands of tests, which stand in some hundred files."""
    return any(path.is_relative_to(folder) for folder in WATCHED)


def wrong_with(notes: Any, *, whole: bool) -> list[str]:
    """In whole sentences: what does not hold of codes and checks.

    Args:
        notes: what the checks did in the tests that passed.
        whole: whether all tests ran, so that what did not happen happens in none.
    """
    from pytest_tentacle.sections import STEPS

    wrong = []
    for check in (check for step in STEPS for check in step.checks):
        read = notes.reads.get(check.name, set())
        if read - check.reads:
            wrong.append(f"{check.name} reads, and does not declare: {', '.join(sorted(read - check.reads))}")
        if whole and check.reads - read:
            wrong.append(f"{check.name} declares, and reads in no test: {', '.join(sorted(check.reads - read))}")
    return wrong + (list(_codes(notes)) if whole else [])


def _codes(notes: Any) -> Iterator[str]:
    from pytest_tentacle.sections import STEPS
    from pytest_tentacle.sections.catalogue import CATALOGUE

    for code, kind in CATALOGUE.items():
        checks = [check.name for step in STEPS for check in step.checks if code in check.codes]
        if not checks:
            yield f"no check declares {code}: name it in the codes= of a check of {kind.step}"
        if not notes.found.get(code):
            yield f"no test that passes makes the step {kind.step} fail by {code} alone: write one"
        if not any(notes.clean.get(check) for check in checks):
            yield f"{code}: no test that passes has a machine on which {' or '.join(checks)} finds nothing wrong"
        yield from _remedy(code, notes.found.get(code, {}))


def _remedy(code: str, cases: dict[str, list[str]]) -> Iterator[str]:
    """A remedy's placeholders are filled in by the problem's facts, in each test; only a person knows the rest.

    But for tests that take facts away on purpose: what nobody read stays open. What is found in a log has the facts that its text tells: there one text that tells them all is enough.
    """
    from pytest_tentacle.logs.signatures import codes as codes_of_logs

    cases = {test: names for test, names in cases.items() if _TAKES_AWAY not in test}
    left = {name: test for test, names in cases.items() for name in names if name not in NO_SURVEY_TELLS}
    if code in codes_of_logs():
        left = {name: test for name, test in left.items() if all(name in names for names in cases.values())}
    allowed = ONLY_A_PERSON_KNOWS.get(code, set())
    for name, test in left.items():
        if name not in allowed:
            yield f"the facts of {code} leave <{name}> of its remedy open, in {test}"
    if cases and allowed - set(left):
        yield f"the facts of {code} fill in {', '.join(sorted(allowed - set(left)))}: take it out of ONLY_A_PERSON_KNOWS"
