"""What an inventory resolves to: machines, each with all its defaults and groups applied.

These are the values that everything above reads; how a YAML file becomes them is `loading`'s business. They hold no
secret in clear (see `secrets`), and they can be written into a survey file without the transports' credentials.
"""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from pytest_tentacle.octopus.model import Portal
from pytest_tentacle.values import Value

from .secrets import Secret

TENTACLE_PORT = 10933
"""A listening Tentacle's default port (guide, "Listening Tentacles")."""

POLLING_PORT = 10943
"""The Octopus Server's default port for polling Tentacles (guide, "Polling Tentacles")."""


class Mode(StrEnum):
    """Communication mode: who opens the connection (guide, "Communication Mode")."""

    LISTENING = "listening"
    POLLING = "polling"


class OperatingSystem(StrEnum):
    """The two families that a Tentacle runs on."""

    WINDOWS = "windows"
    LINUX = "linux"


class LooksFrom(StrEnum):
    """From where a server's links to its listening Tentacles are looked at."""

    SERVER = "server"
    CONTROLLER = "controller"
    """The machine that runs pytest: its look is declared to be as good, where nobody can log on to the server."""


class Settings(Value):
    """How to log on to a machine: what every kind of transport says of itself.

    Attributes:
        KEPT: the settings that a saved inventory keeps; the others are credentials, or lead to them.
    """

    KEPT: ClassVar[frozenset[str]] = frozenset()

    @property
    def login(self) -> str | None:
        """Machines with the same one are on the same host; None where there is none, and each is for itself."""
        return None

    @property
    def default_os(self) -> OperatingSystem | None:
        """The system of each machine that is logged on to in this way; None where that must be found out."""
        return None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that it names, the one that is logged on to first."""
        return ()

    @property
    def users(self) -> tuple[str, ...]:
        """Users that it names."""
        return ()

    @property
    def secrets(self) -> frozenset[Secret]:
        """Its passwords and passphrases."""
        return frozenset(value for value in vars(self).values() if isinstance(value, Secret))

    def without_credentials(self) -> Self:
        """What of it may be saved."""
        return type(self).model_validate({name: getattr(self, name) for name in self.KEPT})


class WinRM(Settings):
    """Log on by WinRM (WS-Management), with pywinrm."""

    KEPT = frozenset({"host", "port", "scheme", "auth", "verify"})

    kind: Literal["winrm"] = "winrm"
    host: str
    port: int = 5986
    scheme: Literal["https", "http"] = "https"
    auth: Literal["ntlm", "kerberos", "credssp", "certificate", "basic"] = "ntlm"
    user: str | None = None
    password: Secret | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    ca: Path | None = None
    """A private CA's PEM bundle that the machine's WinRM certificate is verified against."""
    verify: Literal["verify", "insecure"] = "verify"

    @property
    def login(self) -> str:
        """Host and port."""
        return f"winrm://{self.host.lower()}:{self.port}"

    @property
    def default_os(self) -> OperatingSystem:
        """Windows alone speaks it."""
        return OperatingSystem.WINDOWS

    @property
    def hosts(self) -> tuple[str, ...]:
        """The one host."""
        return (self.host,)

    @property
    def users(self) -> tuple[str, ...]:
        """The one user, where one is named."""
        return (self.user,) if self.user else ()


class SSH(Settings):
    """Log on by SSH: with paramiko, by Kerberos with OpenSSH's client. What is None is looked up in the ssh_config."""

    KEPT = frozenset({"host", "port", "auth", "host_keys", "agent"})

    kind: Literal["ssh"] = "ssh"
    host: str
    port: int | None = None
    auth: Literal["keys", "kerberos"] = "keys"
    """`keys`: key, agent and password, whatever there is; `kerberos`: a ticket, and nothing else."""
    user: str | None = None
    password: Secret | None = None
    key: Path | None = None
    passphrase: Secret | None = None
    host_keys: Literal["verify", "accept-new", "insecure"] = "verify"
    known_hosts: Path | None = None
    """None: the user's own `~/.ssh/known_hosts` and what ssh_config says."""
    ssh_config: Path | None = None
    """None: the user's own `~/.ssh/config`, if there is one."""
    proxy_jump: str | None = None
    agent: bool = True

    @property
    def login(self) -> str:
        """Host and port."""
        return f"ssh://{self.host.lower()}:{self.port or 22}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host, then those on the way to it."""
        return (self.host, *(host for _, host in self._jumps))

    @property
    def users(self) -> tuple[str, ...]:
        """The user, and those on the hosts on the way."""
        return tuple(user for user in (self.user, *(user for user, _ in self._jumps)) if user)

    @property
    def _jumps(self) -> tuple[tuple[str, str], ...]:
        parts = (jump.rpartition("@") for jump in (self.proxy_jump or "").split(",") if jump)
        return tuple((user, host) for user, _, host in parts)


class Local(Settings):
    """The machine that runs pytest."""

    kind: Literal["local"] = "local"

    @property
    def login(self) -> str:
        """There is but one."""
        return "local://"

    @property
    def default_os(self) -> OperatingSystem:
        """That of this process."""
        return OperatingSystem.WINDOWS if sys.platform == "win32" else OperatingSystem.LINUX


