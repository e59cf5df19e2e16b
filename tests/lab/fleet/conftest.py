"""One run over the whole lab with the real PowerShell engine, one with its recordings, as a user would start them."""

from __future__ import annotations

import json
import os
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from ruamel.yaml import YAML

from pytest_tentacle.sections import STEPS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`sick_or_well` is each machine of the module's TABLE, with what it is designed to be told."""
    if "sick_or_well" in metafunc.fixturenames:
        table = designed(metafunc.module.TABLE)
        metafunc.parametrize("sick_or_well", table.items(), ids=table)


def designed(name: str) -> dict[str, dict[str, tuple[str, ...] | str]]:
    """A table of verdicts: by machine and step, codes, or the outcome's word."""
    table = YAML(typ="safe").load(Path(__file__).with_name(name))
    return {machine: {step: _meant(words) for step, words in steps.items()} for machine, steps in table.items()}


def _meant(words: str) -> tuple[str, ...] | str:
    return tuple(words.split()) if words.startswith("TT") else words


@pytest.fixture(scope="session")
def tables() -> dict[str, dict[str, dict[str, tuple[str, ...] | str]]]:
    """Both tables of verdicts, by the inventory that each is of."""
    return {name: designed(f"{name}.verdicts.yaml") for name in ("lab", "lab-guide")}


@dataclass(frozen=True)
class LabRun:
    """What a run left: `verdicts` maps a test id such as `web-01-services-running` to its codes, or its outcome's word."""

    exit_code: int
    output: str
    folder: Path
    verdicts: dict[str, tuple[str, ...] | str]
    surveys: dict

    @property
    def machines(self) -> set[str]:
        """Names of the machines that have tests."""
        step = "|".join(one.slug for one in STEPS)
        return {re.fullmatch(rf"(.+)-(?:{step})", name)[1] for name in self.verdicts}

    def of(self, machine: str) -> dict[str, tuple[str, ...] | str]:
        """A machine's verdicts by step, passed ones left out."""
        return {
            name.removeprefix(f"{machine}-"): verdict
            for name, verdict in self.verdicts.items()
            if name.startswith(f"{machine}-") and verdict != "passed"
        }


def _verdict(case: ET.Element) -> tuple[str, ...] | str:
    problems = tuple(one.get("value") for one in case.iterfind("properties/property[@name='problem']"))
    if problems or case.find("failure") is not None:
        return problems  # also of a step that notes one, and is blocked before it comes to another
    if case.find("error") is not None:
        return "unknown"
    skipped = case.find("skipped")
    if skipped is not None:
        return "blocked by " + re.search(r"blocked by (TT\d+)", skipped.get("message") + (skipped.text or ""))[1]
    return "passed"


_BUSY = "so busy that its own port took"
_RUNS = 3
"""All machines of the lab are this one: where it is too busy to tell, it does what the report advises, and runs again."""


def _run(run_pytest, top: Path, folder: Path, environment: dict[str, str], *more: str, inventory: str) -> None:
    for _ in range(_RUNS):
        shutil.rmtree(folder / "reports", ignore_errors=True)
        done = run_pytest(
            "--inventory", top / "inventory" / inventory, "--output", "full", "--junitxml", "junit.xml",
            "-o", "junit_family=xunit1", "--save-surveys", "surveys.json", "-p", "no:cacheprovider", *more,
            cwd=folder, environment=environment,
        )  # fmt: skip
        if _BUSY not in " ".join(done.stdout.split()):
            break
    assert (folder / "junit.xml").exists(), done.stdout[-5000:] + done.stderr[-3000:]
    (folder / "exit_code").write_text(str(done.returncode))
    (folder / "output").write_text(done.stdout + done.stderr, encoding="utf-8")
    if (sample := os.environ.get("PYTEST_TENTACLE_SAMPLE")) and folder.name == "lab":
        (page,) = (folder / "reports").glob("*.html")
        Path(sample).parent.mkdir(exist_ok=True)
        shutil.copy(page, sample)


def _read(folder: Path) -> LabRun:
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")
    return LabRun(
        exit_code=int((folder / "exit_code").read_text()),
        output=(folder / "output").read_text(encoding="utf-8"),
        folder=folder,
        verdicts={re.search(r"\[(.+)\]$", case.get("name"))[1]: _verdict(case) for case in cases},
        surveys=json.loads((folder / "surveys.json").read_text(encoding="utf-8")),
    )


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, run_pytest, top: Path):
    """`once(name, environment, ...)` runs a lab for all of this session's processes, and reads what it left."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def run(name: str, powershell: str, *more: str, inventory: str) -> LabRun:
        folder = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not (folder / "exit_code").exists():
                folder.mkdir(exist_ok=True)
                _run(run_pytest, top, folder, {"PYTEST_TENTACLE_POWERSHELL": powershell}, *more, inventory=inventory)
        return _read(folder)

    return run


@pytest.fixture(scope="session")
def real_run(once, engine: Path) -> LabRun:
    """With the engine behind the lab's Windows machines."""
    return once("lab", str(engine), inventory="lab.yaml")


@pytest.fixture(scope="session")
def guide_run(once, engine: Path) -> LabRun:
    """Over inventory/lab-guide.yaml, all steps."""
    return once("lab-guide", str(engine), inventory="lab-guide.yaml")


@pytest.fixture(scope="session")
def recorded_run(once) -> LabRun:
    """Without any engine."""
    return once("recorded-lab", "none", inventory="lab.yaml")


@pytest.fixture(scope="session")
def log_run(once, engine: Path) -> LabRun:
    """Over inventory/lab-logs.yaml, the two steps that read logs."""
    steps = "identify-the-problem or other-error-messages"
    return once("lab-logs", str(engine), "-k", steps, inventory="lab-logs.yaml")
