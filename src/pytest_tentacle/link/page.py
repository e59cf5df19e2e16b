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
    data = bytearray()
    limit = deadline
    try:
        stream.write(request)
        while len(data) < CAP:
            piece = stream.read(limit)
            if not piece:
                break
            data += piece
            if limit is deadline and missing(data) == 0:
                limit = deadline.at_most(_LINGER)
    except OSError as error:
        whole = missing(data) == 0
        failure = None if whole else failures.of_stream(error)
        return _record(watch, data, failure, None if whole else str(error))
    return _judge(watch, data)


def missing(data: bytes | bytearray) -> int | None:
    """How many bytes the answer lacks by its own account; None where it does not say."""
    head, blank, body = bytes(data).partition(b"\r\n\r\n")
    if not blank:
        return None
    length = _LENGTH.search(head)
    if length:
        return max(0, int(length.group(1)) - len(body))
    if _CHUNKED.search(head):
        return 0 if body.endswith(b"0\r\n\r\n") else None
    return None


def _judge(watch: Stopwatch, data: bytearray) -> Page:
    if not data:
        return _record(watch, data, Failure.CLOSED, "closed without a byte")
    if not data.startswith(b"HTTP/"):
        return _record(watch, data, Failure.NOT_HTTP, f"it answered: {readable(bytes(data), 200)}")
    if len(data) >= CAP:
        return _record(watch, data, None, f"not read beyond {CAP:,} bytes")
    lacking = missing(data)
    if lacking:
        return _record(watch, data, Failure.OTHER, f"the page ended {lacking:,} bytes too early")
    return _record(watch, data, None, None)


def _record(watch: Stopwatch, data: bytearray, failure: Failure | None, detail: str | None) -> Page:
    text = shorten(bytes(data).decode("utf-8", "replace"), TEXT) if data else None
    return Page(ms=watch.ms, error=failure, detail=detail, text=text, length=len(data))
