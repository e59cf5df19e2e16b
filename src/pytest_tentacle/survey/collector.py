"""Surveys of all hosts in parallel, in two rounds, with an end in sight: for each host, and for Ctrl-C.

Round 1 surveys every host; each probes its own ports and, when polling, its servers. Round 2 sends each server the list
of its listening Tentacles, all at once, in one script. So there are hosts + servers remote calls, never machines times
checks.
"""

from __future__ import annotations

import contextlib
import operator
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from pytest_tentacle import __version__
from pytest_tentacle.inventory import without_credentials
from pytest_tentacle.inventory.model import Inventory, Machine
from pytest_tentacle.link import PingOrder, Probe, Resolver, Target, TlsVersions, system_resolver
from pytest_tentacle.shortage import shortage
from pytest_tentacle.transport import ReachStage

from .host import SESSIONS, HostTask, no_room, survey_host
from .looks import Looks, LookTask, look, not_made
from .model import HostRecord, Unreachable
from .request import Request, script_seconds
from .store import Surveys
from .targets import (
    controller_targets,
    own_ping_targets,
    own_targets,
    peer_ping_targets,
    peer_targets,
    peers_of,
    ports_of_interest,
)

T = TypeVar("T")

GRACE_SECONDS = 3.0
"""How long after its own deadline a host may still be waited for before its session is closed from outside."""

POLL_SECONDS = 0.1

PACKED_FROM = 300
"""With more hosts than that, their surveys are kept packed (`packing.py`)."""

KEEP_SECONDS = 5.0
"""So often at most, what is known is handed over to be kept, and never for more than a twentieth of the time."""

FIRST_KEEP_SECONDS = 1.0
"""After this time it is handed over for the first time, whoever has answered by then."""


class Progress(Protocol):
    """Told every tenth of a second how far it is. `waiting` names hosts under way with their seconds, longest first."""

    def update(self, what: str, done: int, total: int, waiting: list[tuple[str, float]]) -> None:
        """Show it."""

    def finish(self, what: str, total: int, seconds: float) -> None:
        """A round is over."""


@dataclass(frozen=True)
class Plan:
    """How a run surveys.

    Attributes:
        machine_timeout: seconds for one host and round.
        probe_seconds: budget of one probe.
        identity: speak Halibut's identity lines too (`--probe-identity`).
        resolve: name resolution for the controller's own probes.
        ping: how to ping each link from its vantage point; None: do not.
        tls_versions: try each version of TLS with each link, from its vantage point and from here (`--probe-tls`).
        keep: given what is known by now, from time to time, so that a killed run leaves it; None: nobody keeps it.
        until: when the run's time is over (`time.monotonic()`); None: never.
    """

    workers: int = 32
    machine_timeout: float = 60.0
    probe_seconds: float = 5.0
    identity: bool = False
    resolve: Resolver = system_resolver
    ping: PingOrder | None = None
    tls_versions: bool = False
    keep: Callable[[Surveys], None] | None = None
    until: float | None = None

    @property
    def over(self) -> bool:
        """Whether the run's time is over."""
        return self.until is not None and time.monotonic() > self.until

    def request(self) -> Request:
        """A request within this plan's budgets: the script must end before we stop waiting for it."""
        return Request(
            probe_seconds=self.probe_seconds,
            budget_seconds=script_seconds(self.machine_timeout),
            identity=self.identity,
            ping=self.ping,
            tls_versions=self.tls_versions,
        )


class Interrupted(Exception):  # noqa: N818
    """Ctrl-C came while hosts were surveyed; `surveys` holds what was read until then."""

    def __init__(self, surveys: Surveys) -> None:
        super().__init__("interrupted")
        self.surveys = surveys


class _TimeIsUp(Exception):  # noqa: N818
    """The run's own time (`--run-timeout`) is over."""


