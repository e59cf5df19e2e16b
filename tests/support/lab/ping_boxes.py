"""Boxes whose fault shows only over many connections: a load balancer, a slow one, a way for small packets only."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence

from pytest_tentacle.lab.network.boxes import Box, Forwarder, drain
from pytest_tentacle.link.pings.listener import Peer

_PIECE = 65_536


class LoadBalancer(Box):
    """Gives each connection to the next of its members; the first few all go to the first one.

    `steady` says how many: a look from each vantage point then meets a link that is well.
    """

    def __init__(self, address: str, port: int, members: Sequence[Box], *, steady: int = 0) -> None:
        super().__init__(address, port)
        self._members = tuple(members)
        self._steady = steady
        self._lock = threading.Lock()
        self._served = 0

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """As the member whose turn it is would do."""
        with self._lock:
            turn = max(0, self._served - self._steady)
            self._served += 1
        self._members[turn % len(self._members)].serve(connection, peer)


class SlowStart(Forwarder):
    """A transparent way that takes its time before the first byte goes through, as a busy machine does."""

    def __init__(self, address: str, port: int, to_address: str, to_port: int, *, seconds: float) -> None:
        super().__init__(address, port, to_address, to_port)
        self._seconds = seconds

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Wait, then connect onwards."""
        time.sleep(self._seconds)
        super().serve(connection, peer)


class SmallOnly(Forwarder):
    """A transparent way that lets so many bytes of a client through, and no more: large requests are lost on it."""

    def __init__(self, address: str, port: int, to_address: str, to_port: int, *, most: int = 4_000) -> None:
        super().__init__(address, port, to_address, to_port)
        self._most = most

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Both ways, until the client has said too much; from then on nothing, either way."""
        del peer
        with socket.create_connection(self._to, timeout=5) as onward:
            onward.settimeout(None)
            back = threading.Thread(target=_carry, args=(onward, connection), daemon=True)
            back.start()
            left = self._most
            while data := connection.recv(_PIECE):
                left -= len(data)
                if left < 0:
                    drain(connection)
                    break
                onward.sendall(data)
            onward.shutdown(socket.SHUT_RDWR)
        back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_PIECE):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # either side has gone
