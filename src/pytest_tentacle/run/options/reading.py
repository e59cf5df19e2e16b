"""From pytest's configuration to a run's options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_tentacle.guide.severity import DEFAULT_GATE, Severity
from pytest_tentacle.run.acting.words import of_machines, restart_asked

from .model import NEW, Options

if TYPE_CHECKING:  # as in the model of the options: what is imported here, every pytest run pays for
    from pytest_tentacle.inventory.model import Mode
    from pytest_tentacle.link import PingOrder
    from pytest_tentacle.sites.address import Way

_ONLY_OURS = (
    "limit", "mode", "save_surveys", "bundle", "sarif", "metrics", "compare", "history", "run_timeout", "ping_count",
    "ping_duration", "ping_payload", "probe_tls", "space", "octopus_ca", "include_disabled", "discover", "server",
    "port", "transport", "user", "ask_password", "until_well", "executor", "restart", "even_busy", "yes", "guide",
)  # fmt: skip
"""Options that nobody gives by habit (`addopts`) to pytest runs that are no diagnosis."""

_OCTOPUS = "octopus:"
"""`--inventory octopus:URL` is `--octopus URL`."""


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


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
