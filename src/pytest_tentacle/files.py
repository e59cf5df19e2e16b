"""Files, read and written with care: outputs appear whole or not at all, inputs are regular files of a bounded size.

The name of the file beside is random and it is made with `O_EXCL`, so that two runs do not get in each other's way, and
nobody who may write to the folder leads us to another file by a link of that name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600
"""For facts: surveys, bundles and the mapping of pseudonyms are for whoever made them."""

SHARED = 0o666
"""For reports; the umask has its say."""

_KINDS = (
    (stat.S_ISLNK, "a link: name the file itself"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO, no file"),
    (stat.S_ISCHR, "a device, no file"),
    (stat.S_ISBLK, "a device, no file"),
    (stat.S_ISSOCK, "a socket, no file"),
)


class NotAFileError(OSError):
    """Where a file is to be written stands something that must not be replaced by one."""


def write(path: Path, data: str | bytes | Iterable[bytes], mode: int = SHARED) -> None:
    """Write a file in one step, with the folders that it needs. Raises OSError; nothing is left beside it then.

    Args:
        path: where; a file that is there is replaced, anything else is not.
        data: what, perhaps piece by piece; a text is written as UTF-8.
        mode: the permissions, `PRIVATE` or `SHARED`.
    """
    with replacing(path, mode) as file:
        if isinstance(data, str):
            data = data.encode("utf-8")
        file.writelines([data] if isinstance(data, bytes) else data)


@contextlib.contextmanager
def replacing(path: Path, mode: int = SHARED) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, that takes its name once it is whole. Raises OSError, as `write` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    require_replaceable(path)
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.part")
    handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def write_private(path: Path, data: str | bytes | Iterable[bytes]) -> None:
    """Write a file that only its owner may read."""
    write(path, data, PRIVATE)


def reserve(path: Path) -> Path:
    """A file of this name, or with a number behind it where another run has that; empty until it is written."""
    free, number = path, 1
    while True:
        try:
            free.touch(exist_ok=False)
        except FileExistsError:
            number += 1
            free = path.with_stem(f"{path.stem}-{number}")
        else:
            return free


def read_regular(path: Path, most: int) -> bytes:
    """A file's bytes, where it is a regular file of at most so many bytes. Raises OSError, before anything is read.

    Nothing waits here, as it would at a FIFO that nobody writes to.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        _require_regular(found)
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes")
    return data


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: JSON can spell halves of surrogate pairs, which cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_replaceable(path: Path) -> None:
    """Raises OSError where something stands there that is no regular file."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    _require_regular(found)


def _require_regular(found: os.stat_result) -> None:
    for is_kind, words in _KINDS:
        if is_kind(found.st_mode):
            number = errno.EISDIR if is_kind is stat.S_ISDIR else errno.EINVAL
            raise NotAFileError(number, os.strerror(number) if number == errno.EISDIR else f"it is {words}")
