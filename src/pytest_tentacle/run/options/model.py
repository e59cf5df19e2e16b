"""A run's options, typed, and what its report says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pytest_tentacle.guide.severity import Severity

if TYPE_CHECKING:  # every pytest run of the environment imports this module: the models cost more than pytest itself
    from pytest_tentacle.inventory.model import Mode
    from pytest_tentacle.link import PingOrder
    from pytest_tentacle.sites.address import Way

DEFAULT_WORKERS = 32
"""More threads than that did not make a fleet's survey faster on two cores."""

NEW = "new"
"""`--fail-on new`."""


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


def _ping_shown(ping: PingOrder) -> dict[str, str]:
    shown = {"--ping-count": ping.count, "--ping-duration": ping.seconds, "--ping-payload": ping.payload_bytes}
    units = {"--ping-duration": " s", "--ping-payload": " bytes"}
    return {name: f"{value:.12g}{units.get(name, '')}" for name, value in shown.items() if value}
