"""Judging surveys again of which little has changed: the steps that read nothing of it keep their results.

`Judged` is a fleet of which is known, of each result, every field of the surveys that it rests on, through whatever the
judging keeps in between. Where none of them differs in other surveys, judging those comes to the same result: it is taken
over. `tests/judging/test_rejudging.py` compares it with judging all anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import FunctionType, MethodType
from typing import Any, cast

from pydantic import BaseModel

from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.sections import TABLE, Fleet, applicable, fleet_of
from pytest_tentacle.survey.model import HostRecord, Survey
from pytest_tentacle.survey.store import Surveys

Read = tuple[str, str]
"""Whose field, and its name. A login: of its record or of its survey, no two of whose fields have the same name.
A machine's name behind `DECLARED`: of its entry; `DECLARED` alone: of the inventory itself."""

DECLARED = "inventory/"

WHOLE = "*"
"""In the place of a field: something else than a field was asked for, which may rest on all of them."""

_NAMED = ("host_key", "machines")
_OF_RECORD = tuple(name for name in HostRecord.model_fields if name not in _NAMED)
_OF_SURVEY = tuple(Survey.model_fields)
assert not set(HostRecord.model_fields) & set(_OF_SURVEY)
_OF_ALL = tuple(name for name in Surveys.model_fields if name not in {"records", "inventory"})
_OF_INVENTORY = tuple(name for name in Inventory.model_fields if name not in {"servers", "tentacles"})


class _Seen:
    """A record, a survey, an inventory or an entry of one, that notes which of its fields is read.

    Its class is that of what it stands for, whose own methods and properties read by way of it.
    """

    __slots__ = ("_fields", "_instead", "_seen", "_whom", "_whose")

    def __init__(self, whom: BaseModel, whose: str, seen: set[Read], instead: dict[str, Any] | None = None) -> None:
        """`instead`: by field, what is given out for it."""
        self._whom, self._whose, self._seen = whom, whose, seen
        self._fields, self._instead = type(whom).model_fields, instead or {}

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._whom)

    def __getattr__(self, name: str) -> Any:
        if name in self._fields:
            self._seen.add((self._whose, name))
            return self._instead[name] if name in self._instead else getattr(self._whom, name)
        of_class = getattr(type(self._whom), name, None)
        if isinstance(of_class, property) and of_class.fget is not None:
            return of_class.fget(self)
        if isinstance(of_class, FunctionType) and of_class.__module__.startswith("pytest_tentacle."):
            return MethodType(of_class, self)
        self._seen.add((self._whose, WHOLE))
        return getattr(self._whom, name)


def _watched(surveys: Surveys, seen: set[Read]) -> Surveys:
    """The same, which notes what is read of its records and of its inventory."""
    inventory = surveys.inventory
    entries = {
        "servers": tuple(_Seen(each, DECLARED + each.name, seen) for each in inventory.servers),
        "tentacles": tuple(_Seen(each, DECLARED + each.name, seen) for each in inventory.tentacles),
    }
    records = tuple(
        _Seen(record, record.host_key, seen, {"survey": record.survey and _Seen(record.survey, record.host_key, seen)})
        for record in surveys.records
    )
    seen_inventory = cast("Inventory", _Seen(inventory, DECLARED, seen, entries))
    return surveys.model_copy(update={"inventory": seen_inventory, "records": cast("tuple[HostRecord, ...]", records)})


class _Results(dict[str, StepResult]):
    """A machine's results by step; who asks for one has read what that one rests on."""

    def __init__(self, name: str, judged: Judged, seen: set[Read]) -> None:
        super().__init__(judged.results_of[name])
        self._name, self._judged, self._seen = name, judged, seen

    def get(self, step: str, default: Any = None) -> Any:
        self._seen |= self._judged.reads.get((self._name, step), frozenset())
        return super().get(step, default)


