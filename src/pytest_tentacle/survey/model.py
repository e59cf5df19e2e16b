"""A survey: everything that was read from one host, as one typed document.

The scripts (`windows.ps1`, `linux.sh`) print this very shape as JSON, with two exceptions that `ingest` resolves: a
configuration file and a log come as text, and become settings and records here. Each section stands on its own: it
holds data, or the reason why it is unknown.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from pytest_tentacle.link import PingSeries, Probe, TlsVersions
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.packet_filter.firewall import Firewall
from pytest_tentacle.packing import Packed, PackedField
from pytest_tentacle.survey.surroundings import (
    AccessControl,
    Changes,
    Connection,
    Disk,
    Event,
    LeftOver,
    Loading,
    OwnName,
    Permissions,
    PrivateKey,
    Product,
    Proxy,
    ProxyConnect,
    Reservations,
    Route,
    ServiceAccount,
    TlsPolicy,
    Watchdog,
)
from pytest_tentacle.transport.base import ReachStage
from pytest_tentacle.values import Value

FORMAT = 3
"""Version of the survey document; a file with another one is refused."""

NOT_SURVEYED = "not surveyed"

T = TypeVar("T")


class Section(Value, Generic[T]):
    """A part of a survey that is read on its own: `data`, or `unknown` with the reason."""

    data: T | None = None
    unknown: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Section[T]:
        if (self.data is None) == (self.unknown is None):
            raise ValueError("a section has either data or the reason why it is unknown")
        return self


class Shell(Value):
    """What ran the script."""

    name: str
    version: str | None = None
    language_mode: str | None = None


class Host(Value):
    """The host as a whole. `clock_utc` is its own clock when the script ran."""

    hostname: str
    fqdn: str | None = None
    os: Literal["windows", "linux"]
    os_name: str | None = None
    os_version: str | None = None
    architecture: str | None = None
    boot_utc: datetime | None = None
    clock_utc: datetime | None = None
    user: str | None = None
    elevated: bool | None = None
    shell: Shell
    dotnet_release: int | None = None
    addresses: tuple[str, ...] = ()


class ServiceState(StrEnum):
    """A service's state, in one vocabulary for both service managers."""

    RUNNING = "running"
    STOPPED = "stopped"
    STARTING = "starting"
    STOPPING = "stopping"
    PAUSED = "paused"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ClusterResource(Value):
    """What starts and stops a service in Windows' place: a failover cluster's resource of the type Generic Service."""

    resource: str | None = None
    state: Literal["online", "offline", "failed", "pending"] | None = None
    """None where nobody asked, for the service runs here, or nobody told."""
    owner: str | None = None
    """The node that runs it, or ran it last."""
    group: str | None = None
    detail: str | None = None
    """Why it is not known."""


class Service(Value):
    """One service of Octopus Deploy, by Windows' service manager or systemd."""

    name: str
    product: Literal["tentacle", "server"] | None = None
    instance: str | None = None
    """From `--instance` in the command line; None where the line names none."""
    state: ServiceState
    start_mode: Literal["auto", "manual", "disabled", "other"] | None = None
    account: str | None = None
    pid: int | None = None
    started_utc: datetime | None = None
    exit_code: int | None = None
    restarts: int | None = None
    """systemd's NRestarts; None on Windows, and where systemd is older than 235 and counts none."""
    executable: str | None = None
    arguments: str | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    """The variables of its environment that override settings (tentacle-facts 2.2), secrets removed."""
    environment_unread: str | None = None
    """Why there may be more of them, which were not read."""
    unquoted: bool | None = None
    """Whether the path of its program holds a blank, and no quotes around it (Windows); None: not told."""
    deleted: bool = False
    """It is marked for deletion: it goes as soon as it does not run and nobody has it open (Windows)."""
    detail: str | None = None
    """systemd's sub-state and result, such as `auto-restart / exit-code`."""
    cluster: ClusterResource | None = None


class ConfigurationFile(Value):
    """An instance's configuration file. `settings` hold no secrets: the script leaves them out at the source."""

    path: str
    size: int | None = None
    modified_utc: datetime | None = None
    settings: dict[str, str] = Field(default_factory=dict)
    error: Literal["not-found", "denied", "empty", "malformed", "unreadable"] | None = None
    detail: str | None = None


class Instance(Value):
    """One instance of Tentacle or Octopus Server, as the instance registry names it."""

    product: Literal["tentacle", "server"]
    name: str
    unnamed: bool = False
    """It stands in no registry: a service runs it by `--config`, and so does whoever calls Tentacle for it."""
    configuration: ConfigurationFile


class Process(Value):
    """A process, as far as the survey's account may see it."""

    pid: int
    name: str | None = None
    executable: str | None = None
    command_line: str | None = None
    parent_pid: int | None = None
    started_utc: datetime | None = None
    user: str | None = None


class Listener(Value):
    """A listening TCP socket on a port of interest. `owner` is None where the process of `pid` is gone."""

    address: str
    port: int
    device: str | None = None
    """The one by which alone something reaches it (SO_BINDTODEVICE, as `ip vrf exec` does it)."""
    six_alone: bool = False
    """It listens on all addresses of IPv6, and on none of IPv4 (IPV6_V6ONLY)."""
    pid: int | None = None
    owner: Process | None = None
    children: tuple[Process, ...] = ()
    """Processes whose parent was the vanished owner: they may hold its socket (guide, Zombie Child Processes)."""


