"""Restarts in their order: server nodes one by one, Tentacles side by side; and what Ctrl-C leaves of them."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from pytest_tentacle.sites.order import Closable
from pytest_tentacle.survey.actions import Action, ActionResult

from .planning import left_alone
from .restarting import Restart, restart
from .sending import Sender

_POLL_SECONDS = 0.1
_LAST_SECONDS = 4.0
"""How long, after Ctrl-C, sessions that were closed may take to tell how far they had come: less than it takes until a
second Ctrl-C ends the process (`run.signals`)."""

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals that end the run wait until this is over: what was done is written down whatever comes."""
    came: list[int] = []
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if callable(handler := signal.getsignal(number)):
                before[number] = handler
                signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


class Sessions:
    """The sessions under way, so that they can be broken off from outside."""

    def __init__(self) -> None:
        self._open: list[Closable] = []
        self._lock = threading.Lock()
        self._closing = False

    def watch(self, session: Closable) -> None:
        """Take note of a session; one that comes too late is closed at once."""
        with self._lock:
            self._open.append(session)
            closing = self._closing
        if closing:
            session.close()

    def break_off(self) -> None:
        """Close all of them."""
        with self._lock:
            self._closing = True
            doomed = list(self._open)
        for session in doomed:
            with contextlib.suppress(Exception):  # an end that fails is an end all the same
                session.close()


def carry_out(
    servers: Sequence[Restart],
    tentacles: Sequence[Restart],
    workers: int,
    sender: Sender,
    told: Callable[[Action], None],
) -> bool:
    """Restart them; `told` is called in this thread with what came of each. Gives whether Ctrl-C ended it early."""
    for number, task in enumerate(servers):
        action, interrupted = _one_by_one(task, sender)
        told(action)
        if interrupted:
            _not_begun([*servers[number + 1 :], *tentacles], "the run was interrupted before its turn", told)
            return True
        if action.result is not ActionResult.DONE:
            why = f"{task.machine} did not come back as it should, so no further server node was touched"
            _not_begun(servers[number + 1 :], why, told)
            break
    return _side_by_side(tentacles, workers, sender, told)


def _one_by_one(task: Restart, sender: Sender) -> tuple[Action, bool]:
    found: list[Action] = []
    interrupted = _side_by_side([task], 1, sender, found.append)
    return found[0], interrupted


def _side_by_side(tasks: Sequence[Restart], workers: int, sender: Sender, told: Callable[[Action], None]) -> bool:
    if not tasks:
        return False
    sessions, pool = Sessions(), ThreadPoolExecutor(min(workers, len(tasks)))
    futures: dict[Future[Action], Restart] = {
        pool.submit(restart, task, sender, sessions.watch): task for task in tasks
    }
    pending = set(futures)
    try:
        while pending:
            for future in wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED).done:
                with uninterrupted():
                    told(_action_of(future, futures[future]))
                    pending.remove(future)
    except KeyboardInterrupt:
        for future in pending:
            future.cancel()
        sessions.break_off()
        wait(pending, timeout=_LAST_SECONDS)
        with uninterrupted():
            for future in pending:
                told(_action_of(future, futures[future]))
        return True
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return False


def _action_of(future: Future[Action], task: Restart) -> Action:
    """Of one that Ctrl-C caught: what its session had told by then, or that nothing is known."""
    if future.cancelled():
        return left_alone(task.machine, "the run was interrupted before its turn", task.by, task.service)
    if not future.done():
        unknown = "its restart was under way when the run was interrupted: whether it was carried out is not known"
        return left_alone(task.machine, "", task.by, task.service).model_copy(
            update={"result": ActionResult.NOT_KNOWN, "told": unknown}
        )
    error = future.exception()
    if error is None:
        return future.result()
    broken = f"its restart broke off ({type(error).__name__}): whether it was carried out is not known"
    return left_alone(task.machine, "", task.by, task.service).model_copy(
        update={"result": ActionResult.NOT_KNOWN, "told": broken}
    )


def alone(work: Callable[[Sessions], Action]) -> tuple[Action | None, bool]:
    """Do one thing so that Ctrl-C can break it off: what came of it, and whether Ctrl-C came.

    It is None where it did not end, or ended by an exception that it should not have.
    """
    sessions, pool = Sessions(), ThreadPoolExecutor(1)
    future = pool.submit(work, sessions)
    try:
        while not future.done():
            wait([future], timeout=_POLL_SECONDS)
    except KeyboardInterrupt:
        sessions.break_off()
        wait([future], timeout=_LAST_SECONDS)
        return _result(future), True
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return _result(future), False


def _result(future: Future[Action]) -> Action | None:
    return future.result() if future.done() and future.exception() is None else None


def _not_begun(tasks: Iterable[Restart], why: str, told: Callable[[Action], None]) -> None:
    for task in tasks:
        told(left_alone(task.machine, why, task.by, task.service))
