"""A lab machine that runs Linux, as far as the survey script can tell: a PATH of stand-ins and recorded real tools.

Needs a POSIX system, as the lab does. `machine.json` may also hold `missing`: commands that this machine has not.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STAND_INS = ("getent", "hostname", "ip", "netstat", "nslookup", "ps", "ss", "systemctl", "uname")
"""Commands that answer from `machine.json`."""

REAL_TOOLS = (
    "awk",
    "base64",
    "cat",
    "curl",
    "date",
    "grep",
    "gzip",
    "head",
    "id",
    "ls",
    "od",
    "openssl",
    "readlink",
    "sed",
    "sleep",
    "stat",
    "timeout",
    "tr",
    "true",
)
"""The real tools that a survey script may call: none of them writes, as the script calls it."""

REFUSABLE = ("cat", "ls")
"""Real tools that a lab machine may refuse a file to."""

LOG = "commands.log"

DENIABLE = ("services", "sockets", "processes", "addresses", "instances", "configuration")
"""What `denied` may name, besides paths of files and folders."""


def prepare(folder: Path) -> dict[str, str]:
    """Fill the machine's `bin/`; the environment in which the machine's commands are to run, and no other variables.

    Every command on the PATH notes its call in `<folder>/commands.log` (see `called`).
    """
    description = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    missing = set(description.get("missing", []))
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    for name in STAND_INS:
        if name not in missing:
            _launcher(commands / name)
    for name in REAL_TOOLS:
        real = shutil.which(name)
        if real is not None and name not in missing:
            _launcher(commands / name, real)
    shell = shutil.which("sh") or "/bin/sh"
    (commands / "sh").symlink_to(shell)
    return {
        "PATH": str(commands),
        "HOME": str(folder),
        "TENTACLE_LAB_MACHINE": str(folder / "machine.json"),
        "TentacleMachineConfigurationHomeDirectory": str(folder / "files" / "etc" / "octopus"),
    }


def _launcher(path: Path, real: str = "") -> None:
    """A small script. A survey starts some hundred real tools, so their calls are noted by the shell itself.

    One `printf` is one write, which keeps the calls of parallel jobs apart. Only stand-ins, and what may be refused,
    cost an interpreter; its path may be too long for a `#!` line.
    """
    if real and path.name not in REFUSABLE:
        words = [r"printf '%.300s\037'", path.name, '"$@"', "\036", f">>{shlex.quote(str(path.parent.parent / LOG))}"]
        text = f'#!/bin/sh\n{" ".join(words)}\nexec {shlex.quote(real)} "$@"\n'
    else:
        with as_file(files(__package__) / "linux" / "launch.py") as launch:
            words = [sys.executable, "-IS", str(launch), path.name, *([real] if real else []), "--"]
        text = f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def called(folder: Path) -> list[tuple[str, list[str]]]:
    """Every call that a machine's commands noted so far: command and arguments (each cut to 300 characters)."""
    log = folder / LOG
    if not log.exists():
        return []
    records = log.read_text(encoding="utf-8", errors="replace").split("\x1e\x1f")
    calls = (record.rstrip("\x1f").split("\x1f") for record in records if record)
    return [(command, arguments) for command, *arguments in calls]
