"""What the machine that runs pytest ran out of: told as its own, and never as another machine's failure."""

from __future__ import annotations

import errno
import os
import socket

_OF_NUMBER = {
    errno.EMFILE: "file descriptors (see ulimit -n)",
    errno.ENFILE: "file descriptors",
    errno.ENOMEM: "memory",
    errno.ENOBUFS: "memory for connections",
}
_THREADS = "threads (see ulimit -u, or the container's limit of processes)"


def shortage(error: BaseException | None) -> str | None:
    """What this machine has no more of, where an exception, or one that led to it, tells of that; else None."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError):
            return "memory"
        if isinstance(error, RuntimeError) and "start new thread" in str(error):
            return _THREADS
        if isinstance(error, OSError) and error.errno in _OF_NUMBER:
            return _OF_NUMBER[error.errno]
        error = error.__cause__ or error.__context__
    return None


def exhausted() -> str | None:
    """The same asked of the system itself: the resolver's errors, for one, do not tell what it lacked."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
        socket.socket().close()
    except OSError as error:
        return shortage(error)
    return None
