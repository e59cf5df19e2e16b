"""What `--inventory` names: a file, standard input, a program, a table, Ansible's hosts, or the embedded lab."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pytest_tentacle.inventory.faults import Faults, Place
from pytest_tentacle.inventory.nodes import MapValue, parse

from .program import read_ansible, run_program
from .table import read_table

STANDARD_INPUT = "-"
LAB = "lab:"
_ANSIBLE, _TABLE = "ansible:", "csv:"
_PROGRAM_STARTS = (b"#!", b"\x7fELF", b"MZ")


def is_special(path: Path) -> bool:
    """Whether it is no plain file of ours."""
    text = str(path)
    return text in {STANDARD_INPUT, LAB} or text.startswith((_ANSIBLE, _TABLE)) or _is_program(path)


def open_special(path: Path, faults: Faults) -> tuple[MapValue | None, bytes]:
    """The root of what it gives and the bytes that it was made of; None where it is faulty, which is noted."""
    text = str(path)
    if text.startswith(_ANSIBLE):
        return read_ansible(text.removeprefix(_ANSIBLE), faults)
    if text.startswith(_TABLE):
        raw = _bytes_of(Path(text.removeprefix(_TABLE)), text, faults)
        return (None if raw is None else read_table(text, raw, faults)), raw or b""
    if text == STANDARD_INPUT:
        raw = sys.stdin.buffer.read()
    elif text == LAB:
        raw = lab_file().read_bytes()
    else:
        raw = run_program(path, faults)
    return (None if raw is None else parse(text, raw, faults)), raw or b""


def lab_file() -> Path:
    """The embedded lab's inventory: in the package where it is installed, at the top of a checkout."""
    package = Path(__file__).parents[2]
    for folder in (package / "lab" / "inventory", package.parents[1] / "inventory"):
        if (folder / "lab.yaml").is_file():
            return folder / "lab.yaml"
    raise FileNotFoundError("the lab's inventory is not installed with pytest-tentacle: reinstall it")


def _is_program(path: Path) -> bool:
    """An executable that begins as programs do: a file of ours that somebody made executable stays a file."""
    try:
        if not (path.is_file() and os.access(path, os.X_OK)):
            return False
        with path.open("rb") as file:
            return file.read(4).startswith(_PROGRAM_STARTS)
    except OSError:
        return False


def _bytes_of(path: Path, name: str, faults: Faults) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError as error:
        faults.add(Place(name), f"it cannot be read: {error.strerror or error}")
        return None
