"""Ask for the page and read it to its end."""

from __future__ import annotations

import re

from pytest_tentacle.hiding import shorten

from . import failures
from .deadline import Deadline, Stopwatch
from .model import Failure, Page
from .securing import TlsStream, readable

CAP = 65_536
"""Bytes of a page that are read at most."""

TEXT = 2_000
"""Characters of a page that are kept."""

_LINGER = 2.0
"""Seconds for the peer to close after its answer is whole; a foreign web server may keep the connection."""

_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.IGNORECASE | re.MULTILINE)


def page_stage(stream: TlsStream, request: bytes, deadline: Deadline) -> Page:
    """Send the request, then read until the peer closes.

    To close earlier would reset the connection under the peer's hands, which a Tentacle logs as an Error
    (tentacle-seen 1.2); so a whole answer is followed by a wait for the end.
    """
    watch = Stopwatch()
    answer = _Answer()
    limit = deadline
    try:
        stream.write(request)
        while len(answer.data) < CAP:
            piece = stream.read(limit)
            if not piece:
                break
            answer.add(piece)
            if limit is deadline and answer.lacking == 0:
                limit = deadline.at_most(_LINGER)
    except OSError as error:
        whole = answer.lacking == 0
        failure = None if whole else failures.of_stream(error)
        return _record(watch, answer.data, failure, None if whole else str(error))
    return _judge(watch, answer)


class _Answer:
    """What came so far. Each byte is looked at once, although a peer may send them one by one."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._size: int | None = None
        self._is_chunked = False
        self._has_head = False

    def add(self, piece: bytes) -> None:
        """The next bytes."""
        seen = max(0, len(self.data) - 3)
        self.data += piece
        if self._has_head:
            return
        end = self.data.find(b"\r\n\r\n", seen)
        if end < 0:
            return
        self._has_head = True
        head = bytes(self.data[:end])
        length = _LENGTH.search(head)
        self._is_chunked = length is None and _CHUNKED.search(head) is not None
        self._size = end + 4 + int(length.group(1)) if length else None

    @property
    def lacking(self) -> int | None:
        """How many bytes are missing by its own account; None where it does not say."""
        if self._size is not None:
            return max(0, self._size - len(self.data))
        return 0 if self._is_chunked and self.data.endswith(b"0\r\n\r\n") else None


def _judge(watch: Stopwatch, answer: _Answer) -> Page:
    data = answer.data
    if not data:
        return _record(watch, data, Failure.CLOSED, "closed without a byte")
    if not data.startswith(b"HTTP/"):
        return _record(watch, data, Failure.NOT_HTTP, f"it answered: {readable(bytes(data), 200)}")
    if len(data) >= CAP:
        return _record(watch, data, None, f"not read beyond {CAP:,} bytes")
    if answer.lacking:
        return _record(watch, data, Failure.OTHER, f"the page ended {answer.lacking:,} bytes too early")
    return _record(watch, data, None, None)


def _record(watch: Stopwatch, data: bytearray, failure: Failure | None, detail: str | None) -> Page:
    text = shorten(bytes(data).decode("utf-8", "replace"), TEXT) if data else None
    return Page(ms=watch.ms, error=failure, detail=detail, text=text, length=len(data))
