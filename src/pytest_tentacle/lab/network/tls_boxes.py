"""The boxes of `network` that speak TLS."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
import warnings

from pytest_tentacle.link.certificate import KeyedCertificate, make_certificate
from pytest_tentacle.link.pings.listener import Peer, finish, secure
from pytest_tentacle.link.securing import client_context

from .boxes import Box, drain

_PIECE = 16_384
_PATIENCE = 60.0
_TICKETS_ONLY = 0.2
_BODY = b"<!DOCTYPE html>\n<html><head><title>Intranet</title></head><body><h1>It works!</h1></body></html>\n"
_PROTOCOL_VERSION_ALERT = bytes.fromhex("15030100020246")
"""A fatal alert, number 70, in a record of TLS 1.0."""


class TlsBox(Box):
    """A TLS server with a certificate of its own; its behaviour after the handshake is `talk`."""

    def __init__(self, address: str, port: int = 0, *, certificate: KeyedCertificate | None = None) -> None:
        super().__init__(address, port)
        self.certificate = certificate or make_certificate("middle.example")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.load_into(self.context)

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Shake hands, talk, FIN."""
        del peer
        with secure(connection, self.context, _PATIENCE) as stream:
            self.talk(stream)
            finish(connection)

    def talk(self, stream: ssl.SSLSocket) -> None:
        """What happens over TLS; an OSError ends it."""
        raise NotImplementedError


class HttpsServer(TlsBox):
    """A foreign web server on the port: its own page, and the connection kept open unless it is asked to close."""

    def __init__(
        self,
        address: str,
        port: int = 0,
        *,
        certificate: KeyedCertificate | None = None,
        body: bytes = _BODY,
        keeps_open: bool = False,
    ) -> None:
        super().__init__(address, port, certificate=certificate)
        self._keeps_open = keeps_open
        self._answer = (
            b"HTTP/1.1 200 OK\r\nServer: intranet\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )

    def talk(self, stream: ssl.SSLSocket) -> None:
        """One answer for each request."""
        waiting = b""
        while piece := stream.recv(_PIECE):
            waiting += piece
            while b"\r\n\r\n" in waiting:
                request, _, waiting = waiting.partition(b"\r\n\r\n")
                stream.sendall(self._answer)
                if b"connection: close" in request.lower() and not self._keeps_open:
                    return


class SilentAfterTls(TlsBox):
    """The handshake goes well, and then nothing comes."""

    def talk(self, stream: ssl.SSLSocket) -> None:
        """Take in everything until the client goes."""
        drain(stream)


class TricklingPage(TlsBox):
    """A page that comes a byte at a time and never ends."""

    def talk(self, stream: ssl.SSLSocket) -> None:
        """Trickle until the client goes."""
        stream.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            stream.sendall(b"a")
            time.sleep(0.1)


class TlsInspector(TlsBox):
    """Opens the TLS and closes it again with a certificate of its own: the page shows, the thumbprint is another."""

    def __init__(
        self, address: str, port: int, to_address: str, to_port: int, *, certificate: KeyedCertificate | None = None
    ) -> None:
        super().__init__(address, port, certificate=certificate)
        self._to = (to_address, to_port)

    def talk(self, stream: ssl.SSLSocket) -> None:
        """Carry both ways what was decrypted."""
        with (
            socket.create_connection(self._to, timeout=_PATIENCE) as plain,
            client_context().wrap_socket(plain, server_hostname=self._to[0]) as onward,
        ):
            _relay_tls(stream, onward)


class OldTls(Box):
    """A peer of TLS 1.0 and 1.1 only. Where the local OpenSSL has lost them, its refusal is sent by hand."""

    def __init__(
        self, address: str, port: int = 0, *, certificate: KeyedCertificate | None = None, by_hand: bool = False
    ) -> None:
        """Bind to the address at `start`.

        Args:
            address: a loopback address.
            port: 0 for any free one.
            certificate: what it would present.
            by_hand: refuse everybody with alert 70, whatever versions a client offers.
        """
        super().__init__(address, port)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or make_certificate("old.example")).load_into(self.context)
        self._really_old = not by_hand and _limit_to_old_versions(self.context)

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Shake hands where the client can, hear its request; FIN."""
        del peer
        if not self._really_old:
            connection.settimeout(_PATIENCE)
            if connection.recv(_PIECE):
                connection.sendall(_PROTOCOL_VERSION_ALERT)
            finish(connection)
            return
        try:
            with secure(connection, self.context, _PATIENCE) as stream:
                stream.recv(_PIECE)
                finish(connection)
        except ssl.SSLError:
            finish(connection)  # its alert is to be read


class NoCommonCipher(TlsBox):
    """TLS 1.2 with ciphers that its own certificate does not fit: every handshake ends in alert 40."""

    def __init__(self, address: str, port: int = 0, *, certificate: KeyedCertificate | None = None) -> None:
        super().__init__(address, port, certificate=certificate)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Refuse, and let the alert be read."""
        with contextlib.suppress(ssl.SSLError):
            super().serve(connection, peer)
        finish(connection)

    def talk(self, stream: ssl.SSLSocket) -> None:
        """Nobody comes this far."""
        stream.close()


def _limit_to_old_versions(context: ssl.SSLContext) -> bool:
    if not (ssl.HAS_TLSv1 and ssl.HAS_TLSv1_1):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # to speak them is the purpose
        try:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        except (ValueError, ssl.SSLError):
            return False
    return True


def _relay_tls(one: ssl.SSLSocket, other: ssl.SSLSocket) -> None:
    """Carry bytes both ways until one side ends, in one thread: OpenSSL takes one caller at a time."""
    ways = ((one, other), (other, one))
    while True:
        ready = [source for source, _ in ways if source.pending()] or select.select([one, other], [], [])[0]
        for source, target in ways:
            if source in ready:
                source.settimeout(_TICKETS_ONLY)
                try:
                    data = source.recv(_PIECE)
                except (TimeoutError, ssl.SSLWantReadError):
                    continue  # readable for the sake of session tickets: no data came with them
                except ssl.SSLEOFError:
                    data = b""
                target.settimeout(_PATIENCE)
                if not data:
                    return
                target.sendall(data)
