"""One host's part of a run: log on, run the script once, read its answer. Never raises: a failure is a record.

`survey_host` is a plain function of a picklable task, so that any `concurrent.futures.Executor` can run it, where the
machines are near.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError

from pytest_tentacle.inventory.model import OperatingSystem
from pytest_tentacle.inventory.model import Transport as TransportSettings
from pytest_tentacle.link import Probe
from pytest_tentacle.shortage import exhausted, shortage
from pytest_tentacle.transport import Answer, Deadline, ReachStage, Transport, TransportError, open_transport

from . import limits
from .answer import AnswerError, is_constrained, read_document
from .door import Budget
from .ingest import ingest
from .model import HostRecord, Survey, Unreachable
from .request import Call, Request
from .scripts.linux import linux_call
from .scripts.windows import constrained_call, windows_call


@dataclass(frozen=True)
class HostTask:
    """What one call of `survey_host` does.

    Attributes:
        timeout: seconds for this host, log-on included.
        keep_session: stay logged on, for a second round in the same process.
        site: whose worker does it, where the run has a scheduler; None: it is done here.
    """

    host_key: str
    machines: tuple[str, ...]
    settings: TransportSettings
    os: OperatingSystem | None
    request: Request
    timeout: float
    keep_session: bool = False
    site: str | None = None


@dataclass
class Sessions:
    """The sessions of this process: those under way, so that an interrupt can break them off, and those kept."""

    kept: dict[str, Transport] = field(default_factory=dict)
    active: dict[str, tuple[float, Transport]] = field(default_factory=dict)
    closing: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, task: HostTask) -> tuple[Transport, bool]:
        """A session for the task, and whether it is logged on already."""
        with self.lock:
            transport = self.kept.pop(task.host_key, None)
            logged_on = transport is not None
            if transport is None:
                transport = open_transport(task.settings)
            self.active[task.host_key] = (time.monotonic(), transport)
        return transport, logged_on

    def give_back(self, task: HostTask, transport: Transport, *, usable: bool) -> None:
        """End the task's use of a session."""
        with self.lock:
            self.active.pop(task.host_key, None)
            keep = usable and task.keep_session and not self.closing
            if keep:
                self.kept[task.host_key] = transport
        if not keep:
            transport.close()

    def waiting(self) -> list[tuple[str, float]]:
        """Host keys under way with their seconds, longest first."""
        now = time.monotonic()
        with self.lock:
            pairs = [(key, now - since) for key, (since, _) in self.active.items()]
        return sorted(pairs, key=lambda pair: -pair[1])

    def break_off(self, host_key: str | None = None) -> None:
        """Close what is under way: one host's session, or all of them and every kept one."""
        with self.lock:
            if host_key is None:
                self.closing = True
                doomed = [transport for _, transport in self.active.values()] + list(self.kept.values())
                self.kept.clear()
            else:
                doomed = [self.active[host_key][1]] if host_key in self.active else []
        for transport in doomed:
            transport.close()


SESSIONS = Sessions()

_LOGGING_ON = (ReachStage.RESOLVE, ReachStage.CONNECT, ReachStage.TLS, ReachStage.AUTHENTICATE, ReachStage.START)


class _Reader:
    """Reads answers one after the other, in one thread of its own.

    Side by side they would take as long, all of their memory at once, and the CPU from the sessions that are still
    under way, whose seconds count. One thread, since a C library keeps what each thread has freed for that thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def read(self, work: Callable[[], Survey]) -> Survey:
        """What the work gives, or raises; where there is no thread to be had, it is done in the caller's."""
        try:
            with self._lock:
                self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="read answers")
                future = self._pool.submit(work)
        except RuntimeError:
            with self._lock:
                self._pool = None
                return work()
        return future.result()


READER = _Reader()


