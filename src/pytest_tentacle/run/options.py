"""The command line: what may be asked of a run, in pytest's own words where it has them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_tentacle.inventory.model import Mode

if TYPE_CHECKING:
    import pytest

DEFAULT_WORKERS = 32
"""More threads than that did not make a fleet's survey faster on two cores."""

DEFAULT_MACHINE_TIMEOUT = 60.0


@dataclass(frozen=True)
class Options:
    """A run's options, typed."""

    inventories: tuple[Path, ...]
    replay: Path | None
    limits: tuple[str, ...]
    mode: Mode | None
    workers: int | None
    """None: as many as suit the fleet."""
    machine_timeout: float
    probe_timeout: float
    unknown: Literal["fail", "warn"]
    save_surveys: Path | None
    bundle: Path | None
    pseudonyms: bool
    identity: bool
    output: Literal["short", "full"]

    @property
    def active(self) -> bool:
        """Whether this pytest run is a diagnosis at all; without an inventory the plugin keeps out of the way."""
        return bool(self.inventories or self.replay)

    def for_report(self) -> dict[str, str]:
        """What a reader of the report should know of the command line."""
        shown: dict[str, str] = {}
        if self.inventories:
            shown["--inventory"] = ", ".join(str(path) for path in self.inventories)
        if self.replay:
            shown["--replay"] = str(self.replay)
        if self.limits:
            shown["--limit"] = ", ".join(self.limits)
        if self.mode:
            shown["--mode"] = self.mode.value
        if self.identity:
            shown["--probe-identity"] = "yes"
        shown["--machine-timeout"] = f"{self.machine_timeout:g} s"
        shown["--unknown"] = self.unknown
        return shown


def add_options(parser: pytest.Parser) -> None:
    """Register the options with pytest."""
    group = parser.getgroup("tentacle", "troubleshooting Octopus Tentacles (pytest-tentacle)")
    group.addoption(
        "--inventory",
        action="append",
        default=[],
        metavar="FILE",
        help="YAML inventory of Octopus Servers and Tentacles; repeatable. Runs the guide's steps over it.",
    )
    group.addoption(
        "--replay",
        metavar="FILE",
        help="judge what --save-surveys or --bundle wrote, without the network (instead of --inventory)",
    )
    group.addoption(
        "--limit",
        action="append",
        default=[],
        metavar="TERMS",
        help="only these machines: names, globs, groups, !term to exclude; comma-separated or repeated",
    )
    group.addoption("--mode", choices=[mode.value for mode in Mode], help="only Tentacles of this communication mode")
    group.addoption(
        "--workers",
        type=_positive_int,
        metavar="N",
        help=f"hosts surveyed at the same time (default {DEFAULT_WORKERS})",
    )
    group.addoption(
        "--machine-timeout",
        type=_positive_float,
        default=DEFAULT_MACHINE_TIMEOUT,
        metavar="SECONDS",
        help=f"budget of one machine, log-on included (default {DEFAULT_MACHINE_TIMEOUT:g})",
    )
    group.addoption(
        "--probe-timeout",
        type=_positive_float,
        default=5.0,
        metavar="SECONDS",
        help="budget of one look at a link, all stages together (default 5)",
    )
    group.addoption(
        "--unknown",
        choices=["fail", "warn"],
        default="fail",
        help="what a step that could not look does to the exit code (default fail; warn says so loudly and passes)",
    )
    group.addoption(
        "--save-surveys", metavar="FILE", help="write all surveys to FILE, for --replay; holds no credentials"
    )
    group.addoption(
        "--bundle",
        metavar="FILE.zip",
        help="write report and surveys into one file that --replay takes, redacted, for a ticket",
    )
    group.addoption(
        "--pseudonyms",
        action="store_true",
        help="stable false names and addresses in every file of this run; the mapping goes to a private file beside it",
    )
    group.addoption(
        "--probe-identity",
        action="store_true",
        help="also speak Halibut's identity lines to each port; leaves lines in the logs of both ends",
    )
    group.addoption(
        "--output",
        choices=["short", "full"],
        default="short",
        help="the summary on the console: what is wrong, or every machine's verdict",
    )


def read_options(config: pytest.Config) -> Options:
    """The options of this run."""
    option = config.getoption
    return Options(
        inventories=tuple(Path(name) for name in option("inventory")),
        replay=_path(option("replay")),
        limits=tuple(option("limit")),
        mode=Mode(option("mode")) if option("mode") else None,
        workers=option("workers"),
        machine_timeout=option("machine_timeout"),
        probe_timeout=option("probe_timeout"),
        unknown=option("unknown"),
        save_surveys=_path(option("save_surveys")),
        bundle=_path(option("bundle")),
        pseudonyms=option("pseudonyms"),
        identity=option("probe_identity"),
        output=option("output"),
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _positive_int(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return value


def _positive_float(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: must be a number of seconds above 0")
    return value
