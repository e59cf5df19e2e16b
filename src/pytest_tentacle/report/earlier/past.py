"""The runs before this one: what `--compare` and `--history` name, read before any machine is contacted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_tentacle.guide.renumbered import renumbered
from pytest_tentacle.report.document import Report
from pytest_tentacle.survey.store import StoreError, Surveys

from . import history
from .comparing import compared
from .model import PastRun
from .reading import read_past


@dataclass(frozen=True)
class Wanted:
    """What was asked for: a file to compare with, a folder that keeps runs, and what this run's files are called."""

    compare: Path | None
    history: Path | None
    name: str
    pseudonyms: bool


class Past:
    """What this run is held against.

    Args:
        wanted: what was asked for.
        shown: a text as this run's report shows it: without secrets, and with false names where these are asked for.
        surveys_of: reads a survey file or a bundle.

    Raises StoreError for a file that tells of no run, or one with false names where this run has real ones.
    """

    def __init__(self, wanted: Wanted, shown: Callable[[str], str], surveys_of: Callable[[Path], Surveys]) -> None:
        self._wanted = wanted
        self._shown = shown
        self._runs = history.past_runs(wanted.history, wanted.name) if wanted.history else []
        self._compared: PastRun | None = None
        self._name = ""
        if wanted.compare:
            self._name = wanted.compare.name
            self._compared = read_past(wanted.compare, surveys_of, renumbered())
            if self._compared.pseudonyms and not wanted.pseudonyms:
                raise StoreError(
                    f"--compare: {wanted.compare} has false names (--pseudonyms), and this run has real ones. Compare "
                    "with a file that was written without --pseudonyms."
                )
        elif self._runs:
            self._compared, self._name = self._runs[-1], "the run before"

    def check(self, machines: list[str]) -> None:
        """Raises StoreError where the earlier run knows none of this run's machines: all would be new."""
        known = set(self._compared.steps) if self._compared else set()
        if self._wanted.compare and not known & {*machines, *map(self._shown, machines)}:
            raise StoreError(
                f"--compare: {self._wanted.compare} is about other machines "
                f"({', '.join(sorted(known)[:5]) or 'none'}): "
                "everything would be new. Name an earlier run of this inventory."
            )

    def told(self, report: Report) -> Report:
        """The report with what changed, and with each cause's past."""
        report = history.with_history(report, [self._under_shown_names(run) for run in self._runs])
        if self._compared is None:
            return report
        return compared(report, self._under_shown_names(self._compared), self._shown(self._name))

    def _under_shown_names(self, past: PastRun) -> PastRun:
        """The earlier run under the names that this run's report has."""
        if past.pseudonyms or not self._wanted.pseudonyms:
            return past
        causes = tuple(
            cause.model_copy(update={"machines": tuple(map(self._shown, cause.machines))}) for cause in past.causes
        )
        return past.model_copy(
            update={"causes": causes, "steps": {self._shown(name): steps for name, steps in past.steps.items()}}
        )

    def forgives(self, report: Report, *, unknown_too: bool) -> bool:
        """Whether nothing in it is worse than in the earlier run: no new cause at the gate, nothing newly unknown."""
        if report.comparison is None or any(test.outcome in ("failed", "error") for test in report.own_tests):
            return False
        worse = any(cause.new_on and not cause.below_gate for cause in report.causes)
        return not worse and (unknown_too or not report.comparison.newly_unknown)

    def keep(self, report: Report) -> None:
        """Add this run to the history, unless it was broken off. Raises OSError."""
        if self._wanted.history and not report.interrupted:
            history.keep(self._wanted.history, self._wanted.name, report)
