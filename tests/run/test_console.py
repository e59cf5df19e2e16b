"""The console: progress that fits, the worst nearest to the prompt, tests of one's own, and options that run nothing."""

from __future__ import annotations

import io
import json
import re

import pytest
from _pytest.config import get_config
from _pytest.terminal import TerminalReporter

from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.console import report_lines
from pytest_tentacle.run.progress import TerminalProgress
from pytest_tentacle.survey import store
from support.fleets.whole import wide_fleet
from support.runs import make_small_causes, make_small_run


@pytest.fixture
def saved(tmp_path):
    """A survey file of a healthy fleet."""
    path = tmp_path / "saved.json"
    path.write_text(store.dumps(wide_fleet().surveys()), encoding="utf-8")
    return path


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestProgress:
    @pytest.mark.parametrize("columns", [60, 80, 120])
    def test_fits_into_one_line(self, monkeypatch, columns):
        """Each rewrite stays within the line, whatever the terminal's width; the line at the end begins at its start."""
        monkeypatch.setenv("COLUMNS", str(columns))
        terminal = Terminal()
        progress = TerminalProgress(TerminalReporter(get_config(), terminal), {})
        waiting = [(f"ssh://a-machine-with-a-long-name-{number}.example.com:22", 12.0) for number in range(9)]
        for done in range(5):
            progress.update("surveying", done, 1000, waiting)
        progress.finish("surveying", 31, 8.1)
        text = terminal.getvalue()
        assert text.count("\r") >= 5
        assert all(len(part) < columns for part in re.split(r"[\r\n]", text)[:-1]), text
        assert text.endswith("\rsurveying: 31 hosts in 8.1 s\n")


class TestOrder:
    def test_the_worst_is_nearest_to_the_prompt(self):
        """The verdict last, above it the first cause; at most ten causes, and how many more there are."""
        report = build_report(make_small_run(), make_small_causes())
        many = report.model_copy(update={"causes": report.causes * 12})
        lines = [text for text, _ in report_lines(many)]
        verdict = next(number for number, text in enumerate(lines) if report.verdict in text)
        first = max(number for number, text in enumerate(lines) if report.causes[0].title in text)
        assert verdict > first
        assert verdict >= len(lines) - 2
        assert sum("machine" in text and text.startswith("    ") for text in lines) >= 10
        assert any(f"and {len(many.causes) - 10} more causes" in text for text in lines)


OWN = """
import pytest

def test_well(machine):
    pass

def test_mine():
    assert 1 == 2, "my own reason"

@pytest.fixture
def broken():
    raise RuntimeError("no set-up")

def test_error(broken):
    pass
"""


class TestOwnTests:
    def test_are_told_in_every_report(self, pytester, saved, run_here):
        """A user's own failing test makes no machine well: console, JSON, Markdown and page name it."""
        pytester.makepyfile(test_own=OWN)
        pytester.makepyfile(test_cut="def broken(:\n")
        shown = run_here(
            "--replay", saved, "--html", "r.html", "--continue-on-collection-errors", "test_own.py", "test_cut.py"
        ).stdout
        assert "AssertionError: my own reason" in shown
        assert "3 tests of your own failed" in shown
        report = json.loads((pytester.path / "r.json").read_text("utf-8"))
        outcomes = {
            test["name"].partition("::")[2].partition("[")[0] or test["name"].rpartition("/")[2]: test["outcome"]
            for test in report["own_tests"]
        }
        assert outcomes == {"test_well": "passed", "test_mine": "failed", "test_error": "error", "test_cut.py": "error"}
        for name in ("r.md", "r.html"):
            text = (pytester.path / name).read_text("utf-8")
            assert "my own reason" in text
            assert "test_cut.py" in text

    def test_beside_the_guide(self, pytester, saved, run_here):
        """`--guide`: both in one run; a step is a line that counts its machines, and a test of one's own keeps its dot."""
        pytester.makepyfile(test_own=OWN)
        pytester.makeini("[pytest]\ntestpaths = test_own.py")
        text = run_here("--replay", saved, "--guide").stdout
        assert re.search(r"^test_own\.py \.+FE", text, re.MULTILINE)
        assert re.search(r"^Services running: \d+ passed$", text, re.MULTILINE)
        assert "test_20_services_running.py" not in text
        assert "AssertionError: my own reason" in text
        passed = re.search(r"(\d+) passed", text.splitlines()[-1])
        assert passed
        assert int(passed[1]) > 70

    def test_without_machines(self, pytester):
        """A project's whole suite runs without an inventory, too: what asks for a machine is skipped, and says why."""
        pytester.makepyfile(test_own=OWN)
        done = pytester.runpytest_subprocess("-rs")
        done.assert_outcomes(skipped=1, failed=1, errors=1)
        done.stdout.fnmatch_lines("*machine stands for a machine: name some with --inventory=FILE or --tentacle HOST")


class TestStepLines:
    def test_a_healthy_fleet_fits_on_a_screen(self, run_here, saved):
        """Hundreds of steps, two dozen lines; `-v` and `-q` are pytest's own."""
        lines = run_here("--replay", saved).stdout.splitlines()
        assert len(lines) <= 34, lines
        quiet = run_here("--replay", saved, "-q", "-k", "services-running").stdout
        assert "Services running:" not in quiet

    def test_what_is_cut_short(self, pytester, run_here):
        """`-x`: the step's line says how many of its machines were not judged."""
        world = wide_fleet()
        world["web-01"].service["state"] = "stopped"
        (pytester.path / "saved.json").write_text(store.dumps(world.surveys()), encoding="utf-8")
        lines = run_here("--replay", "saved.json", "-x", "-k", "services-running").stdout.splitlines()
        (told,) = [line for line in lines if line.startswith("Services running")]
        assert re.search(r": 1 failed.*, \d+ not judged$", told), told


class TestNumbers:
    def test_who_is_not_judged_is_named(self, pytester, run_here):
        """A server that nobody logs on to counts among the inventory's machines, and not in the verdict."""
        pytester.makefile(
            ".yaml",
            few="servers:\n- {name: octo-dmz, dns_name: localhost, transport: none}\n"
            "tentacles:\n- {name: far, dns_name: localhost, mode: polling, servers: [octo-dmz], transport: none}\n",
        )
        shown = run_here("--inventory=few.yaml").stdout
        assert "1 server and 1 Tentacle of few.yaml" in shown
        assert "The machine could not be fully checked." in shown
        assert "not judged, because no step applies: octo-dmz" in shown


class TestNothingRuns:
    @pytest.mark.parametrize(
        "option", ["--fixtures", "--fixtures-per-test", "--setup-plan", "--setup-only", "--collect-only", "--markers"]
    )
    def test_nobody_is_contacted(self, pytester, option, run_here):
        """No survey, no diagnosis, no report."""
        shown = run_here("--tentacle", "localhost", "--transport", "local", option).stdout
        assert "surveying" not in shown
        assert "diagnosis ==" not in shown
        assert list(pytester.path.glob("reports/*")) == []
