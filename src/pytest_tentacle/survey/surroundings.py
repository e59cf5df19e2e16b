"""What stands around a Tentacle on its host: connections, logs, proxies, rights, TLS policy, disks.

Each class is one section's data in `model.Survey`; in the scripts' JSON the same shape, but for a log, whose `text`
(base64 of at most its last 2 MB) becomes records in `ingest`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from pytest_tentacle.link.model import Page, Secured
from pytest_tentacle.values import Value


class Connection(Value):
    """One TCP connection of a port of interest: our own port, or a configured server's polling port."""

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    state: Literal["established", "close-wait", "syn-sent", "time-wait", "other"]
    pid: int | None = None


class Route(Value):
    """The way to a peer (an address or name, as asked) by the machine's own tables; `hops`: its TTL, of IPv4."""

    peer: str
    address: str
    via: str | None = None
    """The next router; None: the address is on a network of the machine's own."""
    device: str | None = None
    source: str | None = None
    """The address that the machine speaks from on this way."""
    error: Literal["no-route", "unreachable", "prohibited", "blackhole", "other"] | None = None
    detail: str | None = None
    neighbour: str | None = None
    """What the neighbours' table says of the next hop, such as `reachable` or `failed`; None: nothing."""
    rp_filter: int | None = None
    """The strictest reverse path filter of all devices: 1 drops what comes another way than the answer would go."""
    hops: int | None = None


class Proxy(Value):
    """One place where a proxy can be set, and whom it concerns. Passwords are removed by the script."""

    layer: Literal["wininet", "winhttp", "policy", "environment", "service-environment"]
    account: str | None = None
    """The account that it holds for; None: the whole machine."""
    enabled: bool
    address: str | None = None
    bypass: str | None = None
    pac: str | None = None


class AccessEntry(Value):
    """One entry of an access list, in stored order. `mask` is unsigned 32 bit; identities are SIDs, never names."""

    sid: str
    mask: int
    deny: bool = False
    inherited: bool = False
    inherit_only: bool = False


class Access(Value):
    """Rights on one folder or file: an access list (Windows), or owner, group and mode (Linux)."""

    path: str
    owner: str | None = None
    """SID, or user name."""
    group: str | None = None
    mode: int | None = None
    """Linux: permission bits, such as 0o755."""
    entries: tuple[AccessEntry, ...] | None = None
    error: Literal["not-found", "denied", "unreadable"] | None = None


class Permissions(Value):
    """The service account's rights on Octopus Home: the folder itself, and below it whatever does not just inherit."""

    instance: str
    product: Literal["tentacle", "server"]
    account: str
    sid: str | None = None
    groups: tuple[str, ...] = ()
    """SIDs or names of the account's groups, as far as they could be learnt."""
    groups_complete: bool = True
    home: str
    access: tuple[Access, ...] = ()
    looked_at: int = 0
    complete: bool = True


class ServiceAccount(Value):
    """Whom a service is to run as, and whom its process does: SIDs, numbers (Linux); whether somebody `halted` it."""

    service: str
    account: str
    sid: str | None = None
    process_sid: str | None = None
    """Of the running process's owner. None, of either: nobody told, or it does not run."""
    halted: Literal["stopped", "traced", "frozen"] | None = None


class ProcessLabel(Value):
    """What a security module takes a service's process for: `system_u:system_r:init_t:s0`, or AppArmor's profile."""

    service: str
    pid: int
    label: str | None = None
    """None: nobody told."""


class FileLabel(Value):
    """SELinux's label of a program or a folder."""

    path: str
    label: str | None = None
    expected: str | None = None
    """That of the policy, where it is another one (`matchpathcon -V`); None: the same, or nobody told."""


class Denial(Value):
    """One access that SELinux or AppArmor denied, by a record of the kernel's: the last one of its like."""

    module: Literal["selinux", "apparmor"]
    time_utc: datetime | None = None
    action: str
    """SELinux's permissions, such as `execute` or `read open`, or AppArmor's operation."""
    process: str | None = None
    """By the name of the thread that asked: `(Tentacle)` is systemd, about to run Tentacle."""
    executable: str | None = None
    pid: int | None = None
    source: str | None = None
    """The label, or the profile, of the process."""
    target: str | None = None
    """SELinux's label of what was asked for."""
    kind: str | None = None
    """SELinux's class, such as `file` or `tcp_socket`; of AppArmor `file`, or a family of sockets."""
    path: str | None = None
    """Whole, or the last part alone."""
    port: int | None = None
    enforced: bool | None = None
    """False: it was told, and allowed. None: the record does not tell, as of kernels before 3.17."""


class AccessControl(Value):
    """SELinux and AppArmor (Linux), as far as they concern the services' programs and homes.

    Where one is in force and its records could not be read, none of it is known: the section's reason says what is.
    """

    selinux: Literal["enforcing", "permissive", "disabled"]
    apparmor: bool = False
    """Whether it is on."""
    processes: tuple[ProcessLabel, ...] = ()
    labels: tuple[FileLabel, ...] = ()
    denials: tuple[Denial, ...] = ()
    """Those that concern the services."""
    records_since: datetime | None = None
    """Time of the oldest record that was looked at; None: there is none, or none was needed."""


