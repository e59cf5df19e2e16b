"""From a host name to its addresses, within a deadline."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable

from . import failures
from .deadline import Deadline, Stopwatch
from .model import Failure, Resolved

Resolver = Callable[[str, int, float], tuple[str, ...]]
"""`(host, port, seconds)` to the addresses in order of preference.

Raises OSError (`socket.gaierror`, TimeoutError) or UnicodeError, as `socket.getaddrinfo` does.
"""


def system_resolver(host: str, port: int, seconds: float) -> tuple[str, ...]:
    """Ask the operating system's resolver.

    `getaddrinfo` takes no time limit and may hang for half a minute, so it runs in a thread that is left behind; a
    daemon, so that it never holds up the end of the process.
    """
    answers: queue.SimpleQueue[tuple[str, ...] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as error:
            answers.put(error)
        else:
            answers.put(tuple(dict.fromkeys(_address(*place) for *_, place in found)))

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"the resolver gave no answer within {seconds:.1f} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def resolve_stage(
    host: str, port: int, resolve: Resolver, deadline: Deadline
) -> tuple[tuple[str, ...], Resolved | None]:
    """The addresses to try and the stage's record, which is None for a literal address."""
    if is_literal(host):
        return (host,), None
    watch = Stopwatch()
    try:
        addresses = resolve(host, port, deadline.wait())
    except (OSError, ValueError) as error:
        return (), Resolved(ms=watch.ms, error=failures.of_resolve(error), detail=str(error))
    if not addresses:
        return (), Resolved(ms=watch.ms, error=Failure.NO_ADDRESS)
    return addresses, Resolved(ms=watch.ms, addresses=addresses)


def is_literal(host: str) -> bool:
    """Whether the host is an IP address already."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _address(address: str | int, _port: int | bytes, _flow: int = 0, zone: int = 0) -> str:
    """The address of a `getaddrinfo` entry, with its zone where it needs one to be reached."""
    return f"{address}%{zone}" if zone and "%" not in str(address) else str(address)
