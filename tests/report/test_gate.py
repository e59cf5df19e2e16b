"""The report in a gate's words: SARIF by its schema, metrics, and what CI systems show."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.gate.ci import MOST, SYSTEMS, ci_lines, system_of, write_summary
from pytest_tentacle.report.gate.metrics import report_metrics
from pytest_tentacle.report.gate.sarif import LEVELS, report_sarif

SCHEMA = (
    Path(__file__).parents[1]
    / "npm"
    / "node_modules"
    / "@microsoft"
    / "jest-sarif"
    / "lib"
    / "schemas"
    / "sarif-2.1.0-rtm.5.json"
)
HOSTILE = "it's [bad] | 100%\n::error::x\n##vso[task.setvariable]y\n##teamcity[x] ü \U0001f600"


@pytest.fixture
def report(small_run, small_causes):
    return build_report(small_run, small_causes)


@pytest.fixture
def hostile(small_run, small_causes):
    """A report whose every cause says the worst."""
    report = build_report(small_run, small_causes)
    causes = tuple(cause.model_copy(update={"sentence": HOSTILE, "title": HOSTILE}) for cause in report.causes)
    assert causes
    return report.model_copy(update={"causes": causes * 8})


class TestSarif:
    def test_by_its_schema(self, report):
        """Valid against the schema of 2.1.0."""
        if not SCHEMA.exists():
            reason = "the schema of SARIF is not installed: scripts/dev.py check installs it"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
        jsonschema.validate(json.loads(report_sarif(report)), json.loads(SCHEMA.read_text("utf-8")))

    def test_a_result_a_machine_and_code(self, report):
        """Each problem of each step, with its rule, its machine and a severity; unknown is a warning."""
        run = json.loads(report_sarif(report))["runs"][0]
        expected = [
            (problem.code, f"{machine.name}/{result.step}")
            for machine in report.machines
            for result in machine.results
            for problem in (*result.problems, *(waived.problem for waived in result.waived))
        ]
        found = [
            (result["ruleId"], result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"])
            for result in run["results"]
            if result["ruleId"] != "unknown"
        ]
        assert sorted(found) == sorted(expected)
        assert expected
        assert all(run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])

    def test_the_level_is_the_severity(self, report):
        """An outage is an error, what will cost something a warning, and hygiene a note; unknown is a warning."""
        words = {"outage": "error", "degraded": "warning", "will-fail": "warning", "hygiene": "note", None: "warning"}
        results = json.loads(report_sarif(report))["runs"][0]["results"]
        meant = {
            (problem.code, problem.severity.value)
            for machine in report.machines
            for result in machine.results
            for problem in (*result.problems, *(waived.problem for waived in result.waived))
        }
        told = {(r["ruleId"], r["properties"]["severity"]) for r in results if "properties" in r}
        assert told == meant
        assert [r for r in results if r["level"] != words[r.get("properties", {}).get("severity")]] == []
        assert {LEVELS[severity] for severity in Severity} == {"error", "warning", "note"}

    def test_fingerprints_are_stable_and_apart(self, report, small_run, small_causes):
        """The same finding in another run is the same; two findings never share one."""

        def prints(report):
            return [
                r["partialFingerprints"]["machineStepCode/v1"]
                for r in json.loads(report_sarif(report))["runs"][0]["results"]
            ]

        later = build_report(replace(small_run, seconds=99.0), small_causes)
        assert prints(report) == prints(later)
        assert len(set(prints(report))) == len(prints(report))


class TestMetrics:
    def test_counts(self, report):
        """Machines and steps by outcome, causes, and the run itself; each name is explained once."""
        text = report_metrics(report)
        failed = report.machine_counts.get(Outcome.FAILED, 0)
        assert f'tentacle_machines{{outcome="failed"}} {failed}\n' in text
        names = re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE)
        assert len(names) == len(set(names))
        for line in text.splitlines():
            assert line.startswith("#") or re.fullmatch(
                r'\w+(\{(\w+="[^"\n]*"(,\w+="[^"\n]*")*)?\})? [-\d.e+]+', line
            ), line

    def test_labels_are_escaped(self, hostile):
        """A title with quotes and line ends stays on its line."""
        lines = [line for line in report_metrics(hostile).splitlines() if line.startswith("tentacle_cause_machines{")]
        assert len(lines) == len(hostile.causes)
        assert all("\\n::error" in line for line in lines)


class TestCi:
    @pytest.mark.parametrize(
        ("system", "start"),
        [
            ("github", "::error title="),
            ("azure", "##vso[task.logissue type=error]"),
            ("teamcity", "##teamcity[buildProblem "),
        ],
    )
    def test_one_a_cause(self, system, start, report):
        """An annotation for each cause."""
        lines = [line for line in ci_lines(report, system) if line.startswith(start)]
        assert len(lines) == min(MOST, len(report.causes))
        assert all(report.causes[n].code in line for n, line in enumerate(lines))

    @pytest.mark.parametrize("system", SYSTEMS)
    def test_ten_at_most_and_nothing_slips_in(self, system, hostile):
        """What a machine says cannot become a command of the CI system."""
        lines = ci_lines(hostile, system)
        assert len(lines) == MOST
        assert all("\n" not in line for line in lines)
        assert all(len(re.findall(r"(?<!\|)\]", line)) == 1 for line in lines if system == "teamcity")
        assert all(line.isascii() for line in lines if system == "teamcity")
        starts = {"github": "::error ", "azure": "##vso[", "teamcity": "##teamcity["}
        assert all(line.startswith(starts[system]) for line in lines)

    def test_which_system(self):
        """By its own variable."""
        assert system_of({}) is None
        assert system_of({"GITHUB_ACTIONS": "true"}) == "github"
        assert system_of({"TF_BUILD": "True"}) == "azure"
        assert system_of({"TEAMCITY_VERSION": "2026"}) == "teamcity"

    def test_summary(self, report, tmp_path):
        """The Markdown goes behind what other steps wrote; without the variable nothing is written."""
        path = tmp_path / "summary.md"
        path.write_text("before\n")
        write_summary(report, {"GITHUB_STEP_SUMMARY": str(path)})
        write_summary(report, {})
        assert path.read_text("utf-8").startswith("before\n## ")
