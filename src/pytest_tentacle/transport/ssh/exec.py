"""One command over an SSH session: stdin is fed while stdout and stderr are drained, all in the caller's thread."""

from __future__ import annotations

import threading
from typing import Any

import paramiko

from pytest_tentacle.transport.base import LINGER_SECONDS, Answer, Deadline

_CHUNK = 32_768
"""Bytes per packet, which every SSH server takes."""

_FEEDING_SLICE = 0.02
"""Seconds until a full window is looked at again; paramiko tells nobody that the server has made room."""

_IDLE_SLICE = 0.5

_DRAIN_AT_ONCE = 1_000_000
"""Bytes taken from one stream before stdin, the other stream, the deadline and the limit are looked at again."""


class TooMuchOutputError(Exception):
    """The command printed more than it may."""


class _Wake:
    """What paramiko sets when something came; unlike its own kind of event, nothing but `wait` clears it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def clear(self) -> None:
        """Keep it set: paramiko clears when one of the two streams is empty; the other may not be."""

    def wait(self, seconds: float) -> None:
        self._event.wait(seconds)
        self._event.clear()


def converse(
    channel: paramiko.Channel, stdin: bytes, deadline: Deadline, max_output: int, printed: list[bytes]
) -> Answer:
    """Feed and drain a channel whose command has been started, until it ends; `printed` gets what comes on stdout.

    Returns what came; an exit code of -1 where the server told none (a command ended by a signal), or where the
    session was lost: the caller asks the session. Raises TimeoutError at the deadline, TooMuchOutputError.
    """
    wake: Any = _Wake()
    channel.settimeout(0.0)
    channel.in_buffer.set_event(wake)
    channel.in_stderr_buffer.set_event(wake)
    output: tuple[list[bytes], list[bytes]] = (printed, [])
    size = 0
    feeding = _Feeding(channel, stdin)
    linger: Deadline | None = None
    while True:
        # looked at before draining: once nothing more is drained after the end, all of it is here
        ended = channel.closed or (channel.eof_received and channel.exit_status_ready())
        fed = feeding.feed()
        came = _drain(channel, output)
        size += came
        if size > max_output:
            raise TooMuchOutputError
        if ended and not came:
            break
        if deadline.expired():
            raise TimeoutError
        if came or fed:
            linger = None
            continue
        if channel.exit_status_ready():
            linger = linger or Deadline(LINGER_SECONDS)
            if linger.expired():
                break
        wake.wait(min(deadline.remaining(), _FEEDING_SLICE if feeding.pending else _IDLE_SLICE))
    return Answer(b"".join(output[0]), b"".join(output[1]), channel.exit_status)


class _Feeding:
    """Bytes for the command's stdin, given as the server makes room."""

    def __init__(self, channel: paramiko.Channel, data: bytes) -> None:
        self._channel = channel
        self._data = data
        self._sent = 0
        self.pending = True

    def feed(self) -> bool:
        """Send one chunk if there is room; at the end, the end. Whether anything was sent."""
        if not self.pending:
            return False
        try:
            if self._sent == len(self._data):
                self.pending = False
                self._channel.shutdown_write()
                return False
            if not self._channel.send_ready():
                return False
            count = self._channel.send(self._data[self._sent : self._sent + _CHUNK])
        except (OSError, EOFError):
            count = 0
        if not count:  # the command ended without reading all of it, which is its right
            self.pending = False
            return False
        self._sent += count
        return True


def _drain(channel: paramiko.Channel, output: tuple[list[bytes], list[bytes]]) -> int:
    came = 0
    for stream, ready, receive in (
        (output[0], channel.recv_ready, channel.recv),
        (output[1], channel.recv_stderr_ready, channel.recv_stderr),
    ):
        taken = 0
        while taken < _DRAIN_AT_ONCE and ready():
            stream.append(receive(_CHUNK))
            taken += len(stream[-1])
        came += taken
    return came
