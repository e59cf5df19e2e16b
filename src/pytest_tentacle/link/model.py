"""What one probe of a link found, stage by stage. The same words whoever probed: Python, PowerShell or sh."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pytest_tentacle.values import Value


class Stage(StrEnum):
    """The stages of a link, in the order in which they are gone through."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    PAGE = "page"
    IDENTITY = "identity"


class Failure(StrEnum):
    """Why a stage failed. Each word may stand at the stages named behind it."""

    NAME_NOT_FOUND = "name-not-found"  # resolve: NXDOMAIN, HOST_NOT_FOUND
    NO_ADDRESS = "no-address"  # resolve: the name exists, without an address
    RESOLVER_FAILED = "resolver-failed"  # resolve: SERVFAIL, EAI_AGAIN, no DNS server answers
    TIMED_OUT = "timed-out"  # every stage
    REFUSED = "refused"  # connect: RST to the SYN
    UNREACHABLE = "unreachable"  # connect: no route, or a router or firewall said no by ICMP
    PROHIBITED = "prohibited"  # connect: this machine's own policy forbids it (EACCES, EPERM, 10013)
    RESET = "reset"  # connect, tls, page
    CLOSED = "closed"  # tls: the end of the stream instead of a handshake; page: closed without a byte
    NOT_TLS = "not-tls"  # tls: something that is not TLS answered
    PROTOCOL_VERSION = "protocol-version"  # tls: no common version (alert 70 and its kin)
    NO_COMMON_CIPHER = "no-common-cipher"  # tls: alert 40 handshake_failure
    NOT_HTTP = "not-http"  # page: bytes, but no HTTP answer
    UNTRUSTED = "untrusted"  # identity: closed without an answer
    OTHER = "other"  # every stage: `detail` has the text


class By(StrEnum):
    """How the target is named: the guide tries the DNS name first, then the IP address."""

    NAME = "name"
    ADDRESS = "address"
    LOCAL = "local"  # the machine's own port, from the machine itself


class Vantage(StrEnum):
    """Which machine looks at a link."""

    TENTACLE = "tentacle"
    SERVER = "server"
    HERE = "here"  # the machine that runs pytest


class LinkRef(Value):
    """Which link is looked at, and from where: by its ends, never by a text that somebody would have to take apart.

    Attributes:
        vantage: who looks.
        tentacle: the Tentacle's name in the inventory; None where the look is at a server's port for all its Tentacles.
        server: the server node's name in the inventory; None where nobody named one.
        instance: where not the inventory, but the settings of an instance on the looking machine name the address: the
            instance's name there. Its product is the vantage's. What is looked at `By.LOCAL` is its own port, else an
            address that it polls.
    """

    vantage: Vantage = Vantage.HERE
    tentacle: str | None = None
    server: str | None = None
    instance: str | None = None


class StageRecord(Value):
    """One stage: how long it took (milliseconds), and why it failed where it did."""

    ms: float | None = None
    error: Failure | None = None
    detail: str | None = None
    """The system's own words, as evidence; never decided upon."""


class Resolved(StageRecord):
    """The addresses that the name gave, in the resolver's order."""

    addresses: tuple[str, ...] = ()


class Tried(Value):
    """One of a name's several addresses, and how a look at it went.

    Attributes:
        address: as the resolver gave it.
        ms: milliseconds until it connected, or of the stage that failed.
        stage: that failed; None where the page came back.
        error: why.
        thumbprint: of the certificate that was presented there.
    """

    address: str
    ms: float | None = None
    stage: Stage | None = None
    error: Failure | None = None
    thumbprint: str | None = None


class Connected(StageRecord):
    """The address that answered, or the one whose failure is told (the last, where nothing tells more).

    Attributes:
        tried: where there are several addresses, those that were looked at, in the resolver's order. What stands behind
            the one that answered was looked at for its own sake: a product may get it next time.
        lag_ms: milliseconds by which the looking machine itself may have been late, being busy; None: not measured.
    """

    address: str | None = None
    lag_ms: float | None = None
    tried: tuple[Tried, ...] = ()


CERTIFICATE_BYTES = 24_000
"""Of a certificate that is read; they are hundreds of names. The scripts have the same number."""

TOO_LONG = f"it has more than {CERTIFICATE_BYTES:,} bytes, of which only the thumbprint is kept"
"""The error of a longer one."""

KeyKind = Literal["RSA", "EC", "DSA", "Ed25519", "Ed448", "other"]
HashName = Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "other"]


