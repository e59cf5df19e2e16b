"""Restarts in their order: server nodes one by one, Tentacles side by side; and what Ctrl-C leaves of them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from pytest_tentacle.survey.actions import Action, ActionResult
from pytest_tentacle.transport import Transport

from .planning import left_alone
from .restarting import Restart, restart

_POLL_SECONDS = 0.1
_LAST_SECONDS = 10.0
"""How long, after Ctrl-C, sessions that were closed may take to tell how far they had come."""


class Sessions:
    """The sessions under way, so that they can be broken off from outside."""

    def __init__(self) -> None:
        self._open: list[Transport] = []
        self._lock = threading.Lock()
        self._closing = False

    def watch(self, transport: Transport) -> None:
        """Take note of a session; one that comes too late is closed at once."""
        with self._lock:
            self._open.append(transport)
            closing = self._closing
        if closing:
            transport.close()

    def break_off(self) -> None:
        """Close all of them."""
        with self._lock:
            self._closing = True
            doomed = list(self._open)
        for transport in doomed:
            with contextlib.suppress(Exception):  # an end that fails is an end all the same
                transport.close()


def carry_out(
    servers: Sequence[Restart], tentacles: Sequence[Restart], workers: int, told: Callable[[Action], None]
) -> bool:
    """Restart them; `told` is called in this thread with what came of each. Gives whether Ctrl-C ended it early."""
    for number, task in enumerate(servers):
        action, interrupted = _one_by_one(task)
        told(action)
        if interrupted:
            _not_begun([*servers[number + 1 :], *tentacles], "the run was interrupted before its turn", told)
            return True
        if action.result is not ActionResult.DONE:
            why = f"{task.machine} did not come back as it should, so no further server node was touched"
            _not_begun(servers[number + 1 :], why, told)
            break
    return _side_by_side(tentacles, workers, told)


def _one_by_one(task: Restart) -> tuple[Action, bool]:
    found: list[Action] = []
    interrupted = _side_by_side([task], 1, found.append)
    return found[0], interrupted


def _side_by_side(tasks: Sequence[Restart], workers: int, told: Callable[[Action], None]) -> bool:
    if not tasks:
        return False
    sessions, pool = Sessions(), ThreadPoolExecutor(min(workers, len(tasks)))
    futures: dict[Future[Action], Restart] = {pool.submit(restart, task, sessions.watch): task for task in tasks}
    pending = set(futures)
    try:
        while pending:
            done, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                told(_action_of(future, futures[future]))
    except KeyboardInterrupt:
        for future in pending:
            future.cancel()
        sessions.break_off()
        wait(pending, timeout=_LAST_SECONDS)
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
    """Do one thing so that Ctrl-C can break it off: what came of it, None where it did not end; and whether it came."""
    sessions, pool = Sessions(), ThreadPoolExecutor(1)
    future = pool.submit(work, sessions)
    try:
        while not future.done():
            wait([future], timeout=_POLL_SECONDS)
    except KeyboardInterrupt:
        sessions.break_off()
        wait([future], timeout=_LAST_SECONDS)
        return (future.result() if future.done() and future.exception() is None else None), True
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return future.result(), False


def _not_begun(tasks: Iterable[Restart], why: str, told: Callable[[Action], None]) -> None:
    for task in tasks:
        told(left_alone(task.machine, why, task.by, task.service))
