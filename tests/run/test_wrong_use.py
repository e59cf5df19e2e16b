"""What is wrong is said in words, before any machine is contacted; what a disk refuses takes no verdict away."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

QUIET = ("-p", "no:cacheprovider")

SERVER = """
servers:
- {name: octo-1, dns_name: 127.0.0.1, os: linux, transport: {kind: ssh, user: u, password: p, port: 1}}
"""

FULL_DISK = """
import errno
from pytest_tentacle import files

def full(path, data, mode=0):
    raise OSError(errno.ENOSPC, "No space left on device")

files.write = full
"""

BREAKS_OFF = """
import os
import signal

def {hook}():
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an inventory whose only machine does not answer."""
    (tmp_path / "one.yaml").write_text(SERVER, encoding="utf-8")
    return tmp_path


class TestOutputsThatCannotBeWritten:
    """Found before the survey: it may have taken ten minutes."""

    @pytest.mark.parametrize("option", ["--bundle", "--save-surveys", "--html"])
    @pytest.mark.parametrize("place", ["in-a-file", "is-a-folder"])
    def test_they_are_refused_first(self, folder: Path, run_pytest, option: str, place: str):
        """Exit code 4, the file, the reason, the option, no traceback, no survey."""
        (folder / "file").touch()
        target = {"in-a-file": folder / "file" / "x", "is-a-folder": folder}[place]
        done = run_pytest("--inventory", "one.yaml", option, target, *QUIET, cwd=folder)
        assert done.returncode == 4, done.stdout + done.stderr
        assert f"{target} cannot be written: " in done.stderr
        assert option in done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert "surveying" not in done.stdout

    def test_so_are_reports(self, folder: Path, run_pytest):
        """The folder that nobody named, too."""
        (folder / "reports").touch()
        done = run_pytest("--inventory", "one.yaml", *QUIET, cwd=folder)
        assert done.returncode == 4
        assert "cannot be written" in done.stderr
        assert "--html" in done.stderr

    def test_a_disk_that_fills_up_takes_no_verdict_away(self, folder: Path, run_pytest):
        """The console has the diagnosis and says which files are missing."""
        (folder / "full.py").write_text(FULL_DISK, encoding="utf-8")
        done = run_pytest(
            "--inventory", "one.yaml", "--save-surveys", "s.json", "-p", "full", *QUIET,
            cwd=folder, environment={"PYTHONPATH": str(folder)},
        )  # fmt: skip
        assert "could not be fully checked" in done.stdout, done.stdout + done.stderr
        assert "ERROR: s.json could not be written: No space left on device" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode == 1

    def test_it_is_no_pass(self, folder: Path, run_pytest):
        """A gate that waits for a file shall not go on without it."""
        (folder / "full.py").write_text(FULL_DISK, encoding="utf-8")
        arguments = ("--inventory", "one.yaml", "--unknown", "warn", *QUIET)
        assert run_pytest(*arguments, cwd=folder).returncode == 0
        done = run_pytest(*arguments, "-p", "full", cwd=folder, environment={"PYTHONPATH": str(folder)})
        assert done.returncode == 1, done.stdout + done.stderr


class TestNothingToSee:
    """A server that does not answer, and that no Tentacle is linked to."""

    def test_no_step_of_it_passes(self, folder: Path, run_pytest):
        """There was nothing to judge it by."""
        run_pytest("--inventory", "one.yaml", "--html", "page.html", *QUIET, cwd=folder)
        counts = json.loads((folder / "page.json").read_text(encoding="utf-8"))["counts"]
        assert counts["unknown"] > 0
        assert {name for name, count in counts.items() if count} == {"unknown"}


class TestReports:
    """Where they go."""

    def test_a_chosen_place_holds_one_page_that_needs_nothing_else(self, folder: Path, run_pytest):
        """It is for sending: no folder of styles beside it."""
        run_pytest("--inventory", "one.yaml", "--html", "there/page.html", *QUIET, cwd=folder)
        assert sorted(path.name for path in (folder / "there").iterdir()) == ["page.html", "page.json", "page.md"]

    def test_two_runs_at_once_keep_theirs(self, folder: Path):
        """Also where they begin in the same second."""
        runs = [
            subprocess.Popen(
                [sys.executable, "-m", "pytest", "--inventory", "one.yaml", *QUIET],
                cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for _ in range(3)
        ]  # fmt: skip
        assert [run.wait(60) for run in runs] == [1, 1, 1]
        pages = list((folder / "reports").glob("*.html"))
        assert len(pages) == 3
        assert all(page.stat().st_size for page in pages)


class TestReplayOfNonsense:
    """Whatever is in the file."""

    @pytest.mark.parametrize(
        "manifest", ["[]", '{"format": "x", "sha256": {}}', '{"format": 1, "sha256": []}', "[" * 99999]
    )
    def test_a_bundle(self, run_pytest, tmp_path: Path, manifest: str):
        """A sentence, and what to do."""
        with zipfile.ZipFile(tmp_path / "case.zip", "w") as bundle:
            bundle.writestr("manifest.json", manifest)
        done = run_pytest("--replay", "case.zip", *QUIET, cwd=tmp_path)
        assert done.returncode == 4, done.stdout + done.stderr
        assert "case.zip: not a whole bundle" in done.stderr
        assert "--bundle" in done.stderr

    def test_a_survey_file(self, run_pytest, tmp_path: Path):
        """One whose nesting has no end."""
        (tmp_path / "deep.json").write_text("[" * 99999, encoding="utf-8")
        done = run_pytest("--replay", "deep.json", *QUIET, cwd=tmp_path)
        assert done.returncode == 4, done.stdout + done.stderr
        assert "deep.json: this is no survey file" in done.stderr


class TestForgottenInventory:
    """An option of ours alone means nothing."""

    @pytest.mark.parametrize("arguments", [("--limit", "web-01"), ("--save-surveys", "s.json"), ("--ping-count", "3")])
    def test_is_told(self, run_pytest, tmp_path: Path, arguments: tuple[str, ...]):
        """Instead of `no tests ran`."""
        done = run_pytest(*arguments, *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert f"{arguments[0]} goes with --inventory" in done.stderr


class TestInterrupted:
    """Ctrl-C after the survey."""

    def _run(self, run_pytest, folder: Path, hook: str, times: int = 1):
        text = BREAKS_OFF.format(hook=hook) + "    os.kill(os.getpid(), signal.SIGINT)\n" * times
        (folder / "breaks_off.py").write_text(text, encoding="utf-8")
        return run_pytest(
            "--inventory", "one.yaml", "--html", "page.html", "-p", "breaks_off", *QUIET,
            cwd=folder, environment={"PYTHONPATH": str(folder)},
        )  # fmt: skip

    def test_while_steps_are_judged(self, folder: Path, run_pytest):
        """The report says that it is not the whole."""
        done = self._run(run_pytest, folder, "pytest_runtest_teardown")
        assert done.returncode == 2
        assert json.loads((folder / "page.json").read_text(encoding="utf-8"))["interrupted"]
        assert "interrupted. Until then" in done.stdout

    def test_by_its_first_failure(self, folder: Path, run_pytest):
        """`-x` leaves steps unjudged as well."""
        done = run_pytest("--inventory", "one.yaml", "--html", "page.html", "-x", *QUIET, cwd=folder)
        assert done.returncode == 1
        assert "interrupted. Until then" in done.stdout

    def test_while_the_report_is_written(self, folder: Path, run_pytest):
        """It is finished first."""
        done = self._run(run_pytest, folder, "pytest_html_results_summary")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert (folder / "page.html").stat().st_size
        assert (folder / "page.json").exists()

    def test_twice_while_the_report_is_written(self, folder: Path, run_pytest):
        """Whoever presses again at once loses nothing by it, and sees no traceback."""
        done = self._run(run_pytest, folder, "pytest_html_results_summary", times=2)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert (folder / "page.json").exists()

    def test_much_later_while_the_report_is_written(self, folder: Path, run_pytest):
        """Who insists gets out, without a traceback."""
        waits = "    os.kill(os.getpid(), signal.SIGINT)\n    import time\n    time.sleep(5.5)\n"
        text = BREAKS_OFF.format(hook="pytest_html_results_summary") + waits + waits.split("\n", maxsplit=1)[0] + "\n"
        (folder / "breaks_off.py").write_text(text, encoding="utf-8")
        done = run_pytest(
            "--inventory", "one.yaml", "--html", "page.html", "-p", "breaks_off", *QUIET,
            cwd=folder, environment={"PYTHONPATH": str(folder)},
        )  # fmt: skip
        assert done.returncode == 130
        assert "told to end once more" in done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert not (folder / "page.json").exists()
