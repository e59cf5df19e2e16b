"""A listener that behaves on the wire, and logs, as Halibut's does: a Tentacle's port or an Octopus Server's.

Each row of tentacle-seen 1.1 and 1.2 is followed, with these limits of the standard library's TLS: a client certificate
is accepted in the handshake only if it is among `trusted` or `known` (Halibut takes any, and closes on an untrusted one
later), and OpenSSL refuses to load a 1024-bit key, so such a listener answers each handshake with the alert that a real
one gives (tentacle-seen 1.3).
"""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, Self

from pytest_tentacle.lab.halibut.session import Level
from pytest_tentacle.link import wire
from pytest_tentacle.link.certificate import KeyedCertificate as LabCertificate
from pytest_tentacle.link.certificate import make_certificate
from pytest_tentacle.link.pings.listener import Listener, Peer, finish, secure
from pytest_tentacle.link.securing import IGNORE_BARE_FIN

from .session import Session
from .welcome import page_of

__all__ = ["HalibutListener", "LabCertificate", "Line", "make_certificate"]

_CIPHERS = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256"
"""What a real Tentacle accepts in TLS 1.2 (tentacle-seen 1.1)."""

_WEAK_BITS = 2048
_PROTOCOL_VERSION_ALERT = bytes.fromhex("15030300020246")


@dataclass(frozen=True)
class Line:
    """One record of the log: the message, and the exception's first line where there is one."""

    level: Level
    message: str
    exception: str | None = None


class HalibutListener:
    """One listening port; `start` and `stop`, or a `with` block."""

    def __init__(
        self,
        address: str,
        port: int,
        *,
        certificate: LabCertificate,
        product: Literal["tentacle", "server"] = "tentacle",
        trusted: Collection[LabCertificate] = (),
        known: Collection[LabCertificate] = (),
        log: Callable[[Line], None] | None = None,
        receive_timeout: float = 60.0,
        poll_wait: float = 30.0,
        minimum_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        maximum_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        weak_key: bool = False,
    ) -> None:
        """Nothing is bound before `start`.

        Args:
            address: what to bind; `::` takes IPv4 too, as the real one does.
            port: 0 for any free one; `port` then says which.
            certificate: what it presents.
            product: whose welcome page it shows.
            trusted: the certificates whose owners it talks to.
            known: certificates of others that it meets and does not trust.
            log: called in the connection's thread with each line.
            receive_timeout: seconds that it waits for a client's bytes; 60 in a Tentacle (tentacle-facts 1.7).
            poll_wait: seconds after which a poller gets a null request; 30 in Halibut.
            minimum_version: of TLS.
            maximum_version: of TLS.
            weak_key: present the certificate even if its key is too small for OpenSSL's policy, as Schannel does.
        """
        self.certificate = certificate
        self._page = page_of(product)
        self._trusted = frozenset(one.thumbprint for one in trusted)
        self._log = log
        self._receive_timeout = receive_timeout
        self._poll_wait = poll_wait
        self._context: ssl.SSLContext | None = None
        if weak_key or certificate.bits >= _WEAK_BITS:
            # .NET's own list has no cipher for what is older than 1.2, and that is what it refuses (tentacle-seen 1.1)
            oldest = ssl.TLSVersion.TLSv1 if minimum_version is ssl.TLSVersion.TLSv1_2 else minimum_version
            level = f"{_CIPHERS}:@SECLEVEL=0" if weak_key or oldest is not minimum_version else _CIPHERS
            self._context = _context(certificate, [*trusted, *known], oldest, maximum_version, level)
        self._listener = Listener(address, port, self._serve, dual_stack=address == "::")

    @property
    def address(self) -> str:
        """What it is bound to."""
        return self._listener.address

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._listener.port

    def start(self) -> None:
        """Listen. Raises OSError where the address or the port cannot be had."""
        self._listener.start()
        self._write("Info", "Listener started")

    def stop(self) -> None:
        """Close the port and every connection."""
        self._listener.stop()
        self._write("Info", "Listener stopped")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, connection: socket.socket, peer: Peer) -> None:
        client = wire.authority(*peer)
        self._write("Info", f"Accepted TCP client: {client}")
        if self._context is None:
            self._refuse_for_weak_key(connection, client)
            return
        try:
            stream = secure(connection, self._context, self._receive_timeout)
        except OSError as error:
            self._handshake_failed(client, error)
            finish(connection)
            return
        with stream:
            session = Session(
                stream,
                client,
                page=self._page,
                trusted=self._trusted,
                write=self._write,
                receive_timeout=self._receive_timeout,
                poll_wait=self._poll_wait,
            )
            try:
                session.run()
                finish(connection)
            except TimeoutError:
                self._write("Error", f"Socket IO exception: {client}", _SOCKET + "(110): Connection timed out")
            except ssl.SSLError:  # who does not wait for the answer
                self._write("Error", f"Socket IO exception: {client}", _SOCKET + "(32): Broken pipe")
            except OSError as error:
                self._write("Error", f"Socket IO exception: {client}", f"{_SOCKET}({error.errno}): {error.strerror}")

    def _handshake_failed(self, client: str, error: OSError) -> None:
        if isinstance(error, TimeoutError):
            self._write("Error", f"Socket IO exception: {client}", _SOCKET + "(110): Connection timed out")
        elif isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            self._write("Error", _UNHANDLED + client, _UNEXPECTED_END)
        elif isinstance(error, ssl.SSLError):
            self._write("Debug", f"Client failed authentication: {client}", _authentication(error.reason or ""))
        elif error.errno == 0:  # how OpenSSL 3 tells of an end before the first byte
            self._write("Error", _UNHANDLED + client, _UNEXPECTED_END)
        else:
            self._write("Error", f"Socket IO exception: {client}", f"{_SOCKET}({error.errno}): {error.strerror}")

    def _refuse_for_weak_key(self, connection: socket.socket, client: str) -> None:
        connection.settimeout(self._receive_timeout)
        if not connection.recv(65_536):
            self._write("Error", _UNHANDLED + client, _UNEXPECTED_END)
            return
        connection.sendall(_PROTOCOL_VERSION_ALERT)
        self._write(
            "Debug",
            f"Client failed authentication: {client}",
            "System.Security.Authentication.AuthenticationException: "
            "Using SSL certificate failed with OpenSSL error - ee key too small.",
        )
        finish(connection)

    def _write(self, level: Level, message: str, exception: str | None = None) -> None:
        if self._log:
            self._log(Line(level, message, exception))


