"""TLS over a connected socket, with one deadline over all reads and writes, and the peer's first bytes kept.

`ssl.SSLSocket` would swallow the bytes that turned out not to be TLS, and times each call on its own; so the TLS
machine works on memory here, and the socket is ours.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from pytest_tentacle.hiding import hide

from . import failures
from .deadline import Deadline, Stopwatch
from .decoding import decode
from .model import Failure, Secured
from .resolving import is_literal

T = TypeVar("T")

IGNORE_BARE_FIN: int = getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
"""An option of OpenSSL 3; older ones keep silent anyway."""

_KEPT = 512
"""Bytes of a peer's first answer that are kept as evidence."""

_PIECE = 65_536


@functools.cache
def client_context() -> ssl.SSLContext:
    """The one that all probes share."""
    return new_client_context()


def new_client_context() -> ssl.SSLContext:
    """TLS 1.2 and later, no client certificate, every server certificate accepted.

    Halibut verifies thumbprints and nothing else (tentacle-facts 1.2), and what is wrong with a certificate is for the
    steps to say: so security level 0, that a weak or SHA-1 certificate is seen and not refused.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    # Halibut ends with a bare FIN (tentacle-seen 1.1), which OpenSSL would answer with an alert
    context.options |= IGNORE_BARE_FIN
    return context


class TlsStream:
    """A TLS client session over a socket. All methods raise OSError (with ssl.SSLError and TimeoutError)."""

    def __init__(
        self, connection: socket.socket, host: str, deadline: Deadline, context: ssl.SSLContext | None = None
    ) -> None:
        self._connection = connection
        self._deadline = deadline
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        name = None if is_literal(host) else host.rstrip(".")
        self._tls = (context or client_context()).wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self.first_bytes = b""

    def handshake(self) -> None:
        """Agree on version, cipher and keys."""
        self._drive(self._tls.do_handshake)

    def describe(self, ms: float) -> Secured:
        """The session as a stage's record."""
        cipher = self._tls.cipher()
        der = self._tls.getpeercert(binary_form=True)
        return Secured(
            ms=ms,
            version=self._tls.version(),
            cipher=cipher[0] if cipher else None,
            certificate=decode(der) if der else None,
        )

    def write(self, data: bytes) -> None:
        """Send all of it."""
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            self._drive(functools.partial(self._tls.write, piece))

    def read(self, deadline: Deadline | None = None) -> bytes:
        """Up to 64 kB; nothing at the end, which with Halibut is a FIN without close_notify (tentacle-seen 1.1)."""
        try:
            return self._drive(functools.partial(self._tls.read, _PIECE), deadline)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def _drive(self, step: Callable[[], T], deadline: Deadline | None = None) -> T:
        limit = deadline or self._deadline
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush(limit)
                self._fill(limit)
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._flush(limit)  # our own alert: the peer's log shall say why
                raise
            else:
                self._flush(limit)
                return result

    def _flush(self, limit: Deadline) -> None:
        pending = self._outgoing.read()
        if pending:
            self._connection.settimeout(limit.wait())
            self._connection.sendall(pending)

    def _fill(self, limit: Deadline) -> None:
        self._connection.settimeout(limit.wait())
        data = self._connection.recv(_PIECE)
        if data:
            self.first_bytes += data[: max(0, _KEPT - len(self.first_bytes))]
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


def tls_stage(
    connection: socket.socket, host: str, deadline: Deadline, context: ssl.SSLContext | None = None
) -> tuple[TlsStream | None, Secured]:
    """Shake hands, as `client_context` or another one says; where that fails, what the peer said instead is told."""
    watch = Stopwatch()
    try:
        stream = TlsStream(connection, host, deadline, context)
    except ValueError as error:  # a host that cannot stand in SNI
        return None, Secured(ms=watch.ms, error=Failure.OTHER, detail=str(error))
    try:
        stream.handshake()
    except OSError as error:
        failure = failures.of_stream(error)
        detail = str(error)
        if failure is Failure.NOT_TLS and stream.first_bytes:
            detail = f"{detail}; it answered: {readable(stream.first_bytes)}"
        return None, Secured(ms=watch.ms, error=failure, detail=detail)
    return stream, stream.describe(watch.ms)


def readable(data: bytes, limit: int = 1_000) -> str:
    """At most so many bytes from a stranger as one line of harmless text, without secrets."""
    clean = hide(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")[:limit]
    return clean.decode("latin-1").encode("unicode_escape").decode("ascii")
