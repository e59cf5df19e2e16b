"""One line for all machines with the same cause and the same discriminating facts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from pytest_tentacle.guide.commands import fitting
from pytest_tentacle.guide.remedies import fill, with_own_values
from pytest_tentacle.guide.sections import GUIDE
from pytest_tentacle.guide.severity import Severity, worst
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.sections import step_of
from pytest_tentacle.sections.catalogue import CATALOGUE

from .base_facts import server_facts, trust_facts
from .kind import Found
from .last_resort import LINUX, WINDOWS, left_overs
from .view import Scene
from .wording import listed, sentence

_EVIDENCE = 6
_DOUBTS = 3
_TRAIT_SHARE = 0.5
"""What the sick have in common is worth a word where at least this part of all that have it is sick."""


_Held: TypeAlias = "tuple[str, tuple[Mapping[str, Any], ...]]"
"""The machine on which something is to be mended, and what is known there."""


@dataclass(frozen=True)
class FoldedCause:
    """A cause over the fleet, as the report shows it.

    Attributes:
        code: stable, such as `TC2021`, or a problem's that is its own cause, `TT503`.
        title: a few words.
        sentence: what is wrong and how far it reaches, in one sentence.
        confidence: `certain`, `likely` or `possible`; empty for a problem that no cause explains.
        evidence: what it rests on, most telling first.
        remedy_windows: lines; those that start with `$ ` are commands to copy, the others are words.
        remedy_linux: the same for Linux.
        link: into the guide.
        unsure: what could have told it apart from another cause, and how to find out; empty where nothing is left.
        machines: those that have it, then those that it stands in the way of.
        affected: those that it stands in the way of: nothing can be said of their links until it is mended.
        facts: those that all of its machines share.
        explains: codes of the problems that it explains.
        places: machines on which it is to be mended.
        rank: what must be mended first has the lower one.
    """

    code: str
    title: str
    sentence: str
    machines: tuple[str, ...]
    confidence: str = ""
    evidence: tuple[Evidence, ...] = ()
    remedy_windows: tuple[str, ...] = ()
    remedy_linux: tuple[str, ...] = ()
    link: str = ""
    unsure: str = ""
    affected: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    explains: frozenset[str] = frozenset()
    severity: Severity = Severity.OUTAGE
    """The worst of the problems that it explains."""
    places: tuple[str, ...] = ()
    rank: int = 99


class Folder:
    """Folds founds; knows what machines have in common."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._order = {name: number for number, name in enumerate(scene.fleet.machines)}

    def fold(
        self, founds: Iterable[Found], affected: Mapping[tuple[Any, ...], Iterable[str]]
    ) -> tuple[FoldedCause, ...]:
        """All founds, most machines first, then what must be mended first."""
        groups: defaultdict[tuple[Any, ...], list[Found]] = defaultdict(list)
        for found in founds:
            groups[found.fold_key].append(found)
        folded = [self._folded(group, self._sorted(affected.get(key, ()))) for key, group in groups.items()]
        return tuple(sorted(folded, key=lambda cause: (-len(cause.machines), cause.rank, cause.code)))

    def unexplained(self, problems: Iterable[Problem]) -> tuple[FoldedCause, ...]:
        """Problems without a cause, folded by their code, each with the guide's last resort."""
        groups: defaultdict[str, list[Problem]] = defaultdict(list)
        for problem in problems:
            groups[problem.code].append(problem)
        return tuple(self._last_resort(code, group) for code, group in sorted(groups.items()))

    def _folded(self, group: Sequence[Found], waiting: tuple[str, ...]) -> FoldedCause:
        kind = group[0].kind
        holders = self._sorted({found.machine for found in group})
        affected = tuple(name for name in waiting if name not in holders)
        several, common = _facts([facts for found in group for facts in found.all_facts])
        holding = {found.machine: (found.place, found.all_facts) for found in group}

        def say(template: str) -> str:
            return sentence(template, holders, several)

        places = self._sorted({found.place for found in group})
        texts = list(dict.fromkeys(say(found.unsure) for found in group if found.unsure))
        more = f" And {len(texts) - _DOUBTS:,} more such questions." if len(texts) > _DOUBTS else ""
        evidence = list(dict.fromkeys(item for found in group[:_EVIDENCE] for item in found.evidence[:2]))
        return FoldedCause(
            code=kind.code,
            title=kind.title,
            sentence=say(kind.sentence) + self._in_common(holders) + _waiting(affected),
            machines=(*holders, *affected),
            confidence=min((found.confidence for found in group), key=lambda each: each.weight).value,
            evidence=tuple(evidence[:_EVIDENCE]) if len(group) > 1 else group[0].evidence[:_EVIDENCE],
            remedy_windows=self._remedy(kind.windows, "windows", holding, say),
            remedy_linux=self._remedy(kind.linux, "linux", holding, say),
            link=_link(min(problem.code for problem in group[0].problems if problem.code in kind.needs)),
            unsure=" ".join(texts[:_DOUBTS]) + more,
            affected=affected,
            facts=common,
            explains=frozenset(problem.code for found in group for problem in found.problems),
            severity=worst(found.severity for found in group),
            places=places,
            rank=kind.rank,
        )

    def _remedy(
        self, lines: tuple[str, ...], system: str, holding: Mapping[str, _Held], say: Callable[[str], str]
    ) -> tuple[str, ...]:
        """What to do on machines of that system; nothing where it is to be mended on those of the other only.

        `holding` is, of each machine, where it is to be mended, and the facts that are known there.
        """
        own = {name: facts for name, (place, facts) in holding.items() if self._system(place) in (system, None)}
        if not own:
            return ()
        _, common = _facts([_agreed(facts) for facts in own.values()])
        own_lines = fitting(lines, common)
        spoken = tuple(line if line.startswith("$ ") else _words(line, say) for line in own_lines)
        return with_own_values(fill(spoken, system, common), own)

    def _system(self, name: str) -> str | None:
        return self._scene.view(name).system if name in self._order else None

    def _last_resort(self, code: str, problems: Sequence[Problem]) -> FoldedCause:
        """A problem that no cause explains; of a user's own, which the catalogue does not know, nothing is advised."""
        machines = self._sorted({problem.machine for problem in problems})
        known = CATALOGUE.get(code)
        holding: dict[str, _Held] = {}
        for problem in problems:
            _, facts = holding.get(problem.machine, ("", ()))
            view = self._scene.view(problem.machine)
            own = view.base_facts | server_facts(view.subject, view.server_of(problem)) | problem.facts
            own = trust_facts(view.subject, own) | own
            holding[problem.machine] = (problem.machine, (*facts, own))
        _, common = _facts([each for _, facts in holding.values() for each in facts])
        first = problems[0]
        return FoldedCause(
            code=code,
            title=known.title if known else code,
            sentence=(
                f"{known.meaning} No cause explains it."
                if known
                else f"Expected: {first.expected}. Found: {first.actual}."
            )
            + self._in_common(machines),
            machines=machines,
            confidence="",
            evidence=(
                Evidence(first.machine, f"expected: {first.expected}; found: {first.actual}"),
                *first.evidence[:3],
                *left_overs(self._scene.view(name) for name in machines)[:_EVIDENCE],
            ),
            remedy_windows=self._remedy((*known.windows, *WINDOWS), "windows", holding, str) if known else (),
            remedy_linux=self._remedy((*known.linux, *LINUX), "linux", holding, str) if known else (),
            link=_link(code),
            facts=common,
            explains=frozenset({code}),
            severity=worst(problem.severity for problem in problems),
            places=machines,
        )

    def _sorted(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(names, key=lambda name: (self._order.get(name, len(self._order)), name)))

    def _in_common(self, machines: Sequence[str]) -> str:
        """What sets the sick apart from the rest; empty where nothing does."""
        if len(machines) < 2:  # noqa: PLR2004  one machine has nothing in common
            return ""
        shared = set.intersection(*(set(self._traits.get(name, ())) for name in machines))
        total = len(self._traits)
        telling = [
            (len(machines) / self._trait_counts[trait], trait) for trait in shared if self._trait_counts[trait] < total
        ]
        if not telling:
            return ""
        share, trait = max(telling)
        if share < _TRAIT_SHARE:
            return ""
        every = "all that are" if share == 1 else f"{len(machines):,} of the {self._trait_counts[trait]:,} that are"
        return f" They are {every} {trait}."

    @cached_property
    def _traits(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(self._scene.view(name).traits) for name in self._scene.fleet.machines}

    @cached_property
    def _trait_counts(self) -> Counter[str]:
        return Counter(trait for traits in self._traits.values() for trait in traits)


def _facts(all_facts: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts to speak of, several values listed; and those that are the same on all machines."""
    values = _values(all_facts)
    several = {
        name: next(iter(found.values())) if len(found) == 1 else tuple(found.values()) for name, found in values.items()
    }
    missing = {name for facts in all_facts for name in values if facts.get(name) is None}
    common = {name: value for name, value in several.items() if len(values[name]) == 1 and name not in missing}
    return several, common


def _agreed(all_facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The facts of one machine of which it has one value only."""
    return {name: next(iter(found.values())) for name, found in _values(all_facts).items() if len(found) == 1}


def _values(all_facts: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By fact, its values; those that read alike are one."""
    values: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for facts in all_facts:
        for name, value in facts.items():
            if value is not None:
                values[name][str(value)] = value
    return values


def _words(line: str, say: Callable[[str], str]) -> str:
    return say(line) if "{" in line else line


def _waiting(affected: Sequence[str]) -> str:
    if not affected:
        return ""
    verb, whose = ("waits", "its") if len(affected) == 1 else ("wait", "their")
    return f" {listed(affected)} {verb} for it: of {whose} links nothing can be said until then."


def _link(code: str) -> str:
    step = step_of(code)
    return step.section.link if step else GUIDE
