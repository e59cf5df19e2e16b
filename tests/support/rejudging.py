"""Judging surveys again of which little has changed: the steps that read nothing of it keep their results.

`Judged` is a fleet of which is known, of each result, every field of the surveys that it rests on, through whatever the
judging keeps in between. Where none of them differs in other surveys, judging those comes to the same result: it is taken
over. `tests/judging/test_rejudging.py` compares it with judging all anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, cast

from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.sections import TABLE, Fleet, applicable, fleet_of
from pytest_tentacle.survey.model import HostRecord, Survey
from pytest_tentacle.survey.store import Surveys

Read = tuple[str, str]
"""Login, and field of its record or of its survey: no two fields of theirs have the same name."""

WHOLE = "*"
"""In the place of a field: something else than a field was asked for, which may rest on all of them."""

_NAMED = ("host_key", "machines")
_OF_RECORD = tuple(name for name in HostRecord.model_fields if name not in _NAMED)
_OF_SURVEY = tuple(Survey.model_fields)
_OF_ALL = tuple(name for name in Surveys.model_fields if name != "records")
_FIELDS = frozenset((*_OF_RECORD, *_NAMED, *_OF_SURVEY))
assert len(_FIELDS) == len(HostRecord.model_fields) + len(_OF_SURVEY)


class _Seen:
    """A record, or a survey, that notes which of its fields is read."""

    __slots__ = ("_host", "_seen", "_survey", "_whose")

    def __init__(self, whose: HostRecord | Survey, host: str, seen: set[Read]) -> None:
        self._whose, self._host, self._seen = whose, host, seen
        survey = whose.survey if isinstance(whose, HostRecord) else None
        self._survey = None if survey is None else _Seen(survey, host, seen)

    def __getattr__(self, name: str) -> Any:
        self._seen.add((self._host, name if name in _FIELDS else WHOLE))
        return self._survey if name == "survey" and self._survey is not None else getattr(self._whose, name)


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
        reads: by machine and step, what the result rests on besides the inventory; where the step does not apply, that.
    """

    def __init__(self, surveys: Surveys, known: Iterable[Judged] = ()) -> None:
        self.surveys = surveys
        the_same = {key: judged for judged in known for key in judged._untouched_in(surveys)}
        self.results: dict[tuple[str, str], StepResult] = {}
        self.results_of: defaultdict[str, dict[str, StepResult]] = defaultdict(dict)
        self.reads: dict[tuple[str, str], frozenset[Read]] = {}
        seen: set[Read] = set()
        records = tuple(_Seen(record, record.host_key, seen) for record in surveys.records)
        watched = surveys.model_copy(update={"records": cast("tuple[HostRecord, ...]", records)})
        for step in TABLE:  # each after those that it asks for
            for machine in surveys.inventory.machines:
                judged = the_same.get((machine.name, step))
                if judged is not None:
                    key = (machine.name, step)
                    self._take(*key, judged.results.get(key), judged.reads[key])
                    continue
                fleet = fleet_of(watched)  # has kept nothing, so that all that matters is read again
                for subject in fleet.subjects:
                    subject._results = _Results(subject.name, self, seen)
                seen.clear()
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
        """What other surveys have otherwise; None where that is more than machines' records."""
        mine = self.surveys
        if any(_differs(mine, other, name) for name in _OF_ALL) or len(mine.records) != len(other.records):
            return None
        found: set[Read] = set()
        for one, two in zip(mine.records, other.records, strict=True):
            if one is two:
                continue
            if any(_differs(one, two, name) for name in _NAMED):
                return None
            names = {name for name in _OF_RECORD if name != "survey" and _differs(one, two, name)}
            if one.survey is None or two.survey is None:
                names |= {"survey", *_OF_SURVEY} if one.survey is not two.survey else set()
            elif one.survey is not two.survey:
                names |= {name for name in _OF_SURVEY if _differs(one.survey, two.survey, name)}
            found |= {(one.host_key, name) for name in (names | {WHOLE} if names else names)}
        return frozenset(found)


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
