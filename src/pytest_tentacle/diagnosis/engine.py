"""From results to causes: the fewest on each machine, folded over the fleet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_tentacle.guide.consequences import LISTENS_ELSEWHERE, OF_ONE_ADDRESS, REFUSES, UNANSWERED
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.sections import Fleet

from .base_facts import server_facts, trust_facts
from .causes import CAUSES
from .causes.services.managers import OF_A_PROGRAM, is_before
from .cover import fewest
from .folding import FoldedCause, Folder
from .kind import CauseKind, Clue, Found
from .last_resort import unexplained_with, with_unrecognised
from .standing import toned
from .unread import held_against_unread
from .view import Scene, View

_Matched: TypeAlias = tuple[Problem, Clue, dict[str, Any]]
"""A problem, what speaks for a cause of it, and all facts of both."""

_BY_CODE: dict[str, tuple[CauseKind, ...]] = {
    code: tuple(kind for kind in CAUSES if code in kind.needs) for code in {c for kind in CAUSES for c in kind.needs}
}


@dataclass(frozen=True)
class MachineDiagnosis:
    """One machine.

    Attributes:
        causes: the fewest that explain its problems, in the order in which they must be mended.
        unexplained: problems that none of them explains.
        waits_for: code of a problem and machine, where another machine's failure stands in the way.
    """

    machine: str
    causes: tuple[Found, ...]
    unexplained: tuple[Problem, ...]
    waits_for: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Doubt:
    """What could have told causes apart, but was not known: what to do about it, and for which machines."""

    advice: str
    code: str
    machines: tuple[str, ...]


@dataclass(frozen=True)
class Diagnosis:
    """All machines with problems, and the same folded over the fleet."""

    machines: dict[str, MachineDiagnosis]
    causes: tuple[FoldedCause, ...]
    unexplained: tuple[FoldedCause, ...]

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What could have told two causes apart."""
        return tuple(Doubt(cause.unsure, cause.code, cause.machines) for cause in self.causes if cause.unsure)

    def views(self) -> Sequence[FoldedCause]:
        """For the report: causes, most machines first, then what stays unexplained."""
        return (*self.causes, *self.unexplained)


def diagnose(fleet: Fleet, results: Iterable[StepResult]) -> Diagnosis:
    """The causes of all problems in these results.

    What is blocked or unknown is neither a cause nor its absence. A machine that is blocked by another one's failure is
    listed under what causes that. Linear in machines, problems and probes.
    """
    scene = Scene(fleet, results)
    machines: dict[str, MachineDiagnosis] = {}
    affected: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    blockers = {machine for name in scene.results for _, machine in scene.blocks(name)}
    order = {name: number for number, name in enumerate(fleet.machines)}
    for name in sorted(
        scene.problems.keys() | scene.results.keys(),
        key=lambda name: (name not in blockers, order.get(name, len(order)), name),
    ):
        waits = scene.blocks(name)
        standing = [found for code, machine in waits if (found := _standing(machines.get(machine), code))]
        for found in standing:
            affected[found.fold_key].add(name)
        if scene.problems[name] or waits:
            machines[name] = _diagnosed(scene.view(name), waits, echoes=UNANSWERED if standing else frozenset())
    folder = Folder(scene)
    return Diagnosis(
        machines=machines,
        causes=folder.fold((found for each in machines.values() for found in each.causes), affected),
        unexplained=folder.unexplained(problem for each in machines.values() for problem in each.unexplained),
    )


def _standing(other: MachineDiagnosis | None, code: str) -> Found | None:
    """The cause of that problem on another machine."""
    if other is None:
        return None
    return next((found for found in other.causes if any(problem.code == code for problem in found.problems)), None)


def _diagnosed(view: View, waits: tuple[tuple[str, str], ...], echoes: frozenset[str]) -> MachineDiagnosis:
    """One machine. `echoes` are what its logs tell of another machine's failure: they need no cause here."""
    problems = [problem for problem in view.problems if problem.code not in echoes]
    chosen = tuple(
        with_unrecognised(view, held_against_unread(view, toned(view, found)))
        for found in fewest(tuple(_candidates(view, problems)))
    )
    explained = {id(problem) for found in chosen for problem in found.problems}
    return MachineDiagnosis(
        machine=view.name,
        causes=chosen,
        unexplained=tuple(unexplained_with(view, problem) for problem in problems if id(problem) not in explained),
        waits_for=waits,
    )


