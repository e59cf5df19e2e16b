"""What a program prints: an executable's output, and Ansible's inventory through `ansible-inventory --list`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_tentacle.hiding import shorten
from pytest_tentacle.inventory.faults import Faults, Place
from pytest_tentacle.inventory.nodes import MapValue

from .ansible import entries_of_ansible
from .plain import nodes_of

SECONDS = 60.0
"""That a program may take to print an inventory."""

MOST_BYTES = 64 * 1024 * 1024


def run_program(path: Path, faults: Faults) -> bytes | None:
    """What an executable prints as our YAML or JSON; None where it fails, which is noted with its last words."""
    return _output([str(path.absolute())], Place(str(path)), faults)


def read_ansible(source: str, faults: Faults) -> tuple[MapValue | None, bytes]:
    """Ansible's hosts as the root of an inventory, and the bytes that Ansible printed."""
    place = Place(f"ansible:{source}", 1, 1)
    if not Path(source).exists():
        faults.add(place, "there is no such file or folder", source)
        return None, b""
    program = shutil.which("ansible-inventory")
    if program is None:
        faults.add(place, "ansible-inventory is not installed here", hint="pip install ansible-core")
        return None, b""
    raw = _output([program, "--list", "--inventory", source], place, faults)
    if raw is None:
        return None, b""
    try:
        document: Any = json.loads(raw)
    except (ValueError, RecursionError):
        faults.add(place, "ansible-inventory printed no JSON")
        return None, raw
    entries = entries_of_ansible(document if isinstance(document, dict) else {}, place, faults)
    return (nodes_of(entries, place) if entries else None), raw


def _output(command: Sequence[str], place: Place, faults: Faults) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603  the user named it
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )
    except subprocess.TimeoutExpired:
        faults.add(place, f"it printed nothing within {SECONDS:g} s")
        return None
    except OSError as error:
        faults.add(place, f"it cannot be run: {error.strerror or error}")
        return None
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        faults.add(place, f"it ended with exit code {done.returncode}", hint=shorten(words[-1], 300) if words else None)
        return None
    if len(done.stdout) > MOST_BYTES:
        faults.add(place, f"it printed more than {MOST_BYTES // 2**20} MiB")
        return None
    return done.stdout