class PrivateKey(Value):
    """The private key of an instance's certificate, by the store of whom its service runs as (Windows).

    The key itself is never touched: only whether its file is there, and who has which rights on it.
    """

    instance: str
    account: str
    sid: str | None = None
    """Whose store it is: that of the running process's owner, else of the service's account."""
    groups: tuple[str, ...] = ()
    groups_complete: bool = True
    thumbprint: str
    stored: bool | None = None
    """Whether the account's store holds the certificate; None: it could not be looked into."""
    has_key: bool | None = None
    """Whether the store says that there is a private key."""
    provider: str | None = None
    access: Access | None = None
    """The key's file; None: where it lies could not be told."""
    of_another_machine: str | None = None
    """A file of the same key that was made under another machine's identifier: this is a copy of its disk."""
    detail: str | None = None
    """Why something of this is not known."""


class LoadTime(Value):
    """`Tentacle help`, run twice, in milliseconds, without the script's own start-up."""

    product: Literal["tentacle", "server"]
    executable: str
    cold_ms: float | None = None
    warm_ms: float | None = None
    exit_code: int | None = None
    printed: str | None = None
    """The first of what it printed: on Linux of its error output, where it failed."""
    error: str | None = None


class Revocation(Value):
    """Code signing revocation checks for one account (Windows)."""

    account: str
    enabled: bool | None = None
    reachable: bool | None = None
    """Whether a distribution point of the publisher's certificate answered on port 80."""
    detail: str | None = None


class Loading(Value):
    """What decides how long the programs take to load."""

    times: tuple[LoadTime, ...] = ()
    revocation: tuple[Revocation, ...] = ()


class PortRange(Value):
    """TCP ports from `first` to `last`, both included."""

    first: int
    last: int


class Binding(Value):
    """A certificate that http.sys presents at an endpoint (Windows)."""

    endpoint: str
    """As registered: `0.0.0.0:443`, `[::]:443`, `octopus.example:443`."""
    thumbprint: str | None = None
    store: str = "MY"
    """Store of the machine in which http.sys looks for it."""
    stored: bool | None = None
    """Whether that store holds it; None: nobody looked."""
    has_key: bool | None = None
    """Whether the store says that there is a private key to it."""
    central: bool = False
    """Certificates come from a central store of files: which one is presented is not known."""


class ReservedPrefix(Value):
    """A URL prefix of http.sys that is reserved (Windows)."""

    url: str
    descriptor: str
    """For whom: a self-relative security descriptor (MS-DTYP 2.4.6) in hexadecimal digits."""


class Reservations(Value):
    """Ports that the system keeps from programs which ask for them, without anybody listening there yet.

    Windows: ranges excluded from use (Hyper-V and its kin take them), and URL prefixes that http.sys serves, whose
    sockets belong to process 4. Linux: reserved local ports do not keep a program from binding; both are empty.
    """

    excluded: tuple[PortRange, ...] | None = None
    """None: they could not be read."""
    http_sys: tuple[str, ...] | None = None
    """As registered, such as `HTTP://*:80/` or `https://+:10933/`; None: they could not be read."""
    unread: str | None = None
    """Why one of the two is not known."""
    bindings: tuple[Binding, ...] | None = None
    """Of a machine with an Octopus Server; None: not asked for, or could not be read."""
    prefixes: tuple[ReservedPrefix, ...] | None = None
    """Likewise."""
    unread_settings: str | None = None
    """Why these two are not known; None where they were not asked for."""


class OwnName(Value):
    """What one of the machine's own names resolves to, asked on the machine itself."""

    name: str
    addresses: tuple[str, ...] = ()
    error: Literal["name-not-found", "no-address", "resolver-failed", "timed-out", "other"] | None = None
    detail: str | None = None


class ProxyConnect(Value):
    """One CONNECT through the proxy that an instance is configured to poll through, by the survey's account.

    Credentials are never sent: they are not ours to read, so 407 from a proxy that has some configured tells nothing.
    Where the proxy opened a tunnel, a whole look went through it.
    """

    instance: str
    proxy: str
    """`host:port`."""
    host: str
    port: int
    status: int | None = None
    """HTTP status of the answer; None: none came."""
    error: Literal["name-not-found", "refused", "timed-out", "closed", "not-http", "other"] | None = None
    detail: str | None = None
    """The answer's first line, or the system's own words: evidence, never decided upon."""
    ms: float | None = None
    tls: Secured | None = None
    """The handshake through the tunnel; None: there was none, or it was not read."""
    page: Page | None = None
    """What was shown behind it."""
    content_type: str | None = None  # of the answer itself: of a page of the proxy's own, unless TLS comes through


