"""What a survey sends to a machine, for those who have to let it in.

The command line, the script's SHA-256 and the script itself, as they are sent; the request, which differs from machine
to machine, is data and stands behind it (Windows) or before it (Linux).
"""

from __future__ import annotations

import hashlib

from . import linux, windows

SYSTEMS = ("windows", "constrained", "linux")
"""`constrained`: Windows whose PowerShell runs in constrained language mode."""


def script_sha256(system: str) -> str:
    """SHA-256 of the script that is sent to machines of a kind (`windows`, `constrained`, `linux`), in hexadecimal."""
    return hashlib.sha256(_script(system).encode("ascii")).hexdigest()


def shown(system: str) -> str:
    """What is sent to machines of a system, behind some lines of comment."""
    return "\n".join(
        [
            f"# command line: {_command(system)}",
            f"# SHA-256 of what follows, without the last line end: {script_sha256(system)}",
            _script(system),
        ]
    )


def _script(system: str) -> str:
    made = {"windows": windows.script, "constrained": windows.constrained_script, "linux": linux.script}
    return made[system]()


def _command(system: str) -> str:
    return {"windows": windows.COMMAND, "constrained": windows.BY_CMDLETS, "linux": linux.COMMAND}[system]
