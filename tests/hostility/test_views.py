"""No view takes the others away: each is made and written on its own, and what fails says so."""

from __future__ import annotations

import zipfile

import pytest

BREAKS = """
import pytest_tentacle.{module} as module

def broken(*arguments, **options):
    raise {error}

module.{name} = broken
"""

VIEWS = {
    "page": ("report.html_hooks", "render_page", "the page's diagnosis could not be made: ZeroDivisionError"),
    "json": ("run.outputs.writing", "report_pieces", "the JSON report could not be made: ZeroDivisionError"),
    "markdown": ("run.outputs.writing", "report_markdown", "the Markdown report could not be made: ZeroDivisionError"),
    "console": ("run.hooks", "report_lines", "the diagnosis on the console could not be made: ZeroDivisionError"),
    "causes": ("run.session", "diagnose", "the diagnosis could not be made: ZeroDivisionError"),
    "bundle": ("run.bundle", "write_bundle", "case.zip could not be made: ZeroDivisionError"),
    "surveys": ("run.survey_files.keeping", "learn_surveys", "the surveys could not be made: ZeroDivisionError"),
}
"""By view: what is broken, and what is told."""

WRITTEN = {
    "json": {".html", ".md"},
    "markdown": {".html", ".json"},
}
BREAKS_A_CHECK = """
from pytest_tentacle.sections import checks_of
import pytest_tentacle.sections

def broken(subject):
    raise TypeError("secret words")
    yield

object.__setattr__(checks_of("services-running")[0], "look", broken)
"""
ANOTHER_RUN = """
import types
import pytest_tentacle.run.outputs.writing as writing

writing.time = types.SimpleNamespace(strftime=lambda _form: "20260101-000000")
"""
FULL = """
import errno, os
import pytest_tentacle.files as files

replacing = files.replacing

def full(path, mode=0o666):
    if path.suffix in {suffixes}:
        raise OSError(errno.ENOSPC, "No space left on device")
    return replacing(path, mode)

files.replacing = full
"""


@pytest.fixture
def breaking(case):
    """A run in which something is broken: `breaking(code)`."""

    def run(code: str, *arguments: object):
        (case.folder / "breaking.py").write_text(code, encoding="utf-8")
        tests = case.environment()["PYTHONPATH"]
        return case.run("-p", "breaking", *arguments, PYTHONPATH=f"{case.folder}:{tests}")

    return run


class TestViews:
    @pytest.mark.parametrize("view", VIEWS)
    def test_one_that_fails_says_so_and_the_others_stand(self, case, breaking, view):
        """Exit code 1, no traceback, the sentence with the place."""
        module, name, told = VIEWS[view]
        done = breaking(
            BREAKS.format(module=module, name=name, error="ZeroDivisionError('secret words')"), "--bundle", "case.zip"
        )
        assert done.returncode == 1, done.stdout + done.stderr
        assert told in done.stdout
        assert "secret words" not in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert set(case.reports()) == WRITTEN.get(view, {".html", ".json", ".md"})
        assert "web-01" in done.stdout
        if view != "bundle":
            with zipfile.ZipFile(case.folder / "case.zip") as bundle:
                assert bundle.testzip() is None
        for text in case.reports().values():
            assert "web-01" in text

    def test_a_page_of_another_run_of_that_second_stays(self, case, breaking):
        """And every line on the console names the own one."""
        (case.folder / "reports").mkdir()
        other = case.folder / "reports" / "fleet-20260101-000000.html"
        other.write_text("another run's", encoding="utf-8")
        done = breaking(ANOTHER_RUN, "-k", "poll-01")
        named = [line for line in done.stdout.splitlines() if ".html" in line]
        assert len(named) == 2
        assert all("fleet-20260101-000000-2.html" in line for line in named), named
        assert other.read_text(encoding="utf-8") == "another run's"

    def test_a_run_that_is_well_but_for_a_view_has_exit_code_1(self, case, breaking):
        """Whoever only looks at the exit code must not take the old report for this one's."""
        chosen = ("-k", "poll-01 and communication-settings")
        assert case.run(*chosen).returncode == 0
        done = breaking(BREAKS.format(module="run.outputs.writing", name="report_pieces", error="ValueError"), *chosen)
        assert done.returncode == 1

    @pytest.mark.parametrize(
        "suffixes", [{".html"}, {".json", ".md"}, {".html", ".json", ".md", ".zip"}], ids=["page", "texts", "all"]
    )
    def test_a_full_disk_leaves_the_diagnosis_on_the_console(self, case, breaking, suffixes):
        """And tells each file that is missing; none of them is left in half."""
        done = breaking(FULL.format(suffixes=suffixes), "--bundle", "case.zip")
        assert done.returncode == 1, done.stdout + done.stderr
        for suffix in suffixes:
            assert f"{suffix} could not be written: No space left on device" in done.stdout
        assert "diagnosis" in done.stdout
        assert "web-01" in done.stdout
        assert set(case.reports()) == {".html", ".json", ".md"} - suffixes
        assert "Traceback" not in done.stdout + done.stderr

    def test_a_step_that_breaks_off_is_unknown(self, case, breaking):
        """A fault of ours in one check costs that step its verdict, and says where it lies."""
        done = breaking(BREAKS_A_CHECK, "--output", "full")
        assert done.stdout.count("broke off: TypeError at breaking.py:") >= 3
        assert "secret words" not in done.stdout
        assert set(case.reports()) == {".html", ".json", ".md"}
