"""A link's history in every view: since when it does not work, and what changed then."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.judging.result import Run
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.console import report_lines
from pytest_tentacle.report.json_report import report_pieces
from pytest_tentacle.report.markdown import report_markdown
from pytest_tentacle.report.page import render_page
from pytest_tentacle.sections import STEPS, applicable
from support import NOW
from support.fleets.failures import REFUSED
from support.fleets.whole import wide_fleet

WORKED, CHANGED = "last seen working 22 November 2026 02:54:05 UTC", "at 02:57:25 web-01: its settings were written"


@pytest.fixture(scope="module")
def report():
    """web-01 is refused since its settings were written; everybody else is well."""
    world = wide_fleet()
    world.both("web-01", REFUSED)
    world["web-01"].config_modified = NOW - timedelta(seconds=400)
    fleet = world.fleet()
    results = tuple(s.result(step.slug) for s in fleet.subjects for step in STEPS if applicable(step.slug, s))
    run = Run(surveys=fleet.surveys, results=results, started=NOW, seconds=1.0, options={})
    return build_report(run, diagnose(fleet, results).causes, fleet=fleet)


def test_console(report):
    """One sentence with the cause."""
    (line,) = [text for text, _ in report_lines(report) if "since when" in text]
    assert WORKED in line
    assert CHANGED in line
    assert "first known failure at 03:04:05" in line


def test_json(report):
    """The whole timeline, with times and sources; none for who is well."""
    machines = {machine["name"]: machine for machine in json.loads("".join(report_pieces(report)))["machines"]}
    (history,) = machines["web-01"]["histories"]
    assert history["worked"]["time"].startswith("2026-11-22T02:54:05")
    assert [line["kind"] for line in history["lines"]][-3:] == ["worked", "changed", "failed"]
    assert all(line["source"] for line in history["lines"])
    assert machines["web-02"]["histories"] == machines["octo-1"]["histories"] == []


def test_ticket(report):
    """Sentence and timeline."""
    text = report_markdown(report)
    assert "### Since when, and what changed then" in text
    assert "its settings were written (settings of web-01" in text


def test_page(report, open_page, tmp_path):
    """The machine's section has the sentence and the timeline as a table."""
    path = tmp_path / "page.html"
    path.write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>t</title></head>'
        f"<body>{render_page(report)}</body></html>",
        encoding="utf-8",
    )
    page = open_page(f"{path.as_uri()}#machine=web-01")
    table = page.locator(".tt-history")
    assert table.count() == 1
    assert "its settings were written" in table.inner_text()
    assert WORKED in page.inner_text(".tt-cause")
