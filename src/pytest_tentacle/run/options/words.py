"""The command line: what may be asked of a run, in pytest's own words where it has them."""

from __future__ import annotations

import argparse

import pytest

from pytest_tentacle.guide.severity import DEFAULT_GATE, Severity
from pytest_tentacle.run.acting.words import add_acting, web_address, whole

from .model import DEFAULT_WORKERS, NEW

MODES = ("listening", "polling")
"""The words of `inventory.model.Mode`."""

DEFAULT_MACHINE_TIMEOUT = 60.0

MOST_PINGS = 1_000
MOST_PING_SECONDS = 600
MOST_PAYLOAD = 16_000
"""Bytes; Octopus reads 20,000 characters of a request at most (tentacle-facts 1.4), its head included."""


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
    _add_named(group)
    _add_octopus(group)
    group.addoption("--executor", metavar="dask:ADDRESS", help="let sites' workers survey machines (docs/sites.md)")
    for name, what in (("ca", "authority"), ("cert", "certificate"), ("key", "private key")):
        group.addoption(f"--executor-{name}", metavar="FILE", help=f"PEM file of the {what} for the scheduler")
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
    group.addoption(
        "--guide", action="store_true", help="run the guide's steps beside the tests that are named or in testpaths"
    )
    group.addoption("--mode", choices=MODES, help="only Tentacles of this communication mode")
    group.addoption(
        "--workers",
        type=whole(1, 10_000),
        metavar="N",
        help=f"hosts surveyed at the same time (default {DEFAULT_WORKERS})",
    )
    group.addoption(
        "--machine-timeout",
        type=number,
        default=DEFAULT_MACHINE_TIMEOUT,
        metavar="SECONDS",
        help=f"time limit for one machine, log-on included (default {DEFAULT_MACHINE_TIMEOUT:g})",
    )
    group.addoption(
        "--probe-timeout",
        type=number,
        default=5.0,
        metavar="SECONDS",
        help="time limit for one look at a link, all stages together (default 5)",
    )
    group.addoption(
        "--unknown",
        choices=["fail", "warn"],
        default="fail",
        help="what an unknown step does to the exit code (default fail; warn: reported, but does not fail the run)",
    )
    group.addoption(
        "--fail-on",
        choices=[*(severity.value for severity in Severity), NEW],
        default=DEFAULT_GATE.value,
        help="the least severity that fails a step: outage, degraded (the default), will-fail (what the next reboot or "
        "upgrade breaks) or hygiene; anything less severe is reported, but fails nothing. new: only what an earlier "
        "run "
        "(--compare) did not have",
    )
    group.addoption(
        "--compare",
        metavar="FILE",
        help="show which causes are new, gone and standing since an earlier run: its .json, survey file or bundle",
    )
    group.addoption(
        "--history",
        metavar="FOLDER",
        help="keep the last 30 runs of this inventory in FOLDER, and draw each cause's past in the report; without "
        "--compare, the last of them is compared with",
    )
    group.addoption(
        "--waiver-notice",
        type=whole(0, 3_650),
        default=14,
        metavar="DAYS",
        help="warn of waivers that end within that many days (default 14; UTC)",
    )
    group.addoption(
        "--run-timeout",
        type=number,
        metavar="SECONDS",
        help="time limit for all surveys, from the start of the run: machines that have not answered by then are "
        "unknown; "
        "tests of your own go on (pytest-timeout ends them)",
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
        "--manual",
        metavar="URL",
        type=web_address,
        help="where you publish the manual (scripts/dev.py docs): codes in page, Markdown and SARIF link to its pages",
    )
    group.addoption("--sarif", metavar="FILE", help="write what is wrong as SARIF 2.1.0, for code scanning")
    group.addoption("--metrics", metavar="FILE.prom", help="write metrics for Prometheus' textfile collector")
    group.addoption(
        "--ci",
        choices=["none", "github", "azure", "teamcity"],
        help="whose annotations and summary are written (default: those of the CI system that this runs in)",
    )
    group.addoption(
        "--pseudonyms",
        action="store_true",
        help="stable false names and addresses in every file of this run; the mapping goes to a private file beside it",
    )
    group.addoption(
        "--probe-identity",
        action="store_true",
        help="also speak Halibut's identity lines to each port; leaves one line more in the log of the other end",
    )
    group.addoption(
        "--probe-tls",
        action="store_true",
        help="also try each version of TLS once on each link, from the machine that opens it (step schannel-and-tls); "
        "each version that is refused leaves a failed handshake in the log of the other end, before 8.1.1322 as Info",
    )
    group.addoption(
        "--ping-count",
        type=whole(1, MOST_PINGS),
        metavar="N",
        help="also ping each link N times from the machine that opens it, half a second apart (step tentacle-ping)",
    )
    group.addoption(
        "--ping-duration",
        type=whole(1, MOST_PING_SECONDS),
        metavar="SECONDS",
        help="the same for this time; with --ping-count, for this time at most",
    )
    group.addoption(
        "--ping-payload",
        type=whole(1, MOST_PAYLOAD),
        metavar="BYTES",
        help="pad each ping to BYTES, to detect paths that drop large packets",
    )
    add_acting(group)
    group.addoption(
        "--output",
        choices=["short", "full"],
        default="short",
        help="the summary on the console: what is wrong, or every machine's verdict",
    )


def _add_named(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--tentacle",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="a Tentacle, without any file; repeatable. Seen from outside, unless --transport says how to log on",
    )
    group.addoption(
        "--server",
        action="append",
        default=[],
        metavar="HOST",
        help="the Octopus Server node at the other end of --tentacle; repeatable",
    )
    group.addoption(
        "--port", type=whole(1, 65_535), metavar="N", help="port that --tentacle listens on (default 10933)"
    )
    group.addoption(
        "--transport",
        choices=["winrm", "ssh", "local", "none"],
        help="how to log on to --tentacle and --server; SSH uses your keys, agent and ssh_config",
    )
    group.addoption("--user", metavar="NAME", help="user to log on as")
    group.addoption("--ask-password", action="store_true", help="ask for the user's password on the terminal")


def _add_octopus(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--octopus",
        metavar="URL",
        help="take the machines from this Octopus Server's API (key in OCTOPUS_API_KEY, or a token in "
        "OCTOPUS_ACCESS_TOKEN); entries of --inventory win, and say how to log on",
    )
    group.addoption(
        "--space", action="append", default=[], metavar="NAME", help="only this space of --octopus; repeatable"
    )
    group.addoption(
        "--octopus-ca", metavar="FILE", help="PEM file of the private CA that the portal's certificate is checked with"
    )
    group.addoption("--include-disabled", action="store_true", help="also look at machines that Octopus has disabled")
    group.addoption(
        "--discover",
        action="store_true",
        help="let the Octopus Server itself look at each listening Tentacle that is not healthy: the server opens one "
        "connection, which leaves an Info line in the Tentacle's log",
    )


def number(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of seconds above 0, such as 60")
    return value
