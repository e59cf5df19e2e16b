"""`--fail-on`, `--compare` and `--history` in a real run: what fails it, and what is told all the same."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.survey.store import dumps
from support.fleets.whole import wide_fleet

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
        "--replay", surveys, "--junitxml", "j.xml", "-o", "junit_family=xunit1", "--html", "r.html", "-v", "-p", "no:cacheprovider", *options,
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
        assert "The service will not start after the next reboot [TC2052], will-fail" in done.stdout
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
        assert report["state"] == "healthy"
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


@pytest.fixture(scope="module")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same fleet on two days: healthy, and with a service that is stopped."""
    folder = tmp_path_factory.mktemp("days")
    for name, state in (("monday", "running"), ("tuesday", "stopped")):
        world = wide_fleet()
        world["web-01"].service["state"] = state
        (folder / f"{name}.json").write_text(dumps(world.surveys()), encoding="utf-8")
    return folder


class TestFailOnNew:
    """A gate that only wants no further decay."""

    def compared(self, run_pytest: Any, folder: Path, *options: str) -> Any:
        return run_pytest(
            "--replay",
            "tuesday.json",
            "--html",
            "r.html",
            "-p",
            "no:cacheprovider",
            "-k",
            "web-01",
            *options,
            cwd=folder,
        )

    def test_what_was_there_before_passes(self, run_pytest: Any, fleets: Path) -> None:
        """Its steps fail as ever, and the run passes; the file is a survey here."""
        (fleets / "earlier.json").write_bytes((fleets / "tuesday.json").read_bytes())
        done = self.compared(run_pytest, fleets, "--compare", "earlier.json", "--fail-on", "new")
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Causes since earlier.json (" in done.stdout
        assert "): 0 new, 0 gone, " in done.stdout
        assert " failed" in done.stdout

    def test_what_is_new_fails(self, run_pytest: Any, fleets: Path) -> None:
        """Against the healthy day."""
        done = self.compared(run_pytest, fleets, "--compare", "monday.json", "--fail-on", "new")
        assert done.returncode == 1
        assert "  new: " in done.stdout
        report = json.loads((fleets / "r.json").read_text(encoding="utf-8"))
        assert [change["machines"] for change in report["comparison"]["new"]] == [["web-01"]]

    def test_history(self, run_pytest: Any, fleets: Path) -> None:
        """The first run is kept, the second is compared with it."""
        options = ("--history", "hist", "--fail-on", "new")
        assert self.compared(run_pytest, fleets, *options).returncode == 1, "nothing to compare with: all of it counts"
        again = self.compared(run_pytest, fleets, *options)
        assert again.returncode == 0, again.stdout[-2000:]
        assert "Causes since the run before (" in again.stdout
        assert len(list((fleets / "hist").iterdir())) == 2

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (("--fail-on", "new"), "new since which run?"),
            (("--compare", "no.json"), "no.json: cannot be read"),
            (("--compare", "other.json"), "is about other machines"),
        ],
    )
    def test_wrong_use(self, run_pytest: Any, fleets: Path, options: tuple[str, ...], words: str) -> None:
        """Told before anything else, with exit code 4."""
        (fleets / "other.json").write_text(
            '{"kind": "pytest-tentacle run", "version": "1", "taken": "2026-11-01T00:00:00Z", "causes": [], '
            '"steps": {"elsewhere": {}}}',
            encoding="utf-8",
        )
        done = self.compared(run_pytest, fleets, *options)
        assert done.returncode == 4
        assert words in done.stdout + done.stderr
