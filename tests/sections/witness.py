"""A pytest plugin that writes down what the checks do in the tests that pass: `-p witness`, `TENTACLE_WITNESS=FILE`.

The file is JSON: for each check (`here.page`)

- `reads`: what it read, over all passing tests, spelt as a check declares it;
- `clean`: names of tests in which it looked and found nothing wrong, nothing unknown and nothing in its way;
- `found`: for each code, the tests in which a step failed by just that problem, with the placeholders that its remedy
  still has when the problem's facts are filled in.

`test_every_code.py` runs the tests of the checks with it. It changes only what it watches with, in a process of its own.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.guide.placeholders import named_in
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.judging import subject
from pytest_tentacle.judging.check import REGISTRY, Check
from pytest_tentacle.judging.finding import Blocked, Problem, Unknown
from pytest_tentacle.sections import runner
from pytest_tentacle.sections.catalogue import CATALOGUE


class Notes:
    """What is known by now; what happens in a test counts once it has passed."""

    def __init__(self) -> None:
        self.reads: defaultdict[str, set[str]] = defaultdict(set)
        self.clean: defaultdict[str, set[str]] = defaultdict(set)
        self.found: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
        self.forget()

    def forget(self) -> None:
        self._reads: list[tuple[str, str]] = []
        self._clean: list[str] = []
        self._found: list[Problem] = []

    def looked(self, check: Check, name: str, reads: set[tuple[str, str]], findings: list[Any]) -> None:
        """A check has looked at a machine."""
        self._reads += [(check.name, spelt(read, name)) for read in reads]
        if not any(isinstance(finding, Problem | Unknown | Blocked) for finding in findings):
            self._clean.append(check.name)

    def judged(self, problems: tuple[Problem, ...]) -> None:
        """A step was judged."""
        if len({problem.code for problem in problems}) == 1:
            self._found.append(problems[0])

    def passed(self, test: str) -> None:
        """What happened since the last test counts."""
        for check, read in self._reads:
            self.reads[check].add(read)
        for check in self._clean:
            self.clean[check].add(test)
        for problem in self._found:
            kind = CATALOGUE.get(problem.code)
            if kind is not None:  # a test's own code stands in no catalogue
                left = [
                    line
                    for system in ("windows", "linux")
                    for line in fill(getattr(kind, system), system, problem.facts)
                ]
                self.found[problem.code][test] = list(named_in(left))

    def dump(self) -> str:
        sets = {"reads": self.reads, "clean": self.clean}
        return json.dumps(
            {"found": self.found}
            | {name: {key: sorted(values) for key, values in held.items()} for name, held in sets.items()}
        )


def spelt(read: tuple[str, str], own: str) -> str:
    """A read as a check declares it."""
    machine, section = read
    if machine == own:
        return section
    return f"{machine}.{section}" if machine in {"fleet", "controller"} else f"peer.{section}"


def watch(check: Check, notes: Notes) -> None:
    """Let a registered check tell what it reads and finds, for whoever holds it."""
    inner = check.look

    def look(seen: Any) -> Any:
        findings: list[Any] = []
        reads: set[tuple[str, str]] = set()
        try:
            with seen.ledger.watch() as reads:
                for finding in inner(seen):
                    findings.append(finding)
                    yield finding
        except (Unknown, Blocked) as error:
            findings.append(error)
            raise
        finally:
            seen.ledger.note(reads)
            notes.looked(check, seen.name, reads, findings)

    look.__doc__, look.__module__, look.__name__ = inner.__doc__, inner.__module__, inner.__name__
    object.__setattr__(check, "look", look)


NOTES = Notes()


def pytest_configure() -> None:
    for checks in REGISTRY.values():
        for check in checks:
            watch(check, NOTES)
    judge = subject.evaluate

    def evaluate(*arguments: Any) -> Any:
        result = judge(*arguments)
        NOTES.judged(result.problems)
        return result

    subject.evaluate = runner.evaluate = evaluate


def pytest_runtest_setup() -> None:
    NOTES.forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call" and report.passed:
        NOTES.passed(item.nodeid)
    return report


def pytest_unconfigure() -> None:
    Path(os.environ["TENTACLE_WITNESS"]).write_text(NOTES.dump(), encoding="utf-8")
