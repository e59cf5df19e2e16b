"""TCP listeners: one thread accepts for all of them, and each accepted connection gets a short-lived thread."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Self

from pytest_tentacle.shortage import shortage

Peer = tuple[str, int]
"""The client's address and port."""

Serve = Callable[[socket.socket, Peer], None]
"""Serves one connection in a thread of its own; the listener closes the socket then. An OSError ends it quietly."""

_BACKLOG = 128
_JOIN = 2.0
_GLANCE = 0.1


class Listener:
    """A listening socket whose connections are served by a function. `start` and `stop`, or a `with` block."""

    def __init__(
        self, address: str, port: int, serve: Serve, *, dual_stack: bool = False, most: int | None = None
    ) -> None:
        """Nothing is bound before `start`.

        Args:
            address: what to bind; `::` with `dual_stack` takes IPv4 as well.
            port: 0 for any free one; `port` then says which.
            serve: what to do with a connection.
            dual_stack: let an IPv6 socket take IPv4 too.
            most: connections that are served at once; those beyond it are closed at once.
        """
        self.address = address
        self.port = port
        self._serve = serve
        self._dual_stack = dual_stack
        self._most = most
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}

    def start(self) -> None:
        """Bind and listen.

        Raises:
            OSError: the address or the port cannot be had.
        """
        listening = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # on Windows it would share the port with another process
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in self.address:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not self._dual_stack)
            listening.bind((self.address, self.port))
            listening.listen(_BACKLOG)
            listening.settimeout(0)
        except BaseException:
            listening.close()
            raise
        self.port = listening.getsockname()[1]
        self._socket = listening
        _hub.add(listening, self._accept)

    def stop(self) -> None:
        """Close the port and every connection, and wait for their threads. May be called twice."""
        if self._socket is None:
            return
        _hub.close(self._socket)
        self._socket = None
        with self._lock:
            serving = dict(self._open)
        for connection in serving:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in serving.values():
            if thread is not threading.current_thread():
                thread.join(_JOIN)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, place = listening.accept()
        except OSError as error:
            if shortage(error):
                time.sleep(_GLANCE)  # it stays ready to be accepted: without a pause this would be asked again at once
            return  # else the client is gone already
        connection.settimeout(None)
        with self._lock:
            full = self._most is not None and len(self._open) >= self._most
            if not full:
                peer = (str(place[0]).removeprefix("::ffff:"), int(place[1]))
                thread = threading.Thread(
                    target=self._run, args=(connection, peer), name=f"serve {peer[0]}:{peer[1]}", daemon=True
                )
                try:
                    thread.start()
                    self._open[connection] = thread
                except RuntimeError:  # this machine has no room for one more thread
                    full = True
        if full:
            connection.close()

    def _run(self, connection: socket.socket, peer: Peer) -> None:
        try:
            self._serve(connection, peer)
        except OSError:
            return  # the connection broke under our hands, or `stop` closed it
        finally:
            with self._lock:
                self._open.pop(connection, None)
            connection.close()


def secure(connection: socket.socket, context: ssl.SSLContext, seconds: float) -> ssl.SSLSocket:
    """TLS as the server over an accepted connection; `seconds` for the handshake and for each read.

    It works on a duplicate: the listener keeps a socket that it can shut down, and whoever serves can send a FIN
    without close_notify, as Halibut does (tentacle-seen 1.1). Close what is returned.

    Raises:
        OSError: the handshake failed (ssl.SSLError), timed out or broke.
    """
    connection.settimeout(seconds)
    double = connection.dup()
    try:
        double.settimeout(seconds)
        return context.wrap_socket(double, server_side=True)
    except BaseException:
        double.close()
        raise


def finish(connection: socket.socket, seconds: float = 1.0) -> None:
    """Send the FIN, then take in what still comes, so that no unread byte turns the end into a reset."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(seconds)
        left = 64
        while left and connection.recv(65_536):
            left -= 1


class _Hub:
    """The one thread that accepts for every listener; it lives as long as there is one."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._wanted: dict[socket.socket, Callable[[socket.socket], None]] = {}
        self._known: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        self._bell: tuple[socket.socket, socket.socket] | None = None

    def add(self, listening: socket.socket, accept: Callable[[socket.socket], None]) -> None:
        with self._changed:
            self._wanted[listening] = accept
            if self._thread is None:
                self._bell = socket.socketpair()
                self._thread = threading.Thread(target=self._run, args=(self._bell[0],), name="accept", daemon=True)
                self._thread.start()
            self._ring()

    def close(self, listening: socket.socket) -> None:
        """Accept no more; back when the socket is closed. Only the thread that selects on it may close it."""
        with self._changed:
            self._wanted.pop(listening, None)
            self._ring()
            self._changed.wait_for(lambda: listening not in self._known, _JOIN)
            thread = None if self._wanted else self._thread
        if thread is not None:
            thread.join(_JOIN)

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell[1].send(b"!")

    def _run(self, bell: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(bell, selectors.EVENT_READ)
            while self._follow(selector):
                for ready, _ in selector.select():
                    if ready.data is None:
                        bell.recv(4096)
                        continue
                    with self._changed:
                        listening: socket.socket = ready.data
                        if listening in self._wanted:
                            self._wanted[listening](listening)

    def _follow(self, selector: selectors.BaseSelector) -> bool:
        """Bring what is selected on in line with what is wanted; False when nothing is and the thread shall end."""
        with self._changed:
            for gone in self._known - set(self._wanted):
                selector.unregister(gone)
                gone.close()
                self._known.discard(gone)
            for new in set(self._wanted) - self._known:
                selector.register(new, selectors.EVENT_READ, new)
                self._known.add(new)
            self._changed.notify_all()
            if self._wanted:
                return True
            self._thread = None
            for end in self._bell or ():
                end.close()
            self._bell = None
            return False


_hub = _Hub()
