"""The other side of a ping: a small TLS listener that answers as TentaclePong does, with today's TLS.

It answers TentaclePing's request (tentacle-facts 1.11) with `HTTP/1.0 200 OK` and 10,240 `A`s, and Halibut's preamble
and identity line with `MX-SERVER 1.0`. A successful ping of it proves TCP, TLS and the payload, and nothing about a
Tentacle. What a client sends is counted and thrown away.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from pytest_tentacle.link import failures, wire
from pytest_tentacle.link.certificate import KeyedCertificate, make_certificate
from pytest_tentacle.link.deadline import Deadline

from .listener import Listener, Peer, finish, secure

BODY = b"A" * 10_240
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 10240\r\n\r\n" + BODY

_MOST_CLIENTS = 64
_MOST_SECONDS = 1_800.0
"""For one request: TentaclePing's own limit for sending."""
_MOST_BYTES = 4 * 1024**3
_IDLE_SECONDS = 60.0
_KEPT = 256
_GLANCE = 0.2


@dataclass(frozen=True)
class Event:
    """What happened with one client."""

    time_utc: dt.datetime
    client: str
    what: str


class Pong:
    """The listener; `start` and `stop`, or a `with` block."""

    def __init__(
        self,
        port: int,
        *,
        bind: str | None = None,
        certificate: KeyedCertificate | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        """Make the certificate; nothing is bound before `start`.

        Args:
            port: 0 for any free one.
            bind: an address of this machine; None for all, IPv6 and IPv4.
            certificate: what to present; None for one made now.
            on_event: called in the connection's thread.
        """
        self.certificate = certificate or make_certificate("pytest-tentacle-pong")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.certificate.load_into(self._context)
        self._on_event = on_event
        everywhere = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"
        self._listener = Listener(
            everywhere if bind is None else bind, port, self._serve, dual_stack=bind is None, most=_MOST_CLIENTS
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._listener.port

    def start(self) -> None:
        """Listen. Raises OSError where the port cannot be had."""
        self._listener.start()

    def stop(self) -> None:
        """Close everything."""
        self._listener.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _serve(self, connection: socket.socket, peer: Peer) -> None:
        client = wire.authority(*peer)
        self._tell(client, "accepted")
        try:
            with secure(connection, self._context, _IDLE_SECONDS) as stream:
                self._tell(client, f"{stream.version()} agreed")
                self._answer(stream, client)
                finish(connection)
        except OSError as error:
            self._tell(client, f"failed: {failures.of_stream(error)} ({error})")
            finish(connection)

    def _answer(self, stream: ssl.SSLSocket, client: str) -> None:
        deadline = Deadline(_MOST_SECONDS)
        reader = BlockReader(stream, deadline)
        block = reader.next_block()
        answer = ANSWER
        if block.split(b"\n", 1)[0].rstrip(b"\r") == b"MX":
            reader.next_block()  # MX-CLIENT or MX-SUBSCRIBER
            answer = wire.SERVER_IDENTITY
        self._tell(client, f"{reader.count:,} bytes read")
        if reader.count:
            stream.sendall(answer)
            self._tell(client, f"{len(answer):,} bytes sent")

    def _tell(self, client: str, what: str) -> None:
        if self._on_event:
            self._on_event(Event(dt.datetime.now(dt.UTC), client, what))


class BlockReader:
    """Reads up to blank lines (CRLF or LF), whatever stands before them, and keeps only each block's beginning."""

    def __init__(self, stream: ssl.SSLSocket, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._waiting = b""
        self.count = 0
        """Bytes read so far."""

    def next_block(self) -> bytes:
        """The first 256 bytes of what comes before the next blank line, or before the end.

        Raises:
            OSError: the client is too slow, sends more than 4 GiB, or breaks off.
        """
        kept = b""
        tail = b"\n"  # a blank line may be the very first
        while True:
            data = self._waiting or self._receive()
            if not data:
                return kept
            window = tail + data.replace(b"\r", b"")
            end = window.find(b"\n\n")
            if end >= 0:
                self._waiting = _after_blank_line(data, window[len(tail) : end + 2].count(b"\n"))
                return (kept + data)[:_KEPT].replace(b"\r", b"").split(b"\n\n", 1)[0]
            self._waiting = b""
            kept = (kept + data)[:_KEPT]
            tail = window[-1:]

    def _receive(self) -> bytes:
        self._stream.settimeout(min(_IDLE_SECONDS, self._deadline.wait()))
        try:
            data = self._stream.recv(65_536)
        except ssl.SSLEOFError:
            data = b""
        self.count += len(data)
        if self.count > _MOST_BYTES:
            raise OSError(f"more than {_MOST_BYTES:,} bytes in one request")
        return data


def _after_blank_line(data: bytes, line_ends: int) -> bytes:
    """What follows that many line ends."""
    at = -1
    for _ in range(line_ends):
        at = data.index(b"\n", at + 1)
    return data[at + 1 :]
