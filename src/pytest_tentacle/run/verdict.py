"""A step's result as pytest sees it: the exception that ends a test, and what becomes of its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.result import Outcome, OwnTest, StepResult, WaivedProblem
from pytest_tentacle.report.console import explain

ATTRIBUTE = "tentacle"
"""Name of the attribute of a test report that holds the step's result; between processes it travels as plain data."""

RESULT = pytest.StashKey[StepResult]()


class Verdict(Exception):  # noqa: N818  it is an outcome, not an error of ours
    """Ends a test whose step did not pass."""

    def __init__(self, result: StepResult) -> None:
        super().__init__(f"{result.machine}: {result.step}: {result.outcome.value}")
        self.result = result


class FailedVerdict(Verdict, AssertionError):  # noqa: N818  as above
    """Ends a test whose step failed: an assertion failure, as other plugins (Allure) tell it from a broken test."""


def verdict_of(result: StepResult) -> Verdict:
    """What to raise for a result that did not pass."""
    return FailedVerdict(result) if result.outcome is Outcome.FAILED else Verdict(result)


def result_of(item: pytest.Item, call: pytest.CallInfo[None], machine: str, step: str) -> StepResult | None:
    """The result that a test, or a fixture of its, ended with; None where there is none or a real error happened."""
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, Verdict):
        return error.result
    if error is None:
        return item.stash.get(RESULT, None)
    if isinstance(error, Unknown):
        return StepResult(machine, step, Outcome.UNKNOWN, reason=error.reason, advice=error.advice)
    if isinstance(error, Blocked):
        return StepResult(machine, step, Outcome.BLOCKED, reason=error.reason, blocked_by=(error.code, error.machine))
    return None


def shorten(call: pytest.CallInfo[None]) -> None:
    """Leave of a verdict's traceback its end: pytest would put all of it into words, which nobody shows."""
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, Verdict) and error.__traceback__ is not None:
        last = error.__traceback__
        while last.tb_next is not None:
            last = last.tb_next
        call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(last))


def apply(item: pytest.Item, report: pytest.TestReport, result: StepResult, redact: Callable[[str], str]) -> None:
    """Turn a test's report into the step's outcome, in pytest's own words.

    A problem is *failed*, an unknown is an *error* (as if its set-up had failed: what was to be judged is not there),
    blocked is *skipped*, waived and noted are *xfailed*.
    """
    setattr(report, ATTRIBUTE, result)
    report.sections = []
    if result.outcome is Outcome.PASSED:
        return
    # JUnit takes a test's properties from its last report, which copies them from the item
    item.user_properties.extend(("problem", problem.code) for problem in result.problems)
    item.user_properties.extend(("severity", problem.severity.value) for problem in result.problems)
    item.user_properties.extend(("waived", each.problem.code) for each in result.waived)
    text = "\n".join(explain(result, redact))
    match result.outcome:
        case Outcome.FAILED:
            report.outcome = "failed"
            report.longrepr = text
        case Outcome.UNKNOWN:
            report.when = "setup"
            report.outcome = "failed"
            report.longrepr = text
        case Outcome.BLOCKED:
            path, line, _ = report.location
            report.outcome = "skipped"
            report.longrepr = (path, (line or 0) + 1, text)
        case Outcome.WAIVED | Outcome.NOTED:
            report.outcome = "skipped"
            report.longrepr = text
            report.wasxfail = text


def clean(report: pytest.TestReport, redact: Callable[[str], str]) -> None:
    """Clean whatever a report shows, be it a step's or a user's own test, before anybody writes it."""
    xfailed = getattr(report, "wasxfail", None)
    if isinstance(xfailed, str):
        report.wasxfail = redact(xfailed)
    if isinstance(report.longrepr, tuple):
        path, line, text = report.longrepr
        report.longrepr = (path, line, redact(text))
    elif report.longrepr is not None:
        text = redact(report.longreprtext)
        if text != report.longreprtext:
            report.longrepr = text
    report.sections = [(name, redact(text)) for name, text in report.sections]


def to_data(result: StepResult) -> dict[str, Any]:
    """Plain data for a report that may cross processes."""
    data = asdict(result)
    data["outcome"] = result.outcome.value
    for problem in (*data["problems"], *(each["problem"] for each in data["waived"])):
        problem["cost"] = problem["cost"] and problem["cost"].value
    return data


def from_data(data: dict[str, Any]) -> StepResult:
    """What `to_data` gave, as a result again."""
    problems = tuple(_problem(problem) for problem in data["problems"])
    waived = tuple(WaivedProblem(**{**each, "problem": _problem(each["problem"])}) for each in data["waived"])
    blocked = data["blocked_by"]
    return StepResult(
        **{
            **data,
            "outcome": Outcome(data["outcome"]),
            "problems": problems,
            "blocked_by": tuple(blocked) if blocked else None,
            "looked_at": tuple(data["looked_at"]),
            "waived": waived,
        }
    )


def _problem(data: dict[str, Any]) -> Problem:
    cost = Severity(data["cost"]) if data["cost"] else None
    return Problem(**{**data, "evidence": tuple(Evidence(**item) for item in data["evidence"]), "cost": cost})


def status(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Category, letter and word of a step's report for the terminal; None where pytest's own will do."""
    result = getattr(report, ATTRIBUTE, None)
    if result is None or report.when == "teardown":
        return None
    match result.outcome:
        case Outcome.UNKNOWN:
            return "unknown", "U", "UNKNOWN"
        case Outcome.BLOCKED:
            return "blocked", "b", "BLOCKED"
        case Outcome.WAIVED:
            return "waived", "w", "WAIVED"
        case Outcome.NOTED:
            return "noted", "n", "NOTED"
        case _:
            return None


def own_test(report: pytest.TestReport | pytest.CollectReport) -> OwnTest:
    """What came of a test that is no step of the guide, or of a file that could not be collected."""
    in_test = isinstance(report, pytest.TestReport) and report.when == "call"
    outcome = "error" if report.failed and not in_test else report.outcome
    return OwnTest(report.nodeid, outcome, _reason(report) if report.outcome != "passed" else "")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The last thing that it said, in a line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return str(crash.message).partition("\n")[0]
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    lines = [line.strip() for line in str(report.longrepr or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""