class Certificate(Value):
    """A certificate that a peer presented, as it was decoded when it arrived (`decoding.decode`).

    What would let somebody try names until they fit under `--pseudonyms` is not kept: serial number, signature, key.

    Attributes:
        thumbprint: SHA-1 over the DER certificate, 40 upper-case hex, as .NET's `X509Certificate2.Thumbprint`.
        subject: as RFC 4514 writes it; so is the issuer.
        names: the subject's other names: DNS names, addresses, mail addresses, URIs.
        key_bits: size of the key; None for a key of a kind that we do not know.
        curve: of a key of kind EC, such as `secp256r1`.
        signature: its algorithm's name, such as `sha256WithRSAEncryption`.
        hash_name: of the signature; None where it has none, or an unknown one.
        error: why nothing but the thumbprint is known.
    """

    thumbprint: str
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    key: KeyKind = "other"
    key_bits: int | None = None
    curve: str | None = None
    signature: str = ""
    hash_name: HashName | None = None
    error: str | None = None

    @property
    def rsa_bits(self) -> int | None:
        """Size of its RSA key; None for a key of another kind."""
        return self.key_bits if self.key == "RSA" else None

    @property
    def whose(self) -> str:
        """Its owner, and who vouches for it, in words."""
        if self.error is not None:
            return "one that cannot be decoded"
        return f"{self.subject} by {self.issuer}" if self.issuer != self.subject else self.subject


class Secured(StageRecord):
    """The TLS session: version (`TLSv1.3`), cipher name, the peer's certificate."""

    version: str | None = None
    cipher: str | None = None
    certificate: Certificate | None = None
    hello_ms: float | None = None
    """After a handshake in which nothing came: how soon the other end answered a plain hello. None: it did not."""
    hello_thumbprint: str | None = None
    """Of the certificate in that answer; TLS 1.3 does not show it."""


class Page(StageRecord):
    """The answer to `GET /`: its first 2,000 characters (head and body) and its length in bytes."""

    text: str | None = None
    length: int | None = None

    @property
    def product(self) -> Literal["tentacle", "server"] | None:
        """Whose welcome page it is: None where it is not Octopus's (tentacle-facts 1.4)."""
        text = self.text or ""
        if "Octopus Tentacle configured successfully" in text:
            return "tentacle"
        if "Octopus Server configured successfully" in text:
            return "server"
        return None


class Identity(StageRecord):
    """The answer to Halibut's identity lines, spoken only with `--probe-identity`."""

    line: str | None = None


class Target(Value):
    """What to probe: the `link` comes back with the answer."""

    link: LinkRef = LinkRef()
    host: str
    port: int
    by: By


class Probe(Value):
    """One attempt to use a link. A stage that was not reached is None."""

    link: LinkRef = LinkRef()
    host: str
    port: int
    by: By
    resolve: Resolved | None = None
    """None for a literal address."""
    connect: Connected | None = None
    tls: Secured | None = None
    page: Page | None = None
    identity: Identity | None = None
    unavailable: str | None = None
    """Why this vantage point could not probe at all (no TLS client on the machine, no time left)."""

    @property
    def is_of_own_port(self) -> bool:
        """Whether an instance's own port was looked at from its own machine."""
        return self.link.instance is not None and self.by is By.LOCAL

    @property
    def is_of_polled_address(self) -> bool:
        """Whether the address is one that an instance on the looking machine polls by its settings."""
        return self.link.instance is not None and self.by is not By.LOCAL

    @property
    def failed(self) -> tuple[Stage, StageRecord] | None:
        """The first stage that failed, and its record; None when all that was tried went well.

        To a client without a certificate a healthy peer answers its identity lines by closing (tentacle-facts 1.3,
        step B1): that is no failure.
        """
        for stage in Stage:
            record = getattr(self, stage.value)
            expected = stage is Stage.IDENTITY and record is not None and record.error is Failure.UNTRUSTED
            if record is not None and record.error is not None and not expected:
                return stage, record
        return None

    @property
    def thumbprint(self) -> str | None:
        """The thumbprint that the peer presented."""
        return self.certificate.thumbprint if self.certificate else None

    @property
    def certificate(self) -> Certificate | None:
        """The certificate that the peer presented."""
        return self.tls.certificate if self.tls else None

    @property
    def shows_page(self) -> bool:
        """Whether one of Octopus's welcome pages came back."""
        return self.page is not None and self.page.error is None and self.page.product is not None
