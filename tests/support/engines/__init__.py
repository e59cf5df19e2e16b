"""PowerShell engines that are kept: one start and one warming-up for many questions of the tests.

An engine's start and its first compiling of a script cost 2.3 s of CPU, each further survey by the same process 0.5 s. So
the tests' PowerShell is a small program (`client.py`) that hands its command line, folder, environment and open files
to a broker (`broker.py`), which has an engine that idles run them: in a runspace of its own, by the very code with which
the engine runs a command of its own (`warm.ps1`), and what it has compiled of the survey's script it uses again: only the
request differs. What is no plain command, or has another engine, runs as it always did.

Who asks for `cold_engine` gets the engine itself, in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

VARIABLE = "PYTEST_TENTACLE_POWERSHELL"
COLD = "PYTEST_TENTACLE_COLD_POWERSHELL"
"""The engine behind the client, while engines are kept."""

OF_PROCESS = ("TZ", "LANG", "LC_ALL", "__PSLockdownPolicy", "DOTNET_")
"""How the variables begin that an engine reads once, as it starts."""

LONGEST = 120
"""Of a path that a script may name as its interpreter."""

HERE = Path(__file__).parent


class Kept:
    """The broker of a session, with its engines; all of it ends with the process that started it."""

    def __init__(self, engine: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="engines-"))
        address = self._folder / "broker"
        self.client = self._folder / "pwsh"
        values = (str(engine), str(address), OF_PROCESS, _of_process())
        code = (HERE / "client.py").read_text(encoding="utf-8")
        self.client.write_text(f"#!{sys.executable} -IS\n{code}\n\nmain(*{values!r})\n", encoding="utf-8")
        self.client.chmod(self.client.stat().st_mode | stat.S_IXUSR)
        self._broker = subprocess.Popen(
            [sys.executable, "-IS", str(HERE / "broker.py"), str(engine), str(address)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for the tests
        )
        assert self._broker.stdout is not None
        self._broker.stdout.readline()  # it listens

    def close(self) -> None:
        """End the broker, which ends its engines."""
        assert self._broker.stdin is not None
        self._broker.stdin.close()
        self._broker.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _of_process() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(OF_PROCESS)}


def keep() -> Kept | None:
    """From now on, let the environment's PowerShell be one that is kept; None where there is none, or it is kept already."""
    found = os.environ.get(VARIABLE) or shutil.which("pwsh")
    if COLD in os.environ or not found or not Path(found).is_file() or not sys.platform.startswith("linux"):
        return None
    if len(sys.executable) > LONGEST:
        return None
    kept = Kept(Path(found))
    os.environ[COLD], os.environ[VARIABLE] = found, str(kept.client)
    return kept


def give_back(kept: Kept) -> None:
    """Undo `keep`."""
    os.environ[VARIABLE] = os.environ.pop(COLD)
    kept.close()
