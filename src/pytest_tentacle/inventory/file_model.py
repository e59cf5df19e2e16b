"""The shape of an inventory file. The JSON Schema is made of these models, their docstrings are its descriptions.

All but names may be left out: what a map leaves out comes from groups and defaults, or is discovered by the survey.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from .fields import (
    Address,
    Code,
    Date,
    Endpoint,
    Host,
    Hosts,
    Jump,
    Maps,
    Name,
    Names,
    Port,
    Ports,
    Site,
    Switch,
    Text,
    Thumbprint,
    Url,
    User,
)
from .model import LooksFrom, Mode, OperatingSystem

TransportKind = Literal["winrm", "ssh", "local", "none"]
_WinRMAuth = Literal["ntlm", "kerberos", "credssp", "certificate", "basic"]
_SSHAuth = Literal["keys", "kerberos"]

AUTH_WORDS: dict[str, tuple[str, ...]] = {"winrm": get_args(_WinRMAuth), "ssh": get_args(_SSHAuth)}
"""What `auth` may be, by the kind of transport."""

SECRET_KEYS = frozenset({"password", "passphrase", "api_key", "token"})
"""Keys whose values are secrets, or references to them."""

PATH_KEYS = frozenset({"certificate", "certificate_key", "ca", "key", "ssh_config", "known_hosts"})
"""Keys whose values are paths, relative to the file they are written in."""


class FileModel(BaseModel):
    """A map of the file: no key but the ones named here."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)


class _Login(FileModel):
    host: Host | None = None
    """Host name or IP address to log on to. Default: the machine's ip, else its dns_name, else its name."""
    port: Port | None = None
    """TCP port. Default: WinRM 5986 (5985 with scheme http), SSH what ssh_config says, else 22."""
    user: User | None = None
    """User to log on as, for WinRM also as DOMAIN\\user or user@domain."""
    password: Text | None = None
    """The user's password, as ${env:NAME}, ${file:path} or ${keyring:service/user}; in clear only with a warning."""


class _WinRMKeys(_Login):
    scheme: Literal["https", "http"] | None = None
    """Default https. NTLM, Kerberos and CredSSP encrypt their messages over http; basic and certificate are refused."""
    auth: _WinRMAuth | None = None
    """How to authenticate. Default ntlm."""
    certificate: Text | None = None
    """PEM file with the client certificate, for auth certificate."""
    certificate_key: Text | None = None
    """PEM file with the client certificate's private key, without a passphrase."""
    ca: Text | None = None
    """PEM file with the private CAs that the machine's WinRM certificate is verified against."""
    verify: Literal["verify", "insecure"] | None = None
    """Whether the machine's WinRM certificate is verified. Default verify."""


class _SSHKeys(_Login):
    auth: _SSHAuth | None = None
    """How to authenticate: keys (the default: the key, the agent's keys, the password), or kerberos, by the ticket of
    whoever runs pytest and by nothing else."""
    key: Text | None = None
    """File with the private key."""
    passphrase: Text | None = None
    """The private key's passphrase, as ${env:NAME}, ${file:path} or ${keyring:service/user}."""
    host_keys: Literal["verify", "accept-new", "insecure"] | None = None
    """Host keys must be in known_hosts (verify, the default), may be new (accept-new), or are ignored (insecure)."""
    known_hosts: Text | None = None
    """File with the known host keys. Default: ~/.ssh/known_hosts and what ssh_config says."""
    ssh_config: Text | None = None
    """OpenSSH client configuration to use. Default: ~/.ssh/config, if there is one."""
    proxy_jump: Jump | None = None
    """Machine to jump over, as user@host:port; like ProxyJump in ssh_config."""
    agent: Switch | None = None
    """Whether keys of the SSH agent are tried. Default true."""


class WinRMTransport(_WinRMKeys):
    """Log on by WinRM (WS-Management)."""

    kind: Literal["winrm"]
    """Log on by WinRM."""


