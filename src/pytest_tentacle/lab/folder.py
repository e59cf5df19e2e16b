"""A lab machine on disk: the folder that its stand-ins answer from."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from pytest_tentacle.inventory.model import OperatingSystem

from .blueprint import PID, Blueprint
from .logs import write_early_log, write_logs

_EARLY_LOGS = {
    OperatingSystem.WINDOWS: "C/Windows/System32/config/systemprofile/AppData/Local/Octopus/Logs",
    OperatingSystem.LINUX: "root/.local/share/Octopus/Logs",
}
"""Where the services' own account writes before it knows its home (tentacle-facts 3.1)."""


def write(machine: Blueprint, folder: Path) -> None:
    """Write a machine's folder: configuration, logs, files, and what the stand-ins answer."""
    folder.mkdir(parents=True)
    named, real = machine.config_path(folder)
    kind = "OctopusServer" if machine.is_server else "Tentacle"
    root = folder / "files" / ("C/ProgramData/Octopus" if machine.is_windows else "etc/octopus")
    index = root / kind / "Instances" / f"{kind.lower()}.config"
    index.parent.mkdir(parents=True)
    if machine.registered:
        index.write_text(json.dumps({"Name": kind, "ConfigurationFilePath": named}, indent=2), encoding="utf-8")
    real.parent.mkdir(parents=True)
    if not machine.is_windows:
        machine.settings["Octopus.Home"] = str(real.parent)
    logs = real.parent / "Logs"
    logs.mkdir()
    write_logs(machine, logs, PID)
    if not machine.is_server:
        early = folder / "files" / _EARLY_LOGS[machine.os]
        early.mkdir(parents=True)
        write_early_log(machine, early, PID)
    if not machine.config_missing:
        text = machine.xml() if machine.config_text is None else machine.config_text
        real.write_bytes(text.encode("utf-8-sig") if text else b"")
        written = time.time() - machine.config_hours * 3600
        os.utime(real, (written, written))
    for path, text in machine.files.items():
        place = folder / "files" / path.replace(":\\", "/").replace("\\", "/").lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    (folder / "machine.json").write_text(json.dumps(machine.description(), indent=1), encoding="utf-8")
