"""From a host name to a connected, verified socket, each stage with its own failure."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Any

from pytest_tentacle.transport import tcp
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError

from .tls import tls_failure
from .wire import SLICE_SECONDS, TLSWire, Watch, Wire


def dial(host: str, port: int, context: ssl.SSLContext | None, watch: Watch) -> Wire:
    """A connection to the first address that answers, with TLS if a context is given.

    Raises TransportError with stage RESOLVE, CONNECT or TLS, TIME_OUT once the TLS handshake has begun, RUN when broken
    off.
    """
    purpose = watch.waiting_for
    addresses = _again("the name's addresses", ReachStage.RESOLVE, lambda: _resolve(host, port, watch), watch)
    connection = _again("the connection", ReachStage.CONNECT, lambda: _connect(addresses, port, watch), watch)
    try:
        wire = Wire(connection, watch) if context is None else _secure(connection, host, context, watch)
    except BaseException:
        connection.close()
        raise
    watch.waiting_for = purpose
    return wire


class _AgainError(Exception):
    """The attempt failed in a way that may pass; the failure is what to say if it does not."""

    def __init__(self, failure: TransportError) -> None:
        super().__init__(failure.summary)
        self.failure = failure


def _again(what: str, stage: ReachStage, attempt: Any, watch: Watch) -> Any:
    # a silent address is not asked again: the kernel has done that
    watch.waiting_for = what
    for seconds in (*tcp.RETRY_SECONDS, None):
        try:
            return attempt()
        except _AgainError as error:
            failure = error.failure
        except TransportError as error:
            if error.stage is not ReachStage.TIME_OUT:
                raise
            # no answer here is a failure of this very stage, not of a machine that is slow at its work
            raise TransportError(stage, error.summary, _SILENT) from None
        if seconds is None or watch.deadline.remaining() <= seconds:
            raise failure
        pause = Deadline(seconds)
        while not pause.expired():
            watch.check()
            time.sleep(min(SLICE_SECONDS, pause.remaining()))
    raise AssertionError("the last attempt returns or raises")


_SILENT = "Is the machine up, is its address right, and do the firewalls between here and there let it through?"


def _resolve(host: str, port: int, watch: Watch) -> list[tcp.Address]:
    try:
        return tcp.resolve(host, port, watch.check)
    except (OSError, ValueError, OverflowError) as error:
        failure = TransportError(
            ReachStage.RESOLVE,
            f"{host} cannot be resolved ({getattr(error, 'strerror', None) or error})",
            "Check the name in the inventory and this machine's DNS, or give an IP address.",
        )
        raise (_AgainError(failure) if tcp.may_pass(error) else failure) from None


def _connect(addresses: list[tcp.Address], port: int, watch: Watch) -> socket.socket:
    whole = Deadline(min(tcp.CONNECT_SECONDS, watch.deadline.remaining()))
    failures: list[OSError] = []
    told: list[str] = []
    for position, address in enumerate(addresses):
        share = Deadline(whole.remaining() / (len(addresses) - position))
        try:
            return tcp.connect(address, share, watch.check)
        except OSError as error:
            failures.append(error)
            told.append(f"{address[-1][0]}: {error.strerror or error}")
    silent = any(isinstance(error, TimeoutError) for error in failures)
    refused = any(isinstance(error, ConnectionRefusedError) for error in failures)
    if silent:
        advice = _SILENT
    elif refused:
        advice = (
            f"The machine answers but nothing listens on TCP {port}: is WinRM on (winrm quickconfig), on that port?"
        )
    else:
        advice = "Check the address, the route to it, and the firewalls between here and there."
    failure = TransportError(ReachStage.CONNECT, f"no connection to {watch.place} ({'; '.join(told)})", advice)
    raise failure if silent else _AgainError(failure)


def _secure(connection: socket.socket, host: str, context: ssl.SSLContext, watch: Watch) -> Wire:
    watch.waiting_for = "the TLS handshake"
    try:
        connection.settimeout(SLICE_SECONDS)
        secured = context.wrap_socket(connection, server_hostname=host.rstrip("."), do_handshake_on_connect=False)
        watch.patiently(secured, secured.do_handshake)
    except (OSError, ValueError) as error:  # ValueError: a name that cannot stand in a certificate
        raise tls_failure(error, watch.place) from None
    return TLSWire(secured, watch)
