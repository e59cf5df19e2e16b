"""The options of what a run does only where it is asked for, and how their values are read."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from .terminal import is_there

MOST_WATCH_SECONDS = 86_400

LIST_VARIABLE = "PYTEST_TENTACLE_LIST_MACHINES"
"""Names a file: a collecting process writes the selected machines there, one a line, and surveys nothing."""


def add_acting(group: pytest.OptionGroup) -> None:
    """Add them."""
    group.addoption(
        "--until-well",
        type=whole(1, MOST_WATCH_SECONDS),
        metavar="SECONDS",
        help="look again at machines with problems or unknowns, every ten seconds at most, until there are none or the "
        "time is over; the report tells what changed when",
    )
    group.addoption(
        "--restart",
        choices=["tentacle", "server", "all"],
        help="before the survey, restart these services of the selected machines, after a question that lists them; a "
        "restart ends scripts and deployments that run there",
    )
    group.addoption(
        "--even-busy",
        action="store_true",
        help="with --restart: also a server node that runs tasks, or of which that is not known",
    )
    group.addoption("--yes", action="store_true", help="with --restart: do not ask, for unattended runs")


def restart_asked(config: pytest.Config) -> Any:
    """Whose services to restart. Raises pytest.UsageError where nobody could be asked first."""
    wanted = of_machines(config, "restart")
    if wanted is None:
        for name in ("even_busy", "yes"):
            if config.getoption(name):
                raise pytest.UsageError(f"--{name.replace('_', '-')} goes with --restart")
        return None
    asks = not (config.getoption("yes") or hasattr(config, "workerinput") or os.environ.get(LIST_VARIABLE))
    if asks and not is_there(config):
        raise pytest.UsageError(
            "--restart asks before it restarts anything, and there is no terminal to answer on: "
            "run it on one, or add --yes"
        )
    return wanted


def of_machines(config: pytest.Config, name: str) -> Any:
    """The value of an option that means something only where machines are contacted."""
    value = config.getoption(name)
    if value and config.getoption("replay"):
        raise pytest.UsageError(f"a replay contacts no machine: leave --{name.replace('_', '-')} out")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number within these bounds."""

    def whole_number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from {least} to {most}")
        return int(text)

    return whole_number


def web_address(text: str) -> str:
    """An option's value as the beginning of links."""
    if not re.fullmatch(r"https?://[\w.:\[\]-]+(/[\w./~%-]*)?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"must be an address such as https://docs.example.com/tentacle: {text!r}")
    return text.rstrip("/")