def _candidates(view: View, problems: Sequence[Problem]) -> Iterable[Found]:
    """Every cause that explains some problem of the machine; one for each set of facts that it folds by."""
    groups: dict[tuple[Any, ...], tuple[CauseKind, list[_Matched]]] = {}
    for problem in problems:
        for kind in _BY_CODE.get(problem.code, ()):
            clue = kind.match(view, problem)
            if clue is not None:
                facts = _facts(view, problem, clue)
                key = (kind.code, *(str(facts.get(name)) for name in kind.fold_by))
                groups.setdefault(key, (kind, []))[1].append((problem, clue, facts))
    for kind, group in groups.values():
        yield _found(view, kind, group, _consequences(view, kind, [problem for problem, _, _ in group], problems))


def _consequences(
    view: View, kind: CauseKind, causing: Sequence[Problem], problems: Sequence[Problem]
) -> list[Problem]:
    """What follows from these problems: not what is of the link to another server, nor what is no echo of them.

    Nor what was lost before it came to the machine, where all that is wrong is that nobody listens there; nor what a
    rule for just that port keeps out, which is there whatever port the machine listens on; nor what fails at another
    address than the one that is wrong.
    """
    own = {id(problem) for problem in causing}
    servers = {view.server_of(problem) for problem in causing}
    vantages = {view.vantage_of(problem) for problem in causing}
    return [
        problem
        for problem in problems
        if id(problem) not in own
        and (
            problem.code in kind.consequences
            or (problem.code in kind.echoes and view.vantage_of(problem) not in vantages)
        )
        and not (problem.facts.get("lost_before") and kind.needs <= REFUSES)
        and not (problem.facts.get("names_port") and kind.needs <= LISTENS_ELSEWHERE)
        and not (kind.needs <= OF_ONE_ADDRESS and _at_another_address(causing, problem))
        and (None in servers or view.server_of(problem) in {None, *servers})
        and not (kind.code in OF_A_PROGRAM and is_before(view, problem))
    ]


def _at_another_address(causing: Sequence[Problem], problem: Problem) -> bool:
    """Whether a look failed at an address that these problems do not speak of."""
    address = problem.facts.get("address")
    told = {each for one in causing for each in str(one.facts.get("address") or "").split(", ")} - {""}
    return isinstance(address, str) and bool(told) and not told & set(address.split(", "))


def _facts(view: View, problem: Problem, clue: Clue) -> dict[str, Any]:
    own = view.base_facts | server_facts(view.subject, view.server_of(problem))
    facts = own | {"link": view.link_of(problem)} | problem.facts | _of_the_place(view, clue) | clue.facts
    return trust_facts(view.subject, facts) | facts


def _of_the_place(view: View, clue: Clue) -> dict[str, Any]:
    """The service that commands mean where a cause is to be mended on another machine."""
    if clue.place is None or clue.place == view.name or clue.place not in view.scene.fleet.machines:
        return {}
    service = view.scene.view(clue.place).subject.known_service
    return {"service": service.name if service else None}


def _found(view: View, kind: CauseKind, group: Sequence[_Matched], consequences: Sequence[Problem]) -> Found:
    causing = [problem for problem, _, _ in group]
    clues = [clue for _, clue, _ in group]
    first = causing[0]
    evidence = [Evidence(first.machine, f"expected: {first.expected}; found: {first.actual}")]
    evidence += [item for clue in clues for item in clue.evidence]
    evidence += [item for problem in causing for item in problem.evidence]
    evidence += [Evidence(problem.machine, f"also: {problem.actual}") for problem in consequences]
    return Found(
        kind=kind,
        machine=view.name,
        problems=(*causing, *consequences),
        facts=group[0][2],
        evidence=tuple(dict.fromkeys(evidence)),
        confidence=max((clue.confidence or kind.confidence for clue in clues), key=lambda each: each.weight),
        unsure=next((clue.unsure for clue in clues if clue.unsure), ""),
        place=clues[0].place or view.name,
        seen=any(clue.seen for clue in clues),
        all_facts=tuple(facts for _, _, facts in group),
    )
