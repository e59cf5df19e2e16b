"""What is done to a machine by a worker of its site, once: never by a second one, nor by the same one again.

It is no task of the engine's scheduler, which would give a task of a worker that has ended to the next one. The
engine's call of a function on one worker has no such second life: it is answered, or it is lost.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from pytest_tentacle.hiding import Secrets
from pytest_tentacle.inventory.references import SecretError
from pytest_tentacle.survey.host import SESSIONS

from .engine import Engine, Lost
from .order import Closable, Deed, Order, end, hidden, is_ended, with_secrets

BEGIN_WITHIN_SECONDS = 30.0
"""A worker that gets to it later than that does not begin: nobody may be waiting any more."""

GRACE_SECONDS = 10.0
"""How much longer than its own time a worker may take to answer."""

POLL_SECONDS = 0.5
LAST_SECONDS = 3.0


class NotDone(Exception):  # noqa: N818
    """It was not begun: the text says why."""


class Unseen(Exception):  # noqa: N818
    """It was on its way to a worker or begun, and nobody saw its end: the text says why."""


class _Ending:
    """Breaks off what a worker does for a run of ours."""

    def __init__(self, engine: Engine, run: str, worker: str) -> None:
        self._engine, self._run, self._worker = engine, run, worker

    def close(self) -> None:
        """The worker closes its session, and answers with what had come by then."""
        self._engine.call(end, self._run, worker=self._worker)


def do(engine: Engine, deed: Deed, watched: Callable[[Closable], None]) -> bytes:
    """Have it done by a worker of its site: what that one answered. Raises NotDone, Unseen."""
    site = str(deed.site)
    try:
        worker = engine.worker_of(site)
    except Lost as lost:
        raise NotDone(str(lost)) from None
    order = Order(uuid.uuid4().hex, deed)
    ending = _Ending(engine, order.run, worker)
    watched(ending)
    begin_until = time.time() + engine.ahead_of_us(worker) + BEGIN_WITHIN_SECONDS
    answered = engine.call(do_once, order, begin_until, worker=worker)
    until = time.monotonic() + deed.most_seconds + GRACE_SECONDS
    while not wait([answered], POLL_SECONDS).done:
        if time.monotonic() > until:
            ending.close()
            raise Unseen(f"the worker of site {site} did not answer within {deed.most_seconds + GRACE_SECONDS:.0f} s")
        if not engine.has(worker):
            wait([answered], LAST_SECONDS)  # its answer may be on its way
            break
    answer = _result(answered)
    if not isinstance(answer, bytes):
        raise Unseen(f"the worker of site {site}, or the scheduler {engine.way.address}, ended in the middle")
    if answer.startswith((b'{"refused"', b'{"fault"')):
        _raise_told(answer, site)
    return answer


def _result(answered: Future[object]) -> object:
    """What came; None for nothing, and for whatever the engine raises where one end is gone."""
    if not answered.done() or answered.exception() is not None:
        return None
    return answered.result()


def _raise_told(answer: bytes, site: str) -> None:
    try:
        (kind, text), *_ = json.loads(answer).items()
    except (ValueError, AttributeError):
        kind, text = "fault", "unknown"
    words = " ".join(str(text).split())[:300]
    if kind == "refused":
        raise NotDone(f"the worker of site {site} did not begin: {words}")
    raise Unseen(f"the worker of site {site} stumbled in the middle: {words}; please report it")


async def do_once(order: Order, begin_until: float) -> bytes:
    """On a worker, in a thread of its own: the answer as JSON. Never raises.

    Args:
        order: with the deed.
        begin_until: by this machine's clock, in seconds since 1970 UTC.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="deed")
    try:
        answer: bytes = await asyncio.get_running_loop().run_in_executor(pool, _done, order, begin_until)
    finally:
        pool.shutdown(wait=False)
    return answer


def _done(order: Order, begin_until: float) -> bytes:
    try:
        run, deed = order.open()
        if is_ended(run):
            return _told("refused", "the run was ended before its turn")
        if time.time() > begin_until:
            return _told("refused", "it got the order too late; nobody may be waiting any more")
        try:
            settings, found = with_secrets(deed.settings)
        except SecretError as error:
            return _told("refused", f"it has not the secret to log on with: {error}")
        with _Open(run) as watched:
            text: str = deed.carry_out(settings, watched)
        if found:
            text = json.dumps(hidden(json.loads(text), Secrets(found)), ensure_ascii=False)
        return text.encode()
    except Exception as error:  # noqa: BLE001  the engine would write its text, and ours, into logs
        return _told("fault", type(error).__name__)


def _told(kind: str, words: str) -> bytes:
    return json.dumps({kind: words}).encode()


class _Open:
    """The session of a deed among those that `end` breaks off."""

    def __init__(self, run: str) -> None:
        self._key = f"{run}/deed-{os.getpid()}-{threading.get_ident()}"
        self._run = run

    def __enter__(self) -> Callable[[Any], None]:
        return self._watched

    def _watched(self, session: Any) -> None:
        with SESSIONS.lock:
            SESSIONS.active[self._key] = (time.monotonic(), session)
        if is_ended(self._run):
            session.close()

    def __exit__(self, *_: object) -> None:
        with SESSIONS.lock:
            SESSIONS.active.pop(self._key, None)
