"""From a step's findings to its result: all problems at once, and what could not be looked at besides."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Protocol

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.inventory.model import Waiver

from .check import Check, Finding
from .finding import Blocked, Evidence, Problem, Unknown
from .reading import Ledger
from .result import Outcome, StepResult, WaivedProblem, accepted


class _Subject(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def waivers(self) -> Mapping[str, Waiver]: ...
    @property
    def gate(self) -> Severity: ...
    def weighed(self, problem: Problem) -> Problem: ...
    def is_cheap(self, code: str) -> bool: ...


@dataclass
class _Findings:
    """Problems in the order of the checks; of unknowns, blocks and facts each once."""

    problems: list[Problem] = field(default_factory=list)
    waived: list[WaivedProblem] = field(default_factory=list)
    unknowns: dict[str, Unknown] = field(default_factory=dict)
    blocks: dict[tuple[str, str], Blocked] = field(default_factory=dict)
    seen: dict[str, None] = field(default_factory=dict)


def findings(check: Check, subject: Any) -> list[Finding]:
    """What a check yields, with a raised Unknown or Blocked as its last finding.

    A fault of ours, or a machine that says what nobody thought of, makes what is left of the check unknown: the other
    checks, steps and machines keep their verdicts.
    """
    found: list[Finding] = []
    try:
        found.extend(check.look(subject))  # what came before an error stays in it
    except (Unknown, Blocked) as error:
        found.append(error)
    except Exception as error:  # noqa: BLE001  told as a fault, and never a pass
        found.append(
            Unknown(
                f"the check {check.name} broke off: {type(error).__name__} at {_last_place(error)}",
                "This is a fault of pytest-tentacle: please report it, with the bundle.",
            )
        )
    return found


def _last_place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{PurePath(last.filename).name}:{last.lineno}"


def evaluate(step: str, checks: Iterable[Check], subject: _Subject) -> StepResult:
    """Run the checks. FAILED if there is any problem that is not waived, else UNKNOWN, BLOCKED, WAIVED, PASSED.

    Problems of which none is as bad as the subject's gate fail nothing: the step is then what it would be without them,
    and NOTED where it would have passed or been waived.

    What is both blocked and unknown is unknown: when the block is lifted, that part would still not have been seen.
    What a waived problem of the same machine blocks is accepted with it; what it blocks on other machines is not, or
    one waiver on a server would make a whole fleet pass that nobody could look at. So it is with what a problem blocks
    that costs less than the gate since nobody needs the link that it is about.
    """
    found = _sort(checks, subject)
    problems, waived, unknowns, blocks = found.problems, found.waived, found.unknowns, found.blocks
    own = [key for key in blocks if key[1] == subject.name]
    tolerated = [key for key in own if key[0] in subject.waivers]
    cheap = [key for key in own if key not in tolerated and subject.is_cheap(key[0])]
    standing = {key: block for key, block in blocks.items() if key not in tolerated and key not in cheap}
    common: dict[str, Any] = {
        "machine": subject.name,
        "step": step,
        "looked_at": tuple(found.seen),
        "waived": tuple(waived),
    }
    reasons = "; ".join(unknowns)
    advice = " ".join(dict.fromkeys(unknown.advice for unknown in unknowns.values() if unknown.advice))
    failing = any(problem.severity.weight >= subject.gate.weight for problem in problems)
    if failing:
        return StepResult(**common, outcome=Outcome.FAILED, problems=tuple(problems), reason=reasons, advice=advice)
    common["problems"] = tuple(problems)
    if unknowns:
        return StepResult(**common, outcome=Outcome.UNKNOWN, reason=reasons, advice=advice)
    if standing:
        why = "; ".join(_blocked(key, block) for key, block in standing.items())
        return StepResult(**common, outcome=Outcome.BLOCKED, reason=why, blocked_by=next(iter(standing)))
    if problems or cheap:
        why = "; ".join(f"{_blocked(key, blocks[key])}, which costs nothing" for key in cheap)
        return StepResult(**common, outcome=Outcome.NOTED, reason=why)
    if waived or tolerated:
        why = "; ".join(_blocked_by_waived(key, blocks[key], subject.waivers[key[0]]) for key in tolerated)
        return StepResult(**common, outcome=Outcome.WAIVED, reason=why)
    return StepResult(**common, outcome=Outcome.PASSED)


def _sort(checks: Iterable[Check], subject: _Subject) -> _Findings:
    found = _Findings()
    with subject.ledger.watch():  # what it reads, who asks for this step has not read
        for check in checks:
            for finding in findings(check, subject):
                match finding:
                    case Evidence():  # by far the most
                        found.seen.setdefault(f"{finding.text} ({finding.source})")
                    case Problem() if finding.code not in check.codes:
                        raise LookupError(f"{check.name} yields {finding.code}, which it does not declare")
                    case Problem() if waiver := subject.waivers.get(finding.code):
                        found.waived.append(WaivedProblem(subject.weighed(finding), waiver.reason, _day(waiver)))
                    case Problem():
                        found.problems.append(subject.weighed(finding))
                    case Unknown():
                        found.unknowns.setdefault(finding.reason, finding)
                    case Blocked():
                        found.blocks.setdefault((finding.code, finding.machine), finding)
    return found


def _day(waiver: Waiver) -> str:
    return waiver.until.isoformat() if waiver.until else ""


def _blocked_by_waived(key: tuple[str, str], block: Blocked, waiver: Waiver) -> str:
    return f"{_blocked(key, block)}, which is {accepted(waiver.reason, _day(waiver))}"


def _blocked(key: tuple[str, str], block: Blocked) -> str:
    return f"blocked by {key[0]} on {key[1]}" + _because(block)


def _because(block: Blocked) -> str:
    return f" ({block.reason})" if block.reason else ""