def collect(
    inventory: Inventory,
    names: Iterable[str],
    plan: Plan,
    progress: Progress,
    executor: Callable[[int], Executor] | None = None,
) -> Surveys:
    """Survey the hosts of the named machines. Raises Interrupted after Ctrl-C, with all that is known by then.

    Args:
        inventory: whose machines they are.
        names: of the machines.
        plan: how.
        progress: is told how far it is.
        executor: makes of a number of threads what the work is given to; None: `Workers`. One of sites' workers says
            by `waiting()` who is under way there, and closes their sessions by `break_off()`.
    """
    wanted = set(names)
    machines = [machine for machine in inventory.machines if machine.name in wanted]
    pool = (executor or Workers)(plan.workers)
    state = _State(inventory, machines, plan, progress, of_sites=hasattr(pool, "break_off"))
    SESSIONS.closing = False
    try:
        state.first_round(pool)
        state.second_round(pool)
    except _TimeIsUp:
        state.cut_off = True
    except KeyboardInterrupt:
        _break_off(pool)
        pool.shutdown(wait=False, cancel_futures=True)
        raise Interrupted(state.surveys()) from None
    SESSIONS.break_off()
    pool.shutdown(wait=False, cancel_futures=True)
    return state.surveys()


def _break_off(pool: Executor) -> None:
    """Close what is under way, here and at sites."""
    SESSIONS.break_off()
    if hasattr(pool, "break_off"):
        pool.break_off()


class Workers(ThreadPoolExecutor):
    """As many threads as asked for, or as this machine has room for: those that run do the work of all."""

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            if not self._threads:
                raise


def _submit(pool: Executor, work: Callable[..., T], *arguments: Any) -> Future[T]:
    """The work's future; where there is no thread for it at all, it has failed for that."""
    try:
        return pool.submit(work, *arguments)
    except RuntimeError as error:
        future: Future[T] = Future()
        future.set_exception(error)
        return future


