"""Entry of every command on a lab machine's PATH: `launch.py <command> [<path of the real tool>] -- <arguments>`.

Runs in an interpreter of its own, isolated and without site packages, since a survey starts some hundred commands: so
it imports as little as it can. Each call is noted in `commands.log` beside `machine.json` as linux_machine.py reads it; then
the real tool takes this process over, or the stand-in of that name answers.
"""

from __future__ import annotations

import importlib
import os
import sys

_NOTED_CHARACTERS = 300
"""Of each argument: awk programs are long, and the list of what may run needs their beginning at most."""


def note(folder: str, command: str, arguments: list[str]) -> None:
    """Append the call to the log, in one write, as several commands run at once."""
    fields = [command, *(os.fsencode(one).decode("utf-8", "replace")[:_NOTED_CHARACTERS] for one in arguments), "\x1e"]
    line = "".join(f"{field}\x1f" for field in fields)
    log = os.open(os.path.join(folder, "commands.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)  # noqa: PTH118  pathlib is slow to import
    try:
        os.write(log, line.encode())
    finally:
        os.close(log)


def main() -> None:
    """Note the call; then be the real tool, or its stand-in."""
    split = sys.argv.index("--")
    command, real = sys.argv[1], sys.argv[2:split]
    arguments = sys.argv[split + 1 :]
    machine = os.environ["TENTACLE_LAB_MACHINE"]
    folder = os.path.dirname(machine)  # noqa: PTH120  pathlib is slow to import
    note(folder, command, arguments)
    if real and not _may_be_refused(command):
        os.execv(real[0], [command, *arguments])  # noqa: S606  the very point: no shell in between
    sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120  pathlib is slow to import
    standins = importlib.import_module("standins")

    if real:
        refusal = standins.refusal(machine, command, arguments)
        if refusal is None:
            os.execv(real[0], [command, *arguments])  # noqa: S606  the very point: no shell in between
        sys.exit(refusal)
    sys.exit(standins.answer(machine, command, arguments))


def _may_be_refused(command: str) -> bool:
    return command in {"cat", "ls"}


main()
