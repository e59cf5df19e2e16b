"""The command line: what may be asked of a run, in pytest's own words where it has them."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from pytest_tentacle.guide.severity import DEFAULT_GATE, Severity

from .acting.words import add_acting, of_machines, restart_asked, web_address, whole

if TYPE_CHECKING:  # every pytest run of the environment imports this module: the models cost more than pytest itself
    from pytest_tentacle.inventory.model import Mode
    from pytest_tentacle.link import PingOrder
    from pytest_tentacle.sites.address import Way

MODES = ("listening", "polling")
"""The words of `inventory.model.Mode`."""

DEFAULT_WORKERS = 32
"""More threads than that did not make a fleet's survey faster on two cores."""

DEFAULT_MACHINE_TIMEOUT = 60.0

_ONLY_OURS = (
    "limit", "mode", "save_surveys", "bundle", "sarif", "metrics", "compare", "history", "run_timeout", "ping_count",
    "ping_duration", "ping_payload", "probe_tls", "space", "octopus_ca", "include_disabled", "discover", "server",
    "port", "transport", "user", "ask_password", "until_well", "executor", "restart", "even_busy", "yes", "guide",
)  # fmt: skip
"""Options that nobody gives by habit (`addopts`) to pytest runs that are no diagnosis."""

_OCTOPUS = "octopus:"
"""`--inventory octopus:URL` is `--octopus URL`."""

NEW = "new"
"""`--fail-on new`."""

MOST_PINGS = 1_000
MOST_PING_SECONDS = 600
MOST_PAYLOAD = 16_000
"""Bytes; Octopus reads 20,000 characters of a request at most (tentacle-facts 1.4), its head included."""


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
    fail_on: Severity
    only_new: bool
    """`--fail-on new`: what an earlier run had found as well fails nothing."""
    save_surveys: Path | None
    bundle: Path | None
    pseudonyms: bool
    identity: bool
    output: Literal["short", "full"]
    ping: PingOrder | None = None
    tls_versions: bool = False
    sarif: Path | None = None
    metrics: Path | None = None
    compare: Path | None = None
    history: Path | None = None
    waiver_notice: int = 14
    """Days."""
    run_timeout: float | None = None
    """Seconds."""
    ci: str | None = None
    """The CI system whose words are used; None: that of the environment."""
    tentacles: tuple[str, ...] = ()
    """Machines of the command line."""
    servers: tuple[str, ...] = ()
    port: int | None = None
    transport: str | None = None
    user: str | None = None
    ask_password: bool = False
    octopus: str | None = None
    """The portal whose API names the machines."""
    spaces: tuple[str, ...] = ()
    octopus_ca: Path | None = None
    include_disabled: bool = False
    discover: bool = False
    manual: str = ""
    """Where the manual's site stands, without a final slash; empty: nowhere."""
    until_well: float | None = None
    """Seconds for which what is not well is looked at again."""
    executor: Way | None = None
    """To the scheduler whose workers survey machines with a site."""
    restart: Literal["tentacle", "server", "all"] | None = None
    """Whose services are restarted before the survey."""
    even_busy: bool = False
    """Also those of a server node that runs tasks, or of which nobody knows whether it does."""
    yes: bool = False
    """Nobody is there to answer a question."""

    @property
    def active(self) -> bool:
        """Whether this pytest run is a diagnosis at all; without an inventory the plugin keeps out of the way."""
        return bool(self.inventories or self.replay or self.octopus or self.tentacles)

    @property
    def name(self) -> str:
        """What this run is about, as the beginning of a file's name."""
        if self.replay or self.inventories:
            path = str(self.replay or self.inventories[0])
            found = Path(path.partition(":")[2] or path.rstrip(":")).stem
        elif self.octopus:
            found = self.octopus.partition("://")[2].partition("/")[0].partition(":")[0]
        else:
            found = self.tentacles[0]
        return re.sub(r"[^\w.-]+", "-", found).strip("-.") or "diagnosis"

    def for_report(self) -> dict[str, str]:
        """What a reader of the report should know of the command line."""
        shown: dict[str, str] = {}
        if self.inventories:
            shown["--inventory"] = ", ".join(str(path) for path in self.inventories)
        if self.replay:
            shown["--replay"] = str(self.replay)
        shown |= self._sources_shown()
        if self.limits:
            shown["--limit"] = ", ".join(self.limits)
        if self.mode:
            shown["--mode"] = self.mode.value
        if self.identity:
            shown["--probe-identity"] = "yes"
        if self.tls_versions:
            shown["--probe-tls"] = "yes"
        if self.ping:
            shown |= _ping_shown(self.ping)
        elif not self.replay:
            shown["--ping-count"] = "not given: no link was pinged"
        shown |= self._acting_shown()
        shown["--machine-timeout"] = f"{self.machine_timeout:g} s"
        shown["--unknown"] = self.unknown
        shown["--fail-on"] = NEW if self.only_new else self.fail_on.value
        shown |= {"--compare": str(self.compare)} if self.compare else {}
        shown |= {"--run-timeout": f"{self.run_timeout:g} s"} if self.run_timeout else {}
        return shown

    def _acting_shown(self) -> dict[str, str]:
        shown = {"--until-well": f"{self.until_well:g} s"} if self.until_well else {}
        busy = " --even-busy" if self.even_busy else ""
        return shown | ({"--restart": f"{self.restart}{busy}"} if self.restart else {})

    def _sources_shown(self) -> dict[str, str]:
        shown = {
            "--tentacle": ", ".join(self.tentacles),
            "--server": ", ".join(self.servers),
            "--transport": self.transport or "",
            "--octopus": self.octopus or "",
            "--space": ", ".join(self.spaces),
            "--include-disabled": "yes" if self.include_disabled else "",
            "--discover": "yes" if self.discover else "",
            "--executor": f"dask:{self.executor.address}" if self.executor else "",
        }
        return {name: value for name, value in shown.items() if value}


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


