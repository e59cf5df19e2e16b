"""What commands of `pytest-tentacle` that look at machines share: a report, an inventory, a survey of some machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tentacle import files, hiding
from pytest_tentacle.inventory import InventoryError, known_secrets, load
from pytest_tentacle.inventory.model import Inventory, OctopusServer
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.run.signals import Undying
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.sites.address import SitesError
from pytest_tentacle.sites.of_run import SitesOfRun
from pytest_tentacle.survey.collector import Plan, collect
from pytest_tentacle.survey.store import Surveys

MOST_BYTES = 500_000_000


class CannotError(Exception):
    """Why a command does nothing, in a sentence."""


@dataclass(frozen=True)
class Named:
    """What a report says of a cause: its machines, and what to do."""

    machines: tuple[str, ...]
    title: str
    remedy: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """As much as commands need of a JSON report."""

    path: Path
    inventories: tuple[str, ...]
    causes: dict[str, tuple[Named, ...]]
    machines: tuple[str, ...]
    by_sites: bool
    """Whether workers of their sites surveyed those of its machines that have one."""


def read_report(path: Path) -> Report:
    """Read the JSON beside a page. Raises CannotError for what is none, and for one with false names."""
    try:
        document: Any = json.loads(files.read_regular(path, MOST_BYTES))
    except OSError as error:
        raise CannotError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise CannotError(f"{path} is no JSON report: name the .json beside the page") from None
    try:
        if document["redaction"]["pseudonyms"]:
            raise CannotError(f"{path} has false names (--pseudonyms): take the report of a run without them")
        causes: dict[str, list[Named]] = {}
        for each in document["causes"]:
            remedy = tuple(map(str, (*each["remedy_windows"], *each["remedy_linux"])))
            named = Named(tuple(map(str, each["machines"])), str(each["title"]), remedy)
            causes.setdefault(str(each["code"]), []).append(named)
        return Report(
            path,
            tuple(map(str, document["provenance"]["inventory_files"])),
            {code: tuple(several) for code, several in causes.items()},
            tuple(str(each["name"]) for each in document["machines"]),
            any(each["name"] == "--executor" for each in document["provenance"]["options"]),
        )
    except (KeyError, TypeError, AttributeError):
        raise CannotError(f"{path} is no report of pytest-tentacle: name the .json beside the page") from None


def inventory_of(given: str | None, report: Report | None, *, elsewhere: bool = False) -> Inventory:
    """The inventory that is given, else the report's. Raises CannotError.

    Args:
        given: a file.
        report: which names its own.
        elsewhere: machines with a site are their worker's, whose files and secrets are not here.
    """
    paths = [given] if given else list(report.inventories if report else ())
    if not paths:
        raise CannotError("the report names no inventory file: say which one with --inventory FILE")
    try:
        return load([Path(path) for path in paths], codes=CATALOGUE, elsewhere=elsewhere)
    except InventoryError as error:
        raise CannotError(str(error)) from None


class Console:
    """Says what goes on, without secrets and without what steers a terminal."""

    def __init__(self, inventory: Inventory) -> None:
        self._redactor = Redactor(known_secrets(inventory))
        self._out = Undying(sys.stdout)  # a terminal that went away ends nothing in the middle
        hiding.use(self._redactor.secrets)

    def say(self, text: str = "") -> None:
        """A line, or several."""
        self._out.write(hiding.printable(self._redactor.text(text)) + "\n")
        self._out.flush()

    @staticmethod
    def asks() -> bool:
        """Whether somebody is there to answer."""
        return sys.stdin is not None and sys.stdin.isatty()

    def answered_yes(self, question: str) -> bool:
        """Ask; anything but yes means no."""
        sys.stdout.write(f"{question} [y/N] ")
        sys.stdout.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


class _Quiet:
    def update(self, what: str, done: int, total: int, waiting: list[tuple[str, float]]) -> None:
        """Nothing."""

    def finish(self, what: str, total: int, seconds: float) -> None:
        """Nothing."""


def survey(inventory: Inventory, names: Collection[str], machine_timeout: float, sites: SitesOfRun) -> Surveys:
    """Survey these machines and the servers of those that are Tentacles. Raises CannotError."""
    peers = {server for each in inventory.tentacles if each.name in names for server in each.servers}
    plan = Plan(workers=8, machine_timeout=machine_timeout)
    try:
        return collect(inventory, {*names, *peers}, plan, _Quiet(), *sites.executors(inventory, {*names, *peers}))
    except SitesError as error:
        raise CannotError(str(error)) from None


def is_server(inventory: Inventory, name: str) -> bool:
    """Whether a machine is an Octopus Server node."""
    return isinstance(inventory.find(name), OctopusServer)
