"""Which causes are new, gone and standing since an earlier run.

A cause is gone from a machine only where the steps that find it were judged there again: what was not checked this time
is told as that. It is new wherever the earlier run did not name it; where that run had not checked the machine, this is
said beside it, since nobody knows how old it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_tentacle.diagnosis import CAUSES
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.report.document import CauseReport, Change, Comparison, Report, ResultView
from pytest_tentacle.sections import step_of

from .model import PastRun

_DARK = frozenset({Outcome.UNKNOWN, Outcome.BLOCKED})


def compared(report: Report, past: PastRun, name: str) -> Report:
    """The report with what changed since an earlier run; `name` is how that run is called."""
    now = {(cause.code, machine) for cause in report.causes for machine in cause.machines}
    before = past.pairs
    outcomes = {machine.name: {each.step: each for each in machine.results} for machine in report.machines}
    gone: list[tuple[str, str]] = []
    unchecked: list[tuple[str, str]] = []
    for code, machine in sorted(before - now):
        results = [outcomes.get(machine, {}).get(step) for step in _steps_of(code)]
        judged = all(each is not None and each.outcome not in _DARK and not each.reason for each in results)
        (gone if results and judged else unchecked).append((code, machine))
    titles = {cause.code: cause.title for cause in past.causes} | {cause.code: cause.title for cause in report.causes}
    new = now - before
    comparison = Comparison(
        name=name,
        taken=past.taken,
        new=_changes(new, titles),
        standing=_changes(now & before, titles),
        gone=_changes(gone, titles),
        not_checked=_changes(unchecked, titles),
        newly_unknown=tuple(sorted(machine for machine, steps in outcomes.items() if _decayed(steps, past, machine))),
        first_checked=tuple(sorted({machine for code, machine in new if not _was_judged(code, machine, past)})),
    )
    causes = tuple(_marked(cause, new) for cause in report.causes)
    return report.model_copy(update={"comparison": comparison, "causes": causes})


def _marked(cause: CauseReport, new: set[tuple[str, str]]) -> CauseReport:
    return cause.model_copy(
        update={"new_on": tuple(machine for machine in cause.machines if (cause.code, machine) in new)}
    )


def _changes(pairs: Iterable[tuple[str, str]], titles: Mapping[str, str]) -> tuple[Change, ...]:
    found: dict[str, list[str]] = {}
    for code, machine in sorted(pairs):
        found.setdefault(code, []).append(machine)
    return tuple(Change(code=code, title=titles[code], machines=tuple(names)) for code, names in found.items())


def _steps_of(code: str) -> set[str]:
    """The steps that find what a cause explains by itself; none of a code that no step has, such as a user's own."""
    needs = next((kind.needs for kind in CAUSES if kind.code == code), frozenset({code}))
    return {step.slug for need in needs if (step := step_of(need))}


def _was_judged(code: str, machine: str, past: PastRun) -> bool:
    steps = past.steps.get(machine, {})
    return any(step in steps and steps[step] not in _DARK for step in _steps_of(code))


def _decayed(steps: Mapping[str, ResultView], past: PastRun, machine: str) -> bool:
    """Whether something is unknown that was known then."""
    before = past.steps.get(machine, {})
    return any(
        result.outcome is Outcome.UNKNOWN and before.get(step, Outcome.PASSED) is not Outcome.UNKNOWN
        for step, result in steps.items()
    )