def read_options(config: pytest.Config) -> Options:
    """The options of this run. Raises pytest.UsageError where pings or trials do not fit what else is given."""
    option = config.getoption
    forgotten = _forgotten_inventory(config)
    if forgotten and not any(map(option, ("inventory", "replay", "octopus", "tentacle"))):
        raise pytest.UsageError(
            f"{forgotten} goes with --inventory FILE, --tentacle HOST, --octopus URL or --replay FILE: "
            "which machines are meant?"
        )
    return Options(
        inventories=tuple(Path(name) for name in option("inventory") if not name.startswith(_OCTOPUS)),
        replay=_path(option("replay")),
        limits=tuple(option("limit")),
        mode=_mode(option("mode")),
        workers=option("workers"),
        machine_timeout=option("machine_timeout"),
        probe_timeout=option("probe_timeout"),
        unknown=option("unknown"),
        fail_on=DEFAULT_GATE if option("fail_on") == NEW else Severity(option("fail_on")),
        only_new=_only_new(config),
        save_surveys=_path(option("save_surveys")),
        bundle=_path(option("bundle")),
        pseudonyms=option("pseudonyms"),
        identity=option("probe_identity"),
        output=option("output"),
        ping=_ping_order(config),
        tls_versions=of_machines(config, "probe_tls"),
        sarif=_path(option("sarif")),
        metrics=_path(option("metrics")),
        compare=_path(option("compare")),
        history=_path(option("history")),
        waiver_notice=option("waiver_notice"),
        run_timeout=option("run_timeout"),
        ci=option("ci"),
        tentacles=tuple(option("tentacle")),
        servers=tuple(option("server")),
        port=option("port"),
        transport=option("transport"),
        user=option("user"),
        ask_password=option("ask_password"),
        octopus=option("octopus")
        or next((name.removeprefix(_OCTOPUS) for name in option("inventory") if name.startswith(_OCTOPUS)), None),
        spaces=tuple(option("space")),
        octopus_ca=_path(option("octopus_ca")),
        include_disabled=option("include_disabled"),
        discover=option("discover"),
        manual=option("manual") or "",
        until_well=of_machines(config, "until_well"),
        executor=_executor(config),
        restart=restart_asked(config),
        even_busy=option("even_busy"),
        yes=option("yes"),
    )


def _only_new(config: pytest.Config) -> bool:
    only_new = bool(config.getoption("fail_on") == NEW)
    if only_new and not (config.getoption("compare") or config.getoption("history")):
        raise pytest.UsageError("--fail-on new goes with --compare FILE or --history FOLDER: new since which run?")
    return only_new


def _mode(word: str | None) -> Mode | None:
    if word is None:
        return None
    from pytest_tentacle.inventory.model import Mode  # noqa: PLC0415  as above

    return Mode(word)


def _forgotten_inventory(config: pytest.Config) -> str | None:
    """An option that asks for something of ours where no inventory is given: `pytest --limit web-01`."""
    return next((f"--{name.replace('_', '-')}" for name in _ONLY_OURS if config.getoption(name)), None)


def _ping_order(config: pytest.Config) -> PingOrder | None:
    count, seconds, payload = (config.getoption(f"ping_{name}") for name in ("count", "duration", "payload"))
    if count is None and seconds is None:
        if payload is not None:
            raise pytest.UsageError("--ping-payload goes with --ping-count or --ping-duration")
        return None
    if config.getoption("replay"):
        raise pytest.UsageError("a replay contacts no machine: leave --ping-count and --ping-duration out")
    from pytest_tentacle.link import PingOrder  # noqa: PLC0415  as above
    from pytest_tentacle.survey.request import no_room_for  # noqa: PLC0415

    order = PingOrder(count=count, seconds=seconds, payload_bytes=payload or 0)
    probe, machine = config.getoption("probe_timeout"), config.getoption("machine_timeout")
    if why := no_room_for(order, machine, probe, tls_versions=config.getoption("probe_tls")):
        raise pytest.UsageError(why)
    return order


def _executor(config: pytest.Config) -> Way | None:
    if not of_machines(config, "executor"):
        return None
    from pytest_tentacle.sites.address import SitesError  # noqa: PLC0415  as above
    from pytest_tentacle.sites.options import FILES, way_of  # noqa: PLC0415  as above

    try:
        return way_of(config.getoption("executor"), {name: config.getoption(f"executor_{name}") for name in FILES})
    except SitesError as error:
        raise pytest.UsageError(str(error)) from None


def _ping_shown(ping: PingOrder) -> dict[str, str]:
    shown = {"--ping-count": ping.count, "--ping-duration": ping.seconds, "--ping-payload": ping.payload_bytes}
    units = {"--ping-duration": " s", "--ping-payload": " bytes"}
    return {name: f"{value:.12g}{units.get(name, '')}" for name, value in shown.items() if value}


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def number(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number of seconds above 0, such as 60")
    return value