class _State:
    def __init__(
        self, inventory: Inventory, machines: Sequence[Machine], plan: Plan, progress: Progress, *, of_sites: bool
    ) -> None:
        self._of_sites = of_sites
        self.inventory = inventory
        self.plan = plan
        self.progress = progress
        self.taken = datetime.now(UTC)
        self.hosts: dict[str, list[Machine]] = {}
        for machine in machines:
            self.hosts.setdefault(machine.host_key, []).append(machine)
        self.records: dict[str, HostRecord] = {}
        self.controller_probes: dict[str, tuple[Probe, ...]] = {}
        self.controller_tls_versions: dict[str, TlsVersions] = {}
        self._keep_again = time.monotonic() + FIRST_KEEP_SECONDS
        self._answers = 0
        self._kept: int | None = None
        self._waited_for: dict[str, HostRecord] = {}
        self.cut_off = False

    def first_round(self, pool: Executor) -> None:
        server_names = {server.name for server in self.inventory.servers}
        tasks = []
        for key, members in self.hosts.items():
            targets = tuple(target for member in members for target in own_targets(self.inventory, member))
            once = tuple(target for member in members for target in own_ping_targets(self.inventory, member))
            tasks.append(
                HostTask(
                    host_key=key,
                    machines=tuple(member.name for member in members),
                    settings=members[0].transport,
                    os=next((member.os for member in members if member.os), None),
                    request=replace(
                        self.plan.request(),
                        targets=targets,
                        ping_targets=once if self.plan.ping else (),
                        version_targets=once if self.plan.tls_versions else (),
                        ports=ports_of_interest(members),
                        names=tuple(dict.fromkeys(member.dns_name for member in members if member.dns_name)),
                        peers=peers_of(self.inventory, members),
                    ),
                    timeout=self.plan.machine_timeout,
                    keep_session=any(member.name in server_names for member in members),
                    site=self._site_of(members[0]),
                )
            )
        for task, record in self._run(pool, "surveying", tasks):
            self.records[task.host_key] = record

    def second_round(self, pool: Executor) -> None:
        surveys = self.surveys()
        selected = {member.name for members in self.hosts.values() for member in members}
        ours = {_submit(pool, look, task, self.plan.resolve): task for task in self._looks(selected, surveys)}
        tasks = []
        for server in self.inventory.servers:
            record = self.records.get(server.host_key)
            if record is None or record.survey is None:
                continue
            targets, once = (
                tuple(target for target in found if target.link.tentacle in selected)
                for found in (
                    peer_targets(self.inventory, server, surveys),
                    peer_ping_targets(self.inventory, server, surveys),
                )
            )
            if targets:
                tasks.append(
                    HostTask(
                        host_key=server.host_key,
                        machines=(server.name,),
                        settings=server.transport,
                        os=server.os,
                        request=replace(
                            self.plan.request(),
                            gather=False,
                            targets=targets,
                            ping_targets=once if self.plan.ping else (),
                            version_targets=once if self.plan.tls_versions else (),
                        ),
                        timeout=self.plan.machine_timeout,
                        site=self._site_of(server),
                    )
                )
        for task, answer in self._run(pool, "probing from the servers", tasks):
            first = self.records[task.host_key]
            self.records[task.host_key] = first.model_copy(
                update={
                    "peer_probes": first.peer_probes + (answer.survey.probes if answer.survey else ()),
                    "peer_pings": first.peer_pings + (answer.survey.pings if answer.survey else ()),
                    "peer_tls_versions": first.peer_tls_versions
                    + (answer.survey.tls_versions if answer.survey else ()),
                    "peer_unknown": answer.unreachable.summary if answer.unreachable else first.peer_unknown,
                    "requests": (first.requests or 0) + (answer.requests or 0),
                    "seconds": round(first.seconds + answer.seconds, 3),
                }
            )
        pending = set(ours)
        while pending:
            done, pending = wait(pending, timeout=POLL_SECONDS)
            for future in done:
                self._keep_looks(future, ours[future])
            self._keep()
            if self.plan.over:
                raise _TimeIsUp

    def _looks(self, names: set[str], surveys: Surveys) -> Iterator[LookTask]:
        """At the selected machines' ports, from here and from each site."""
        targets: dict[str | None, dict[str, tuple[Target, ...]]] = {None: {}}
        for machine in sorted(self.inventory.machines, key=operator.attrgetter("name")):
            if machine.name in names:
                found = controller_targets(self.inventory, machine, surveys)
                targets.setdefault(self._site_of(machine), {})[machine.name] = found
        for site, of_site in targets.items():
            yield LookTask(of_site, self.plan.probe_seconds, self.plan.tls_versions, site)

    def _keep_looks(self, future: Future[Looks], task: LookTask) -> None:
        fault = future.exception()
        if fault is not None and shortage(fault) is not None:
            looks = not_made(task, "this machine has no room left to look")
        else:
            looks = future.result()
        self.controller_probes |= looks.probes
        self.controller_tls_versions |= looks.tls_versions

    def _site_of(self, machine: Machine) -> str | None:
        """Whose worker surveys it; None where that is done here."""
        return machine.site if self._of_sites else None

    def _run(self, pool: Executor, what: str, tasks: list[HostTask]) -> list[tuple[HostTask, HostRecord]]:
        """All tasks' records; those done before an interrupt are kept in `records` even then."""
        started = time.monotonic()
        futures: dict[Future[HostRecord], HostTask] = {_submit(pool, survey_host, task): task for task in tasks}
        ended: SimpleQueue[Future[HostRecord]] = SimpleQueue()
        for future in futures:
            future.add_done_callback(ended.put)  # so that each costs one look, however many are still to come
        pending = set(futures)
        done: list[tuple[HostTask, HostRecord]] = []
        while pending:
            finished = _next_of(ended)
            pending -= finished
            if self.plan.over:
                finished |= _ended_early(pool, pending)
            for future in finished:
                task = futures.pop(future)
                record = self._small(_record_of(future, task))
                done.append((task, record))
                self.records.setdefault(task.host_key, record)
                self._answers += 1
            if self.plan.over:
                raise _TimeIsUp
            self._keep()
            overdue = {
                key for key, seconds in SESSIONS.waiting() if seconds > self.plan.machine_timeout + GRACE_SECONDS
            }
            for key in overdue:
                SESSIONS.break_off(key)
            self.progress.update(what, len(done), len(tasks), _waiting(pool))
        if tasks:
            self.progress.finish(what, len(tasks), time.monotonic() - started)
        return done

    def _small(self, record: HostRecord) -> HostRecord:
        return record.packed() if len(self.hosts) > PACKED_FROM else record

    def _keep(self) -> None:
        """By the clock, and not by who answers: a run that is killed has hosts that hang, perhaps all of them."""
        started = time.monotonic()
        if self.plan.keep is not None and started >= self._keep_again and self._kept != self._answers:
            self.plan.keep(self.surveys())
            self._kept = self._answers
            now = time.monotonic()
            self._keep_again = now + max(KEEP_SECONDS, 20 * (now - started))

    def _not_asked(self, key: str) -> HostRecord:
        if self.cut_off:
            why = (
                "the run's time (--run-timeout) was over",
                "Give the run more time, or run again for fewer machines with --limit.",
            )
            return _silent(*why, key, self.hosts[key])
        if key not in self._waited_for:  # one and the same: what keeps records sees that nothing is new
            why = ("the run was interrupted", "Run again, perhaps with --limit.")
            self._waited_for[key] = _silent(*why, key, self.hosts[key])
        return self._waited_for[key]

    def surveys(self) -> Surveys:
        """What is known by now; a host without an answer was not asked."""
        records = [self.records.get(key) or self._not_asked(key) for key in self.hosts]
        return Surveys(
            version=__version__,
            taken_utc=self.taken,
            inventory=without_credentials(self.inventory),
            records=tuple(records),
            controller_probes=self.controller_probes,
            controller_tls_versions=self.controller_tls_versions,
            ping=self.plan.ping,
            sites=tuple(dict.fromkeys(filter(None, (self._site_of(each[0]) for each in self.hosts.values())))),
        )