def survey_host(task: HostTask) -> HostRecord:
    """Survey one host. All that can go wrong on the way is told in the record's `unreachable`."""
    taken, started = datetime.now(UTC), time.monotonic()
    survey: Survey | None = None
    unreachable: Unreachable | None = None
    cut_off: str | None = None
    requests = 0
    try:
        survey, requests, cut_off = _run(task)
    except TransportError as error:
        own = shortage(error) or (exhausted() if error.stage in _LOGGING_ON else None)
        unreachable = (
            _own(own, task) if own else Unreachable(stage=error.stage, summary=error.summary, advice=error.advice)
        )
    except AnswerError as error:
        unreachable = Unreachable(stage=ReachStage.RUN, summary=error.reason, advice=error.advice)
    except ValidationError as error:
        where = "; ".join(".".join(str(part) for part in fault["loc"]) for fault in error.errors()[:3])
        unreachable = Unreachable(
            stage=ReachStage.RUN,
            summary=f"the machine's answer is not a survey (at {where})",
            advice="Does something on the machine rewrite the output? Report it with `--save-surveys`.",
        )
    except (OSError, RuntimeError, MemoryError) as error:
        own = shortage(error)
        if own is None:
            raise
        unreachable = _own(own, task)
    return HostRecord(
        host_key=task.host_key,
        machines=task.machines,
        taken_utc=taken,
        seconds=round(time.monotonic() - started, 3),
        requests=requests or None,
        survey=survey,
        unreachable=unreachable,
        cut_off=cut_off,
    )


def _own(what: str, task: HostTask) -> Unreachable:
    return no_room(what, ", ".join(task.machines))


def no_room(what: str, machines: str) -> Unreachable:
    """Why machines were not asked: for want of something on the one that runs pytest."""
    return Unreachable(
        stage=ReachStage.NOT_ASKED,
        summary=f"this machine, which runs pytest, has no {what} left: {machines} was not asked to the end",
        advice="Give this machine more of it, or run with fewer --workers.",
    )


def _run(task: HostTask) -> tuple[Survey, int, str | None]:
    """The survey, the requests that it took, and why it is not whole where the session ended too early."""
    deadline = Deadline(task.timeout)
    transport, logged_on = SESSIONS.take(task)
    requests_before = transport.requests
    usable = False
    try:
        if not logged_on:
            transport.connect(deadline)
        call = _call(task, transport)
        failure: TransportError | None = None
        try:
            answer = transport.execute(call.command, call.stdin, deadline, max_output=limits.ANSWER_BYTES)
            usable = True
            if is_constrained(call, answer):
                call, answer, usable = by_cmdlets(task.request, transport, deadline, (call, answer))
        except TransportError as error:
            if not error.received:
                raise
            answer, failure = Answer(error.received, b"", -1), error
    finally:
        SESSIONS.give_back(task, transport, usable=usable)
    cut_off = failure.summary if failure else None

    def read() -> Survey:
        budget = Budget.of(task.timeout, lambda: SESSIONS.closing)
        budget.check()
        return ingest(read_document(call, answer, cut_off), task.request, budget)

    try:
        survey = READER.read(read)
    except AnswerError:
        if failure:
            raise failure from None  # what had arrived is no survey
        raise
    return _with_all_targets(survey, task, cut_off), transport.requests - requests_before, cut_off


def by_cmdlets(
    request: Request, transport: Transport, deadline: Deadline, refused: tuple[Call, Answer]
) -> tuple[Call, Answer, bool]:
    """What cmdlets alone tell, as far as it came, else why the script was refused; and whether the session stands."""
    call, usable = constrained_call(request), True
    try:
        answer = transport.execute(call.command, call.stdin, deadline, max_output=limits.ANSWER_BYTES)
    except TransportError as error:
        answer, usable = Answer(error.received, b"", -1), False
    told = f"SURVEY {call.nonce} BEGIN".encode() in answer.stdout
    return (call, answer, usable) if told else (*refused, usable)


def _with_all_targets(survey: Survey, task: HostTask, cut_off: str | None) -> Survey:
    """The survey with each link that it was asked to probe: one that it says nothing of was not probed."""
    known = {(probe.link, probe.host, probe.port) for probe in survey.probes}
    why = f"not reached: {cut_off or 'the script ended before it'}"
    missing = tuple(
        Probe(link=target.link, host=target.host, port=target.port, by=target.by, unavailable=why)
        for target in task.request.targets
        if (target.link, target.host, target.port) not in known
    )
    return survey.model_copy(update={"probes": survey.probes + missing}) if missing else survey


def _call(task: HostTask, transport: Transport) -> Call:
    system = task.os or task.settings.default_os or OperatingSystem(transport.detect_os() or "linux")
    return windows_call(task.request) if system is OperatingSystem.WINDOWS else linux_call(task.request)