class Survey(Value):
    """All that was read from one host in one script. What an older survey lacks is unknown."""

    host: Section[Host]
    services: Section[tuple[Service, ...]]
    instances: Section[tuple[Instance, ...]]
    listeners: Section[tuple[Listener, ...]]
    connections: Section[tuple[Connection, ...]] = Section(unknown=NOT_SURVEYED)
    logs: Section[tuple[LogFile, ...]] = Section(unknown=NOT_SURVEYED)
    firewall: Section[Firewall] = Section(unknown=NOT_SURVEYED)
    proxies: Section[tuple[Proxy, ...]] = Section(unknown=NOT_SURVEYED)
    permissions: Section[tuple[Permissions, ...]] = Section(unknown=NOT_SURVEYED)
    service_accounts: Section[tuple[ServiceAccount, ...]] = Section(unknown=NOT_SURVEYED)
    access_control: Section[AccessControl] = Section(unknown=NOT_SURVEYED)
    """SELinux and AppArmor; not read on Windows, which has neither."""
    private_keys: Section[tuple[PrivateKey, ...]] = Section(unknown=NOT_SURVEYED)
    loading: Section[Loading] = Section(unknown=NOT_SURVEYED)
    tls: Section[TlsPolicy] = Section(unknown=NOT_SURVEYED)
    events: Section[tuple[Event, ...]] = Section(unknown=NOT_SURVEYED)
    disks: Section[tuple[Disk, ...]] = Section(unknown=NOT_SURVEYED)
    products: Section[tuple[Product, ...]] = Section(unknown=NOT_SURVEYED)
    watchdog: Section[tuple[Watchdog, ...]] = Section(unknown=NOT_SURVEYED)
    left_overs: Section[tuple[LeftOver, ...]] = Section(unknown=NOT_SURVEYED)
    reservations: Section[Reservations] = Section(unknown=NOT_SURVEYED)
    own_names: Section[tuple[OwnName, ...]] = Section(unknown=NOT_SURVEYED)
    routes: Section[tuple[Route, ...]] = Section(unknown=NOT_SURVEYED)
    """To the other ends of the machine's links."""
    proxy_connects: Section[tuple[ProxyConnect, ...]] = Section(unknown=NOT_SURVEYED)
    changes: Section[Changes] = Section(unknown=NOT_SURVEYED)
    """Files and packages with their times; not read on Windows."""
    probes: tuple[Probe, ...] = ()
    pings: tuple[PingSeries, ...] = ()
    """Of the links that the machine opens itself, where the run was asked to ping."""
    tls_versions: tuple[TlsVersions, ...] = ()
    """Of the same links, where the run was asked to try each version of TLS."""
    noise: str | None = None
    """What the machine wrote besides the document (profile, banner), cut to 2,000 characters."""


SECTIONS: Final = tuple(
    name
    for name, field in Survey.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
)
"""Names of the parts of a survey that are read on their own."""


class Unreachable(Value):
    """Why there is no survey: says nothing about the Tentacle."""

    stage: ReachStage
    summary: str
    advice: str

    @property
    def reason(self) -> str:
        """In one line: what happened, and at which stage of the log-on, if there was one."""
        return self.summary if self.stage is ReachStage.NOT_ASKED else f"{self.summary} (stage: {self.stage.value})"


class HostRecord(Value):
    """One login's outcome: a survey, or why there is none."""

    host_key: str
    machines: tuple[str, ...]
    taken_utc: datetime
    seconds: float
    requests: int | None = None
    """HTTP requests (WinRM) or executed commands (SSH) that it took."""
    survey: Survey | None = None
    unreachable: Unreachable | None = None
    cut_off: str | None = None
    """Why the survey is not whole: the session ended before the script did."""
    recorded: bool = False
    """The embedded lab answered from a recording, for want of a PowerShell."""
    peer_probes: tuple[Probe, ...] = ()
    """Round 2: a server's probes of its listening Tentacles."""
    peer_pings: tuple[PingSeries, ...] = ()
    """Round 2: a server's pings of the same, where the run was asked to ping."""
    peer_tls_versions: tuple[TlsVersions, ...] = ()
    """Round 2: of the same, where the run was asked to try each version of TLS."""
    peer_unknown: str | None = None
    """Why round 2 gave nothing."""

    def __iter__(self) -> Generator[tuple[str, Any]]:
        """Every field with its value, unpacked."""
        for name in type(self).model_fields:
            yield name, getattr(self, name)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As of any model, unpacked."""
        return super(HostRecord, self._unpacked()).model_dump(**options)

    def model_dump_json(self, **options: Any) -> str:
        """As of any model, unpacked."""
        return super(HostRecord, self._unpacked()).model_dump_json(**options)

    @property
    def is_packed(self) -> bool:
        """Whether its survey is kept packed. Who reads `survey` notices nothing of it."""
        return type(vars(self)["survey"]) is Packed

    def packed(self) -> HostRecord:
        """The same record with its survey packed, where it has one."""
        if self.is_packed or self.survey is None:
            return self
        return self.model_copy(update={"survey": Packed(self.survey)})

    def _unpacked(self) -> HostRecord:
        return self.model_copy(update={"survey": self.survey}) if self.is_packed else self

    @classmethod
    def not_surveyed(cls, host_key: str, machines: Iterable[str], why: Unreachable) -> HostRecord:
        """That of a host on which nothing was done, as of now."""
        now = datetime.now(UTC)
        return cls(host_key=host_key, machines=tuple(machines), taken_utc=now, seconds=0.0, unreachable=why)


type.__setattr__(HostRecord, "survey", PackedField("survey"))
