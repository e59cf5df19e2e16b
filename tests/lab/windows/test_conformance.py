"""Every stand-in for Windows answers as real machines do: each row of conformance.yaml, with its source."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pytest_tentacle.lab.windows.machine import prepare

from .test_stand_ins import MACHINE

TABLE = YAML(typ="safe").load(Path(__file__).with_name("conformance.yaml").read_text(encoding="utf-8"))
ROWS = [(number, row) for number, group in enumerate(TABLE["groups"]) for row in group["rows"]]
LAB = Path(prepare.__globals__["__file__"]).parent

BASE = MACHINE | {
    "services": [
        {"name": "OctopusDeploy Tentacle", "state": "running", "start_mode": "auto", "account": "LocalSystem",
         "pid": 2136, "command": "C:\\T\\Tentacle.exe run", "environment": {}},
    ],
    "processes": [{"pid": 2136, "name": "Tentacle.exe", "started_utc": "2026-11-20T04:05:06Z"}],
    "sockets": [{"address": "127.0.0.1", "port": 10933, "pid": 2136, "state": "listen"}],
}  # fmt: skip

SHOW = (
    "function Show { param($Errors) $Errors | ForEach-Object { $_.FullyQualifiedErrorId; $_.CategoryInfo.ToString() } }"
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, engine: Path) -> dict[tuple[int, str], Any]:
    """All answers, one run of the engine for each machine."""
    found = {}
    for number, group in enumerate(TABLE["groups"]):
        folder = tmp_path_factory.mktemp(f"machine-{number}")
        (folder / "machine.json").write_text(json.dumps(BASE | group["machine"]), encoding="utf-8")
        prelude, environment = prepare(folder)
        names = [row["name"] for row in group["rows"]]
        asked = "\n".join(f"$all += , @(& {{ $e = @(); {row['ask']} }})" for row in group["rows"])
        code = f"{SHOW}\n$all = @()\n{asked}\nConvertTo-Json -Compress -Depth 4 -InputObject $all"
        done = subprocess.run(
            [engine, "-NoProfile", "-Command", f". '{prelude}'; & ([ScriptBlock]::Create([Console]::In.ReadToEnd()))"],
            input=code.encode(),
            capture_output=True,
            env=os.environ | environment,
            timeout=110,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        said = json.loads(done.stdout)
        found |= {(number, name): answer for name, answer in zip(names, said, strict=True)}
    return found


@pytest.mark.parametrize(("group", "row"), ROWS, ids=[f"{number}: {row['name']}" for number, row in ROWS])
def test_row(answers, group: int, row: dict[str, Any]):
    """As the row says."""
    found = answers[group, row["name"]]
    assert (found if isinstance(found, list) else [found]) == row["answer"]


def test_every_row_has_a_source():
    """And where it is only remembered or inferred, what else might be."""
    for _, row in ROWS:
        assert row["source"]
        if row["source"].startswith(("M", "I ")):
            assert row.get("uncertain") or "as for" in row["source"], row["name"]


def test_every_stand_in_has_a_row():
    """The table speaks of each cmdlet that the prelude defines."""
    defined = {
        line.split()[1]
        for file in LAB.glob("*.ps1")
        for line in file.read_text("utf-8").splitlines()
        if (line.startswith("function Get-") and "Lab" not in line)
        or line.startswith(("function Invoke-Cim", "function Test-Net"))
    }
    asked = " ".join(row["ask"] for _, row in ROWS)
    assert {name for name in defined if name not in asked} <= {"Get-Item", "Get-TlsEccCurve"}
