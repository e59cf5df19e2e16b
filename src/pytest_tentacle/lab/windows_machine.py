"""A lab machine that runs Windows, as far as a reading script can tell: a prelude for the PowerShell engine.

The prelude defines functions of the names of Windows' own cmdlets, answers from `machine.json`, maps `files/C` as drive
C:, and notes every call in `commands.log` beside it. Besides the keys that every lab machine has, `machine.json` may
hold `registry` (key to values) and `environment` (the machine's variables). `denied` may name `cim` (all of WMI),
`services`, `processes`, `host`, `addresses`, `sockets`, `netstat` (it prints nothing), `registry`, `instances` (their
index), `configuration` (the content of every file) and `elevation` (the survey's account is no administrator).
"""

from __future__ import annotations

import json
from pathlib import Path

PRELUDE = Path(__file__).with_name("windows") / "prelude.ps1"


def prepare(folder: Path) -> tuple[Path, dict[str, str]]:
    """The prelude to dot-source in front of a command, and the environment that it and the command need.

    The environment is to be added to the engine's own; it holds Windows' variables and where the machine's folder is.
    """
    description = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    (folder / "files" / "C").mkdir(parents=True, exist_ok=True)
    environment = {
        "TENTACLE_LAB_MACHINE": str(folder / "machine.json"),
        "COMPUTERNAME": description["hostname"].upper()[:15],
        "USERNAME": "surveyor",
        "ProgramData": "C:\\ProgramData",
        "SystemRoot": "C:\\Windows",
        "PROCESSOR_ARCHITECTURE": "AMD64",
    }
    return PRELUDE, environment | description.get("environment", {})
