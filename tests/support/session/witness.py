"""Writes down what the checks do in the tests that pass, for `every_code.py` to hold against what they declare.

Nothing lists the tests of a check: what counts is what happened in those of the watched folders that passed. Each
process of a session notes what it saw; xdist's controller puts it together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from pytest_tentacle.diagnosis.base_facts import base_facts
from pytest_tentacle.guide.placeholders import named_in
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.judging import evaluate
from pytest_tentacle.judging.check import Check, Finding
from pytest_tentacle.judging.finding import Blocked, Problem, Unknown
from pytest_tentacle.sections.catalogue import CATALOGUE

_NONE: frozenset[tuple[str, str]] = frozenset()
_NOT_CLEAN = (Problem, Unknown, Blocked)


class Notes:
    """What is known by now; what happens in a test counts once it has passed.

    Attributes:
        reads: by check (`connections.page_is_shown_here`), what it read, spelt as a check declares it.
        clean: by check, the first test of each process in which it looked and found nothing wrong, nothing unknown and
            nothing in its way.
        found: by code, the tests in which a step failed by just that problem, or by it and what follows from it, with
            the placeholders that its remedy still has when what is known of the machine and of the problem is filled in.
        subject: whom the check looked at that looked last.
    """

    def __init__(self) -> None:
        self.reads: defaultdict[str, set[str]] = defaultdict(set)
        self.clean: defaultdict[str, set[str]] = defaultdict(set)
        self.found: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
        self._known_reads: dict[tuple[str, str], set[tuple[str, str]]] = {}
        """By check and machine, what counts already, unspelt: to compare sets is quick."""
        self.forget()

    def forget(self) -> None:
        """A new test begins."""
        self._reads: dict[tuple[str, str], set[tuple[str, str]]] = {}
        self._clean: set[str] = set()
        self._found: list[tuple[Problem, dict[str, Any], str | None]] = []
        self.subject: Any = None

    def looked(self, check: Check, name: str, reads: set[tuple[str, str]], findings: list[Finding]) -> None:
        """A check has looked at a machine. What is known already is noted no more: there are millions of looks."""
        if not reads <= self._known_reads.get((check.name, name), _NONE):
            self._reads.setdefault((check.name, name), set()).update(reads)
        is_known = check.name in self.clean or check.name in self._clean
        if not is_known and not any(isinstance(finding, _NOT_CLEAN) for finding in findings):
            self._clean.add(check.name)

    def judged(self, problems: list[Problem]) -> None:
        """A step was judged."""
        first = {problem.code: problem for problem in reversed(problems)}
        for code, problem in first.items():
            kind = CATALOGUE.get(code)
            if len(first) == 1 or (kind is not None and set(first) - {code} <= kind.consequences):
                self._found.append((problem, *self._known()))

    def _known(self) -> tuple[dict[str, Any], str | None]:
        """What a report knows of the machine besides the problem, and its system."""
        return (base_facts(self.subject), self.subject.system) if self.subject else ({}, None)

    def passed(self, test: str) -> None:
        """What happened since the test began counts."""
        for (check, name), reads in self._reads.items():
            self.reads[check].update(spelt(read, name) for read in reads)
            self._known_reads.setdefault((check, name), set()).update(reads)
        for check in self._clean:
            self.clean[check].add(test)
        for problem, known, system in self._found:
            kind = CATALOGUE.get(problem.code)
            if kind is not None:  # a test's own code stands in no catalogue
                remedies = [("windows", kind.windows), ("linux", kind.linux)]
                own = [each for each in remedies if system in (each[0], None)]
                left = [line for name, lines in own for line in fill(lines, name, known | problem.facts)]
                named, before = list(named_in(left)), self.found[problem.code].get(test)
                if before is None or len(named) < len(before):  # a test may take facts away after it had them all
                    self.found[problem.code][test] = named
        self.forget()

    def plain(self) -> dict[str, Any]:
        """As plain data, which travels between processes."""
        sets = {"reads": self.reads, "clean": self.clean}
        return {"found": dict(self.found)} | {
            name: {key: sorted(values) for key, values in held.items()} for name, held in sets.items()
        }

    def add(self, plain: dict[str, Any]) -> None:
        """What another process has seen."""
        for code, tests in plain["found"].items():
            self.found[code].update(tests)
        for mine, theirs in ((self.reads, plain["reads"]), (self.clean, plain["clean"])):
            for check, values in theirs.items():
                mine[check].update(values)


def spelt(read: tuple[str, str], own: str) -> str:
    """A read as a check declares it."""
    machine, section = read
    if machine == own:
        return section
    return f"{machine}.{section}" if machine in {"fleet", "controller"} else f"peer.{section}"


def watch(notes: Notes) -> Callable[[], None]:
    """Note, from now on, what is looked at and judged in this process; gives what ends it."""
    look, sort = evaluate.findings, evaluate._sort

    def findings(check: Check, subject: Any) -> list[Finding]:
        ledger = subject.ledger
        reads = ledger.begin()
        try:
            seen = look(check, subject)
        finally:
            ledger.end()
        ledger.note(reads)
        notes.subject = subject
        notes.looked(check, subject.name, reads, seen)
        return seen

    def sorted_findings(*arguments: Any) -> Any:
        found = sort(*arguments)
        notes.judged(found.problems)
        return found

    evaluate.findings, evaluate._sort = findings, sorted_findings

    def end() -> None:
        evaluate.findings, evaluate._sort = look, sort

    return end
