"""What is new, gone and standing since an earlier run, and what is kept to be compared with."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pytest_tentacle.diagnosis import FoldedCause, diagnose
from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.console import report_lines
from pytest_tentacle.report.earlier import history
from pytest_tentacle.report.earlier.comparing import compared
from pytest_tentacle.report.earlier.model import past_of
from pytest_tentacle.report.earlier.past import Past, Wanted
from pytest_tentacle.report.earlier.reading import judge_again, read_past
from pytest_tentacle.report.json_report import report_pieces
from pytest_tentacle.report.markdown import report_markdown
from pytest_tentacle.report.page import render_page
from pytest_tentacle.sections import STEPS, applicable, checks_of
from pytest_tentacle.survey.store import StoreError, loads
from support.fleets.whole import wide_fleet


def no_surveys(path):
    """Who compares JSON reads no survey."""
    raise AssertionError(path)


def report_of(run, causes, **outcomes):
    """A report of the small run, with some steps' outcomes changed: `{"web-02": {"services-running": ...}}`."""
    results = tuple(
        replace(result, outcome=outcomes.get(result.machine, {}).get(result.step, result.outcome))
        for result in run.results
    )
    return build_report(replace(run, results=results), causes)


def cause(code: str, *machines: str) -> FoldedCause:
    """A cause of the catalogue."""
    return FoldedCause(code, f"title of {code}", "It is so.", machines, severity=Severity.OUTAGE)


def changed(comparison, kind):
    """Code and machines."""
    return [(change.code, change.machines) for change in getattr(comparison, kind)]


class TestCompared:
    """Each machine's cause on its own."""

    def test_new_gone_and_standing(self, small_run):
        """By code and machine: a cause that spreads is new where it came to."""
        before = past_of(report_of(small_run, [cause("TC2021", "web-01"), cause("TT201", "web-01", "web-03")]))
        now = report_of(small_run, [cause("TC2021", "web-01", "web-03"), cause("TT202", "edge-01")])
        report = compared(now, before, "yesterday.json")
        assert changed(report.comparison, "new") == [("TC2021", ("web-03",)), ("TT202", ("edge-01",))]
        assert changed(report.comparison, "standing") == [("TC2021", ("web-01",))]
        assert changed(report.comparison, "gone") == [("TT201", ("web-01", "web-03"))]
        assert [each.new_on for each in report.causes] == [("web-03",), ("edge-01",)]

    @pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.BLOCKED])
    def test_what_was_not_checked_again_is_not_gone(self, small_run, outcome):
        """Nobody looked."""
        before = past_of(report_of(small_run, [cause("TT201", "web-01")]))
        now = report_of(small_run, [], **{"web-01": {"services-running": outcome}})
        comparison = compared(now, before, "x").comparison
        assert changed(comparison, "gone") == []
        assert changed(comparison, "not_checked") == [("TT201", ("web-01",))]

    def test_nor_what_this_run_left_out(self, small_run):
        """A machine that `--limit` leaves out, and a step that `-k` leaves out."""
        before = past_of(report_of(small_run, [cause("TT201", "web-01"), cause("TT202", "edge-01")]))
        left = tuple(
            result
            for result in small_run.results
            if result.machine != "edge-01" and (result.machine, result.step) != ("web-01", "services-running")
        )
        comparison = compared(build_report(replace(small_run, results=left), ()), before, "x").comparison
        assert changed(comparison, "gone") == []
        assert changed(comparison, "not_checked") == [("TT201", ("web-01",)), ("TT202", ("edge-01",))]

    def test_what_became_unknown(self, small_run):
        """It is decay as well; what was unknown before is not."""
        before = past_of(report_of(small_run, []))
        now = report_of(small_run, [], **{"web-01": {"services-running": Outcome.UNKNOWN}})
        assert compared(now, before, "x").comparison.newly_unknown == ("web-01",)
        assert compared(now, past_of(now), "x").comparison.newly_unknown == ()

    def test_new_where_nobody_had_looked(self, small_run):
        """It counts as new, and that it may be older is said."""
        before = past_of(report_of(small_run, [], **{"web-01": {"services-running": Outcome.UNKNOWN}}))
        comparison = compared(report_of(small_run, [cause("TT201", "web-01")]), before, "x").comparison
        assert (changed(comparison, "new"), comparison.first_checked) == ([("TT201", ("web-01",))], ("web-01",))

    def test_told_everywhere(self, small_run):
        """On console, page and in Markdown."""
        before = past_of(report_of(small_run, [cause("TT201", "web-01")]))
        report = compared(report_of(small_run, [cause("TT202", "edge-01")]), before, "yesterday.json")
        sentence = "Causes since yesterday.json (2026-11-22 03:04 UTC): 1 new, 1 gone, 0 standing."
        console = [text for text, _ in report_lines(report)]
        assert sentence in console
        assert "  new: title of TT202 [TT202]: edge-01" in console
        assert "  gone: title of TT201 [TT201]: web-01" in console
        assert any(line.endswith("[TT202], outage, new") for line in console)
        page, text = render_page(report), report_markdown(report)
        assert sentence in page
        assert '<span class="tt-new">new</span>' in page
        assert "### What changed" in text
        assert "- Gone: `TT201` title of TT201: `web-01`" in text