_SOCKET = "System.Net.Sockets.SocketException "
_UNHANDLED = "Unhandled error when handling request from client: "
_UNEXPECTED_END = "System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream."
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"})


def _authentication(reason: str) -> str:
    """What .NET says of a handshake that OpenSSL refused for this reason (tentacle-seen 1.1, 1.2 and 2)."""
    if reason in _NOT_TLS:
        text = "Cannot determine the frame size or a corrupted frame was received."
    elif reason == "NO_SHARED_CIPHER":
        text = "SSL Handshake failed with OpenSSL error - error:0A0000C1:SSL routines::no shared cipher"
    elif reason in {"UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW"}:
        text = "SSL Handshake failed with OpenSSL error - error:0A000102:SSL routines::unsupported protocol"
    else:
        text = f"SSL Handshake failed with OpenSSL error - {reason.lower().replace('_', ' ')}"
    return f"System.Security.Authentication.AuthenticationException: {text}"


def _context(
    certificate: LabCertificate,
    clients: Collection[LabCertificate],
    minimum: ssl.TLSVersion,
    maximum: ssl.TLSVersion,
    ciphers: str,
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # older versions are let in to be refused for their ciphers
        context.minimum_version = minimum
        context.maximum_version = maximum
    context.set_ciphers(ciphers)
    context.options |= IGNORE_BARE_FIN  # .NET sends no alert either
    context.verify_mode = ssl.CERT_OPTIONAL  # a CertificateRequest without CA names, and no certificate will do
    if clients:
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata="".join({one.thumbprint: one.certificate_pem for one in clients}.values()))
    certificate.load_into(context)
    return context
