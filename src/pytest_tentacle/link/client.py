"""Probe a link: resolve, connect, TLS, page, and on request identity, each stage timed and each failure typed."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Sequence

from pytest_tentacle.shortage import exhausted, shortage

from . import wire
from .connecting import connect_stage
from .deadline import Deadline
from .identity import identity_stage
from .model import By, Probe, Target, Tried
from .page import page_stage
from .resolving import Resolver, resolve_stage, system_resolver
from .securing import tls_stage

MOST_OTHERS = 3
OTHERS_SECONDS = 3.0
"""Of a name's addresses behind the one that answers, so many are looked at, in so many seconds together."""

_GLANCE = 0.2
"""Seconds between two looks at the workers: on Windows a wait without a limit cannot be interrupted by Ctrl-C."""


def probe(
    target: Target,
    *,
    seconds: float,
    resolve: Resolver = system_resolver,
    identity: bool = False,
    payload_bytes: int = 0,
    context: ssl.SSLContext | None = None,
    each_address: bool = False,
) -> Probe:
    """One attempt to use a link: one connection, one whole `GET /` read to its end.

    Args:
        target: whom to probe.
        seconds: the budget over all stages.
        resolve: how a name becomes addresses.
        identity: also speak Halibut's identity lines, on a second connection.
        payload_bytes: length of a line of `A`s in the request, for a pong only.
        context: what TLS may be spoken; None: as the product does.
        each_address: of a name with several addresses, look at those behind the one that answers as well.

    Returns:
        The stages that were gone through; a failure is a record and never an exception.
    """
    found = Probe(link=target.link, host=target.host, port=target.port, by=target.by)
    try:
        found = _stages(found, target, seconds, resolve, context, identity=identity, payload_bytes=payload_bytes)
        return _with_others(found, seconds) if each_address and target.by is By.NAME else found
    except (OSError, RuntimeError, MemoryError) as error:
        own = shortage(error)
        if own is None:
            raise
        return found.model_copy(update={"unavailable": f"this machine has no {own} left"})


def _stages(
    found: Probe,
    target: Target,
    seconds: float,
    resolve: Resolver,
    context: ssl.SSLContext | None,
    *,
    identity: bool,
    payload_bytes: int,
) -> Probe:
    deadline = Deadline(seconds)
    addresses, resolved = resolve_stage(target.host, target.port, resolve, deadline)
    found = found.model_copy(update={"resolve": resolved})
    if not addresses:
        own = exhausted()
        return found if own is None else found.model_copy(update={"unavailable": f"this machine has no {own} left"})
    connection, connected = connect_stage(addresses, target.port, deadline)
    found = found.model_copy(update={"connect": connected})
    if connection is None or connected.address is None:
        return found
    with connection:
        stream, secured = tls_stage(connection, target.host, deadline, context)
        found = found.model_copy(update={"tls": secured})
        if stream is None:
            return found
        request = wire.page_request(target.host, target.port, payload_bytes=payload_bytes)
        found = found.model_copy(update={"page": page_stage(stream, request, deadline)})
    if identity:
        spoken = identity_stage(target.host, connected.address, target.port, deadline)
        found = found.model_copy(update={"identity": spoken})
    return found


def _with_others(found: Probe, seconds: float) -> Probe:
    """The same with the addresses behind the one that answered, each looked at by a whole request of its own."""
    connected, resolved = found.connect, found.resolve
    if connected is None or connected.error is not None or resolved is None or connected.address is None:
        return found
    behind = resolved.addresses[len(connected.tried) :][:MOST_OTHERS] if connected.tried else ()
    deadline = Deadline(min(seconds, OTHERS_SECONDS))
    tried = [*connected.tried]
    if tried:
        tried[-1] = _tried(found, tried[-1].address)
    for number, address in enumerate(behind):
        if deadline.left <= 0:
            break
        share = deadline.left / (len(behind) - number)
        look = probe(Target(host=address, port=found.port, by=found.by), seconds=share)
        tried.append(_tried(look, address))
    return found.model_copy(update={"connect": connected.model_copy(update={"tried": tuple(tried)})})


def _tried(look: Probe, address: str) -> Tried:
    stage, record = look.failed or (None, look.connect)
    ms, error = (record.ms, record.error) if record else (None, None)
    return Tried(address=address, ms=ms, stage=stage, error=error, thumbprint=look.thumbprint)


def probe_all(
    targets: Iterable[Target],
    *,
    workers: int = 32,
    seconds: float,
    resolve: Resolver = system_resolver,
    identity: bool = False,
    on_probe: Callable[[Probe], None] | None = None,
) -> tuple[Probe, ...]:
    """Probe many targets in threads; the answers in the order of the targets.

    Args:
        targets: whom to probe.
        workers: how many at once.
        seconds: the budget of each probe.
        resolve: how a name becomes addresses.
        identity: also speak Halibut's identity lines.
        on_probe: called in the worker's thread with each probe as it ends.

    Raises:
        KeyboardInterrupt: at once; the workers are daemons and end with the probe that each is at.
    """
    wanted: Sequence[Target] = tuple(targets)
    found: list[Probe | None] = [None] * len(wanted)
    crashes: list[BaseException] = []
    waiting = iter(range(len(wanted)))
    turn = threading.Lock()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            with turn:
                index = next(waiting, None)
            if index is None:
                return
            try:
                answer = probe(wanted[index], seconds=seconds, resolve=resolve, identity=identity, each_address=True)
                found[index] = answer
                if on_probe:
                    on_probe(answer)
            except BaseException as crash:  # noqa: BLE001  raised again in the caller's thread
                crashes.append(crash)
                stop.set()

    threads = [
        threading.Thread(target=work, name=f"probe {number}", daemon=True)
        for number in range(min(max(1, workers), len(wanted)))
    ]
    try:
        started = _start(threads)
        if not started:
            work()
        for thread in started:
            while thread.is_alive():
                thread.join(_GLANCE)
    finally:
        stop.set()
    if crashes:
        raise crashes[0]
    return tuple(answer for answer in found if answer is not None)


def _start(threads: Sequence[threading.Thread]) -> Sequence[threading.Thread]:
    """As many of them as this machine has room for: those that run do the work of all."""
    for number, thread in enumerate(threads):
        try:
            thread.start()
        except RuntimeError:
            return threads[:number]
    return threads
