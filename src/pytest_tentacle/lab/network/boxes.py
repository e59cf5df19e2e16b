"""The boxes of `network` that need no TLS, and what all of them share."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from typing import Self

from pytest_tentacle.link.pings.listener import Listener, Peer, finish

_PIECE = 65_536
_PATIENCE = 60.0
"""Seconds that a box waits for bytes before it lets a connection go."""

_BLOCKED = b"<html><body><h1>Blocked by the web proxy</h1></body></html>"
_FORBIDDEN = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(_BLOCKED), _BLOCKED)
)


class Box:
    """A listener whose behaviour is `serve`."""

    def __init__(self, address: str, port: int = 0) -> None:
        self._listener = Listener(address, port, self.serve)

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

    def stop(self) -> None:
        """Close the port and every connection."""
        self._listener.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Deal with one connection; an OSError ends it."""
        raise NotImplementedError


class Refused:
    """Nothing listens: the port is taken, so that nobody else gets it, and each SYN is answered with a RST."""

    def __init__(self, address: str, port: int = 0) -> None:
        self.address = address
        self.port = port
        self._socket: socket.socket | None = None

    def start(self) -> None:
        """Take the port. Raises OSError where it cannot be had."""
        self._socket = _bound(self.address, self.port)
        self.port = self._socket.getsockname()[1]

    def stop(self) -> None:
        """Let the port go."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class BlackHole:
    """A SYN is never answered, as behind a firewall that drops: a listener whose queue is full. Linux only.

    Linux drops a SYN while the queue of a listener that does not accept is full; other systems answer with a RST.
    """

    _QUIET = 0.3

    def __init__(self, address: str, port: int = 0) -> None:
        self.address = address
        self.port = port
        self._sockets: list[socket.socket] = []

    def start(self) -> None:
        """Listen, and fill the queue until a connection hangs. Raises OSError where the port cannot be had."""
        listening = _bound(self.address, self.port)
        self._sockets.append(listening)
        listening.listen(0)
        self.port = listening.getsockname()[1]
        while self._fill():
            pass

    def stop(self) -> None:
        """Close the port."""
        for one in self._sockets:
            one.close()
        self._sockets.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _fill(self) -> bool:
        filler = socket.socket(self._sockets[0].family, socket.SOCK_STREAM)
        self._sockets.append(filler)
        filler.settimeout(0)
        filler.connect_ex((self.address, self.port))
        _, connected, _ = select.select([], [filler], [], self._QUIET)
        return bool(connected)


class Forwarder(Box):
    """A transparent way to another address: what comes goes through as it is, both ways."""

    def __init__(self, address: str, port: int, to_address: str, to_port: int) -> None:
        super().__init__(address, port)
        self._to = (to_address, to_port)
        self._lock = threading.Lock()
        self.connections = 0
        """How many were made so far."""

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Connect onwards; where that fails, the client is reset. Each way ends by itself."""
        del peer
        with self._lock:
            self.connections += 1
        try:
            onward = socket.create_connection(self._to, timeout=_PATIENCE)
        except OSError:
            reset(connection)
            return
        with onward:
            onward.settimeout(None)
            relay(connection, onward)


class Closer(Box):
    """Accepts, and closes without a byte: a FIN instead of a handshake."""

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """FIN first; what the client had sent is taken in, or the FIN would be a RST."""
        del peer
        finish(connection)


class Resetter(Box):
    """Accepts, and resets the connection when the client speaks."""

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """RST."""
        del peer
        connection.recv(_PIECE)
        reset(connection)


class Hanger(Box):
    """Accepts, and never says a word."""

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Take in everything until the client goes."""
        del peer
        drain(connection)


class HttpResponder(Box):
    """Plain HTTP where TLS is expected: a proxy's page, whatever comes."""

    def __init__(self, address: str, port: int = 0, *, answer: bytes = _FORBIDDEN) -> None:
        super().__init__(address, port)
        self._answer = answer

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Answer the first bytes and close."""
        del peer
        connection.settimeout(_PATIENCE)
        if connection.recv(_PIECE):
            connection.sendall(self._answer)
        finish(connection)


class Trickler(Box):
    """Sends a byte now and then for ever, and none of it is of use: it must cost its own budget only."""

    def __init__(
        self, address: str, port: int = 0, *, interval: float = 0.1, text: bytes = b"\x16\x03\x03\x40\x00"
    ) -> None:
        super().__init__(address, port)
        self._interval = interval
        self._text = text
        """The first bytes: by default the header of a TLS record of 16 kB, whose content then trickles."""

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Trickle until the client goes."""
        del peer
        connection.sendall(self._text)
        while True:
            connection.sendall(b"\x00")
            time.sleep(self._interval)


def reset(connection: socket.socket) -> None:
    """End the connection with a RST: linger on, for no time."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drain(connection: socket.socket) -> None:
    """Take in everything until the client goes. Raises OSError where it breaks off."""
    connection.settimeout(None)
    while connection.recv(_PIECE):
        pass


def relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides have sent their FIN. Raises OSError where either breaks off."""
    onwards = {one: other, other: one}
    while onwards:
        ready, _, _ = select.select(list(onwards), [], [])
        for source in ready:
            data = source.recv(_PIECE)
            if data:
                onwards[source].sendall(data)
            else:
                with contextlib.suppress(OSError):
                    onwards[source].shutdown(socket.SHUT_WR)
                del onwards[source]


def _bound(address: str, port: int) -> socket.socket:
    taken = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((address, port))
    except BaseException:
        taken.close()
        raise
    return taken
