"""A run that is killed in the middle leaves its bundle with what it had, and that replays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

SURVEYING = """
import time
import zipfile
from pathlib import Path
from pytest_tentacle.survey import collector

collector.KEEP_SECONDS = 0
survey_host = collector.survey_host

def kept():
    try:
        with zipfile.ZipFile("case.zip") as bundle:
            return bundle.read("surveys.json").decode()
    except FileNotFoundError:
        return ""

def slow(task):
    if "poll-02" in task.machines:
        while kept().count("the run was interrupted") != 1:  # this one alone has not answered
            time.sleep(0.05)
        Path("reached").touch()
        time.sleep(3600)
    return survey_host(task)

collector.survey_host = slow
"""
JUDGING = """
import time
from pathlib import Path

def pytest_runtest_setup(item):
    if "settings" in item.name:
        Path("reached").touch()
        time.sleep(3600)
"""


@pytest.fixture(scope="module", params=[SURVEYING, JUDGING], ids=["surveying", "judging"])
def killed(request: pytest.FixtureRequest, top: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real lab run that got SIGKILL while it surveyed or judged: no handler, no finaliser ran."""
    folder = tmp_path_factory.mktemp("surveying" if request.param is SURVEYING else "judging")
    (folder / "slow.py").write_text(request.param)
    command = [
        sys.executable, "-m", "pytest", "--inventory", str(top / "inventory" / "lab.yaml"),
        "--limit", "web-02,missing-01,poll-02,!octo-1", "--bundle", "case.zip", "--pseudonyms", "-p", "slow",
        "-p", "no:cacheprovider",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
        "TMPDIR": str(folder),  # nobody is left to remove the lab's folder
    }
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while not (folder / "reached").exists():  # as long as pytest-timeout allows
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the lab's own children too
        process.wait()
    return folder


class TestKilled:
    """kill -9 in the middle."""

    def test_the_bundle_has_the_surveys(self, killed: Path):
        """Those that were there by then, whole: no part of a file stands beside it."""
        with zipfile.ZipFile(killed / "case.zip") as bundle:
            assert set(bundle.namelist()) == {"surveys.json", "manifest.json"}
            assert bundle.testzip() is None
        assert list(killed.glob("*.part")) == []

    def test_it_replays(self, killed: Path, run_pytest, tmp_path: Path):
        """All steps of all machines, as far as the surveys tell; who had not answered is told as that."""
        done = run_pytest("--replay", killed / "case.zip", "-p", "no:cacheprovider", cwd=tmp_path)
        assert done.returncode == 1
        assert re.search(r"\d passed, ", done.stdout)
        assert ("interrupted before this machine had answered" in done.stdout) is ("surveying" in killed.name)
        assert "0 servers and 3 Tentacles" in done.stdout
        assert "missing-01" not in done.stdout
