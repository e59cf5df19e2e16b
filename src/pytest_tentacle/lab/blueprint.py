"""One lab machine before it is started: a healthy one as it comes out of `healthy`, and what faults make of it.

A blueprint becomes a folder with `machine.json` (what the stand-ins for the operating system's own answers read) and
`files/` (the machine's real files), a Halibut listener, and perhaps a middle box in front of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import escape

from pytest_tentacle.inventory.model import TENTACLE_PORT, Mode, OctopusServer, OperatingSystem, Tentacle
from pytest_tentacle.lab.log_entries import Log

from .halibut.listener import LabCertificate
from .windows.programs import HEALTHY_URLS

PID = 2136
"""Process id of the product's service on every lab machine."""

LISTENING_STYLE, POLLING_STYLE = 1, 2
"""TentaclePassive and TentacleActive (tentacle-facts 2.3)."""


@dataclass
class Trust:
    """One element of TrustedOctopusServers (tentacle-facts 2.3)."""

    thumbprint: str
    style: int
    address: str | None = None
    subscription: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As Tentacle writes it."""
        return {
            "Thumbprint": self.thumbprint,
            "CommunicationStyle": self.style,
            "Address": self.address,
            "Squid": None,
            "SubscriptionId": self.subscription,
        }


@dataclass
class Blueprint:
    """What a lab machine will be.

    Attributes:
        address: the machine's own address, on 127.0.0.0/8.
        outer: where the network sees it; differs from `address` when a middle box stands between.
        presents: the certificate that the listener shows; None: nothing listens.
        foreign: what listens on the port instead of the product, as a starter of (address, port).
        box: the middle box in front of the machine, as a starter of (outer address, port, address).
        beside: further listeners that belong to it, as their starters.
        answers: whether one can log on to it.
        prelude: text that comes before the script's own, such as a noisy profile.
        log: what its product wrote into its log.
        heard_from: addresses of the servers that have used its port.
        addresses: the machine's own ones.
        registered: whether its instance is in the registry of instances.
        config_hours: how long ago its configuration file was written; the service started 30 hours ago.
        weak_key: whether it presents its certificate however small the key is.
        files: further files, by their paths on the machine, with their texts.
        registry: keys of Windows' registry that differ from a healthy machine's (see `windows_machine`).
        surroundings: further keys of `machine.json`, by which `windows_machine` and `linux_machine` answer.
    """

    name: str
    os: OperatingSystem
    address: str
    outer: str
    port: int
    certificate: LabCertificate
    presents: LabCertificate | None
    product: Literal["tentacle", "server"]
    settings: dict[str, str] = field(default_factory=dict)
    trusts: list[Trust] = field(default_factory=list)
    service: dict[str, Any] | None = None
    processes: list[dict[str, Any]] = field(default_factory=list)
    sockets: list[dict[str, Any]] = field(default_factory=list)
    names: dict[str, list[str] | str] = field(default_factory=dict)
    denied: list[str] = field(default_factory=list)
    config_text: str | None = None
    config_missing: bool = False
    declared: dict[str, Any] = field(default_factory=dict)
    foreign: Callable[[str, int], Any] | None = None
    box: Callable[[str, int, str], Any] | None = None
    beside: list[Callable[[], Any]] = field(default_factory=list)
    answers: bool = True
    wrong_password: bool = False
    prelude: str = ""
    log: Log = field(default_factory=Log)
    heard_from: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    registered: bool = True
    config_hours: float = 40.0
    weak_key: bool = False
    files: dict[str, str] = field(default_factory=dict)
    registry: dict[str, dict[str, Any]] = field(default_factory=dict)
    surroundings: dict[str, Any] = field(default_factory=dict)

    @property
    def is_windows(self) -> bool:
        """Whether it is surveyed by windows.ps1."""
        return self.os is OperatingSystem.WINDOWS

    @property
    def is_server(self) -> bool:
        """Whether it is an Octopus Server node."""
        return self.product == "server"

    @property
    def polls(self) -> bool:
        """Whether it is a Tentacle that its settings forbid to listen."""
        return self.settings.get("Tentacle.Services.NoListen") == "true"

    @property
    def executable(self) -> str:
        """The product's program, by its path on the machine."""
        return _executable(_command(self))

    def config_path(self, folder: Path) -> tuple[str, Path]:
        """The configuration file, as the machine names it and where it really is."""
        name = "OctopusServer" if self.is_server else "Tentacle"
        if self.is_windows:
            return f"C:\\Octopus\\{name}.config", folder / "files" / "C" / "Octopus" / f"{name}.config"
        real = folder / "files" / "etc" / "octopus" / "default" / f"{name.lower()}-{name}.config"
        return str(real), real

    def xml(self) -> str:
        """The configuration file: BOM, declaration, sorted keys (tentacle-seen 4.1)."""
        settings = dict(self.settings)
        if not self.is_server:
            settings["Tentacle.Communication.TrustedOctopusServers"] = json.dumps(
                [trust.as_json() for trust in self.trusts]
            )
        lines = [f'  <set key="{escape(key)}">{escape(value)}</set>' for key, value in sorted(settings.items())]
        head = (
            '<?xml version="1.0" encoding="utf-8"?>\n<octopus-settings xmlns:xsd="http://www.w3.org/2001/XMLSchema">\n'
        )
        return head + "\n".join(lines) + "\n</octopus-settings>"

    def description(self) -> dict[str, Any]:
        """What the stand-ins read."""
        described: dict[str, Any] = {
            "hostname": self.name,
            "os": self.os.value,
            "addresses": self.addresses,
            "locale": "en",
            "services": [self.service] if self.service else [],
            "processes": self.processes,
            "sockets": self.sockets,
            "names": self.names,
            "denied": self.denied,
        }
        if self.is_windows:
            # The products' set-up makes a rule for the port, which stays when the service stops.
            described |= {"firewall_ports": [] if self.polls else [self.port], "registry": self.registry}
            if not self.is_server and self.service:  # the service keeps its certificate there when it is started
                described |= {"private_keys": [{"thumbprint": self.certificate.thumbprint}]}
            if self.is_server and self.service and self.service["state"] == "running":
                described |= {
                    "http_sys": [*HEALTHY_URLS, "HTTPS://LOCALHOST:443/"],
                    "bindings": [{"endpoint": "0.0.0.0:443", "thumbprint": self.certificate.thumbprint}],
                }
        return described | self.surroundings


