"""The bytes under a WinRM session: a socket on which every read and write obeys the machine's deadline.

The time-outs of requests and urllib3 count per `recv`, so that a machine which sends a byte a second outlasts each of
them. Here the watch is asked before every read and write instead, in slices short enough for `close` from another
thread to be noticed on every operating system.
"""

from __future__ import annotations

import contextlib
import functools
import io
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError

from .client_certificate import refused_in_tls, was_asked_for

SLICE_SECONDS = 0.2
"""The longest single wait; after it the watch is asked again."""

RESPONSE_LIMIT = 1_000_000
"""Bytes that one HTTP response may have on the wire. Requests ask for 150 kB at most (`MaxEnvelopeSize` of MS-WSMV).

Elements take some thirty times as much memory as bytes, in each of many sessions at once.
"""

T = TypeVar("T")


class Watch:
    """Deadline, cancellation and byte count of one session, shared by all its sockets.

    Attributes:
        place: host and port, for messages.
        waiting_for: what is under way, for messages: "the login".
        cancelled: set by `close` from another thread.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.waiting_for = "the connection"
        self.cancelled = False
        self._deadline = Deadline(0)
        self._received = 0

    def begin(self, deadline: Deadline) -> None:
        """From now on this deadline rules."""
        self._deadline = deadline

    def begin_response(self) -> None:
        """Count the received bytes from zero."""
        self._received = 0

    def count(self, size: int) -> None:
        """Note received bytes. Raises TransportError when a response is longer than any honest one."""
        self._received += size
        if self._received > RESPONSE_LIMIT:
            raise TransportError(
                ReachStage.RUN,
                f"{self.place} sent more than {RESPONSE_LIMIT:,} bytes as one answer, waiting for {self.waiting_for}",
                "That is not WinRM's answer: see what listens on this port.",
            )

    def check(self) -> None:
        """Raise TransportError where nothing may go on."""
        if self.cancelled:
            raise self.broken_off()
        if self._deadline.expired():
            raise self.timed_out()

    def broken_off(self) -> TransportError:
        """The failure to raise after `close` from another thread."""
        return TransportError(
            ReachStage.RUN,
            f"the session with {self.place} was broken off, waiting for {self.waiting_for}",
            "Run again to survey this machine.",
        )

    def timed_out(self) -> TransportError:
        """The failure to raise when the time is over."""
        return TransportError(
            ReachStage.TIME_OUT,
            f"{self.place} was not done within {self._deadline.seconds:g} s, waiting for {self.waiting_for}",
            "See whether the machine is overloaded, or give it more time (--machine-timeout).",
        )

    @property
    def deadline(self) -> Deadline:
        """The deadline that rules."""
        return self._deadline

    def patiently(self, connection: socket.socket, action: Callable[[], T]) -> T:
        """The action's result, tried again slice by slice until the watch forbids it."""
        while True:
            self.check()
            connection.settimeout(max(0.001, min(SLICE_SECONDS, self._deadline.remaining())))
            with contextlib.suppress(TimeoutError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return action()


class Wire:
    """What http.client and urllib3 need of a connected socket, guarded by the watch."""

    @property
    def asked_for_certificate(self) -> bool | None:
        """Whether the peer asked for a client certificate by now; None where that cannot be told."""
        return None

    def __init__(self, connection: socket.socket, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Write all. Raises TransportError at the deadline, OSError when the connection is lost."""
        left = memoryview(data).cast("B")
        while left:
            sent = self._watch.patiently(self._connection, functools.partial(self._connection.send, left[:65536]))
            left = left[sent:]

    def recv_into(self, buffer: Any) -> int:
        """Read what is there into the buffer; 0 at the end of the stream."""
        size = self._watch.patiently(self._connection, lambda: self._connection.recv_into(buffer))
        self._watch.count(size)
        return size

    def makefile(self, _mode: str = "rb", **_options: Any) -> io.BufferedReader:
        """A buffered reader, as http.client asks for."""
        return io.BufferedReader(_Reader(self), 65536)

    def settimeout(self, _seconds: float | None) -> None:
        """Do nothing: the watch sets every time-out."""

    def fileno(self) -> int:
        """The socket's number, for `select`."""
        return self._connection.fileno()

    def shutdown(self, how: int = socket.SHUT_RDWR) -> None:
        """Wake whoever reads or writes."""
        with contextlib.suppress(OSError):  # closed by the peer already
            # the plain socket's own: an SSLSocket would drop its TLS object under the reader's hands
            socket.socket.shutdown(self._connection, how)

    def close(self) -> None:
        """Close without waiting for the peer."""
        self._connection.close()


class TLSWire(Wire):
    """A wire that can show the peer's certificate: NTLM and Kerberos bind their login to it."""

    def __init__(self, connection: ssl.SSLSocket, watch: Watch) -> None:
        super().__init__(connection, watch)
        self._tls = connection

    def getpeercert(self, binary_form: bool = False) -> Any:  # noqa: FBT001, FBT002  the signature of SSLSocket
        """As `ssl.SSLSocket.getpeercert`."""
        return self._tls.getpeercert(binary_form)

    @property
    def asked_for_certificate(self) -> bool | None:
        """Whether the peer asked for a client certificate by now; None where that cannot be told."""
        return was_asked_for(self._tls)

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """As that of `Wire`. Raises TransportError (TLS) where the peer did not take the client's certificate."""
        try:
            super().sendall(data)
        except OSError as error:
            refusal = refused_in_tls(error, self._watch.place) or self._refusal_before_the_end()
            if refusal is None:
                raise
        else:
            return
        raise refusal

    def _refusal_before_the_end(self) -> TransportError | None:
        """What a peer that closed the connection had said before, which nobody has read yet."""
        try:
            self._tls.settimeout(SLICE_SECONDS)
            self._tls.recv(1)
        except OSError as error:
            return refused_in_tls(error, self._watch.place)
        return None

    def recv_into(self, buffer: Any) -> int:
        """As that of `Wire`. Raises TransportError (TLS) where the peer does not take the client's certificate."""
        try:
            return super().recv_into(buffer)
        except ssl.SSLError as error:
            refusal = refused_in_tls(error, self._watch.place)
            if refusal is None:
                raise
        raise refusal


class _Reader(io.RawIOBase):
    """The raw stream under http.client's buffer; requests_ntlm and pykerberos find the socket as `_sock`."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._sock = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)
