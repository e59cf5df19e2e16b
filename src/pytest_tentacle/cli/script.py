"""`pytest-tentacle script windows`: what a survey sends to a machine, with its SHA-256."""

from __future__ import annotations

import argparse
import sys

SYSTEMS = ("windows", "constrained", "linux")
"""`constrained`: Windows whose PowerShell runs in constrained language mode."""


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument(
        "system",
        choices=SYSTEMS,
        help="the machines' operating system, or `constrained`: Windows in constrained language mode",
    )


def run(options: argparse.Namespace) -> int:
    """Exit code 0."""
    from pytest_tentacle.survey.scripts.shown import shown  # noqa: PLC0415  the survey: not for the other commands

    sys.stdout.write(shown(options.system) + "\n")
    return 0
