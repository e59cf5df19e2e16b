"""`pytest-tentacle schema > schema.json`: what an editor completes and checks inventories with."""

from __future__ import annotations

import argparse
import sys


def add(parser: argparse.ArgumentParser) -> None:
    """Nothing follows the command."""
    parser.epilog = "Put `# yaml-language-server: $schema=schema.json` into an inventory's first line."


def run(_options: argparse.Namespace) -> int:
    """Exit code 0."""
    from pytest_tentacle.inventory.schema import schema_text  # noqa: PLC0415  the models: not for the other commands

    sys.stdout.write(schema_text())
    return 0
