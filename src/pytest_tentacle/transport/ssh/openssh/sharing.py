"""Sessions over the connection of a running ssh, asked for as OpenSSH's PROTOCOL.mux (version 4) says.

That is what a second ssh with the same ControlPath would do. Done here, a command takes no process of its own, is never
run over another connection than the one that was logged on, and tells its exit code before its output has ended.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

_VERSION = 4
_HELLO = 0x00000001
_NEW_SESSION = 0x10000002
_DENIED, _FAILURE, _EXIT, _OPENED = 0x80000002, 0x80000003, 0x80000004, 0x80000006
_NO_ESCAPES = 0xFFFFFFFF
_OUR_REQUEST = 0
_LONGEST = 262_144
_SLICE = 0.1


class RefusedError(Exception):
    """The server opens no session, or the program no way to one; the text says why."""


class LostError(Exception):
    """The program that holds the connection is gone."""


class Session:
    """One command over the shared connection; `close` ends what is left of it."""

    def __init__(self, control: Path) -> None:
        """Reach the program that holds the connection. Raises LostError."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._came = bytearray()
        self._is_over = False
        self._exit_code: int | None = None
        try:
            self._socket.connect(str(control))
            self._socket.setblocking(False)  # noqa: FBT003  the library's own
        except OSError as error:
            self._socket.close()
            raise LostError(str(error)) from error

    def start(self, command: str, streams: Sequence[int], check: Callable[[], None]) -> None:
        """Have a command line run with these as its stdin, stdout and stderr, which stay the caller's to close.

        Raises RefusedError, LostError, or what `check` raises, which is asked while nothing happens.
        """
        try:
            self._greet(check)
            line = command.encode("utf-8", errors="surrogateescape")
            self._say(check, _NEW_SESSION, _OUR_REQUEST, b"", 0, 0, 0, 0, _NO_ESCAPES, b"", line)
            for stream in streams:
                self._wait(for_room=True, check=check)
                socket.send_fds(self._socket, [b"\0"], [stream])
            self._expect(_OPENED, check)
        except OSError as error:
            raise LostError(str(error)) from error

    def exit_code(self) -> int | None:
        """What the command ended with; None where that is not told (yet)."""
        self._look()
        return self._exit_code

    def is_over(self) -> bool:
        """Whether nothing more will be told."""
        self._look()
        return self._is_over

    def wait(self, check: Callable[[], None]) -> None:
        """Wait until something more is told. Raises what `check` raises."""
        self._wait(for_room=False, check=check)

    @classmethod
    def answers(cls, control: Path, check: Callable[[], None]) -> bool:
        """Whether the program still holds the connection."""
        try:
            session = cls(control)
        except LostError:
            return False
        try:
            session._greet(check)
        except (LostError, OSError):
            return False
        finally:
            session.close()
        return True

    def close(self) -> None:
        """Let go of it: the program closes its streams."""
        self._socket.close()

    def _greet(self, check: Callable[[], None]) -> None:
        self._say(check, _HELLO, _VERSION)
        self._expect(_HELLO, check)

    def _say(self, check: Callable[[], None], *parts: int | bytes) -> None:
        body = b"".join(
            struct.pack(">I", part) if isinstance(part, int) else struct.pack(">I", len(part)) + part for part in parts
        )
        packet = memoryview(struct.pack(">I", len(body)) + body)
        while packet:
            self._wait(for_room=True, check=check)
            packet = packet[self._socket.send(packet) :]

    def _expect(self, kind: int, check: Callable[[], None]) -> None:
        while (packet := self._packet()) is None:
            if self._is_over:
                raise LostError("it ended")
            self._wait(for_room=False, check=check)
        told, body = packet
        if told in {_DENIED, _FAILURE}:
            raise RefusedError(body[8:].decode("utf-8", errors="replace"))
        if told != kind or (kind == _HELLO and struct.unpack_from(">I", body) != (_VERSION,)):
            raise RefusedError("this ssh shares its connections otherwise than PROTOCOL.mux, version 4, says")

    def _wait(self, *, for_room: bool, check: Callable[[], None]) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_WRITE if for_room else selectors.EVENT_READ)
            check()
            while not selector.select(_SLICE):
                check()
        if not for_room:
            self._take()

    def _look(self) -> None:
        if not self._is_over:
            self._take()
        while (packet := self._packet()) is not None:
            if packet[0] == _EXIT and self._exit_code is None:
                self._exit_code = struct.unpack_from(">I", packet[1], 4)[0]

    def _take(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                data = self._socket.recv(_LONGEST)
            except ConnectionError:
                data = b""
            self._came += data
            self._is_over = not data or len(self._came) > _LONGEST

    def _packet(self) -> tuple[int, bytes] | None:
        if len(self._came) < 8:  # noqa: PLR2004  a length and a kind
            return None
        length, kind = struct.unpack_from(">II", self._came)
        if len(self._came) < 4 + length:
            return None
        body = bytes(self._came[8 : 4 + length])
        del self._came[: 4 + length]
        return kind, body


def pipes() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Three pipes: the command's ends of stdin, stdout and stderr, and ours. Raises OSError."""
    made: list[int] = []
    try:
        for _ in range(3):
            made += os.pipe()
    except OSError:
        for number in made:
            os.close(number)
        raise
    return (made[0], made[3], made[5]), (made[1], made[2], made[4])
