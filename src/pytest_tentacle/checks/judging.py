"""From a step's findings to its result: all problems at once, and what could not be looked at besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pytest_tentacle.guide.outcome import Blocked, Evidence, Problem, Unknown

from .result import Outcome, StepResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .check import Check, Finding
    from .reading import Ledger


class _Subject(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def ledger(self) -> Ledger: ...


def findings(check: Check, subject: Any) -> Iterator[Finding]:
    """What a check yields, with a raised Unknown or Blocked as its last finding."""
    try:
        yield from check.look(subject)
    except (Unknown, Blocked) as error:
        yield error


def evaluate(step: str, checks: Iterable[Check], subject: _Subject) -> StepResult:
    """Run the checks. FAILED if there is any problem, else UNKNOWN, else BLOCKED, else PASSED.

    What is both blocked and unknown is unknown: when the block is lifted, that part would still not have been seen.
    """
    problems: list[Problem] = []
    unknowns: dict[str, Unknown] = {}
    blocks: dict[tuple[str, str], Blocked] = {}
    seen: dict[str, None] = {}
    for finding in _all_findings(checks, subject):
        match finding:
            case Problem():
                problems.append(finding)
            case Unknown():
                unknowns.setdefault(finding.reason, finding)
            case Blocked():
                blocks.setdefault((finding.code, finding.machine), finding)
            case Evidence():
                seen.setdefault(f"{finding.text} ({finding.source})")
    reasons = "; ".join(unknowns)
    advice = " ".join(dict.fromkeys(unknown.advice for unknown in unknowns.values() if unknown.advice))
    looked_at = tuple(seen)
    if problems:
        return StepResult(subject.name, step, Outcome.FAILED, tuple(problems), reasons, advice, looked_at=looked_at)
    if unknowns:
        return StepResult(subject.name, step, Outcome.UNKNOWN, reason=reasons, advice=advice, looked_at=looked_at)
    if blocks:
        first = next(iter(blocks))
        why = "; ".join(
            f"blocked by {code} on {machine}" + _because(block) for (code, machine), block in blocks.items()
        )
        return StepResult(subject.name, step, Outcome.BLOCKED, reason=why, blocked_by=first, looked_at=looked_at)
    return StepResult(subject.name, step, Outcome.PASSED, looked_at=looked_at)


def _all_findings(checks: Iterable[Check], subject: _Subject) -> Iterator[Finding]:
    for check in checks:
        with subject.ledger.watch():
            for finding in findings(check, subject):
                if isinstance(finding, Problem) and finding.code not in check.codes:
                    raise LookupError(f"{check.name} yields {finding.code}, which it does not declare")
                yield finding


def _because(block: Blocked) -> str:
    return f" ({block.reason})" if block.reason else ""
