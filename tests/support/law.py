"""The law of knowledge: a survey of which something is taken away gives less certain causes or none, never others.

`reductions` takes away what a real run may lack: a section of one machine or of all, a machine's looks, a server's looks,
those of the machine that runs pytest, a machine as a whole, the rights of an administrator, all that comes after a point at which a
session ended. `broken` tells how what is left offends against the law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from typing import Any, cast

from pytest_tentacle.diagnosis import Confidence, Diagnosis, diagnose
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import By
from pytest_tentacle.sections import STEPS, applicable
from pytest_tentacle.survey.model import SECTIONS, HostRecord, ReachStage, Section, Unreachable
from pytest_tentacle.survey.store import Surveys
from support.fleets.whole import wide_fleet

from .faults import CASES
from .rejudging import Judged, fleet_with

NOT_READ = "it was not read"
NEEDS_RIGHTS = ("logs", "firewall", "permissions", "instances", "events", "left_overs", "access_control")
"""What an ordinary account does not get to read."""

COMPARED = frozenset({"TT403", "TT413"})
"""Found by comparing a machine with others: where one was not read, the rest stay well among themselves."""


@dataclass(frozen=True)
class Told:
    """What a diagnosis comes to, by machine.

    Attributes:
        causes: code -> how sure, and whether it says what else may be.
        problems: codes of problems.
        open: whether something is unknown or blocked.
        waits: codes of causes elsewhere that stand in the way.
    """

    causes: dict[str, dict[str, tuple[Confidence, bool]]] = field(default_factory=dict)
    problems: dict[str, frozenset[str]] = field(default_factory=dict)
    open: dict[str, bool] = field(default_factory=dict)
    waits: dict[str, set[str]] = field(default_factory=dict)


def told(surveys: Surveys, judged: Judged | None = None) -> Told:
    """The diagnosis of surveys, judged in this process; what cannot differ from a fleet that was `judged`, not again."""
    fleet = fleet_with(surveys, [judged] if judged else [])
    results = [
        subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)
    ]
    said = told_by(results, diagnose(fleet, results), fleet.machines)
    fleet.forget()
    return said


def told_by(results: Sequence[StepResult], diagnosis: Diagnosis, machines: Iterable[str]) -> Told:
    """The same of what was judged and diagnosed, by the names of all machines."""
    said = Told()
    for each in diagnosis.causes:
        for name in each.affected:
            said.waits.setdefault(name, set()).add(each.code)
    for name in machines:
        own = diagnosis.machines.get(name)
        said.causes[name] = {each.kind.code: (each.confidence, bool(each.unsure)) for each in own.causes} if own else {}
        mine = [each for each in results if each.machine == name]
        said.problems[name] = frozenset(problem.code for each in mine for problem in each.problems)
        said.open[name] = any(each.outcome in {Outcome.UNKNOWN, Outcome.BLOCKED} for each in mine)
    return said


@cache
def well() -> Judged:
    """The made-up fleet without any fault: what a fault elsewhere cannot change is judged here once."""
    return Judged(wide_fleet().surveys())


Change = Callable[[HostRecord], HostRecord]


def reductions(surveys: Surveys, first: int = 0, step: int = 1) -> Iterator[tuple[str, Surveys]]:
    """Each with its name; or one of so many, from the `first` on."""
    return ((what, reduce()) for what, reduce in islice(_reductions(surveys), first, None, step))


def _reductions(surveys: Surveys) -> Iterator[tuple[str, Callable[[], Surveys]]]:
    for record in surveys.records:
        name = "+".join(record.machines)
        for what, change in _of_one():
            yield f"{name}: {what}", partial(_changed, surveys, change, record)
    for section in SECTIONS:
        yield f"all: no {section}", partial(_changed, surveys, _without(section))
    yield "all: an ordinary account", partial(_changed, surveys, _without(*NEEDS_RIGHTS))
    yield "all: no looks by address", partial(_changed, surveys, _no_looks_by(By.ADDRESS))
    yield "all: no looks by name", partial(_changed, surveys, _no_looks_by(By.NAME))
    yield "pytest's machine: no looks", partial(surveys.model_copy, update={"controller_probes": {}})


def _of_one() -> Iterator[tuple[str, Change]]:
    for section in SECTIONS:
        yield f"no {section}", _without(section)
    yield "an ordinary account", _without(*NEEDS_RIGHTS)
    for number in range(2, len(SECTIONS), 3):
        yield f"cut off before {SECTIONS[number]}", _without(*SECTIONS[number:])
    yield "no looks of its own", _no_looks
    yield (
        "no looks at its Tentacles",
        lambda record: record.model_copy(update={"peer_probes": (), "peer_unknown": NOT_READ}),
    )
    yield "no looks by address", _no_looks_by(By.ADDRESS)
    yield "no looks by name", _no_looks_by(By.NAME)
    yield "dark", _dark


def _changed(surveys: Surveys, change: Change, only: HostRecord | None = None) -> Surveys:
    records = tuple(change(each) if only is None or each is only else each for each in surveys.records)
    return surveys.model_copy(update={"records": records})


def _without(*sections: str) -> Change:
    def change(record: HostRecord) -> HostRecord:
        if record.survey is None:
            return record
        return record.model_copy(
            update={"survey": record.survey.model_copy(update=dict.fromkeys(sections, Section(unknown=NOT_READ)))}
        )

    return change


def _no_looks(record: HostRecord) -> HostRecord:
    if record.survey is None:
        return record
    return record.model_copy(update={"survey": record.survey.model_copy(update={"probes": ()})})


def _no_looks_by(by: By) -> Change:
    def change(record: HostRecord) -> HostRecord:
        survey = record.survey
        if survey is not None:
            survey = survey.model_copy(update={"probes": tuple(each for each in survey.probes if each.by is not by)})
        peers = tuple(each for each in record.peer_probes if each.by is not by)
        return record.model_copy(update={"survey": survey, "peer_probes": peers})

    return change


def _dark(record: HostRecord) -> HostRecord:
    nobody = Unreachable(stage=ReachStage.CONNECT, summary="no answer", advice="See why.")
    return record.model_copy(
        update={"survey": None, "unreachable": nobody, "peer_probes": (), "peer_unknown": NOT_READ}
    )


def broken(whole: Told, less: Told) -> list[str]:
    """How what fewer facts come to offends against the law."""
    wrong = []
    for name, causes in less.causes.items():
        right, waits = whole.causes[name], whole.waits.get(name, set())
        was = ", ".join((*right, *waits)) or "nothing"
        for code, (sure, doubts) in causes.items():
            if code not in right and code not in waits and not (doubts and sure is Confidence.POSSIBLE):
                wrong.append(f"OTHER {name}: {code} ({sure}{', says what else' if doubts else ''}), was {was}")
            elif code in right and sure.weight > right[code][0].weight:
                wrong.append(f"SURER {name}: {code} is {sure}, was {right[code][0]}")
        if set(right) - COMPARED and not causes and not less.problems[name] and not any(less.open.values()):
            wrong.append(f"LOST {name}: all right, was {was}")
    return wrong


def of_fault(fleets: Any, code: str) -> Surveys:
    """The surveys of a healthy fleet with the first fault of that code; `fleets` is the module that makes them."""
    world = fleets.wide_fleet()
    next(case for case in CASES if case.code == code).change(world)
    return cast("Surveys", world.surveys())


def made_up() -> Iterator[tuple[str, Surveys]]:
    """The name and the surveys of every fault of the made-up fleet."""
    for case in CASES:
        world = wide_fleet()
        case.change(world)
        yield str(case.id), world.surveys()


def whole_law(all_surveys: Iterable[tuple[str, Surveys]], show: Callable[[str], None]) -> int:
    """Every survey with all that can be taken away; the number of offences, each of which is shown."""
    number = 0
    for name, surveys in all_surveys:
        judged = Judged(surveys, [well()])
        whole = told(surveys, judged)
        for what, less in reductions(surveys):
            for wrong in broken(whole, told(less, judged)):
                number += 1
                show(f"{name} | {what} | {wrong}")
    return number
