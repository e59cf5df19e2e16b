"""What a check may say when it does not simply pass: a problem, that it could not look, or need not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_tentacle.guide.severity import Severity, severity_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that a statement rests on: where it was seen (`source`: vantage point and command or file) and what."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What a failed check says: a code of the catalogue, expected against actual, and the evidence.

    Attributes:
        code: such as `TT503`; `guide.problems.CATALOGUE` has title, meaning and remedy.
        machine: name of the machine that it was found on.
        expected: what a healthy machine shows, in one line.
        actual: what was seen instead, in one line.
        evidence: the facts it rests on, most telling first.
        facts: discriminating facts by which machines fold into one cause (server, port, address, thumbprint ...).
        cost: what it costs on this machine, where that is less than its code may cost anywhere; set when it is judged.
    """

    code: str
    machine: str
    expected: str
    actual: str
    evidence: tuple[Evidence, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    cost: Severity | None = None

    @property
    def severity(self) -> Severity:
        """What it costs: the one that gate, report and diagnosis go by."""
        return self.cost or severity_of(self.code)


class Unknown(Exception):  # noqa: N818  it is an outcome, not an error of ours
    """It could not be looked at: the reason, in one line, and what to do about it."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


class Blocked(Exception):  # noqa: N818
    """Another failure makes this check meaningless: the code, and the machine that it stands on."""

    def __init__(self, code: str, machine: str, reason: str = "") -> None:
        super().__init__(f"blocked by {code} on {machine}")
        self.code = code
        self.machine = machine
        self.reason = reason