class SSHTransport(_SSHKeys):
    """Log on by SSH, to Linux or Windows. What is left out is taken from ssh_config."""

    kind: Literal["ssh"]
    """Log on by SSH."""


class LocalTransport(FileModel):
    """The machine that runs pytest."""

    kind: Literal["local"]
    """No login: the machine that runs pytest."""


class NoTransport(FileModel):
    """A machine that we cannot log on to, such as Octopus Cloud."""

    kind: Literal["none"]
    """No login: it is looked at from outside only."""


TRANSPORT_MODELS: dict[str, type[FileModel]] = {
    "winrm": WinRMTransport,
    "ssh": SSHTransport,
    "local": LocalTransport,
    "none": NoTransport,
}
"""The kinds of transport by their words, in the order in which messages name them."""


class TransportPart(_WinRMKeys, _SSHKeys):
    """Settings of a transport whose kind is written elsewhere: in defaults, or in a group."""

    auth: _WinRMAuth | _SSHAuth | None = None  # type: ignore[assignment]  # what either kind knows
    """How to authenticate, as the kind knows it. Default: WinRM ntlm, SSH keys."""


class Waive(FileModel):
    """A problem that is known and accepted."""

    code: Code
    """The problem's code, such as TT205."""
    reason: Text
    """Why it is accepted, and by whom: shown wherever the problem is."""
    until: Date | None = None
    """The last day (UTC) on which it is accepted. Default: for good."""


class _MachineKeys(FileModel):
    dns_name: Host | None = None
    """DNS name under which the other end of the link reaches this machine."""
    ip: Address | None = None
    """IP address under which the other end of the link reaches this machine."""
    os: OperatingSystem | None = None
    """Operating system. Default: windows where the transport is winrm, else discovered."""
    instance: Text | None = None
    """Name of the instance, where several are on one host. Default: discovered."""
    thumbprint: Thumbprint | None = None
    """SHA-1 thumbprint that its certificate must have: 40 hexadecimal digits. Default: not asserted."""
    transport: TransportKind | WinRMTransport | SSHTransport | LocalTransport | NoTransport | TransportPart | None = (
        None
    )
    """How to log on: winrm, ssh, local or none, or a map with kind and its settings. Merged key by key with what is
    inherited, unless it names another kind. Default: none."""
    site: Site | None = None
    """Site whose worker surveys it, in a run with --executor; without a scheduler it is surveyed from here as any."""
    secrets: Literal["controller", "worker"] | None = None
    """Where ${env:}, ${file:} and ${keyring:} of a machine with a site are looked up in a run with --executor: on the
    machine that runs pytest (controller, the default), or by the site's worker."""
    cluster: Name | None = None
    """Name of a failover cluster that it is a node of: of all its nodes one runs the product, the others stand by."""
    container: Switch | None = None
    """Whether it runs in a container of the host that is logged on to: then the host has no instance, service or log of
    it, and only its links are looked at. Default: false; a container that publishes its port is recognised."""
    waive: Annotated[tuple[Waive, ...], Maps] | None = None
    """Problems that are known and accepted: shown as waived, with the reason, and no failure. A list takes the place
    of an inherited one."""
    lab: dict[str, Any] | None = None
    """What the embedded lab is told about this machine; only in a file with lab: true."""


class _ServerKeys(_MachineKeys):
    addresses: Hosts | None = None
    """Every further host name or IP address under which Tentacles reach this node."""
    gateway: Endpoint | None = None
    """host:port of a balancer or NAT device that leads polling Tentacles to this node alone, as where all nodes of a
    cluster are polled by one name, each on a port of its own."""
    vantage: LooksFrom | None = None
    """From where the links to its listening Tentacles are looked at: server, the default, or controller, where nobody
    can log on to the server and the look of the machine that runs pytest is as good."""
    portal: Url | None = None
    """URL of the web portal."""
    polling_ports: Ports | None = None
    """Ports for polling Tentacles. Default 10943."""


