"""Files to which a run adds what it learns, and which are whole and can be replayed after each addition.

What is written stays where it is: an addition takes the place of the file's end, and brings a new end along. A run that
is killed in the very moment of that leaves a file without an end, which `survey.store` and `unfinished_text` read as
far as it goes.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from pytest_tentacle import files
from pytest_tentacle.survey import limits
from pytest_tentacle.survey.store import CLOSING, UNFINISHED

SURVEYS = "surveys.json"
MANIFEST = "manifest.json"

_END = CLOSING.encode()
_FLAGS = 0x08 | 0x800
"""Of a ZIP's entry (APPNOTE.TXT 4.4.4): sizes and checksum stand behind the data, the name is UTF-8."""
_AS_IT_IS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_VERSION, _DEFLATED, _STORED = 20, 8, 0
_ENTRY = struct.Struct("<4s5H3L2H")
_BEHIND = struct.Struct("<4s3L")
_LISTED = struct.Struct("<4s6H3L5H2L")
_LAST = struct.Struct("<4s4H2LH")


class GrowingFile:
    """A survey file. Each method raises OSError."""

    def __init__(self, path: Path, start: bytes) -> None:
        """Take the place of what is there."""
        self._end = 0
        with files.replacing(path, files.PRIVATE) as file:
            grown, end = self._grown(start)
            file.write(grown + end)
        self._end += len(grown)
        self._file = os.fdopen(os.open(path, os.O_RDWR | _AS_IT_IS), "r+b", buffering=0)

    def add(self, data: bytes) -> int:
        """Bring more of the text, without its end; the bytes that it took."""
        grown, end = self._grown(data)
        self._file.seek(self._end)
        rest = memoryview(grown + end)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._file.truncate()
        self._end += len(grown)
        return len(grown)

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    def _grown(self, data: bytes) -> tuple[bytes, bytes]:
        """What is written for an addition, and the end behind it."""
        return data, _END


class GrowingBundle(GrowingFile):
    """A bundle with the same text in it, and its manifest: one deflated entry that grows, and all behind it anew."""

    def __init__(self, path: Path, start: bytes, manifest: Callable[[dict[str, str]], str]) -> None:
        """Take the place of what is there; `manifest` makes the manifest's text of digests."""
        self._manifest = manifest
        now = time.localtime()
        self._when = (
            now.tm_hour << 11 | now.tm_min << 5 | now.tm_sec // 2,
            (now.tm_year - 1980) << 9 | now.tm_mon << 5 | now.tm_mday,
        )
        self._deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._digest = hashlib.sha256()
        self._checksum = self._size = 0
        self._begin = (
            _ENTRY.pack(b"PK\3\4", _VERSION, _FLAGS, _DEFLATED, *self._when, 0, 0, 0, len(SURVEYS), 0)
            + SURVEYS.encode()
        )
        super().__init__(path, start)

    def _grown(self, data: bytes) -> tuple[bytes, bytes]:
        begin, self._begin = self._begin, b""
        grown = begin + self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._checksum = zlib.crc32(data, self._checksum)
        self._size += len(data)
        self._digest.update(data)
        head = _ENTRY.size + len(SURVEYS)
        deflate, digest = self._deflate.copy(), self._digest.copy()
        digest.update(_END)
        last = deflate.compress(_END) + deflate.flush()
        packed = self._end + len(grown) + len(last) - head
        sizes = (zlib.crc32(_END, self._checksum), packed, self._size + len(_END))
        end = last + _BEHIND.pack(b"PK\7\x08", *sizes)
        manifest_at = self._end + len(grown) + len(end)
        text = self._manifest({SURVEYS: digest.hexdigest()}).encode()
        whole = (zlib.crc32(text), len(text), len(text))
        end += _ENTRY.pack(b"PK\3\4", _VERSION, 0x800, _STORED, *self._when, *whole, len(MANIFEST), 0)
        end += MANIFEST.encode() + text
        lists = self._listed(SURVEYS, _FLAGS, _DEFLATED, sizes, 0)
        lists += self._listed(MANIFEST, 0x800, _STORED, whole, manifest_at)
        end += lists + _LAST.pack(b"PK\5\6", 0, 0, 2, 2, len(lists), self._end + len(grown) + len(end), 0)
        return grown, end

    def _listed(self, name: str, flags: int, method: int, sizes: tuple[int, int, int], at: int) -> bytes:
        made_by = 3 << 8 | _VERSION  # Unix, whose permissions stand in the upper half of the attributes
        more = (len(name), 0, 0, 0, 0, files.PRIVATE << 16, at)
        return _LISTED.pack(b"PK\1\2", made_by, _VERSION, flags, method, *self._when, *sizes, *more) + name.encode()


def unfinished_text(raw: bytes) -> bytes | None:
    """The text in a bundle to which a run was still adding, as far as it goes; None for any other file."""
    if len(raw) < _ENTRY.size:
        return None
    signature, _, flags, method, *_, name, extra = _ENTRY.unpack_from(raw)
    begin = _ENTRY.size + name + extra
    if (signature, flags, method) != (b"PK\3\4", _FLAGS, _DEFLATED) or raw[_ENTRY.size : begin] != SURVEYS.encode():
        return None
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    found = bytearray()
    try:
        for at in range(begin, len(raw), 65_536):
            found += unpacking.decompress(raw[at : at + 65_536], limits.BUNDLE_BYTES + 1 - len(found))
            if unpacking.eof or len(found) > limits.BUNDLE_BYTES:
                break
    except zlib.error:
        pass  # the run was killed while it wrote here
    text = bytes(found)
    return text if text.startswith(UNFINISHED.encode()) and len(text) <= limits.BUNDLE_BYTES else None
