"""What Halibut's listener does on one connection once TLS stands: page, silence, or the message exchange."""

from __future__ import annotations

import select
import ssl
import time
from collections.abc import Collection
from typing import Literal, Protocol
from urllib.parse import urlsplit

from pytest_tentacle.link import wire
from pytest_tentacle.link.decoding import thumbprint_of

_MOST = 20_000
"""Characters of a first request that are read (tentacle-facts 1.3)."""

_KNOWN_WORDS = frozenset({"MX-CLIENT", "MX-SERVER", "MX-SUBSCRIBER"})
_LOOKS_AGAIN = 0.2
"""Seconds."""

_END_OF_STREAM = "System.IO.EndOfStreamException: Attempted to read past the end of the stream."
_CANCELLED = "System.OperationCanceledException: The ReadAsync operation was cancelled."


class Write(Protocol):
    """Writes one record of the log."""

    def __call__(self, level: Level, message: str, exception: str | None = None) -> None:
        """The message, and the exception's first line."""


class Session:
    """One client. The rows of tentacle-seen 1.2, in code."""

    def __init__(
        self,
        stream: ssl.SSLSocket,
        client: str,
        *,
        page: bytes,
        trusted: Collection[str],
        write: Write,
        receive_timeout: float,
        poll_wait: float,
    ) -> None:
        self._stream = stream
        self._client = client
        self._page = page
        self._trusted = trusted
        self._write = write
        self._receive_timeout = receive_timeout
        self._poll_wait = poll_wait
        self._waiting = b""

    def run(self) -> None:
        """Serve until the listener would close. Raises OSError where the connection breaks or times out."""
        request = self._first_request()
        if not request:
            self._write("Trace", "Ignoring empty request")
        elif len(request) == 1:
            self._fail(
                "System.ArgumentOutOfRangeException: Index and length must refer to a location within the string. "
                "(Parameter 'length')"
            )
        elif not request.startswith("MX"):
            self._write("Trace", "Appears to be a web browser, sending friendly HTML response")
            self._stream.sendall(self._page)
        elif self._authenticated():
            self._exchange()

    def _authenticated(self) -> bool:
        der = self._stream.getpeercert(binary_form=True)
        denied = f"A client at {self._client} connected, and attempted a message exchange, but "
        if not der:
            self._write("Debug", denied + "did not present a client certificate")
            return False
        thumbprint = thumbprint_of(der)
        if thumbprint not in self._trusted:
            self._write(
                "Debug",
                f"{denied}it presented a client certificate with the thumbprint '{thumbprint}' which is not in the "
                "list of thumbprints that we trust",
            )
            return False
        self._write("Info", f"Client at {self._client} authenticated as {thumbprint}")
        return True

    def _exchange(self) -> None:
        try:
            identity = self._control_line()
            following = self._control_line()
        except TimeoutError:
            self._write("Error", "Remote failed to identify itself.", _CANCELLED)
            self._fail(_CANCELLED)
            return
        except EOFError:
            self._write("Error", "Remote failed to identify itself.", _END_OF_STREAM)
            self._fail(_END_OF_STREAM)
            return
        words = identity.split(" ")
        wrong = _wrong_identity(words, following)
        if wrong:
            for line in ("Response:", identity, following):
                self._write("Error", line)
            error = f"Halibut.Transport.Protocol.ProtocolException: {wrong}"
            self._write("Error", "Remote failed to identify itself.", error)
            self._fail(error)
            return
        self._stream.sendall(wire.SERVER_IDENTITY)
        if words[0] == "MX-CLIENT":
            self._await_request()
        elif words[0] == "MX-SUBSCRIBER" and urlsplit(words[2]).scheme == "poll":
            self._keep_polled()
        else:
            self._write(
                "Error", "Remote with identify  identified itself with an unknown identity type Server"
            )  # the product's own words
            self._fail("Halibut.Transport.Protocol.ProtocolException: Unexpected remote identity: Server")

    def _await_request(self) -> None:
        """A client's request: this listener has no services, so whatever comes ends it."""
        if self._receive(self._receive_timeout):
            self._fail(
                "System.IO.InvalidDataException: "
                "The archive entry was compressed using an unsupported compression method."
            )
        else:
            self._fail(_END_OF_STREAM)

    def _keep_polled(self) -> None:
        """A poller: null requests for ever, each after its wait; the poller asks for the NEXT (tentacle-facts 1.5)."""
        while True:
            self._wait(self._poll_wait)  # nobody reads before that is over: one that leaves is not noticed
            try:
                self._stream.sendall(wire.NULL_REQUEST)
                if self._control_line() != "NEXT":
                    return
            except EOFError:
                self._fail(_END_OF_STREAM)
                return
            self._stream.sendall(wire.PROCEED)

    def _wait(self, seconds: float) -> None:
        """Sleep, but no longer than the listener keeps the connection open."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not _is_shut(self._stream):
            time.sleep(min(left, _LOOKS_AGAIN))

    def _first_request(self) -> str:
        """Up to the first blank line, the end, or 20,000 characters; every CR is ignored."""
        text = ""
        while len(text) < _MOST and not text.endswith("\n\n"):
            byte = self._byte(self._receive_timeout)
            if byte is None:
                return text
            if byte != b"\r":
                text += byte.decode("latin-1")
        return text

    def _control_line(self) -> str:
        """A line that ends with CRLF; a lone LF is kept as data, so that a peer which sends LF only is waited for.

        Raises:
            EOFError: the end came first.
            TimeoutError: nothing came in time.
        """
        line = b""
        while not line.endswith(b"\r\n"):
            byte = self._byte(self._receive_timeout)
            if byte is None:
                raise EOFError
            line += byte
        return line[:-2].decode("latin-1")

    def _byte(self, seconds: float) -> bytes | None:
        if not self._waiting:
            self._waiting = self._receive(seconds)
        if not self._waiting:
            return None
        byte, self._waiting = self._waiting[:1], self._waiting[1:]
        return byte

    def _receive(self, seconds: float) -> bytes:
        if self._waiting:
            data, self._waiting = self._waiting, b""
            return data
        self._stream.settimeout(seconds)
        try:
            return self._stream.recv(65_536)
        except ssl.SSLEOFError:
            return b""

    def _fail(self, exception: str) -> None:
        self._write("Error", f"Unhandled error when handling request from client: {self._client}", exception)


def _is_shut(stream: ssl.SSLSocket) -> bool:
    """Whether the connection was shut from this side, or broken off: a client that only left is not noticed."""
    if stream.fileno() < 0:
        return True
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLHUP)
    return bool(poll.poll(0))


def _wrong_identity(words: list[str], following: str) -> str:
    """What is wrong with a client's first line, or with the empty one that must follow it; empty where nothing is."""
    if following:
        return "Unable to receive the remote identity; the following line was not empty."
    if words[0] not in _KNOWN_WORDS:
        return f"Unable to process remote identity; unknown identity type: '{words[0]}'"
    if words[0] == "MX-SUBSCRIBER" and len(words) < 3:  # noqa: PLR2004  word, version, subscription
        return (
            "Unable to receive the remote identity; the client identified as a subscriber, but did not supply a "
            "subscription ID."
        )
    return ""


Level = Literal["Trace", "Debug", "Info", "Error"]
