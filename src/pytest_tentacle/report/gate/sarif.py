"""The report as SARIF 2.1.0, for code scanning and whatever else reads it: a rule a code, a result a machine and step.

A result's fingerprint is made of machine, step and code, so it is the same finding in the next run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.report.document import MachineView, ProblemView, Report, ResultView

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
UNKNOWN_RULE = "unknown"
LEVELS = {
    Severity.OUTAGE: "error",
    Severity.DEGRADED: "warning",
    Severity.WILL_FAIL: "warning",
    Severity.HYGIENE: "note",
}
"""What a severity is called there; the severity itself stands beside it, as a property."""

_FINGERPRINT = "machineStepCode/v1"


def report_sarif(report: Report) -> str:
    """The SARIF text of a report."""
    results = [result for machine in report.machines for result in _results(machine)]
    rules = _rules(report, {result["ruleId"] for result in results})
    positions = {rule["id"]: number for number, rule in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = positions[result["ruleId"]]
    run = {
        "tool": {
            "driver": {
                "name": "pytest-tentacle",
                "version": report.version,
                "informationUri": report.steps[0].link.partition("#")[0] if report.steps else SCHEMA,
                "rules": rules,
            }
        },
        "invocations": [
            {
                "executionSuccessful": not report.interrupted,
                "startTimeUtc": report.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ],
        "results": results,
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n"


def _rules(report: Report, used: set[str]) -> list[dict[str, Any]]:
    titles = {problem.code: problem.title for problem in _problems(report)}
    links = {step.slug: step.link for step in report.steps}
    steps = {problem.code: result.step for result, problem in _by_result(report)}
    rules = []
    for code in sorted(used):
        title = titles.get(code, "A step could not be checked")
        rule: dict[str, Any] = {
            "id": code,
            "shortDescription": {"text": title},
            "help": {"text": f"{_help(report, code) or title}{_more(code)}"},
        }
        if link := report.manual_page(code) or links.get(steps.get(code, "")):
            rule["helpUri"] = link
        rules.append(rule)
    return rules


def _more(code: str) -> str:
    """How to read the manual's page on a code where no site of it is known (`--manual`)."""
    return "" if code == UNKNOWN_RULE else f"\n\n`pytest-tentacle explain {code}` prints the manual's page."


def _help(report: Report, code: str) -> str:
    """What to do, where the code is its own cause."""
    for cause in report.causes:
        if cause.code == code:
            return "\n".join([*cause.remedy_windows, *cause.remedy_linux])
    return ""


def _by_result(report: Report) -> Iterator[tuple[ResultView, ProblemView]]:
    for machine in report.machines:
        for result in machine.results:
            for problem in (*result.problems, *(waived.problem for waived in result.waived)):
                yield result, problem


def _problems(report: Report) -> Iterator[ProblemView]:
    for _, problem in _by_result(report):
        yield problem


def _results(machine: MachineView) -> Iterator[dict[str, Any]]:
    for result in machine.results:
        for problem in result.problems:
            text = f"{machine.name}: {problem.title}. Expected: {problem.expected}; found: {problem.actual}."
            yield _of_problem(machine, result, problem, text)
        for waived in result.waived:
            text = f"{machine.name}: {waived.problem.title}. Waived: {waived.reason}."
            found = _of_problem(machine, result, waived.problem, text)
            yield found | {"suppressions": [{"kind": "external", "justification": waived.reason}]}
        if result.outcome is Outcome.UNKNOWN:
            yield _result(machine, result, UNKNOWN_RULE, "warning", f"{machine.name}: {result.step}: {result.reason}")


def _of_problem(machine: MachineView, result: ResultView, problem: ProblemView, text: str) -> dict[str, Any]:
    found = _result(machine, result, problem.code, LEVELS[problem.severity], text)
    return found | {"properties": {"severity": problem.severity.value}}


def _result(machine: MachineView, result: ResultView, code: str, level: str, text: str) -> dict[str, Any]:
    identity = f"{machine.name}\n{result.step}\n{code}".encode()
    return {
        "ruleId": code,
        "level": level,
        "message": {"text": text},
        "locations": [
            {"logicalLocations": [{"name": machine.name, "fullyQualifiedName": f"{machine.name}/{result.step}"}]}
        ],
        "partialFingerprints": {_FINGERPRINT: hashlib.sha256(identity).hexdigest()},
    }
