"""What a user sees of a run: selection, outcomes, exit codes, files. Real processes, on a part of the lab or a replay."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from pytest_tentacle.survey.model import FORMAT
from support.session.cpu import children_cpu, cpu_of

QUIET = ("-p", "no:cacheprovider")
SEEN = "services or settings or thumbprint or welcome"
"""Steps that need no look at the server, which these runs keep out."""


COUNTS_REPORTS = """
from pathlib import Path
from pytest_tentacle.report import build

make = build._report

def counted(*arguments):
    with Path("built.txt").open("a") as file:
        file.write("built\\n")
    return make(*arguments)

build._report = counted
"""


def cases(path: Path) -> dict[str, ET.Element]:
    """JUnit test cases by test id."""
    found = {}
    for case in ET.parse(path).getroot().iter("testcase"):
        found[re.search(r"\[(.+)\]$", case.get("name"))[1]] = case
    return found


class TestOutcomes:
    """pytest's own words: a problem is failed, an unknown an error, blocked is skipped."""

    def test_junit_has_each_outcome_in_its_own_element(self, surveyed):
        """So that a CI server shows them apart."""
        _, folder, _ = surveyed
        found = cases(folder / "junit.xml")
        assert found["missing-01-services-running"].find("failure") is not None
        assert found["away-01-services-running"].find("error") is not None
        assert "blocked by TT201" in found["missing-01-welcome-page-here"].find("skipped").get("message")
        assert list(found["web-02-services-running"]) == []

    def test_a_failure_shows_expected_actual_and_a_link_and_no_traceback(self, surveyed):
        """A traceback means a bug of ours."""
        _, folder, _ = surveyed
        text = cases(folder / "junit.xml")["missing-01-services-running"].find("failure").text
        assert [line.split()[0] for line in text.splitlines()[:3]] == ["TT201", "expected", "actual"]
        assert "https://octopus.com/docs/" in text
        assert "Traceback" not in text
        assert ".py" not in text

    def test_junit_is_grouped_by_machine_and_says_unknown(self, surveyed):
        """CI systems group by class; Jenkins' xUnit plugin takes the file (elements and attributes of junit-10.xsd)."""
        _, folder, _ = surveyed
        found = cases(folder / "junit.xml")
        assert {case.get("classname") for case in found.values()} == {
            "web-02",
            "poll-02",
            "missing-01",
            "away-01",
            "mode-01",
        }
        error = found["away-01-services-running"].find("error")
        assert error.get("message").startswith("unknown: no connection to ")
        assert error.get("type") == "unknown"
        assert found["missing-01-services-running"].find("failure").get("type") == "TT201"
        blocked = found["missing-01-welcome-page-here"].find("skipped")
        assert (blocked.get("type"), blocked.text) == ("blocked", None)
        told = {"type", "message"}
        allowed = {
            "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
            "testsuite": (
                {"name", "tests", "failures", "errors"},
                {"skipped", "time", "timestamp", "hostname", "id", "package", "file", "log", "url", "group"},
                {"testsuite", "properties", "testcase", "system-out", "system-err"},
            ),
            "testcase": (
                {"name"},
                {"time", "classname", "group"},
                {"skipped", "error", "failure", "system-out", "system-err"},
            ),
            "skipped": (set(), told, set()),
            "error": (set(), told, set()),
            "failure": (set(), told, set()),
        }
        for element in ET.parse(folder / "junit.xml").getroot().iter():
            required, optional, children = allowed[element.tag]
            assert required <= set(element.attrib) <= required | optional, element.tag
            assert {child.tag for child in element} <= children, element.tag

    def test_what_does_not_apply_is_not_collected(self, surveyed):
        """A polling Tentacle has no listening step, not even a skipped one."""
        _, folder, _ = surveyed
        assert "poll-02-welcome-page-here" not in cases(folder / "junit.xml")

    def test_a_failed_run_ends_with_1(self, surveyed):
        """There were failures and unknowns."""
        done, _, _ = surveyed
        assert done.returncode == 1


