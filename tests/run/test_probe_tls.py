"""A run that tries each version of TLS on a few lab machines, on both systems and in both modes, and its replay."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

INVENTORY = """
lab: {}
defaults:
  tentacle: { servers: [octo-1] }
groups:
  windows: { os: windows, transport: winrm }
  linux: { os: linux, transport: ssh }
  listening: { mode: listening }
  polling: { mode: polling }
servers:
  - { name: octo-1, groups: [windows] }
  - { name: octo-2, groups: [linux] }
tentacles:
  - { name: win-01, groups: [windows, listening] }
  - { name: win-02, groups: [windows, polling] }
  - { name: lin-01, groups: [linux, polling] }
  - { name: lin-02, groups: [linux, listening], servers: [octo-2] }
  - { name: old-01, groups: [linux, listening], lab: { fault: old-tls-between } }
  - { name: old-02, groups: [windows, listening], servers: [octo-2], lab: { fault: old-tls-between } }
"""
QUIET = ("-p", "no:cacheprovider", "-q")
HEALTHY = ("octo-1", "octo-2", "win-01", "win-02", "lin-01", "lin-02")


@pytest.fixture(scope="module")
def folder(run_pytest, tmp_path_factory: pytest.TempPathFactory, engine: Path) -> Path:
    """What the run left."""
    made = tmp_path_factory.mktemp("tls")
    (made / "lab.yaml").write_text(INVENTORY, encoding="utf-8")
    done = run_pytest(
        "--inventory", "lab.yaml", "--probe-tls", "--save-surveys", "saved.json", "--output", "full",
        "--junitxml", "junit.xml", "-o", "junit_family=xunit1", *QUIET,
        cwd=made, environment={"PYTEST_TENTACLE_POWERSHELL": str(engine)},
    )  # fmt: skip
    assert (made / "saved.json").exists(), done.stdout + done.stderr
    return made


def outcomes(junit: Path) -> dict[str, list[str]]:
    """By `<machine>-<step>`: codes, or the word of what is no pass."""
    found = {}
    for case in ET.parse(junit).getroot().iter("testcase"):
        codes = [str(one.get("value")) for one in case.iterfind("properties/property[@name='problem']")]
        name = case.get("name", "").partition("[")[2].rstrip("]")
        found[name] = codes + [word for word in ("error", "skipped") if case.find(word) is not None]
    return found


class TestProbeTls:
    def test_each_machine_has_its_verdict(self, folder: Path):
        """Healthy machines pass, every step of them; what speaks old TLS only is found from both systems."""
        found = outcomes(folder / "junit.xml")
        assert not {name: verdict for name, verdict in found.items() if verdict and name.startswith(HEALTHY)}
        assert {name: found[f"{name}-schannel-and-tls"] for name in ("old-01", "old-02")} == {
            "old-01": ["TT908"],
            "old-02": ["TT908"],
        }

    def test_from_the_vantage_point_of_the_mode(self, folder: Path):
        """Servers try their listening Tentacles, polling ones their server; nobody else; each link once."""
        document = json.loads((folder / "saved.json").read_text(encoding="utf-8"))
        records = {record["machines"][0]: record for record in document["records"]}
        tried = {name: record.get("peer_tls_versions", []) for name, record in records.items()}
        assert {name: {one["link"]["tentacle"] for one in found} for name, found in tried.items() if found} == {
            "octo-1": {"win-01", "old-01"},
            "octo-2": {"lin-02", "old-02"},
        }
        own = {name: record["survey"].get("tls_versions", []) for name, record in records.items()}
        assert {name: len(found) for name, found in own.items() if found} == {"win-02": 1, "lin-01": 1}
        for one in (*own["win-02"], *own["lin-01"]):
            works = [trial["version"] for trial in one["trials"] if "cipher" in trial]
            assert works == ["TLSv1.2", "TLSv1.3"]

    def test_from_here_too(self, folder: Path):
        """The machine that runs pytest tries each listening port as well."""
        document = json.loads((folder / "saved.json").read_text(encoding="utf-8"))
        assert {"win-01", "lin-02", "old-01", "octo-1"} <= document["controller_tls_versions"].keys()

    def test_the_report_names_option_and_cause(self, folder: Path):
        """A reader knows that it was asked for; the cause explains this code together with the failed look."""
        (report,) = (folder / "reports").glob("*.json")
        text = report.read_text(encoding="utf-8")
        assert '"--probe-tls"' in text
        causes = {machine: cause["code"] for cause in json.loads(text)["causes"] for machine in cause["machines"]}
        assert causes == {"old-01": "TC5251", "old-02": "TC5251"}

    def test_a_replay_judges_the_same(self, folder: Path, run_pytest):
        """Without the option, since the surveys hold the trials."""
        done = run_pytest(
            "--replay", "saved.json", "--junitxml", "again.xml", "-o", "junit_family=xunit1", *QUIET, cwd=folder
        )
        assert done.returncode == 1
        assert outcomes(folder / "again.xml") == outcomes(folder / "junit.xml")


class TestOption:
    def test_a_replay_tries_nothing(self, folder: Path, run_pytest):
        """It contacts nobody."""
        done = run_pytest("--replay", "saved.json", "--probe-tls", *QUIET, cwd=folder)
        assert done.returncode == pytest.ExitCode.USAGE_ERROR
        assert "a replay contacts no machine" in done.stderr

    def test_its_help_says_what_it_leaves(self, run_pytest, tmp_path: Path):
        """In the log of the other end."""
        done = run_pytest("--help", cwd=tmp_path)
        told = " ".join(done.stdout.split())
        assert "--probe-tls" in told
        assert "in the log of the other end" in told