def _silent(cause: str, advice: str, key: str, members: Sequence[Machine]) -> HostRecord:
    silent = Unreachable(stage=ReachStage.NOT_ASKED, summary=f"{cause} before this machine had answered", advice=advice)
    return HostRecord.not_surveyed(key, (member.name for member in members), silent)


def _next_of(ended: SimpleQueue[Future[HostRecord]]) -> set[Future[HostRecord]]:
    """Those that have ended by now; after a tenth of a second without any, none."""
    found: set[Future[HostRecord]] = set()
    with contextlib.suppress(Empty):
        found.add(ended.get(timeout=POLL_SECONDS))
        while True:
            found.add(ended.get_nowait())
    return found


def _waiting(pool: Executor) -> list[tuple[str, float]]:
    """Host keys under way with their seconds, longest first."""
    if not hasattr(pool, "waiting"):
        return SESSIONS.waiting()
    return sorted([*SESSIONS.waiting(), *pool.waiting()], key=lambda pair: -pair[1])


def _ended_early(pool: Executor, pending: set[Future[HostRecord]]) -> set[Future[HostRecord]]:
    """Those that were under way and handed over what had arrived, once their sessions are closed."""
    under_way = {future for future in pending if not future.cancel()}
    _break_off(pool)
    return wait(under_way, timeout=GRACE_SECONDS).done


def _record_of(future: Future[HostRecord], task: HostTask) -> HostRecord:
    """A task's record. A fault of ours on one host is told as such and does not cost the others their survey."""
    fault = future.exception()
    if fault is None:
        return future.result()
    if own := shortage(fault):
        return HostRecord.not_surveyed(task.host_key, task.machines, no_room(own, ", ".join(task.machines)))
    failed = Unreachable(
        stage=ReachStage.RUN,
        summary=f"the survey itself failed: {type(fault).__name__}",
        advice="This is a fault of pytest-tentacle, not of the machine: please report it.",
    )
    return HostRecord.not_surveyed(task.host_key, task.machines, failed)