class _TentacleKeys(_MachineKeys):
    mode: Mode | None = None
    """Communication mode: who opens the connection. Default: discovered."""
    port: Port | None = None
    """Port at which the server reaches a listening Tentacle. Default: discovered; 10933 where it is not."""
    listens_on: Port | None = None
    """Port that it listens on by its own settings, where that is another one: behind NAT or a balancer, in a container.
    Default: not asserted where the server's look at port shows its page."""
    via_proxy: Endpoint | None = None
    """host:port of the proxy, set in the portal, through which the server reaches it. Then the server's direct look
    says nothing, and the Tentacle's own log tells whether it lets the server in."""
    shares_certificate: Switch | None = None
    """Whether it was set up from a certificate that others have too, on purpose. Default: false."""
    server: Names | None = None
    """The Octopus Server node that it talks to. Default: the only one that is declared."""
    servers: Names | None = None
    """All the Octopus Server nodes that it talks to, instead of server."""


class ServerDefaults(_ServerKeys):
    """Settings that every server node has unless its groups or itself say otherwise."""

    groups: Names | None = None
    """Groups that it belongs to; of two that differ, the later one wins."""


class TentacleDefaults(_TentacleKeys):
    """Settings that every Tentacle has unless its groups or itself say otherwise."""

    groups: Names | None = None
    """Groups that it belongs to; of two that differ, the later one wins."""


class ServerEntry(ServerDefaults):
    """One node of an Octopus Server."""

    name: Name
    """Name of the machine in tests, reports and --limit; unique in all inventory files."""


class TentacleEntry(TentacleDefaults):
    """One Tentacle instance on a host."""

    name: Name
    """Name of the machine in tests, reports and --limit; unique in all inventory files."""


class GroupSettings(_ServerKeys, _TentacleKeys):
    """Settings that a group's members inherit; a server node takes only those that are a server's, and vice versa."""


class OctopusSettings(FileModel):
    """An Octopus Server whose API names the machines: `pytest --octopus URL` in a file."""

    url: Url
    """The portal's address, such as https://octopus.example.com; with or without /api."""
    api_key: Text | None = None
    """API key of an account that may view machines, as ${env:NAME}, ${file:path} or ${keyring:service/user}.
    Default: what OCTOPUS_API_KEY holds, else the bearer token in OCTOPUS_ACCESS_TOKEN."""
    token: Text | None = None
    """Bearer token instead of the key, as ${env:NAME}, ${file:path} or ${keyring:service/user}."""
    spaces: Names | None = None
    """Only these spaces, by name or id. Default: all that the account sees."""
    include_disabled: Switch | None = None
    """Also look at machines that are disabled in Octopus. Default: false."""
    ca: Text | None = None
    """PEM file of the private CA that the portal's certificate is verified against."""


class Defaults(FileModel):
    """Settings for all machines of this file."""

    server: ServerDefaults | None = None
    """Settings for all server nodes of this file."""
    tentacle: TentacleDefaults | None = None
    """Settings for all Tentacles of this file."""


class InventoryFile(FileModel):
    """Inventory of pytest-tentacle: the Octopus Server nodes and Tentacles that are looked at.

    Any text may hold ${env:NAME}. A machine's settings are those of defaults, then of its groups in the order in which
    it lists them, then its own; the later one wins.
    """

    defaults: Defaults | None = None
    """Settings for all machines of this file."""
    groups: dict[Name, GroupSettings | None] | None = None
    """Groups by name: settings that their members inherit, and names for --limit."""
    servers: list[Name | ServerEntry] | None = None
    """The Octopus Server nodes; a name alone will do."""
    tentacles: list[Name | TentacleEntry] | None = None
    """The Tentacles; a name alone will do."""
    octopus: OctopusSettings | None = None
    """An Octopus Server whose API names the machines; entries of this file win, and say how to log on."""
    lab: Switch | dict[str, Any] | None = None
    """The machines are those of the embedded lab, which is started for the run."""