class NoTransport(Settings):
    """A machine that we cannot log on to, such as Octopus Cloud."""

    kind: Literal["none"] = "none"


Transport = Annotated[WinRM | SSH | Local | NoTransport, Field(discriminator="kind")]

KINDS: dict[str, type[WinRM | SSH | Local | NoTransport]] = {
    kind.model_fields["kind"].default: kind for kind in (WinRM, SSH, Local, NoTransport)
}
"""The kinds of transport by their words in an inventory."""


class Origin(Value):
    """Where in which file a machine is declared."""

    file: str
    line: int


class Waiver(Value):
    """A problem that is known and accepted on a machine: where it is found, it is `waived` and fails nothing."""

    code: str
    reason: str
    until: date | None = None
    """The last day (UTC) on which it holds; None: for good."""
    origin: Origin | None = None

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.until is None or day <= self.until


class Machine(Value):
    """One entry of the inventory; `host_key` says which entries share one login and one survey."""

    name: str
    dns_name: str | None = None
    ip: str | None = None
    os: OperatingSystem | None = None
    instance: str | None = None
    thumbprint: str | None = None
    groups: tuple[str, ...] = ()
    transport: Transport = NoTransport()
    site: str | None = None
    """The site whose worker surveys it, where the run has a scheduler (`--executor`)."""
    cluster: str | None = None
    """Failover cluster: of the machines with the same word one runs its product, and the others stand by."""
    container: bool = False
    """It runs in a container of the host that is logged on to, which therefore has no instance and no service of it."""
    waive: tuple[Waiver, ...] = ()
    origin: Origin | None = None

    @property
    def host_key(self) -> str:
        """The login that this machine is surveyed through; machines with the same one are on the same host.

        Two sites may have the same private addresses.
        """
        login = self.transport.login or f"none://{self.name}"
        return login if self.site is None else f"{self.site}|{login}"


class Tentacle(Machine):
    """One Tentacle instance on a host. What is None was not declared: it is discovered, and not asserted."""

    role: Literal["tentacle"] = "tentacle"
    mode: Mode | None = None
    port: int | None = None
    """The port at which the server reaches a listening Tentacle."""
    listens_on: int | None = None
    """The port that it listens on by its own settings, where NAT, a balancer or a container publishes another one."""
    via_proxy: str | None = None
    """`host:port` of the proxy, set in the portal, through which the server reaches a listening Tentacle."""
    shares_certificate: bool = False
    """It was set up from a certificate that other Tentacles have as well, on purpose."""
    servers: tuple[str, ...] = ()
    """Names of the Octopus Server nodes that it talks to."""
    registrations: tuple[str, ...] = ()
    """Ids under which Octopus knows it; none where Octopus was not asked, or does not know it."""


class OctopusServer(Machine):
    """One node of an Octopus Server."""

    role: Literal["server"] = "server"
    addresses: tuple[str, ...] = ()
    """Every further host name or IP under which Tentacles reach this node."""
    gateway: str | None = None
    """`host:port` of a balancer or NAT device that leads polling Tentacles to this node alone."""
    vantage: LooksFrom = LooksFrom.SERVER
    portal: str | None = None
    polling_ports: tuple[int, ...] = (POLLING_PORT,)


class Inventory(BaseModel):
    """All machines of one run, servers first, each in the order of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    servers: tuple[OctopusServer, ...] = ()
    tentacles: tuple[Tentacle, ...] = ()
    files: tuple[str, ...] = ()
    digest: str = ""
    """SHA-256 over the inventory files' bytes, hexadecimal."""
    warnings: tuple[str, ...] = ()
    secret_files: tuple[Path, ...] = Field(default=(), exclude=True, repr=False)
    """The files that `${file:...}` named, absolute: nothing may be written there. They stay out of every output."""
    is_lab: bool = False
    """The file asks for the embedded lab."""
    lab_settings: dict[str, Any] = {}
    """What the file's `lab:` holds, where it is a map."""
    portal: Portal | None = None
    """What Octopus's API says; None where it was not asked, or gave no answer."""
    disabled: tuple[str, ...] = ()
    """Names of machines that are disabled in Octopus and were left out."""
    lab_faults: dict[str, dict[str, Any]] = {}
    """By machine name, what its own `lab:` tells the embedded lab; machines without one are left out."""

    @property
    def machines(self) -> tuple[OctopusServer | Tentacle, ...]:
        """Servers, then Tentacles."""
        return (*self.servers, *self.tentacles)

    def find(self, name: str) -> OctopusServer | Tentacle:
        """The machine of that name; KeyError where there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)

    def servers_of(self, tentacle: Tentacle) -> tuple[OctopusServer, ...]:
        """The server nodes at the other end of a Tentacle's links."""
        return tuple(server for server in self.servers if server.name in tentacle.servers)

    def tentacles_of(self, server: OctopusServer) -> tuple[Tentacle, ...]:
        """The Tentacles that name this server node."""
        return tuple(tentacle for tentacle in self.tentacles if server.name in tentacle.servers)
