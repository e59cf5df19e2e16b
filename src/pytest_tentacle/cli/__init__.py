"""`pytest-tentacle COMMAND`, beside `pytest --inventory`. A command is one module here, with `add` and `run`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "clean-slate": "the whole plan to remove a Tentacle and to bring it back, as a page and a script; nothing is run",
    "explain": "the manual's page of a code that a report names, offline: what it means, what to do",
    "inventory": "another source's machines as an inventory file of ours, to be reviewed: Octopus, Ansible, a table",
    "mend": "show a cause's commands for each machine, ask, run them, look again, and tell whether it is gone",
    "ping": "look at a Tentacle's or an Octopus Server's port again and again: name, TCP, TLS and page",
    "pong": "answer ping and TentaclePing over TLS 1.2 and later, until Ctrl-C",
    "schema": "the JSON Schema of inventories, with which an editor completes and checks them",
    "script": "what a survey sends to a machine, with its SHA-256, for those who have to let it in",
    "worker": "survey the machines of a site for runs elsewhere: the engine's own worker, with the site's name",
}
"""By name, in a few words. `add(parser)` of its module says what may follow, `run(options)` does it: the exit code."""


def _module(command: str) -> str:
    return command.replace("-", "_")


def main(argv: Sequence[str] | None = None) -> int:
    """The console script. Exit code 2 for wrong arguments, else the command's own."""
    parser = argparse.ArgumentParser(
        prog="pytest-tentacle",
        description="Beside `pytest --inventory FILE`, which diagnoses the machines of an inventory.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, words in COMMANDS.items():
        module = import_module(f"{__name__}.{_module(name)}")
        module.add(commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}."))
    options = parser.parse_args(argv)
    code: int = import_module(f"{__name__}.{_module(options.command)}").run(options)
    return code
