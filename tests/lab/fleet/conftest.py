"""One run over the whole lab with the real PowerShell engine, one with its recordings, as a user would start them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class LabRun:
    """What a run left: `verdicts` maps a test id such as `web-01-services-running` to its codes, or its outcome's word."""

    exit_code: int
    output: str
    folder: Path
    verdicts: dict[str, tuple[str, ...] | str]
    surveys: dict

    def of(self, machine: str) -> dict[str, tuple[str, ...] | str]:
        """A machine's verdicts by step, passed ones left out."""
        return {
            name.removeprefix(f"{machine}-"): verdict
            for name, verdict in self.verdicts.items()
            if name.startswith(f"{machine}-") and verdict != "passed"
        }


def _verdict(case: ET.Element) -> tuple[str, ...] | str:
    if case.find("failure") is not None:
        return tuple(one.get("value") for one in case.iterfind("properties/property[@name='problem']"))
    if case.find("error") is not None:
        return "unknown"
    skipped = case.find("skipped")
    if skipped is not None:
        return "blocked by " + re.search(r"blocked by (TT\d+)", skipped.get("message") + (skipped.text or ""))[1]
    return "passed"


def _run(run_pytest, top: Path, folder: Path, environment: dict[str, str]) -> LabRun:
    done = run_pytest(
        "--inventory", top / "inventory" / "lab.yaml", "--output", "full", "--junitxml", "junit.xml",
        "--save-surveys", "surveys.json", "-p", "no:cacheprovider",
        cwd=folder, environment=environment,
    )  # fmt: skip
    assert (folder / "junit.xml").exists(), done.stdout[-5000:] + done.stderr[-3000:]
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")
    verdicts = {re.search(r"\[(.+)\]$", case.get("name"))[1]: _verdict(case) for case in cases}
    surveys = json.loads((folder / "surveys.json").read_text(encoding="utf-8"))
    return LabRun(done.returncode, done.stdout + done.stderr, folder, verdicts, surveys)


@pytest.fixture(scope="session")
def real_run(run_pytest, top: Path, tmp_path_factory: pytest.TempPathFactory, engine: Path) -> LabRun:
    """With the engine behind the lab's Windows machines."""
    folder = tmp_path_factory.mktemp("lab")
    return _run(run_pytest, top, folder, {"PYTEST_TENTACLE_POWERSHELL": str(engine)})


@pytest.fixture(scope="session")
def recorded_run(run_pytest, top: Path, tmp_path_factory: pytest.TempPathFactory) -> LabRun:
    """Without any engine."""
    folder = tmp_path_factory.mktemp("recorded-lab")
    return _run(run_pytest, top, folder, {"PYTEST_TENTACLE_POWERSHELL": "none"})
