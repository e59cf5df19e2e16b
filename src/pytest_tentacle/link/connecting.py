"""A TCP connection to the first of several addresses that answers."""

from __future__ import annotations

import socket

from pytest_tentacle.shortage import shortage

from . import failures
from .deadline import Deadline, Stopwatch
from .model import Connected, Failure, Stage, Tried

_TELLING = (
    Failure.REFUSED,
    Failure.RESET,
    Failure.PROHIBITED,
    Failure.TIMED_OUT,
    Failure.UNREACHABLE,
    Failure.OTHER,
)
"""Of several addresses' failures, which one tells most: a machine without IPv6 calls every IPv6 address unreachable."""


def connect_stage(addresses: tuple[str, ...], port: int, deadline: Deadline) -> tuple[socket.socket | None, Connected]:
    """Try each address in order; every failed attempt stands in the record's detail.

    A silent address may use only its share of the time, so that the ones behind it get their turn.
    """
    watch = Stopwatch()
    attempts: list[tuple[Failure, str, str]] = []
    tried: list[Tried] = []
    several = len(addresses) > 1
    for index, address in enumerate(addresses):
        own = Stopwatch()
        try:
            share = deadline.wait() / (len(addresses) - index)
            connection = _connect(address, port, share)
        except OSError as error:
            if shortage(error):
                raise
            failure = failures.of_connect(error, address)
            attempts.append((failure, address, f"{address}: {failure} after {own.ms:.0f} ms ({error})"))
            tried.append(Tried(address=address, ms=own.ms, stage=Stage.CONNECT, error=failure))
            continue
        tried.append(Tried(address=address, ms=own.ms))
        ones = tuple(tried) if several else ()
        return connection, Connected(ms=watch.ms, address=address, detail=_told(attempts), tried=ones)
    failure, address, _ = min(attempts, key=lambda attempt: _TELLING.index(attempt[0]))
    ones = tuple(tried) if several else ()
    return None, Connected(ms=watch.ms, error=failure, address=address, detail=_told(attempts), tried=ones)


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    family, kind, protocol, _, place = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )[0]
    connection = socket.socket(family, kind, protocol)
    try:
        connection.settimeout(seconds)
        connection.connect(place)
    except BaseException:
        connection.close()
        raise
    return connection


def _told(attempts: list[tuple[Failure, str, str]]) -> str | None:
    return "; ".join(text for _, _, text in attempts) or None
