"""A log's bytes as text, and its text as records (tentacle-facts 3.2).

Four layouts are known, of four ages: with process and thread, with the thread alone, with neither, and with bars (the
containers'). Lines that begin none belong to the record before them. Only a line feed ends a line: a record may hold a
carriage return of its own (tentacle-seen 2, "identity empty").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from .signatures import Level

_HEAD = re.compile(
    r"^(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?)[ \t]+(?:\|[ \t]*)?"
    r"(?:(?P<first>[0-9]{1,10})[ \t]+(?:(?P<second>[0-9]{1,10})[ \t]+)?)?"
    r"(?P<level>TRACE|DEBUG|INFO|WARN|ERROR|FATAL)(?:[ \t]*\|[ \t]?|[ \t]{1,2}|(?=\r?$))",
    re.MULTILINE,
)
_FIRST_SURROGATE = 0xDC80
_CP1252 = {_FIRST_SURROGATE + byte - 0x80: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}
_CONTINUATION = range(0x80, 0xC0)
_LONGEST_CHARACTER = 4


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record: `raw` is all that it takes of the text, `text` its message and the lines below.

    `time` is empty for what stands before the first line of a record; `level` is INFO there.
    """

    number: int
    time: str
    pid: int | None
    level: Level
    text: str
    raw: str


def decode(data: bytes) -> str:
    """The text. What is not UTF-8 is taken for Windows-1252, as Tentacles of old wrote; zeros of a power cut go."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    start = 0
    while start < min(_LONGEST_CHARACTER, len(data)) and data[start] in _CONTINUATION:
        start += 1
    data = data[start:].replace(b"\0", b"")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").translate(_CP1252)


def records_of(text: str) -> list[RawRecord]:
    """All records, in the order of the file; together their `raw` is the text."""
    heads = list(_HEAD.finditer(text))
    found: list[RawRecord] = []
    before = text[: heads[0].start()] if heads else text
    if before:
        found.append(RawRecord(0, "", None, Level.INFO, before.rstrip(), before))
    for index, head in enumerate(heads):
        end = heads[index + 1].start() if index + 1 < len(heads) else len(text)
        has_pid = head["second"] is not None
        found.append(
            RawRecord(
                len(found),
                head["time"],
                int(head["first"]) if has_pid else None,
                Level[head["level"]],
                text[head.end() : end].rstrip(),
                text[head.start() : end],
            )
        )
    return found


def moment(time: str) -> datetime | None:
    """A record's time as a local time without a zone, to the microsecond; None where it is none."""
    whole, _, fraction = time.replace(",", ".").partition(".")
    try:
        moment = datetime.fromisoformat(whole).replace(tzinfo=None)
    except ValueError:
        return None
    return moment + timedelta(microseconds=int(fraction[:6].ljust(6, "0"))) if fraction.isdecimal() else moment
