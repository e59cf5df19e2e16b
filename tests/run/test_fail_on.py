"""`--fail-on` in a real run: what costs too little is told everywhere, and the exit code is that of a run that is well."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.survey.store import dumps
from support.whole import wide_fleet

TEST = "web-01-services-running"


@pytest.fixture(scope="module")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet in which all is well, but for one service that is started by hand."""
    world = wide_fleet()
    world["web-01"].service["start_mode"] = "manual"
    file = tmp_path_factory.mktemp("by-hand") / "surveys.json"
    file.write_text(dumps(world.surveys()), encoding="utf-8")
    return file


def run(run_pytest: Any, surveys: Path, *options: str) -> Any:
    """A replay of it."""
    return run_pytest(
        "--replay", surveys, "--junitxml", "j.xml", "--html", "r.html", "-v", "-p", "no:cacheprovider", *options,
        cwd=surveys.parent,
    )  # fmt: skip


class TestFailOn:
    """TT205 will fail at the next reboot."""

    def test_by_default_it_is_told_and_passes(self, run_pytest: Any, surveys: Path) -> None:
        """On the console, in JUnit, in JSON and in the page."""
        done = run(run_pytest, surveys)
        assert done.returncode == 0, done.stdout[-2000:]
        assert f"[{TEST}] NOTED" in done.stdout
        assert "1 noted in " in done.stdout
        assert "The service will be missing after the next reboot [TC2052], will-fail" in done.stdout
        (case,) = [
            each
            for each in ET.parse(surveys.parent / "j.xml").getroot().iter("testcase")
            if TEST in each.get("name", "")
        ]
        skipped = case.find("skipped")
        assert skipped is not None
        assert skipped.get("type") == "pytest.xfail"
        properties = [(each.get("name"), each.get("value")) for each in case.iter("property")]
        assert ("problem", "TT205") in properties
        assert ("severity", "will-fail") in properties
        report = json.loads((surveys.parent / "r.json").read_text(encoding="utf-8"))
        (cause,) = report["causes"]
        assert (cause["severity"], cause["below_gate"]) == ("will-fail", True)
        assert report["state"] == "well"
        assert "will-fail" in (surveys.parent / "r.html").read_text(encoding="utf-8")

    def test_asked_to_fail(self, run_pytest: Any, surveys: Path) -> None:
        """The same problem, the same cause, and exit code 1."""
        done = run(run_pytest, surveys, "--fail-on", "will-fail")
        assert done.returncode == 1
        assert f"[{TEST}] FAILED" in done.stdout

    def test_a_word_that_it_does_not_know(self, run_pytest: Any, surveys: Path) -> None:
        done = run(run_pytest, surveys, "--fail-on", "everything")
        assert done.returncode == 4
        assert "--fail-on" in done.stderr
