"""What a cause is: frozen data, and a predicate that says whether it explains a problem, and how we know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.guide.severity import Severity, worst
from pytest_tentacle.judging.finding import Evidence, Problem

from .view import View


@dataclass(frozen=True)
class Clue:
    """Why a cause explains a problem.

    Attributes:
        facts: more facts than the problem's own, to fold by, to speak of and to fill into commands.
        evidence: what it rests on besides the problem's own evidence, most telling first.
        confidence: another one than the cause's own.
        unsure: what could have told it apart from another cause, and how to find out.
        place: the machine on which it is to be mended; None: the one that has the problem.
        seen: it was seen, so that nothing that was not read could name another cause.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    confidence: Confidence | None = None
    unsure: str = ""
    place: str | None = None
    seen: bool = False


Predicate: TypeAlias = Callable[["View", Problem], Clue | None]
"""Looks at a problem from its machine's view of both ends and the fleet; None where the cause does not explain it."""


@dataclass(frozen=True)
class CauseKind:
    """One cause that a diagnosis may give.

    Attributes:
        code: `TC`, the number of a problem that it explains, and one more digit; never reused. A problem that is its
            own cause keeps its own code.
        title: a few words.
        sentence: what is wrong; `{who}`, `{is}`, `{has}`, `{its}` stand for the machines, other braces for facts.
        needs: codes of problems that it may explain by itself, as far as the predicate agrees.
        windows: what to do where the cause lies on a Windows machine; lines that begin with `$ ` are commands. Facts
            stand there as `<fact>` within double quotes: the whole word is quoted for the shell.
        linux: the same for Linux.
        match: the predicate.
        consequences: codes of problems on the same machine that follow from it.
        echoes: the same, of those that are told in the log of the other end only: what stands in the log of the same
            end is an attempt of its own, which failed for a reason of its own.
        fold_by: facts by which machines with this cause are one line, and otherwise are two.
        rank: what must be mended first has the lower one.
        confidence: unless the predicate knows better.
        told_apart_by: sections, as a check's `reads`, by which the predicate knows it from other causes of the same
            problem. Where one was not read, those others are no more than possible.
    """

    code: str
    title: str
    sentence: str
    needs: frozenset[str]
    windows: tuple[str, ...]
    linux: tuple[str, ...]
    match: Predicate
    consequences: frozenset[str] = frozenset()
    echoes: frozenset[str] = frozenset()
    fold_by: tuple[str, ...] = ()
    rank: int = 50
    confidence: Confidence = Confidence.CERTAIN
    told_apart_by: frozenset[str] = frozenset()

    @property
    def explains(self) -> frozenset[str]:
        """Every code that it may explain."""
        return self.needs | self.consequences | self.echoes


@dataclass(frozen=True)
class Found:
    """A cause on one machine.

    Attributes:
        kind: the cause.
        machine: whose problems it explains.
        problems: those that it explains.
        facts: of the first problem and its clue.
        all_facts: the same of each problem that the cause explains by itself.
        evidence: what it rests on, most telling first.
        confidence: how sure.
        unsure: what could have told it apart; empty where nothing is left.
        place: the machine on which it is to be mended.
        seen: it was seen, so that nothing that was not read could name another cause.
    """

    kind: CauseKind
    machine: str
    problems: tuple[Problem, ...]
    facts: dict[str, Any]
    evidence: tuple[Evidence, ...]
    confidence: Confidence
    unsure: str
    place: str
    seen: bool = False
    all_facts: tuple[dict[str, Any], ...] = ()

    @property
    def severity(self) -> Severity:
        """What it costs on this machine: the worst of its problems."""
        return worst(problem.severity for problem in self.problems)

    @property
    def fold_key(self) -> tuple[Any, ...]:
        """What is the same for machines that fold into one cause: what costs nothing may be an outage elsewhere."""
        spared = all(problem.cost is Severity.HYGIENE for problem in self.problems)
        return (self.kind.code, spared, *(str(self.facts.get(name)) for name in self.kind.fold_by))


def whenever(_view: View, _problem: Problem) -> Clue:
    """The predicate of a cause that each of its problems proves."""
    return Clue()