class TlsProtocol(Value):
    """One protocol version and side in the Schannel registry. None: the value is absent, the OS default holds."""

    name: Literal["SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]
    side: Literal["client", "server"]
    enabled: bool | None = None
    disabled_by_default: bool | None = None


class Event(Value):
    """One entry of Windows' logs System and (CAPI2) Application, by field names, never by its localised text."""

    source: Literal["service-control-manager", "schannel", "tcpip", "capi2"]
    id: int
    time_utc: datetime
    data: dict[str, str] = Field(default_factory=dict)


class RootLists(Value):
    """Whether Windows may fetch its lists of trusted roots whenever it looks at a certificate (each handshake does)."""

    disabled: bool = False
    """By policy: it does not try."""
    own_source: str | None = None
    """A source of one's own, instead of Windows Update."""
    synced_utc: datetime | None = None
    """When it last succeeded; None: never, as far as the registry tells."""
    seconds: float = 15.0
    """How long one attempt may wait."""


class TlsPolicy(Value):
    """What the host's TLS library is allowed to do."""

    library: str
    """`Schannel`, or OpenSSL's version line."""
    build: int | None = None  # of Windows, which decides Schannel's defaults
    protocols: tuple[TlsProtocol, ...] = ()
    minimum: str | None = None
    """OpenSSL's MinProtocol, where the system's configuration sets one."""
    cipher_suites: tuple[str, ...] | None = None
    curves: tuple[str, ...] | None = None
    signatures: tuple[str, ...] | None = None  # Schannel's algorithms for them, such as `RSA/SHA256`
    fips: bool | None = None
    disabled: tuple[str, ...] = ()
    """Schannel: algorithms that are switched off, such as `Hashes\\SHA`, and least lengths of keys."""
    dotnet: tuple[str, ...] = ()
    """.NET Framework's switches, such as `64 bit v4.0.30319 SchUseStrongCrypto=0`."""
    root_lists: RootLists | None = None


class Disk(Value):
    """A file system that Octopus Home, its logs or the work folder lie on."""

    path: str
    free_bytes: int | None = None
    size_bytes: int | None = None
    read_only: bool | None = None
    """Whether it is mounted read-only, for the process of `unit` alone where there is one; None: not read (Windows)."""
    unit: str | None = None
    inodes: int | None = None
    free_inodes: int | None = None
    """Each file needs one; None where the file system has no fixed number of them, or nobody counted, as on Windows."""


class Watchdog(Value):
    """Tentacle's watchdog: a scheduled task on Windows (tentacle-facts 2.1)."""

    name: str
    state: Literal["ready", "running", "disabled", "other"]
    last_result: int | None = None


class Product(Value):
    """An installed product: its version, from the file's own version information or the package manager."""

    product: Literal["tentacle", "server"]
    version: str | None = None
    path: str | None = None


class LeftOver(Value):
    """What an earlier installation left behind (guide, "Uninstall Tentacles")."""

    kind: Literal["folder", "registry", "certificate", "service", "task", "unit", "index"]
    where: str


class WrittenFile(Value):
    """A file that decides over names, packet filters, TLS, or a product's program or unit."""

    path: str
    modified_utc: datetime | None = None


class PackageChange(Value):
    """What the package manager did, by a line of its own log."""

    time: str
    """As written: the machine's local time, or with an offset of its own."""
    action: Literal["installed", "upgraded", "removed"]
    name: str
    before: str | None = None
    """The version before."""
    version: str | None = None


class UpdateChange(Value):
    """What the log of Windows' servicing tells of an update or a part of Windows."""

    name: str
    """Such as `KB5032381`."""
    action: Literal["installed", "removed"]
    time_utc: datetime


class RuleChange(Value):
    """What the log of Windows' firewall tells of a rule for a port of interest, or of a profile."""

    action: Literal["added", "changed", "removed", "profile"]
    name: str
    """The rule's; of a profile its number: 1 domain, 2 private, 4 public, and sums of them."""
    time_utc: datetime
    ports: tuple[str, ...] = ()
    """None: any."""
    verdict: Literal["allow", "block"] | None = None
    """None: the log does not say."""
    active: bool | None = None


class Changes(Value):
    """What may have changed lately. Packages are Linux', updates and rules are Windows'."""

    offset: str | None = None
    """From UTC, such as `+0100`, at the time of the survey."""
    zone: str | None = None
    """The machine's time zone by its name, such as `Europe/Berlin`."""
    files: tuple[WrittenFile, ...] = ()
    packages: tuple[PackageChange, ...] = ()
    """The last ones, oldest first."""
    updates: tuple[UpdateChange, ...] = ()
    rules: tuple[RuleChange, ...] = ()
    unread: tuple[str, ...] = ()
    """What could not be read, with the reason."""


def caller_of(event: Event) -> int | None:
    """The process that a Schannel event is about, which only Windows Server 2022 and later tell."""
    text = event.data.get("CallerProcessId", "")
    return int(text) if event.source == "schannel" and text.isascii() and text.isdecimal() else None
