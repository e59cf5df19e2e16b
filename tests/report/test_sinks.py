"""JSON, Markdown and console: the same report for machines, tickets and terminals."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_tentacle.diagnosis import FoldedCause
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import Outcome, Run, StepResult
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.console import explain, report_lines
from pytest_tentacle.report.gate.sarif import report_sarif
from pytest_tentacle.report.json_report import report_pieces, schema, schema_text
from pytest_tentacle.report.markdown import code, plain, report_markdown
from pytest_tentacle.report.page import render_page
from pytest_tentacle.report.redaction.redactor import Redactor

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "report-schema.json"


def _only(run: Run, *machines: str) -> Run:
    return replace(run, results=tuple(result for result in run.results if result.machine in machines))


class TestBuild:
    """The report's statements about the whole."""

    def test_verdict(self, small_run, small_causes):
        """One sentence with unhealthy, unchecked and healthy machines."""
        report = build_report(small_run, small_causes)
        assert (
            report.verdict == "5 of 8 machines have problems (5 causes). 1 could not be fully checked. 2 are healthy."
        )
        assert report.state == "unhealthy"

    @pytest.mark.parametrize(
        ("machines", "verdict", "state"),
        [
            (["web-01"], "The machine is healthy.", "healthy"),
            (["web-01", "octo-1"], "Both machines are healthy.", "healthy"),
            (["build-01"], "The machine could not be fully checked.", "incomplete"),
            (["web-02"], "The machine has problems.", "unhealthy"),
            ([], "No machine was checked.", "incomplete"),
        ],
    )
    def test_other_verdicts(self, small_run, machines, verdict, state):
        """Nothing looked at is never well."""
        report = build_report(_only(small_run, *machines), ())
        assert (report.verdict, report.state) == (verdict, state)

    def test_an_interrupted_run_says_so(self, small_run):
        """And is not taken for well."""
        report = build_report(replace(_only(small_run, "web-01"), interrupted=True), ())
        assert report.verdict.startswith("The run was interrupted. Until then: ")
        assert report.state == "incomplete"

    def test_causes_come_most_machines_first(self, small_run):
        """Whatever the order in which they were found."""
        causes = [FoldedCause("A", "a", "a.", ("web-02",)), FoldedCause("B", "b", "b.", ("web-03", "sql-01"))]
        assert [cause.code for cause in build_report(small_run, causes).causes] == ["B", "A"]

    def test_links_are_drawn_from_each_vantage(self, small_run):
        """The server by name and by IP, the machine itself, and we."""
        report = build_report(small_run, ())
        web = next(machine for machine in report.machines if machine.name == "web-02")
        lanes = [(lane.vantage, lane.by) for link in web.links for lane in link.lanes]
        assert lanes == [("octo-1", "name"), ("octo-1", "address"), ("web-02", "local"), ("here", "name")]
        states = [stage.state for stage in web.links[0].lanes[0].stages]
        assert states == ["ok", "failed", "unreached", "unreached", "unreached", "unreached"]

    def test_another_certificate_breaks_the_link_at_the_certificate(self, small_run):
        """TLS and page went well, the thumbprint did not."""
        report = build_report(small_run, ())
        sql = next(machine for machine in report.machines if machine.name == "sql-02")
        states = {stage.stage: stage.state for stage in sql.links[0].lanes[0].stages}
        assert states == {
            "resolve": "ok",
            "connect": "ok",
            "tls": "ok",
            "certificate": "failed",
            "page": "ok",
            "identity": "unasked",
        }
        assert [certificate.subject for certificate in sql.certificates] == [
            "CN=Octopus Tentacle",
            "CN=Corporate TLS Inspection",
        ]

    def test_a_polling_link_points_the_other_way(self, small_run):
        """From the Tentacle to its server."""
        edge = next(machine for machine in build_report(small_run, ()).machines if machine.name == "edge-01")
        assert [(link.source, link.target, link.port, link.mode) for link in edge.links] == [
            ("edge-01", "octo-1", 10943, "polling")
        ]

    def test_a_machine_named_like_an_outcome(self, small_run):
        """Pseudonyms and secrets never reach the report's own words."""
        report = build_report(small_run, (), Redactor(["failed", "problems"]))
        assert {machine.outcome for machine in report.machines} == {Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED}
        assert report.redaction.counts["secret"] > 0

    def test_pseudonyms_leave_no_name(self, small_run, small_causes):
        """In no field of the whole report."""
        text = "".join(report_pieces(build_report(small_run, small_causes, Redactor(pseudonyms=True)))).lower()
        for name in ("web-0", "sql-0", "octo-1", "build-01", "edge-01", "corp.example", "svc-octopus", '"10.4.1.'):
            assert name not in text, name


class TestJson:
    """The JSON report and its published schema."""

    def test_the_published_schema_is_the_generated_one(self):
        """`docs/report-schema.json` is written by `schema_text`."""
        assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()

    def test_reports_fit_the_schema(self, small_run, small_causes):
        """And the schema itself is one."""
        jsonschema.Draft202012Validator.check_schema(schema())
        jsonschema.validate(json.loads("".join(report_pieces(build_report(small_run, small_causes)))), schema())

    @pytest.mark.parametrize("machines", [0, 1, 3])
    def test_its_pieces_are_the_whole(self, small_run, small_causes, machines):
        """Machine by machine it is the same text, whatever stands in it."""
        report = build_report(small_run, small_causes)
        named = report.machines[0].model_copy(update={"noise": 'said:\n "machines": []'})
        report = report.model_copy(update={"machines": (named, *report.machines[1:])[:machines]})
        assert "".join(report_pieces(report)) == report.model_dump_json(indent=1)

    def test_a_report_that_lacks_something_does_not(self, small_run):
        """The schema refuses what is not a report."""
        document = json.loads("".join(report_pieces(build_report(small_run, ()))))
        del document["machines"][0]["outcome"]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema())