class Judged:
    """Surveys that were judged; from fleets that are `known`, what cannot differ is taken over.

    Attributes:
        surveys: these.
        results: by machine and step, where the step applies.
        results_of: by machine, the same by step.
        reads: by machine and step, what the result rests on; where the step does not apply, that.
    """

    def __init__(self, surveys: Surveys, known: Iterable[Judged] = ()) -> None:
        self.surveys = surveys
        the_same = {key: judged for judged in known for key in judged._untouched_in(surveys)}
        self.results: dict[tuple[str, str], StepResult] = {}
        self.results_of: defaultdict[str, dict[str, StepResult]] = defaultdict(dict)
        self.reads: dict[tuple[str, str], frozenset[Read]] = {}
        seen: set[Read] = set()
        watched = _watched(surveys, seen)
        for step in TABLE:  # each after those that it asks for
            for machine in surveys.inventory.machines:
                judged = the_same.get((machine.name, step))
                if judged is not None:
                    key = (machine.name, step)
                    self._take(*key, judged.results.get(key), judged.reads[key])
                    continue
                seen.clear()
                fleet = fleet_of(watched)  # has kept nothing, so that all that matters is read again
                for subject in fleet.subjects:
                    subject._results = _Results(subject.name, self, seen)
                subject = fleet.subject(machine.name)
                result = subject.result(step) if applicable(step, subject) else None
                self._take(machine.name, step, result, frozenset(seen))
                fleet.forget()

    def _take(self, name: str, step: str, result: StepResult | None, reads: frozenset[Read]) -> None:
        if result is not None:
            self.results[name, step] = self.results_of[name][step] = result
        self.reads[name, step] = reads

    def same_in(self, other: Surveys) -> Iterator[tuple[str, str]]:
        """Machine and step of each result that cannot differ in other surveys."""
        return (key for key in self._untouched_in(other) if key in self.results)

    def _untouched_in(self, other: Surveys) -> Iterator[tuple[str, str]]:
        """The same, and of each step that applies no more there than here."""
        differences = self.differences(other)
        if differences is not None:
            yield from (key for key, reads in self.reads.items() if reads.isdisjoint(differences))

    def differences(self, other: Surveys) -> frozenset[Read] | None:
        """What other surveys have otherwise; None where that is more than records, and entries of the inventory."""
        found = _declared_otherwise(self.surveys.inventory, other.inventory)
        if found is None or any(_differs(self.surveys, other, name) for name in _OF_ALL):
            return None
        mine, theirs = self.surveys.records, other.records
        if len(mine) != len(theirs):
            return None
        for one, two in zip(mine, theirs, strict=True):
            if one is two:
                continue
            if any(_differs(one, two, name) for name in _NAMED):
                return None
            names = {name for name in _OF_RECORD if name != "survey" and _differs(one, two, name)}
            if one.survey is None or two.survey is None:
                names |= {"survey", *_OF_SURVEY} if one.survey is not two.survey else set()
            elif one.survey is not two.survey:
                names |= {name for name in _OF_SURVEY if _differs(one.survey, two.survey, name)}
            found |= _reads(one.host_key, names)
        return frozenset(found)


def _declared_otherwise(mine: Inventory, theirs: Inventory) -> set[Read] | None:
    """What another inventory declares otherwise of the same machines; None where they are others."""
    if mine is theirs:
        return set()
    found = _reads(DECLARED, {name for name in _OF_INVENTORY if _differs(mine, theirs, name)})
    if [each.name for each in mine.machines] != [each.name for each in theirs.machines]:
        return None
    for one, two in zip(mine.machines, theirs.machines, strict=True):
        if type(one) is not type(two):
            return None
        if one is not two:
            found |= _reads(DECLARED + one.name, {name for name in type(one).model_fields if _differs(one, two, name)})
    return found


def _reads(whose: str, names: set[str]) -> set[Read]:
    return {(whose, name) for name in (names | {WHOLE} if names else names)}


def fleet_with(surveys: Surveys, known: Iterable[Judged]) -> Fleet:
    """The fleet of surveys, with the results that cannot differ from those of fleets that were judged."""
    fleet = fleet_of(surveys)
    for judged in known:
        for name, step in judged.same_in(surveys):
            fleet.subject(name)._results[step] = judged.results[name, step]
    return fleet


def _differs(one: Any, two: Any, name: str) -> bool:
    mine, theirs = getattr(one, name), getattr(two, name)
    return mine is not theirs and mine != theirs
