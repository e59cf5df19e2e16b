"""What is kept of a run to compare a later one with: its causes, and which steps were judged on which machine."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.report.document import Report

FORMAT = 1
KIND: Literal["pytest-tentacle run"] = "pytest-tentacle run"


class PastCause(BaseModel):
    """A cause of an earlier run."""

    model_config = ConfigDict(frozen=True)

    code: str
    title: str
    severity: Severity = Severity.OUTAGE
    machines: tuple[str, ...]


class PastRun(BaseModel):
    """An earlier run, as small as it can be: a file of `--history`.

    Attributes:
        steps: by machine, the outcome of each of its steps.
        pseudonyms: its names are false ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pytest-tentacle run"] = KIND
    format: int = FORMAT
    version: str
    taken: datetime
    pseudonyms: bool = False
    causes: tuple[PastCause, ...]
    steps: dict[str, dict[str, Outcome]]

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Code and machine of every cause."""
        return {(cause.code, name) for cause in self.causes for name in cause.machines}

    def count(self, code: str) -> int:
        """How many machines had a cause."""
        return len({name for cause in self.causes if cause.code == code for name in cause.machines})


def past_of(report: Report) -> PastRun:
    """What is kept of a run."""
    return PastRun(
        version=report.version,
        taken=report.provenance.surveyed,
        pseudonyms=report.redaction.pseudonyms,
        causes=tuple(
            PastCause(code=cause.code, title=cause.title, severity=cause.severity, machines=cause.machines)
            for cause in report.causes
        ),
        steps={
            machine.name: {result.step: result.outcome for result in machine.results} for machine in report.machines
        },
    )
