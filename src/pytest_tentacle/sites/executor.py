"""An executor that has each machine surveyed where its site is; what has no site is done here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from pytest_tentacle.survey.answer import AnswerError
from pytest_tentacle.survey.host import HostTask
from pytest_tentacle.survey.looks import Looks, LookTask, not_made
from pytest_tentacle.survey.model import HostRecord, Unreachable
from pytest_tentacle.transport import ReachStage

from .answers import looks_in, record_in
from .engine import Engine, Errand, Lost


class SitesExecutor(Executor):
    """For one collecting of surveys; the engine outlives it."""

    def __init__(self, here: Executor, engine: Engine) -> None:
        self._here = here
        self._engine = engine
        self._run = uuid.uuid4().hex

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **more: Any) -> Future[Any]:
        """Do the work here, or have the task that is its first argument done by its site's worker."""
        task = arguments[0]
        if task.site is None:
            return self._here.submit(work, *arguments, **more)
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()  # it ends by `break_off`, with what there is
        answered: Future[tuple[object, float]] = Future()
        answered.add_done_callback(lambda done: future.set_result(_result(done, task)))
        self._engine.send(Errand(self._run, task, answered))
        return future

    def waiting(self) -> list[tuple[str, float]]:
        """Host keys under way at sites, with their seconds."""
        return self._engine.waiting(self._run)

    def break_off(self) -> None:
        """Have the workers close the sessions of this run."""
        self._engine.end(self._run)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  Executor's
        """Nobody waits for what is left."""
        self._engine.forget(self._run)
        self._here.shutdown(wait=wait, cancel_futures=cancel_futures)


def _result(answered: Future[tuple[object, float]], task: HostTask | LookTask) -> HostRecord | Looks:
    """What comes of a task; why there is nothing is told in its place."""
    try:
        answer, ahead = answered.result()
        return record_in(answer, task, ahead) if isinstance(task, HostTask) else looks_in(answer, task)
    except Lost as lost:
        stage, why, advice = ReachStage.NOT_ASKED, str(lost), lost.advice
    except AnswerError as error:
        stage, why, advice = ReachStage.RUN, error.reason, error.advice
    if isinstance(task, LookTask):
        return not_made(task, why)
    unreachable = Unreachable(stage=stage, summary=why, advice=advice)
    return HostRecord.not_surveyed(task.host_key, task.machines, unreachable)
