"""A TCP connection under the machine's deadline: resolve, connect, and a bounded number of further attempts."""

from __future__ import annotations

import os
import queue
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from .base import Deadline, ReachStage, TransportError
from .ssh_error import DroppedError, broken_off, reason
from .ssh_wire import Halt

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ssh_wire import Guard

CONNECT_SECONDS = 15.0
"""The longest wait for one address to answer; the machine's deadline may cut it shorter."""

RETRY_SECONDS = (0.2, 0.6)
"""Pauses before the second and third attempt, where the resolver said "try again" or a connection was dropped before
SSH began: a busy sshd (MaxStartups) drops connections at random."""

_SLICE = 0.1
"""Seconds between two looks at the deadline while something else is waited for."""

T = TypeVar("T")


def retrying(attempt: Callable[[], T], deadline: Deadline, guard: Guard) -> T:
    """What `attempt` returns; it is made again, a bounded number of times, as long as it raises DroppedError."""
    for seconds in RETRY_SECONDS:
        try:
            return attempt()
        except DroppedError:
            if deadline.remaining() <= seconds:
                raise
            end = Deadline(seconds)
            while not end.expired() and guard.halted is None:
                time.sleep(min(_SLICE, end.remaining()))
    return attempt()


def connect(host: str, port: int, deadline: Deadline, guard: Guard) -> socket.socket:
    """A TCP connection to the first address that answers, with TCP_NODELAY.

    Without it, each of a session's small packets waits for the acknowledgement of the one before (40 ms).
    Raises TransportError with stage RESOLVE, CONNECT or TIME_OUT; DroppedError where the resolver said "try again".
    """
    addresses = _resolve(host, port, deadline, guard)
    failures: list[tuple[str, OSError]] = []
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        share = min(CONNECT_SECONDS, deadline.remaining() / (len(addresses) - position))
        try:
            connection = _connect_one(socket.socket(family, kind, protocol), address, Deadline(share), guard)
        except OSError as error:
            failures.append((str(address[0]), error))
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    if guard.halted is Halt.CLOSED:
        raise broken_off(ReachStage.CONNECT, f"{host} port {port}")
    told = "; ".join(f"{address}: {reason(error)}" for address, error in failures)
    raise TransportError(
        ReachStage.CONNECT,
        f"no connection to {host} port {port} ({told})",
        _advice([error for _, error in failures], port),
    )


def _resolve(host: str, port: int, deadline: Deadline, guard: Guard) -> list[tuple[Any, ...]]:
    # the system's resolver knows no deadline: it is asked from a thread that is left behind if it takes too long
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError, OverflowError) as error:  # UnicodeError: a label that no DNS name can have
            answers.put(error)

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    while not deadline.expired() and guard.halted is None:
        try:
            answer = answers.get(timeout=min(_SLICE, deadline.remaining()))
        except queue.Empty:
            continue
        if isinstance(answer, list):
            return answer
        again = isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN
        raise (DroppedError if again else TransportError)(
            ReachStage.RESOLVE,
            f"{host} cannot be resolved: {reason(answer)}",
            "Check the name in the inventory (or HostName in the ssh_config) and this machine's DNS.",
        ) from answer
    if guard.halted is Halt.CLOSED:
        raise broken_off(ReachStage.RESOLVE, host)
    raise TransportError(
        ReachStage.TIME_OUT,
        f"{host} could not be resolved within {deadline.seconds:g} s",
        "Check this machine's DNS servers, or name an IP address in the inventory.",
    )


def _connect_one(connection: socket.socket, address: Any, deadline: Deadline, guard: Guard) -> socket.socket:
    try:
        connection.settimeout(0.0)
        try:
            connection.connect(address)
        except (BlockingIOError, InterruptedError):
            _await_connection(connection, deadline, guard)
    except BaseException:
        connection.close()
        raise
    return connection


def _await_connection(connection: socket.socket, deadline: Deadline, guard: Guard) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE)
        while not selector.select(min(_SLICE, deadline.remaining())):
            if guard.halted is not None:
                raise OSError("broken off")
            if deadline.expired():
                raise TimeoutError(f"no answer within {deadline.seconds:.1f} s")
    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        # Windows keeps the texts of its socket errors in a table of their own
        raise OSError(code, getattr(socket, "errorTab", {}).get(code) or os.strerror(code))


def _advice(errors: list[OSError], port: int) -> str:
    if any(isinstance(error, TimeoutError) for error in errors):
        return f"Is the machine up, and does every firewall between here and there let TCP {port} through?"
    if any(isinstance(error, ConnectionRefusedError) for error in errors):
        return f"The machine answers, but nothing listens on TCP {port}: is its SSH server running, on that port?"
    return "Check the address, the route to it, and the firewalls between here and there."
