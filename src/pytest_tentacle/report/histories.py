"""Since when the links of machines with problems do not work, and what changed then, for the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.history import Moment, histories_of
from pytest_tentacle.inventory.model import Tentacle
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.judging.subject import Fleet

from .document import HistoryView, MomentView

_WORTH = Severity.DEGRADED.weight
"""What costs less is of no link that fails."""


class Histories:
    """The histories of a run's links, each worked out once."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._kept: dict[str, tuple[HistoryView, ...]] = {}

    def of(self, name: str, results: Iterable[StepResult]) -> tuple[HistoryView, ...]:
        """One for each server of a Tentacle that has problems, or waits for one that has; else none."""
        machine = self._fleet.machines.get(name)
        if name not in self._kept:
            asked = isinstance(machine, Tentacle) and any(_is_sick(result) for result in results)
            found = histories_of(self._fleet.subject(name)) if asked else ()
            self._kept[name] = tuple(
                HistoryView(
                    tentacle=each.tentacle,
                    server=each.server,
                    sentence=each.sentence,
                    worked=_moment(each.worked) if each.worked else None,
                    failed=_moment(each.failed) if each.failed else None,
                    lines=tuple(map(_moment, each.lines)),
                    notes=each.notes,
                )
                for each in found
                if each.tells
            )
        return self._kept[name]


def since(machines: Iterable[str], histories: Mapping[str, tuple[HistoryView, ...]]) -> str:
    """A cause's one sentence: of the link whose break is known best, else of the first whose is."""
    known = [each for name in machines for each in histories.get(name, ()) if each.failed is not None]
    if not known:
        return ""
    best = min(known, key=_span)
    return f"{best.tentacle} and {best.server}: {best.sentence}"


def _span(history: HistoryView) -> float:
    if history.worked is None or history.failed is None:
        return float("inf")
    return (history.failed.time - history.worked.time).total_seconds()


def _is_sick(result: StepResult) -> bool:
    if result.outcome is Outcome.BLOCKED:
        return result.blocked_by is not None
    worth = any(problem.severity.weight >= _WORTH for problem in result.problems)
    return result.outcome is Outcome.FAILED and worth


def _moment(moment: Moment) -> MomentView:
    return MomentView(
        time=moment.time,
        when=moment.when,
        kind=moment.kind.value,
        machine=moment.machine,
        text=moment.text,
        source=moment.source,
    )
