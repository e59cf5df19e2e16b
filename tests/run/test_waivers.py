"""Waivers in a real run over a small part of the lab: what fails, what does not, and where it is told."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

QUIET = ("-p", "no:cacheprovider")
INVENTORY = """
lab: {}
defaults:
  tentacle: { servers: [octo-1], groups: [linux] }
groups:
  linux:
    os: linux
    mode: listening
    transport: ssh
    waive: [{code: TT205, reason: by hand until the move, until: 2999-01-31}]
servers:
  - { name: octo-1, os: windows, transport: winrm }
tentacles:
  - { name: disabled-01, lab: { fault: service-disabled } }
  - name: missing-01
    lab: { fault: service-missing }
    waive: [{code: TT201, reason: <b>taken</b> down, until: 2999-12-31}, {code: TT301, reason: no longer true}]
  - name: port-01
    lab: { fault: wrong-port }
    waive: [{code: TT312, reason: over, until: 2026-01-01}, {code: TT311, reason: over, until: 2026-01-02}]
"""
STEPS = ("-k", "services or settings or here")


@pytest.fixture(scope="module")
def waived(run_pytest, tmp_path_factory: pytest.TempPathFactory):
    """The run's process and folder. Its server, a Windows machine, is kept out."""
    folder = tmp_path_factory.mktemp("waived")
    (folder / "inv.yaml").write_text(INVENTORY, encoding="utf-8")
    done = run_pytest(
        "--inventory", "inv.yaml", "--limit", "!octo-1", *STEPS, "--junitxml", "j.xml", "-o", "junit_family=xunit1", "-v",
        "--save-surveys", "saved.json", "--html", "r.html", *QUIET,
        cwd=folder,
    )  # fmt: skip
    return done, folder


def cases(path: Path) -> dict[str, ET.Element]:
    """JUnit test cases by test id."""
    found = ET.parse(path).getroot().iter("testcase")
    return {re.search(r"\[(.+)\]$", case.get("name"))[1]: case for case in found}


class TestOutcome:
    """What is accepted is no failure."""

    def test_words_on_the_console(self, waived):
        """An outcome of its own, with its reason and its machines in the summary."""
        out = waived[0].stdout
        assert re.search(r"\[missing-01-services-running\] WAIVED", out)
        assert re.search(r"\[missing-01-welcome-page-here\] WAIVED", out)
        assert re.search(r"\[disabled-01-services-running\] WAIVED", out)
        assert "The service is not installed [TT201] waived until 2999-12-31: <b>taken</b> down\n" in out
        assert re.search(r"[^\n]*3 waived in ", out)

    def test_junit(self, waived):
        """As pytest writes an expected failure, with code, reason, expected and actual."""
        found = cases(waived[1] / "j.xml")
        skipped = found["missing-01-services-running"].find("skipped")
        assert skipped.get("type") == "pytest.xfail"
        message = skipped.get("message")
        assert [line.split()[0] for line in message.splitlines()] == [
            "TT201",
            "waived",
            "expected",
            "actual",
            "because:",
        ]
        named = {
            (each.get("name"), each.get("value")) for each in found["missing-01-services-running"].iter("property")
        }
        assert named == {("waived", "TT201")}

    def test_what_is_not_waived_fails(self, waived):
        """The run fails for it alone."""
        done, folder = waived
        failed = [name for name, case in cases(folder / "j.xml").items() if case.find("failure") is not None]
        assert (done.returncode, failed) == (1, ["port-01-communication-settings"])

    def test_nothing_else_passes(self, waived, run_pytest, tmp_path: Path):
        """Without it the run is a pass."""
        replayed = run_pytest(
            "--replay", waived[1] / "saved.json", "--limit", "missing-01", *STEPS, *QUIET, cwd=tmp_path
        )
        assert replayed.returncode == 0, replayed.stdout
        assert "The machine is healthy, with waived problems." in replayed.stdout


class TestTold:
    """Every file says what is accepted, and why."""

    def test_json(self, waived):
        """By machine and step, and folded."""
        report = json.loads((waived[1] / "r.json").read_text(encoding="utf-8"))
        assert report["counts"]["waived"] == 3
        assert [(item["code"], item["machines"], item["until"]) for item in report["waived"]] == [
            ("TT201", ["missing-01"], "2999-12-31"),
            ("TT205", ["disabled-01"], "2999-01-31"),
        ]
        machine = next(machine for machine in report["machines"] if machine["name"] == "missing-01")
        assert machine["summary"] == "The service is not installed, waived until 2999-12-31: <b>taken</b> down"
        assert [cause["machines"] for cause in report["causes"]] == [["port-01"]]

    def test_markdown(self, waived):
        """Text stays text."""
        text = (waived[1] / "r.md").read_text(encoding="utf-8")
        assert "### What is waived" in text
        assert "`TT201` The service is not installed, waived until 2999-12-31: &lt;b&gt;taken&lt;/b&gt; down: " in text

    def test_page(self, waived):
        """In plain HTML above the matrix."""
        text = (waived[1] / "r.html").read_text(encoding="utf-8")
        assert "waived until 2999-12-31: &lt;b&gt;taken&lt;/b&gt; down" in text
        assert "<b>taken" not in text

    def test_one_that_has_ended(self, waived):
        """Loudly, with the place in the inventory; it waives no longer."""
        (line,) = [line for line in waived[0].stdout.splitlines() if line.startswith("WARNING: ") and "TT312" in line]
        assert line.endswith("inv.yaml:20) ended on 2026-01-01; nothing needs it: remove it.")

    def test_one_that_matched_nothing(self, waived):
        """It is mentioned."""
        assert "(no longer true, inv.yaml:17) matches nothing any more: remove it." in waived[0].stdout


class TestRefused:
    """A waiver that means nothing ends the run before it begins."""

    def test_an_unknown_code(self, run_pytest, tmp_path: Path):
        """With file, line and the nearest code; nobody is contacted."""
        (tmp_path / "inv.yaml").write_text("tentacles:\n  - {name: t, waive: [{code: TT2O5, reason: r}]}\n")
        done = run_pytest("--inventory", "inv.yaml", *QUIET, cwd=tmp_path)
        assert (done.returncode, "inv.yaml:2:30: code must be the code of a problem" in done.stderr) == (4, True)
        (tmp_path / "inv.yaml").write_text("tentacles:\n  - {name: t, waive: [{code: TT299, reason: r}]}\n")
        done = run_pytest("--inventory", "inv.yaml", *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert "inv.yaml:2:23: there is no problem of this code to waive: 'TT299'; did you mean 'TT" in done.stderr
