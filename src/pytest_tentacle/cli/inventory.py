"""`pytest-tentacle inventory SOURCE > prod.yaml`: another source's machines as an inventory file, to be reviewed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pytest_tentacle.hiding import printable


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument(
        "source",
        help="octopus:URL (key in OCTOPUS_API_KEY), ansible:FILE, csv:FILE, - or a program that prints one; "
        "survey:FILE of a healthy run (--save-surveys, --bundle): what was seen is expected from then on",
    )
    parser.add_argument("--space", action="append", default=[], metavar="NAME", help="only this space of Octopus")
    parser.add_argument("--octopus-ca", type=Path, metavar="FILE", help="PEM file of the portal's private CA")
    parser.add_argument("--include-disabled", action="store_true", help="also machines that are disabled in Octopus")


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 2 with a sentence where there is nothing to write."""
    from pytest_tentacle.inventory.faults import Faults  # noqa: PLC0415  not for the other commands
    from pytest_tentacle.inventory.nodes import plain  # noqa: PLC0415
    from pytest_tentacle.inventory.sources.opening import is_special, open_special  # noqa: PLC0415
    from pytest_tentacle.inventory.sources.writing import inventory_text  # noqa: PLC0415

    if options.source.startswith("octopus:"):
        return _of_octopus(options)
    if options.source.startswith("survey:"):
        return _of_survey(options)
    faults = Faults()
    path = Path(options.source)
    if not is_special(path):
        sys.stderr.write(
            f"pytest-tentacle inventory: {printable(str(path))} is no source to take an inventory from; write "
            "octopus:URL, ansible:FILE, csv:FILE or survey:FILE\n"
        )
        return 2
    root, _ = open_special(path, faults)
    if root is None or faults:
        sys.stderr.write(f"{printable(str(faults.error([options.source])))}\n")
        return 2
    sys.stdout.write(inventory_text(plain(root), options.source))
    return 0


def _of_survey(options: argparse.Namespace) -> int:
    from pytest_tentacle.inventory.sources.writing import inventory_text  # noqa: PLC0415  not for the other commands
    from pytest_tentacle.run.bundle import load_surveys  # noqa: PLC0415
    from pytest_tentacle.survey.store import StoreError  # noqa: PLC0415

    from .expectations import expectations_of  # noqa: PLC0415

    path = Path(options.source.removeprefix("survey:"))
    try:
        surveys = load_surveys(path)
    except (StoreError, OSError) as error:
        sys.stderr.write(f"pytest-tentacle inventory: {printable(str(error))}\n")
        return 2
    entries, notes = expectations_of(surveys)
    sys.stdout.write(inventory_text(entries, str(path), notes))
    return 0


def _of_octopus(options: argparse.Namespace) -> int:
    from pytest_tentacle.inventory.loading import OctopusSource  # noqa: PLC0415  not for the other commands
    from pytest_tentacle.inventory.sources.octopus import entries_of  # noqa: PLC0415
    from pytest_tentacle.inventory.sources.writing import inventory_text  # noqa: PLC0415
    from pytest_tentacle.octopus import PortalError  # noqa: PLC0415
    from pytest_tentacle.run.octopus import OctopusSession  # noqa: PLC0415

    url = options.source.removeprefix("octopus:")
    source = OctopusSource(url, spaces=tuple(options.space), ca=options.octopus_ca)
    try:
        portal = OctopusSession().ask(source)
    except PortalError as error:
        sys.stderr.write(f"pytest-tentacle inventory: {printable(str(error))}\n")
        return 2
    found = entries_of(portal, include_disabled=options.include_disabled)
    entries = {"groups": dict.fromkeys(found.groups), "servers": found.servers, "tentacles": found.tentacles}
    sys.stdout.write(inventory_text(entries, portal.url, found.notes))
    return 0 if found.tentacles else 2