class TestRead:
    """Whatever file of a run is at hand."""

    def test_a_reports_json(self, tmp_path, small_run, small_causes):
        """As it was; codes of old become those of today."""
        report = build_report(small_run, small_causes)
        file = tmp_path / "old.json"
        file.write_text("".join(report_pieces(report)), encoding="utf-8")
        assert read_past(file, no_surveys, {}) == past_of(report)
        first = report.causes[0].code
        assert read_past(file, no_surveys, {first: "TC9999"}).causes[0].code == "TC9999"

    def test_a_survey_is_judged_again(self):
        """The same causes and outcomes as a run of it."""
        world = wide_fleet()
        world["web-01"].service["start_mode"] = "disabled"
        surveys = world.surveys()
        fleet = world.fleet()
        names = [machine.name for machine in surveys.inventory.machines]
        results: list[StepResult] = [
            fleet.subject(name).result(step.slug, checks_of(step.slug))
            for name in names
            for step in STEPS
            if step.slug != "tentacle-ping" and applicable(step.slug, fleet.subject(name))
        ]
        past = judge_again(surveys)
        expected = {(each.code, name) for each in diagnose(fleet, results).views() for name in each.machines}
        assert past.pairs == expected != set()
        assert past.steps == {
            name: {each.step: each.outcome for each in results if each.machine == name} for name in names
        }

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"causes": 3}', '{"kind": "pytest-tentacle run"}', "\x00"])
    def test_what_is_none(self, tmp_path, text):
        """A sentence that says what is wanted."""
        file = tmp_path / "x.json"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(StoreError, match="--compare takes"):
            read_past(file, lambda path: loads(path.read_bytes(), str(path)), {})

    def test_false_names(self, tmp_path, small_run, small_causes):
        """They fit no real ones."""
        report = build_report(small_run, small_causes)
        hidden = report.model_copy(update={"redaction": report.redaction.model_copy(update={"pseudonyms": True})})
        file = tmp_path / "old.json"
        file.write_text("".join(report_pieces(hidden)), encoding="utf-8")
        with pytest.raises(StoreError, match="false names"):
            Past(Wanted(file, None, "prod", pseudonyms=False), str, no_surveys)

    def test_other_machines(self, tmp_path, small_run, small_causes):
        """Everything would be new."""
        file = tmp_path / "old.json"
        file.write_text("".join(report_pieces(build_report(small_run, small_causes))), encoding="utf-8")
        past = Past(Wanted(file, None, "prod", pseudonyms=False), str, no_surveys)
        past.check(["web-01"])
        with pytest.raises(StoreError, match="other machines"):
            past.check(["elsewhere"])

    def test_an_earlier_run_under_this_runs_false_names(self, tmp_path, small_run, small_causes):
        """No real name of it comes into a report with false ones."""
        file = tmp_path / "old.json"
        file.write_text("".join(report_pieces(build_report(small_run, small_causes))), encoding="utf-8")
        past = Past(Wanted(file, None, "prod", pseudonyms=True), lambda name: f"false-{name}", no_surveys)
        told = "".join(report_pieces(past.told(build_report(replace(small_run, results=()), ()))))
        assert "false-web-02" in told
        assert '"web-02"' not in told


class TestHistory:
    """The last thirty runs."""

    def test_kept_and_drawn(self, tmp_path, small_run):
        """Each cause's machines in each run; strange files stay and count for nothing."""
        (tmp_path / "prod-notes.json").write_text("{}", encoding="utf-8")
        (tmp_path / "prod-20260101T000000000000Z.json").write_text("{}", encoding="utf-8")
        for minute in range(history.KEPT + 5):
            machines = ("web-01", "web-02", "web-03")[: minute % 3 + 1]
            run = replace(small_run, started=small_run.started.replace(minute=minute))
            history.keep(tmp_path, "prod", build_report(run, [cause("TC2021", *machines)]))
        runs = history.past_runs(tmp_path, "prod")
        assert len(runs) == history.KEPT
        assert (tmp_path / "prod-notes.json").exists()
        report = history.with_history(
            build_report(small_run, [cause("TC2021", "web-01"), cause("TT201", "web-02")]), runs
        )
        assert [len(each.history) for each in report.causes] == [history.KEPT] * 2
        assert report.causes[0].history[-4:] == (3, 1, 2, 1)
        assert set(report.causes[1].history[:-1]) == {0}
        page = render_page(report)
        assert page.count("<polyline points=") == 2
        assert "Machines in the last 30 runs: " in page

    def test_the_first_run_has_none(self, tmp_path, small_run, small_causes):
        """Nothing to draw, nothing to compare with."""
        past = Past(Wanted(None, tmp_path / "none", "prod", pseudonyms=False), str, no_surveys)
        report = past.told(build_report(small_run, small_causes))
        assert report.comparison is None
        past.keep(report)
        (file,) = (tmp_path / "none").iterdir()
        assert json.loads(file.read_text(encoding="utf-8"))["kind"] == "pytest-tentacle run"
        again = Past(Wanted(None, tmp_path / "none", "prod", pseudonyms=False), str, no_surveys).told(report)
        assert again.comparison.name == "the run before"
        assert (again.comparison.new, again.comparison.gone) == ((), ())
