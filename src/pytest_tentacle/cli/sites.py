"""`--executor` and its files, for commands that look at machines: workers of their sites do it, as in a run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # not for the other commands
    from pytest_tentacle.sites.of_run import SitesOfRun


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    from pytest_tentacle.sites.options import FILES  # noqa: PLC0415  as above

    parser.add_argument(
        "--executor", metavar="dask:ADDRESS", help="have workers of their sites do it, as in the run; see docs/sites.md"
    )
    for name, what in FILES.items():
        parser.add_argument(f"--executor-{name}", metavar="FILE", help=f"PEM file of the {what} for the scheduler")


def of(options: argparse.Namespace) -> SitesOfRun:
    """The scheduler that is named, not connected yet. Raises SitesError."""
    from pytest_tentacle.sites.of_run import SitesOfRun  # noqa: PLC0415  as above
    from pytest_tentacle.sites.options import FILES, way_of  # noqa: PLC0415

    if not options.executor:
        return SitesOfRun(None)
    return SitesOfRun(way_of(options.executor, {name: getattr(options, f"executor_{name}") for name in FILES}))