class TestMarkdown:
    """For a CI step summary or a ticket."""

    def test_it_tells_causes_and_commands(self, small_run, small_causes):
        """Verdict, a table of causes, commands in fences, what could not be checked."""
        text = report_markdown(build_report(small_run, small_causes))
        assert text.startswith("## ❌ 5 of 8 machines have problems")
        assert "| 1 | The Tentacle's service is stopped | `TC001` |" in text
        assert "```powershell\nStart-Service 'OctopusDeploy Tentacle'\n```" in text
        assert "### What could not be checked" in text

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("<b onclick=x>", "&lt;b onclick=x&gt;"),
            ("[a](http://x)", "\\[a\\](http:\u200b//x)"),
            ("a|b", "a\\|b"),
            ("@everyone", "@\u200beveryone"),
            ("two\nlines", "two lines"),
            ("1. first", "1\\. first"),
            ("- point", "\\- point"),
        ],
    )
    def test_nothing_becomes_markup(self, text, expected):
        """What a machine sent stays text."""
        assert plain(text) == expected

    def test_codes_lead_to_the_manual(self, small_run, small_causes):
        """Where its site is known, each code is a link: in Markdown, page and SARIF; without, nothing leads nowhere."""
        known = build_report(replace(small_run, manual="https://docs.example.com/t"), small_causes)
        code = known.causes[0].code
        folder = "problems" if code.startswith("TT") else "causes"
        address = f"https://docs.example.com/t/{folder}/{code}.html"
        assert f"[{code}]({address})" in report_markdown(known)
        page = render_page(known)
        assert f'href="{address}"' in page
        explained = re.findall(r'<div id="code-(TT\d+)">', page)
        assert explained
        for each in explained:
            assert f'href="https://docs.example.com/t/problems/{each}.html"' in page
        rules = json.loads(report_sarif(known))["runs"][0]["tool"]["driver"]["rules"]
        assert all(
            rule.get("helpUri", "").startswith("https://docs.example.com/t/")
            for rule in rules
            if rule["id"][:2] == "TT"
        )
        assert known.manual_page("MY-OWN") == ""
        assert "in the manual</a>" not in render_page(build_report(small_run, small_causes))

    def test_code_cannot_be_left(self):
        """Backticks within get a longer fence around."""
        assert code("a``b") == "```a``b```"
        assert code("`") == "`` ` ``"

    def test_it_stays_small(self, large_run, large_causes):
        """A step summary may have 1 MiB."""
        assert len(report_markdown(build_report(large_run, large_causes)).encode()) < 100_000


class TestConsole:
    """The terminal's summary."""

    def test_short(self, small_run, small_causes):
        """Causes with their machines, evidence, hint; no line for each machine."""
        lines = [text for text, _ in report_lines(build_report(small_run, small_causes), "short")]
        assert lines[-2].endswith(
            "5 of 8 machines have problems (5 causes). 1 could not be fully checked. 2 are healthy."
        )
        assert any("The Tentacle's service is stopped [TC001]" in line for line in lines)
        assert any(line.startswith("    see https://octopus.com/docs/") for line in lines)
        assert not any("web-01" in line for line in lines)

    def test_full(self, small_run, small_causes):
        """A verdict for each machine, problems with expected and actual, blocked and unknown with why."""
        lines = [text for text, _ in report_lines(build_report(small_run, small_causes), "full")]
        assert "web-01: passed" in lines
        assert "web-02: failed" in lines
        assert "      blocked by TT101 on web-02" in lines
        assert "build-01: unknown" in lines

    def test_well_is_said_in_two_lines(self, small_run):
        """Nothing to do, nothing to read."""
        run = replace(_only(small_run, "web-01"), notes=())
        assert [text for text, _ in report_lines(build_report(run, ()))] == ["√ The machine is healthy.", "  5 passed"]

    def test_no_step(self, small_run):
        """A run of own tests alone has no count of steps, and no empty line in its place."""
        told = [text for text, _ in report_lines(build_report(replace(small_run, results=(), notes=()), ()))]
        assert told
        assert all(text.strip() for text in told[1:])

    def test_ascii(self, small_run, small_causes):
        """A terminal that has no glyphs gets none."""
        lines = [text for text, _ in report_lines(build_report(small_run, small_causes), "full", encoding="cp1252")]
        assert lines[-2].startswith("\N{MULTIPLICATION SIGN} ") or lines[-2].startswith("x ")
        for text, _ in report_lines(build_report(small_run, small_causes), "full", encoding="ascii"):
            text.encode("ascii")

    def test_a_large_fleet_stays_short(self, large_run, large_causes):
        """1,000 machines with two problems are two paragraphs."""
        assert len(report_lines(build_report(large_run, large_causes))) < 25

    def test_a_machine_cannot_steer_the_terminal(self):
        """Escape sequences are shown, not obeyed."""
        problem = Problem("TT1", "m", "a", "b\x1b[2Jc", (Evidence("s\x07", "t\x1b]0;x"),))
        run = StepResult("m", "services-running", Outcome.FAILED, problems=(problem,))
        assert not any("\x1b" in line or "\x07" in line for line in explain(run, str))

    def test_explain(self, small_run):
        """A step's own words: code, expected, actual, evidence, hint."""
        result = next(result for result in small_run.results if result.problems)
        lines = explain(result, str)
        assert lines[0].startswith("TT101")
        assert "    expected  service OctopusDeploy Tentacle running" in lines
        assert lines[-1].startswith("    see https://octopus.com/docs/")
