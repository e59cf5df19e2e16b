"""A TCP connection under the machine's deadline: resolve, connect, and a bounded number of further attempts."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

from pytest_tentacle.transport import tcp
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError

from .error import DroppedError, broken_off, reason
from .wire import Guard, Halt

T = TypeVar("T")

CHECK_THE_NAME = "Check the name in the inventory (or HostName in the ssh_config) and this machine's DNS."
"""What to do where a name has no address."""


class _HaltedError(Exception):
    """The wait ends: the time is over, or the session was closed."""


def retrying(attempt: Callable[[], T], deadline: Deadline, guard: Guard) -> T:
    """What `attempt` returns; it is made again, a bounded number of times, as long as it raises DroppedError.

    That is, where the resolver said "try again", or a connection was dropped before SSH began: a busy sshd
    (MaxStartups) drops connections at random.
    """
    for seconds in tcp.RETRY_SECONDS:
        try:
            return attempt()
        except DroppedError:
            if deadline.remaining() <= seconds:
                raise
            end = Deadline(seconds)
            while not end.expired() and guard.halted is None:
                time.sleep(min(tcp.SLICE_SECONDS, end.remaining()))
    return attempt()


def connect(host: str, port: int, deadline: Deadline, guard: Guard) -> socket.socket:
    """A TCP connection to the first address that answers.

    Raises TransportError with stage RESOLVE, CONNECT or TIME_OUT; DroppedError where the resolver said "try again".
    """
    addresses = _resolve(host, port, deadline, guard)
    failures: list[tuple[str, OSError]] = []

    def check() -> None:
        if guard.halted is not None:
            raise OSError("broken off")

    for position, address in enumerate(addresses):
        share = min(tcp.CONNECT_SECONDS, deadline.remaining() / (len(addresses) - position))
        try:
            return tcp.connect(address, Deadline(share), check)
        except OSError as error:
            failures.append((str(address[-1][0]), error))
    if guard.halted is Halt.CLOSED:
        raise broken_off(ReachStage.CONNECT, f"{host} port {port}")
    told = "; ".join(f"{address}: {reason(error)}" for address, error in failures)
    raise TransportError(
        ReachStage.CONNECT,
        f"no connection to {host} port {port} ({told})",
        advice(
            port,
            silent=any(isinstance(error, TimeoutError) for _, error in failures),
            refused=any(isinstance(error, ConnectionRefusedError) for _, error in failures),
        ),
    )


def _resolve(host: str, port: int, deadline: Deadline, guard: Guard) -> list[tcp.Address]:
    def check() -> None:
        if deadline.expired() or guard.halted is not None:
            raise _HaltedError

    try:
        return tcp.resolve(host, port, check)
    except _HaltedError:
        if guard.halted is Halt.CLOSED:
            raise broken_off(ReachStage.RESOLVE, host) from None
        raise TransportError(
            ReachStage.TIME_OUT,
            f"{host} could not be resolved within {deadline.seconds:g} s",
            "Check this machine's DNS servers, or name an IP address in the inventory.",
        ) from None
    except (OSError, ValueError, OverflowError) as error:
        raise (DroppedError if tcp.may_pass(error) else TransportError)(
            ReachStage.RESOLVE,
            f"{host} cannot be resolved: {reason(error)}",
            CHECK_THE_NAME,
        ) from error


def advice(port: int, *, silent: bool, refused: bool) -> str:
    """What to do where no address answered: one of them was silent, or refused."""
    if silent:
        return f"Is the machine up, and does every firewall between here and there let TCP {port} through?"
    if refused:
        return f"The machine answers, but nothing listens on TCP {port}: is its SSH server running, on that port?"
    return "Check the address, the route to it, and the firewalls between here and there."
