"""A proxy server that a Tentacle polls through, and that does not let it."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from http import HTTPStatus

from pytest_tentacle.link.pings.listener import Peer, finish

from .boxes import Box

_PIECE = 4096
_PATIENCE = 60.0
_CONNECT = re.compile(rb"CONNECT ([^ :]+):(\d+) HTTP/1\.[01]\r\n")


class RefusingProxy(Box):
    """Answers each CONNECT with a status of its own for the host that is asked for."""

    def __init__(self, address: str, port: int, statuses: Mapping[str, int]) -> None:
        super().__init__(address, port)
        self._statuses = dict(statuses)

    def serve(self, connection: socket.socket, peer: Peer) -> None:
        """Read one request to its end, and answer it."""
        del peer
        connection.settimeout(_PATIENCE)
        request = b""
        while b"\r\n\r\n" not in request and (piece := connection.recv(_PIECE)):
            request += piece
        asked = _CONNECT.match(request)
        status = HTTPStatus(self._statuses.get(asked[1].decode("ascii", "replace"), 403) if asked else 400)
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode("ascii"))
        finish(connection)
