"""What all connections of one lab WinRM server share: users, shells, and what was seen."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from spnego.channel_bindings import GssChannelBindings

from .auth import Accounts, Login
from .runner import CommandRunner
from .shells import Shells
from .soap import Fault

MAX_ENVELOPE = 500 * 1024
"""Windows' MaxEnvelopeSizekb since WinRM 3 (windows-shapes 9.1)."""

IDLE_SECONDS = 120.0
"""After this http.sys closes a connection on which nothing happens."""


@dataclass(frozen=True)
class Seen:
    """One HTTP request.

    Attributes:
        connection: number of the TCP connection, from 1.
        client: the client's address.
        user: who was logged on when it was answered.
        action: Create, Command, ...; "login" where it carried no message that could be read.
        status: the HTTP status that it was answered with.
    """

    connection: int
    client: str
    user: str | None
    action: str
    status: int


@dataclass(frozen=True)
class Rules:
    """How the server behaves; the defaults are a healthy Windows'.

    Attributes:
        name: the machine's name in faults.
        basic: whether Basic is offered, over HTTPS alone.
        credssp: whether CredSSP is offered; it is off on a new Windows.
        delegates: whether what CredSSP hands over logs on.
        max_envelope: bytes that a request may have.
        idle_seconds: after which a silent connection is closed.
        mapped: the users of client certificates, by SHA-1 thumbprint (upper case).
        asks_at_once: whether a client certificate is asked for in the handshake, and not when it is needed.
        refuse: asked with each action before it is done; a fault that it returns is the answer.
    """

    name: str = "lab"
    basic: bool = True
    credssp: bool = False
    delegates: bool = True
    max_envelope: int = MAX_ENVELOPE
    idle_seconds: float = IDLE_SECONDS
    mapped: Mapping[str, str] = field(default_factory=dict)
    asks_at_once: bool = False
    refuse: Callable[[str], Fault | None] = lambda _: None


class Service:
    """The shared state of one server; its methods are called from many threads."""

    def __init__(
        self, users: Mapping[str, str], runner: CommandRunner, rules: Rules, certificate: Path | None, folder: Path
    ) -> None:
        self.rules = rules
        self.shells = Shells(runner)
        self.encrypted_transport = certificate is not None
        self._accounts = Accounts(users, folder)
        self._binding = None if certificate is None else _binding(certificate)
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._connections = 0

    def new_login(self) -> Login:
        """The state of a new connection."""
        return Login(
            self._accounts,
            self._binding,
            basic=self.rules.basic and self.encrypted_transport,
            by_credssp=self.rules.credssp,
            delegates=self.rules.delegates,
        )

    def new_connection(self) -> int:
        """The next connection's number."""
        with self._lock:
            self._connections += 1
            return self._connections

    def note(self, seen: Seen) -> None:
        """Remember a request."""
        with self._lock:
            self._seen.append(seen)

    @property
    def seen(self) -> list[Seen]:
        """All requests so far, in the order of their answers."""
        with self._lock:
            return list(self._seen)

    @property
    def connections(self) -> int:
        """TCP connections so far, failed TLS handshakes not counted."""
        with self._lock:
            return self._connections


def _binding(certificate: Path) -> GssChannelBindings:
    """The server end-point binding of a certificate (RFC 5929, section 4.1)."""
    loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    algorithm = loaded.signature_hash_algorithm
    name = "sha256" if algorithm is None or algorithm.name in ("md5", "sha1") else algorithm.name
    digest = hashlib.new(name, loaded.public_bytes(Encoding.DER)).digest()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
