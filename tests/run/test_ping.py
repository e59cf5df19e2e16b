"""A run that pings a few lab machines, on both systems and in both modes, and its replay."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.lab import faults

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
tentacles:
  - { name: win-01, groups: [windows, listening] }
  - { name: lin-01, groups: [linux, polling] }
  - { name: third-01, groups: [linux, listening], lab: { fault: one-in-three-closed } }
  - { name: twins-01, groups: [linux, listening], lab: { fault: two-machines-at-one-address } }
  - { name: down-01, groups: [linux, listening], lab: { fault: service-stopped } }
"""
QUIET = ("-p", "no:cacheprovider", "-q")


@pytest.fixture(scope="session")
def folder(run_pytest, tmp_path_factory: pytest.TempPathFactory, engine: Path) -> Path:
    """What the run left."""
    made = tmp_path_factory.mktemp("ping")
    (made / "lab.yaml").write_text(INVENTORY, encoding="utf-8")
    done = run_pytest(
        "--inventory", "lab.yaml", "--ping-count", "12", "--save-surveys", "saved.json", "--output", "full",
        "--junitxml", "junit.xml", "-o", "junit_family=xunit1", "-k", "tentacle_ping or across",
        "-p", faults.__name__, *QUIET, cwd=made,
        environment={"PYTEST_TENTACLE_POWERSHELL": str(engine), "PYTHONPATH": str(Path(faults.__file__).parents[2])},
    )  # fmt: skip
    assert (made / "saved.json").exists(), done.stdout + done.stderr
    (made / "console.txt").write_text(done.stdout, encoding="utf-8")
    return made


def outcomes(junit: Path) -> dict[str, list[str]]:
    """By `<machine>-<step>`: codes, or `skipped`, or nothing."""
    found = {}
    for case in ET.parse(junit).getroot().iter("testcase"):
        codes = [one.get("value") for one in case.iterfind("properties/property[@name='problem']")]
        name = case.get("name", "").partition("[")[2].rstrip("]")
        found[name] = codes + [word for word in ("error", "skipped") if case.find(word) is not None]
    return found


class TestPing:
    def test_each_machine_has_its_verdict(self, folder: Path):
        """Healthy links pass; what one look does not see is found; what is known already blocks; a server has none."""
        found = outcomes(folder / "junit.xml")
        assert {name: verdict for name, verdict in found.items() if name.endswith("-tentacle-ping")} == {
            "win-01-tentacle-ping": [],
            "lin-01-tentacle-ping": [],
            "third-01-tentacle-ping": ["TT643"],
            "twins-01-tentacle-ping": ["TT645"],
            "down-01-tentacle-ping": ["skipped"],
        }
        assert not [
            name for name, verdict in found.items() if verdict and name.endswith("across") and "down" not in name
        ]

    def test_from_the_vantage_point_of_the_mode(self, folder: Path):
        """The server pings listening Tentacles, a polling one its server; nobody else pings."""
        document = json.loads((folder / "saved.json").read_text(encoding="utf-8"))
        records = {record["machines"][0]: record for record in document["records"]}
        assert document["ping"]["count"] == 12
        assert {series["link"]["tentacle"] for series in records["octo-1"]["peer_pings"]} == {
            "win-01", "third-01", "twins-01", "down-01",
        }  # fmt: skip
        assert [len(series["attempts"]) for series in records["lin-01"]["survey"]["pings"]] == [12]
        assert {name for name, record in records.items() if record.get("survey", {}).get("pings")} == {"lin-01"}

    def test_the_report_names_the_option(self, folder: Path):
        """A reader knows how often."""
        (report,) = (folder / "reports").glob("*.json")
        assert '"--ping-count"' in report.read_text(encoding="utf-8")

    def test_a_replay_judges_the_same(self, folder: Path, run_pytest):
        """Without the option, since the surveys hold the pings."""
        done = run_pytest(
            "--replay",
            "saved.json",
            "--junitxml",
            "again.xml",
            "-o",
            "junit_family=xunit1",
            "-k",
            "tentacle_ping or across",
            *QUIET,
            cwd=folder,
        )
        assert done.returncode == 1
        assert outcomes(folder / "again.xml") == outcomes(folder / "junit.xml")


class TestOptions:
    def test_without_them_there_is_no_such_test(self, folder: Path, run_pytest):
        """No machine is contacted for it."""
        done = run_pytest("--inventory", "lab.yaml", "-k", "tentacle_ping", *QUIET, cwd=folder)
        assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
        assert "surveying" not in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (("--ping-count", "0"), "must be a whole number from 1 to 1000"),
            (("--ping-duration", "601"), "must be a whole number from 1 to 600"),
            (("--ping-payload", "20001", "--ping-count", "2"), "must be a whole number from 1 to 16000"),
            (("--ping-payload", "500"), "--ping-payload goes with"),
            (("--ping-count", "200"), "give --machine-timeout 167"),
            (("--ping-duration", "60"), "give --machine-timeout 107"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, folder: Path, run_pytest, arguments, word):
        """Before any machine is contacted, with what would fit."""
        done = run_pytest("--inventory", "lab.yaml", *arguments, *QUIET, cwd=folder)
        assert done.returncode == pytest.ExitCode.USAGE_ERROR
        assert word in done.stderr

    def test_what_fits_is_taken(self, folder: Path, run_pytest):
        """By the number that the refusal named."""
        done = run_pytest(
            "--inventory",
            "lab.yaml",
            "--ping-count",
            "200",
            "--machine-timeout",
            "167",
            "--collect-only",
            *QUIET,
            cwd=folder,
        )
        assert done.returncode == 0
        assert "win-01-tentacle-ping" in done.stdout

    def test_a_replay_does_not_ping(self, folder: Path, run_pytest):
        """It contacts nobody."""
        done = run_pytest("--replay", "saved.json", "--ping-count", "3", *QUIET, cwd=folder)
        assert done.returncode == pytest.ExitCode.USAGE_ERROR
        assert "a replay contacts no machine" in done.stderr