class TestReplay:
    """--replay gives the verdicts of the run that took the surveys, without the network."""

    def test_the_verdicts_are_the_same(self, surveyed, run_pytest, tmp_path: Path):
        """Test by test, outcome by outcome."""
        _, folder, saved = surveyed
        run_pytest("--replay", saved, "--junitxml", "junit.xml", *QUIET, cwd=tmp_path)
        before, after = cases(folder / "junit.xml"), cases(tmp_path / "junit.xml")
        assert {name: [child.tag for child in case] for name, case in after.items()} == {
            name: [child.tag for child in case] for name, case in before.items()
        }

    def test_page_console_and_files_show_one_report(self, surveyed, run_pytest, tmp_path: Path):
        """Built once, however many show it: on a large fleet it takes seconds."""
        (tmp_path / "counts_reports.py").write_text(COUNTS_REPORTS, encoding="utf-8")
        done = run_pytest(
            "--replay", surveyed[2], "-p", "counts_reports", "--output", "full", "--bundle", "b.zip", *QUIET,
            cwd=tmp_path, environment={"PYTHONPATH": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == 1, done.stdout + done.stderr
        assert (tmp_path / "built.txt").read_text(encoding="utf-8") == "built\n"
        (page,) = (tmp_path / "reports").glob("*.html")
        report = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
        for shown in (page.read_text(encoding="utf-8"), done.stdout, page.with_suffix(".md").read_text("utf-8")):
            assert report["verdict"] in shown

    def test_a_newer_file_is_refused(self, surveyed, run_pytest, tmp_path: Path):
        """With the version that wrote it, and what to do."""
        document = json.loads(surveyed[2].read_text(encoding="utf-8"))
        newer = tmp_path / "newer.json"
        newer.write_text(json.dumps({**document, "format": FORMAT + 1, "version": "9.9"}), encoding="utf-8")
        done = run_pytest("--replay", newer, *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert "newer pytest-tentacle (9.9" in done.stderr
        assert "Traceback" not in done.stdout + done.stderr

    @pytest.mark.parametrize(
        ("content", "word"),
        [
            (b"{", "not JSON"),
            (b"[]", "not a survey file"),
            (b'{"format": %d, "records": 7, "inventory": {}}' % FORMAT, "damaged at"),
        ],
    )
    def test_a_damaged_file_is_refused(self, run_pytest, tmp_path: Path, content: bytes, word: str):
        """In one line, with exit code 4."""
        (tmp_path / "bad.json").write_bytes(content)
        done = run_pytest("--replay", "bad.json", *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert word in done.stderr
        assert "Traceback" not in done.stdout + done.stderr

    def test_a_missing_file_is_refused(self, run_pytest, tmp_path: Path):
        """It names the file."""
        done = run_pytest("--replay", "nowhere.json", *QUIET, cwd=tmp_path)
        assert (done.returncode, "nowhere.json: cannot be read" in done.stderr) == (4, True)

    def test_a_survey_file_holds_no_way_to_log_on(self, surveyed):
        """Neither user nor password nor key."""
        document = json.loads(surveyed[2].read_text(encoding="utf-8"))
        transports = [machine["transport"] for machine in document["inventory"]["tentacles"]]
        assert {key for transport in transports for key in transport} & {"user", "password", "key"} == set()


class TestSelection:
    """Only what is selected is contacted, judged and counted."""

    def test_a_machine_without_a_test_left_is_not_contacted(self, run_pytest, top: Path, tmp_path: Path):
        """-k decides after collection, and still before the survey."""
        run_pytest(
            "--inventory", top / "inventory/lab.yaml", "--limit", "web-02,poll-02,!octo-1", "-k", "web-02 and services",
            "--save-surveys", "saved.json", *QUIET, cwd=tmp_path,
        )  # fmt: skip
        records = json.loads((tmp_path / "saved.json").read_text(encoding="utf-8"))["records"]
        assert [record["machines"] for record in records] == [["web-02"]]

    def test_the_other_end_comes_along_without_tests_of_its_own(
        self, run_pytest, top: Path, tmp_path: Path, engine: Path
    ):
        """A link has two ends: the server is surveyed, not judged."""
        done = run_pytest(
            "--inventory", top / "inventory/lab.yaml", "--limit", "web-02", "--save-surveys", "saved.json", *QUIET,
            cwd=tmp_path, environment={"PYTEST_TENTACLE_POWERSHELL": str(engine)},
        )  # fmt: skip
        records = json.loads((tmp_path / "saved.json").read_text(encoding="utf-8"))["records"]
        assert {tuple(record["machines"]) for record in records} == {("octo-1",), ("web-02",)}
        assert done.returncode == 0, done.stdout

    def test_a_limit_that_matches_nothing_is_an_error(self, surveyed, run_pytest, tmp_path: Path):
        """Never a green run; the nearest name is told."""
        done = run_pytest("--replay", surveyed[2], "--limit", "web-2", *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert "web-02" in done.stderr

    def test_a_keyword_that_matches_nothing_is_an_error(self, surveyed, run_pytest, tmp_path: Path):
        """pytest's own exit code for it."""
        assert run_pytest("--replay", surveyed[2], "-k", "nothing-like-it", *QUIET, cwd=tmp_path).returncode == 5

    def test_mode_selects(self, surveyed, run_pytest, tmp_path: Path):
        """Polling Tentacles only."""
        run_pytest("--replay", surveyed[2], "--mode", "polling", "--junitxml", "j.xml", *QUIET, cwd=tmp_path)
        assert {name.split("-")[0] for name in cases(tmp_path / "j.xml")} == {"poll"}


class TestExitCodes:
    """What a gate can trust."""

    def test_a_healthy_selection_ends_with_0(self, surveyed, run_pytest, tmp_path: Path):
        """Everything selected was looked at."""
        done = run_pytest("--replay", surveyed[2], "--limit", "poll-02", "-k", SEEN, *QUIET, cwd=tmp_path)
        assert done.returncode == 0, done.stdout

    def test_an_unknown_fails_the_gate(self, surveyed, run_pytest, tmp_path: Path):
        """A gate that could not look has not passed."""
        done = run_pytest("--replay", surveyed[2], "--limit", "away-01", "-k", "services", *QUIET, cwd=tmp_path)
        assert done.returncode == 1

    def test_unknown_warn_lets_it_pass_loudly(self, surveyed, run_pytest, tmp_path: Path):
        """And only unknowns."""
        arguments = ("--replay", surveyed[2], "--unknown", "warn", *QUIET)
        lenient = run_pytest(*arguments, "--limit", "away-01", "-k", "services", cwd=tmp_path)
        assert lenient.returncode == 0
        assert "WARNING: 1 step unknown" in lenient.stdout
        assert run_pytest(*arguments, "--limit", "away-01,missing-01", cwd=tmp_path).returncode == 1

    def test_blocked_alone_is_no_pass(self, surveyed, run_pytest, tmp_path: Path):
        """Its reason was deselected, and still nobody has looked."""
        done = run_pytest("--replay", surveyed[2], "--limit", "missing-01", "-k", "welcome", *QUIET, cwd=tmp_path)
        assert done.returncode == 1

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("", ["bad.yaml", "empty"]),
            ("tentacles: [", ["bad.yaml:1"]),
            ("tentacles:\n- {name: a, mode: listning}\n", ["bad.yaml:2:19", "listening"]),
        ],
    )
    def test_a_bad_inventory_ends_with_4(self, run_pytest, tmp_path: Path, content: str, words: list[str]):
        """File, line and column, no traceback, no report."""
        (tmp_path / "bad.yaml").write_text(content, encoding="utf-8")
        done = run_pytest("--inventory", "bad.yaml", *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert all(word in done.stderr for word in words), done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert not (tmp_path / "reports").exists()


class TestWhereItRuns:
    """In a checkout, in an empty folder, under xdist."""

    def test_plain_pytest_in_a_checkout_collects_the_projects_own_tests(self, run_pytest, top: Path):
        """And not the guide's."""
        listed = run_pytest("--collect-only", "-q", "tests/guide", *QUIET, cwd=top).stdout
        assert "tests/guide" in listed
        without = ("--ignore-glob", f"{top}/tests/*/*")  # to collect all of them takes long
        aimed = run_pytest("--collect-only", *without, *QUIET, cwd=top).stdout
        assert "testpaths: tests" in aimed
        assert "tests_infra" not in aimed

    def test_the_wheel_brings_the_guides_tests(self, surveyed, run_pytest, top: Path, tmp_path: Path):
        """`pytest --inventory` works in an empty folder, and the report goes to `reports/` there."""
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", tmp_path, top],
            check=True,
        )
        unpacked, empty = tmp_path / "site", tmp_path / "empty"
        zipfile.ZipFile(next(tmp_path.glob("*.whl"))).extractall(unpacked)
        empty.mkdir()
        done = run_pytest(
            "--replay", surveyed[2], "--limit", "poll-02", "-k", SEEN, *QUIET,
            cwd=empty, environment={"PYTHONPATH": str(unpacked)},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert str(top / "tests_infra") not in done.stdout
        assert len(list((empty / "reports").glob("*.html"))) == 1

    def test_xdist_surveys_once_and_gives_the_same_verdicts(self, surveyed, run_pytest, top: Path, tmp_path: Path):
        """Before the workers start, and only what is selected."""
        done = run_pytest(
            "--inventory", top / "inventory/lab.yaml", "--limit", "web-02,missing-01,poll-02,!octo-1", "-k", "not poll",
            "-n", "2", "--junitxml", "j.xml", "--save-surveys", "saved.json", *QUIET, cwd=tmp_path,
        )  # fmt: skip
        assert done.stdout.count("surveying: 2 hosts") == 1, done.stdout
        before, after = cases(surveyed[1] / "junit.xml"), cases(tmp_path / "j.xml")
        assert {name.rsplit("-", 2)[0] for name in after} & {"poll-02"} == set()
        for name, case in after.items():
            assert [child.tag for child in case] == [child.tag for child in before[name]]


class TestInterrupt:
    """Ctrl-C ends the survey and still reports on what was surveyed."""

    def test_it_ends_with_2_and_a_report(self, tmp_path: Path):
        """One machine answers (the one that runs pytest), one accepts and never says a word."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            inventory = tmp_path / "two.yaml"
            inventory.write_text(
                "tentacles:\n"
                "- {name: here, mode: polling, os: linux, transport: local}\n"
                f"- {{name: silent, mode: polling, transport: {{kind: ssh, host: 127.0.0.1, port: {port}, user: u, password: p}}}}\n",
                encoding="utf-8",
            )
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "--inventory", "two.yaml", "--save-surveys", "s.json",
                 "--machine-timeout", "600", *QUIET],
                cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            accepted, _ = silent.accept()
            with accepted:
                while not (tmp_path / "s.json").exists():  # written as soon as the other one has answered
                    assert process.poll() is None
                    time.sleep(0.05)
                before, used = children_cpu(), cpu_of(process.pid)
                process.send_signal(signal.SIGINT)
                output, _ = process.communicate(timeout=250)  # by itself, the silent one would take 600
        assert process.returncode == 2, output
        assert children_cpu() - before - used < 2
        assert "interrupted" in output
        assert len(list((tmp_path / "reports").glob("two-*.html"))) == 1
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("pytest-tentacle")]
