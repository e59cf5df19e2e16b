"""Where the lab's Windows machines find a PowerShell."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

VARIABLE = "PYTEST_TENTACLE_POWERSHELL"


def find_powershell() -> Path | None:
    """The engine that the environment variable names, else `pwsh` on the PATH, else None; `none` wants recordings.

    Raises FileNotFoundError when the variable names what is not there: a typing error must not pass for "no engine".
    """
    named = os.environ.get(VARIABLE)
    if named == "none":
        return None
    if named:
        if not Path(named).is_file():
            raise FileNotFoundError(f"{VARIABLE} names {named}, which does not exist")
        return Path(named)
    found = shutil.which("pwsh")
    return Path(found) if found else None
