"""The bytes under an SSH session, and the guard that ends what hangs, drips or floods.

paramiko has a dozen time-outs, each with its own clock, and places that wait for ever. Here one deadline rules: every
read and write of a session goes through a `GuardedSocket`, which refuses to go on once the deadline has passed, more
bytes than expected have come, or the session was closed from another thread. paramiko's own thread then ends, and
wakes whoever waits for it.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from enum import StrEnum
from typing import Any, Protocol

import paramiko
from paramiko.packet import Packetizer

from pytest_tentacle.transport.base import Deadline

HANDSHAKE_BYTES = 1_000_000
"""What a server may send until the login is done. Banners and key exchange need a hundredth of that."""

PROTOCOL_BYTES = 4_000_000
"""What may come besides a command's output, twice of which is allowed for its packets."""

LOG_NAME = "pytest_tentacle.transport.ssh.wire"
"""paramiko's own log; silent, unless somebody sets this logger's level."""

_SILENT = logging.CRITICAL + 1


class Halt(StrEnum):
    """Why a guard let nothing more through."""

    DEADLINE = "deadline"
    FLOOD = "flood"
    CLOSED = "closed"


class Guard:
    """What all sockets of one session (several with jump hosts) obey."""

    def __init__(self) -> None:
        self._deadline: Deadline | None = None
        self._limit: int | None = None
        self._received = 0
        self.halted: Halt | None = None

    def watch(self, deadline: Deadline, limit: int) -> None:
        """From now on this deadline rules, and no more than `limit` bytes may come."""
        self._deadline = deadline
        self._limit = limit
        self._received = 0

    def rest(self) -> None:
        """Nothing is under way: an idle session may stay as long as it likes."""
        self._deadline = None

    def halt(self, reason: Halt) -> None:
        """Let nothing more through; the first reason stands."""
        self.halted = self.halted or reason

    def count(self, size: int) -> None:
        """Note received bytes."""
        self._received += size
        if self._limit is not None and self._received > self._limit:
            self.halt(Halt.FLOOD)

    def check(self) -> None:
        """Raise EOFError where nothing may go on; paramiko takes that, unlike a time-out, for an end."""
        if self._deadline is not None and self._deadline.expired():
            self.halt(Halt.DEADLINE)
        if self.halted is not None:
            raise EOFError(self.halted)


class Stream(Protocol):
    """What paramiko and we need of a socket; a channel through a jump host has it as well."""

    def recv(self, size: int, /) -> bytes:
        """Read."""

    def send(self, data: Any, /) -> int:
        """Write."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound one read or write."""

    def close(self) -> None:
        """Close."""


class GuardedSocket:
    """A socket, or a channel through a jump host, that asks the guard before each read and write."""

    def __init__(self, stream: Stream, guard: Guard, *, counts: bool) -> None:
        self._stream = stream
        self._guard = guard
        self._counts = counts
        self._closed = False

    def recv(self, size: int) -> bytes:
        """Read up to `size` bytes. Raises TimeoutError after paramiko's polling interval, EOFError at the end."""
        self._guard.check()
        data = self._stream.recv(size)
        if self._counts:
            self._guard.count(len(data))
        return data

    def send(self, data: Any) -> int:
        """Write what the socket takes."""
        self._guard.check()
        return self._stream.send(data)

    def settimeout(self, seconds: float | None) -> None:
        """How long one read or write may block; paramiko sets a tenth of a second and polls."""
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """Close, and wake the thread that reads."""
        self._closed = True
        if isinstance(self._stream, socket.socket):
            with contextlib.suppress(OSError):  # closed by the peer already
                self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()


class QuietPacketizer(Packetizer):
    """paramiko's packet layer without its handshake timer: a thread that would keep the interpreter from ending."""

    def start_handshake(self, timeout: float) -> None:
        """Do nothing: the guard's deadline covers the handshake."""


def wire_logger(name: str = LOG_NAME) -> str:
    """Silence the logger for paramiko's messages, unless somebody has given it a level.

    paramiko writes a traceback there for each machine that misbehaves, which would end up on stderr and in reports.
    """
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(_SILENT)
    return name


def new_session(stream: Stream, guard: Guard, deadline: Deadline, *, counts: bool) -> paramiko.Transport:
    """A paramiko session over that stream, not yet started; its own time-outs are all as long as the deadline."""
    guarded: Any = GuardedSocket(stream, guard, counts=counts)
    session = paramiko.Transport(guarded, packetizer_class=QuietPacketizer)
    session.set_log_channel(wire_logger())
    seconds = deadline.remaining() + 1.0
    session.banner_timeout = seconds
    session.auth_timeout = seconds
    session.channel_timeout = seconds
    session.clear_to_send_timeout = seconds
    return session