def healthy(machine: OctopusServer | Tentacle, address: str, certificate: LabCertificate, port: int) -> Blueprint:
    """A machine with nothing wrong: service running, settings consistent, the product's own process on its port."""
    system = machine.os or OperatingSystem.WINDOWS
    is_server = isinstance(machine, OctopusServer)
    listens = isinstance(machine, OctopusServer) or machine.mode is not Mode.POLLING
    blueprint = Blueprint(
        name=machine.name,
        os=system,
        address=address,
        outer=address,
        port=port,
        certificate=certificate,
        presents=certificate if listens else None,
        product="server" if is_server else "tentacle",
        addresses=[address],
    )
    blueprint.service = _service(blueprint)
    blueprint.processes = [_process(blueprint)]
    if listens:
        blueprint.sockets = [{"address": address, "port": port, "pid": PID, "state": "listen"}]
    blueprint.settings = _server_settings(blueprint) if is_server else _tentacle_settings(blueprint, listens=listens)
    return blueprint


def _command(blueprint: Blueprint) -> str:
    if blueprint.is_server and blueprint.is_windows:
        return '"C:\\Program Files\\Octopus Deploy\\Octopus\\Octopus.Server.exe" run --instance="OctopusServer"'
    if blueprint.is_server:
        return "/opt/octopus/server/Octopus.Server run --instance=OctopusServer"
    if blueprint.is_windows:
        return '"C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe" run --instance="Tentacle"'
    return "/opt/octopus/tentacle/Tentacle run --instance=Tentacle --noninteractive"


def _executable(command: str) -> str:
    return command.split('"')[1] if command.startswith('"') else command.split(maxsplit=1)[0]


def _service(blueprint: Blueprint) -> dict[str, Any]:
    on_windows, on_linux = (
        ("OctopusDeploy", "octopusserver") if blueprint.is_server else ("OctopusDeploy Tentacle", "Tentacle")
    )
    name, command = on_windows if blueprint.is_windows else on_linux, _command(blueprint)
    return {
        "name": name,
        "display_name": name,
        "state": "running",
        "start_mode": "auto",
        "account": "LocalSystem" if blueprint.is_windows else "root",
        "pid": PID,
        "exit_code": 0,
        "command": command,
        "started_utc": _hours_ago(30),
        "restarts": 0,
        "sub_state": "running",
        "result": "success",
        "environment": {},
    }


def _process(blueprint: Blueprint) -> dict[str, Any]:
    assert blueprint.service is not None  # noqa: S101
    executable = blueprint.executable
    return {
        "pid": PID,
        "parent_pid": 700 if blueprint.is_windows else 1,
        "name": executable.replace("\\", "/").rsplit("/", 1)[-1],
        "executable": executable,
        "command_line": blueprint.service["command"],
        "started_utc": blueprint.service["started_utc"],
        "user": "SYSTEM" if blueprint.is_windows else "root",
    }


def _tentacle_settings(blueprint: Blueprint, *, listens: bool) -> dict[str, str]:
    home = "C:\\Octopus" if blueprint.is_windows else "/etc/octopus/default"
    return {
        "Octopus.Home": home,
        "Octopus.Proxy.UseDefaultProxy": "false",
        "Octopus.Server.Proxy.UseDefaultProxy": "false",
        "Tentacle.Certificate": "MIIlab-not-a-real-pfx",
        "Tentacle.CertificateThumbprint": blueprint.certificate.thumbprint,
        "Tentacle.Deployment.ApplicationDirectory": home
        + ("\\Applications" if blueprint.is_windows else "/Applications"),
        "Tentacle.Services.IsRegistered": "true",
        "Tentacle.Services.ListenIP": blueprint.address if listens else "",
        "Tentacle.Services.NoListen": "false" if listens else "true",
        "Tentacle.Services.PortNumber": str(blueprint.port if listens else TENTACLE_PORT),
    }


def _server_settings(blueprint: Blueprint) -> dict[str, str]:
    return {
        "Octopus.Communications.ServicesPort": str(blueprint.port),
        "Octopus.Home": "C:\\Octopus" if blueprint.is_windows else "/etc/octopus/default",
        "Octopus.WebPortal.ListenPrefixes": "https://localhost:443/",
        "Octopus.Storage.ExternalDatabaseConnectionString": "Server=(local);Database=Octopus;Password=lab-canary",
    }


def _hours_ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
