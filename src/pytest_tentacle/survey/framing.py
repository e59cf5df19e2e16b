"""How a survey script prints what it read: one record for each part, as soon as it is read.

Each record stands in lines of its own, whatever else a login prints around them::

    -----SURVEY <nonce> READING <part>-----
    -----SURVEY <nonce> BEGIN <part> <json|gzip> <length>-----
    <payload>
    -----SURVEY <nonce> END <part>-----

and the last line of all is `-----SURVEY <nonce> DONE-----`. A payload is JSON, or gzip of JSON as base64; line ends in
it do not count, nor do they in its length in bytes. The payload of a section is an object with `data` or `unknown`;
that of `probes`, `pings` and `tls_versions` is a list, and may come in several records, which belong together. READING
says what the script turned to, so that an answer that breaks off tells what hung. A script that cannot run says why in
one line, `-----SURVEY REFUSED <nonce> <word>-----`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Never

from . import limits

_PART = r"[a-z][a-z_]{0,40}"


@dataclass
class Records:
    """What stood in an answer.

    Attributes:
        parts: the payloads by their part's name; those of a list that came in several records are put together.
        damaged: what is wrong with a record that is there from its beginning to its end; None: nothing is.
        cut_off: the part whose record breaks off.
        done: whether the script came to its end.
        reading: the part that it turned to last, where it did not.
        noise: everything around the records.
        bytes_left: how many bytes the payloads may still have, unpacked.
        values_left: how many values.
    """

    parts: dict[str, Any] = field(default_factory=dict)
    damaged: str | None = None
    cut_off: str | None = None
    done: bool = False
    reading: str | None = None
    noise: str = ""
    bytes_left: int = limits.DOCUMENT_BYTES
    values_left: int = limits.DOCUMENT_VALUES


def frame(nonce: str, parts: Mapping[str, Any]) -> str:
    """Parts as a script prints them, for those who answer in a script's place."""
    lines = []
    for part, value in parts.items():
        payload = json.dumps(value)
        begin, end = (
            f"-----SURVEY {nonce} BEGIN {part} json {len(payload)}-----",
            f"-----SURVEY {nonce} END {part}-----",
        )
        lines += [begin, payload, end]
    return "\r\n".join(["", *lines, f"-----SURVEY {nonce} DONE-----", ""])


def refusal(nonce: str, text: str) -> str | None:
    """The word with which a script refused to run; `none` stands for a nonce that did not arrive."""
    found = re.search(rf"-----SURVEY REFUSED (?:{re.escape(nonce)}|none) ([a-z0-9-]{{1,60}})-----", text)
    return found[1] if found else None


def read_records(nonce: str, text: str) -> Records:
    """The records in a script's output (bytes that are no UTF-8 as surrogates), cut off wherever it may be."""
    records = Records()
    begins = rf"BEGIN (?P<part>{_PART}) (?P<encoding>json|gzip) (?P<length>\d{{1,10}})"
    mark = re.compile(rf"-----SURVEY {re.escape(nonce)} (?:READING (?P<reading>{_PART})|{begins}|(?P<done>DONE))-----")
    at = 0
    rest = []
    while found := mark.search(text, at):
        rest.append(text[at : found.start()])
        at = found.end()
        if found["reading"]:
            records.reading = found["reading"]
        elif found["done"]:
            records.done = True
        else:
            at = _take(records, text, found, f"-----SURVEY {nonce} END {found['part']}-----")
    records.noise = "".join([*rest, text[at:]])
    if records.done:
        records.reading = None
    return records


def _take(records: Records, text: str, begin: re.Match[str], end: str) -> int:
    """Read one payload; returns where the next record may begin."""
    part = begin["part"]
    stop = text.find(end, begin.end())
    if stop < 0:
        records.cut_off = records.reading = part
        return len(text)
    try:
        value = _value(records, text[begin.end() : stop], begin["encoding"], int(begin["length"]))
    except ValueError as error:
        records.damaged = records.damaged or f"{part}: {error}"
    else:
        known = records.parts.get(part)
        if isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        else:
            records.parts[part] = value
    return stop + len(end)


def _value(records: Records, raw: str, encoding: str, length: int) -> Any:
    payload = raw.replace("\r", "").replace("\n", "")
    size = len(payload.encode("utf-8", "surrogateescape"))
    if length not in {size, len(payload)}:  # a shell may count characters
        raise ValueError(f"{size} bytes of {length} arrived")
    if encoding == "gzip":
        content = _unpacked(payload, records.bytes_left)
    else:
        content = payload.encode("utf-8", "surrogateescape")
    records.bytes_left = max(0, records.bytes_left - len(content))
    records.values_left -= sum(content.count(letter) for letter in b",[{")
    if records.values_left < 0:
        raise ValueError(f"the answer holds more than {limits.DOCUMENT_VALUES:,} values")
    try:
        return json.loads(content.decode("utf-8", "replace"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None


def _no_number(word: str) -> Never:
    raise ValueError(f"JSON knows no {word}")


def _unpacked(payload: str, room: int) -> bytes:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        data = unpacker.decompress(base64.b64decode(payload, validate=True), max(1, room))
    except (binascii.Error, ValueError, zlib.error):
        raise ValueError("its packing cannot be undone") from None
    if not unpacker.eof:
        raise ValueError("its packing is incomplete or too large")
    return data
