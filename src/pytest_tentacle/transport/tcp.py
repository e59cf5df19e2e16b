"""Name and TCP connection under a deadline: what the transports over a network have in common.

Neither the system's resolver nor `connect` knows a deadline that another thread may cut short. So both are waited for
in slices, and between two of them `check` is asked, which raises what shall end the wait.
"""

from __future__ import annotations

import os
import queue
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from .base import Deadline

CONNECT_SECONDS = 15.0
"""The longest wait for one address to answer; the kernel has repeated its SYN three times by then."""

RETRY_SECONDS = (0.2, 0.6)
"""Pauses before the second and the third attempt, where a failure may pass."""

SLICE_SECONDS = 0.1
"""The longest single wait; after it `check` is asked again."""

Address: TypeAlias = tuple[Any, ...]
"""As `socket.getaddrinfo` gives it."""


def resolve(host: str, port: int, check: Callable[[], None]) -> list[Address]:
    """A name's addresses. Raises OSError, or ValueError for a label that no DNS name can have, or what `check` raises.

    The resolver is asked from a thread that is left behind if it takes too long.
    """
    answers: queue.SimpleQueue[list[Address] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, ValueError, OverflowError) as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    while True:
        check()
        try:
            answer = answers.get(timeout=SLICE_SECONDS)
        except queue.Empty:
            continue
        if isinstance(answer, Exception):
            raise answer
        return answer


def may_pass(error: Exception) -> bool:
    """Whether the resolver said "try again"."""
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN


def connect(address: Address, share: Deadline, check: Callable[[], None]) -> socket.socket:
    """A connection to one address within its share of the time, with TCP_NODELAY.

    Without that, each of a session's small packets waits for the acknowledgement of the one before (40 ms). Raises
    OSError, TimeoutError where nothing answered, or what `check` raises.
    """
    family, kind, protocol, _, end = address
    connection = socket.socket(family, kind, protocol)
    try:
        connection.settimeout(0.0)
        try:
            connection.connect(end)
        except (BlockingIOError, InterruptedError):
            _await(connection, share, check)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


def _await(connection: socket.socket, share: Deadline, check: Callable[[], None]) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE)
        while not selector.select(min(SLICE_SECONDS, share.remaining())):
            if share.expired():
                raise TimeoutError(f"no answer within {share.seconds:.1f} s")
            check()
    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        # Windows keeps the texts of its socket errors in a table of their own
        raise OSError(code, getattr(socket, "errorTab", {}).get(code) or os.strerror(code))
