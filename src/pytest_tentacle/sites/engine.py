"""The engine's client: which workers a site has, what was sent to which of them, and what became of it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from pytest_tentacle.survey.host import HostTask
from pytest_tentacle.survey.looks import LookTask

from .address import EXTRA, SitesError, Way, site_of, site_resource
from .order import Order, carry_out, clock, end

CONNECT_SECONDS = 10
GLANCE_SECONDS = 0.25
"""So often the scheduler is asked for its workers."""

RETURN_SECONDS = 10.0
"""So long a machine whose worker has ended waits for another one of its site."""

FETCH_SECONDS = 20
END_SECONDS = 3.0

_OTHER_THAN = "the machine that runs pytest has {ours}, and the worker {worker} has {theirs}"


class Lost(Exception):  # noqa: N818
    """No worker did it: why, and what to do."""

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(why)
        self.advice = advice


@dataclass
class Errand:
    """A task, and the attempts to have it done. Its future gives the worker's answer and that worker's clock."""

    run: str
    task: HostTask | LookTask
    future: Future[tuple[object, float]]
    since: float = field(default_factory=time.monotonic)
    tried: list[str] = field(default_factory=list)
    """Addresses of workers, the present one last."""
    made: Any = None
    """The engine's own future of the present attempt."""
    until: float = 0.0
    """When the wait for a worker is over."""

    @property
    def site(self) -> str:
        """Whose worker is to do it."""
        return str(self.task.site)


class Engine:
    """One scheduler's client, for all surveys of a run."""

    def __init__(self, way: Way) -> None:
        """Connect. Raises SitesError."""
        self.way = way
        self._client = _connected(way)
        self._ahead: dict[str, float] = {}
        """By worker's address, seconds by which its clock is ahead of ours; those that may be used."""
        self._refused: dict[str, str] = {}
        """By worker's address, why it may not be used."""
        self._sites: dict[str, set[str]] = {}
        self._errands: dict[int, Errand] = {}
        self._homeless: list[Errand] = []
        self._ended: SimpleQueue[tuple[Errand, Any]] = SimpleQueue()
        self._lock = threading.RLock()
        self._closing = threading.Event()
        try:
            self._see_workers()
        except Exception as error:  # noqa: BLE001  the engine raises whatever its protocol stumbles over
            self._client.close(timeout=END_SECONDS)
            raise SitesError(f"the scheduler {way.address} does not tell its workers: {type(error).__name__}") from None
        self._watch = threading.Thread(target=self._watching, name="sites", daemon=True)
        self._watch.start()

    def refuse_others(self, sites: Collection[str]) -> None:
        """Raises SitesError where a worker of these sites is of another version: better before anybody is asked."""
        for worker, why in self._refused.items():
            if self._sites.get(worker, set()) & set(sites):
                self.close()
                raise SitesError(f"{why}. Install the same versions on both sides.")

    def send(self, errand: Errand) -> None:
        """Have it done by a worker of its site; its future ends with Lost where there is none."""
        with self._lock:
            self._errands[id(errand)] = errand
            self._place(errand)

    def waiting(self, run: str) -> list[tuple[str, float]]:
        """Host keys that are under way for a run, with their seconds."""
        now = time.monotonic()
        with self._lock:
            return [
                (errand.task.host_key, now - errand.since)
                for errand in self._errands.values()
                if errand.run == run and isinstance(errand.task, HostTask)
            ]

    def worker_of(self, site: str) -> str:
        """The address of the site's least busy worker. Raises Lost where there is none."""
        with self._lock:
            free = self._workers_of(site)
            if not free:
                raise Lost(self._why_none(site), self._advice(site))
            load = self._load()
            return min(free, key=lambda address: load[address])

    def has(self, worker: str) -> bool:
        """Whether the scheduler had it at the last glance."""
        with self._lock:
            return worker in self._sites and self._client.status == "running"

    def ahead_of_us(self, worker: str) -> float:
        """Seconds by which its clock is ahead of ours."""
        with self._lock:
            return self._ahead.get(worker, 0.0)

    def call(self, function: Callable[..., Any], *arguments: Any, worker: str) -> Future[object]:
        """Have a worker call a function, once. None, or whatever the engine raises, where it gave no answer."""
        answered: Future[object] = Future()

        def ask() -> None:
            try:
                found = self._client.run(function, *arguments, workers=[worker], on_error="ignore")
                answered.set_result(found.get(worker))
            except BaseException as error:  # noqa: BLE001  it is the future's
                answered.set_exception(error)

        threading.Thread(target=ask, name="call of a worker", daemon=True).start()
        return answered

    def end(self, run: str) -> None:
        """Have the workers close what is under way for a run; what had arrived by then still comes back."""
        with self._lock:
            workers = sorted(
                {errand.tried[-1] for errand in self._errands.values() if errand.run == run and errand.made}
            )
        if not workers:
            return

        def tell() -> None:
            with contextlib.suppress(Exception):
                self._client.run(end, run, workers=workers, on_error="ignore")

        telling = threading.Thread(target=tell, name="end of a run", daemon=True)
        telling.start()
        telling.join(END_SECONDS)

    def forget(self, run: str) -> None:
        """Nobody waits for what is left of a run."""
        with self._lock:
            left = [errand for errand in self._errands.values() if errand.run == run]
            for errand in left:
                del self._errands[id(errand)]
            self._homeless = [errand for errand in self._homeless if errand.run != run]
        with contextlib.suppress(Exception):
            self._client.cancel([errand.made for errand in left if errand.made is not None])

    def close(self) -> None:
        """Log off from the scheduler."""
        self._closing.set()
        with contextlib.suppress(Exception):
            self._client.close(timeout=END_SECONDS)

    # -- workers -------------------------------------------------------------------------------------------------

    def _see_workers(self) -> None:
        """Who is there now, and of which site. Raises what the engine raises where the scheduler is away."""
        known: dict[str, Any] = self._client.scheduler_info()["workers"]
        with self._lock:
            self._sites = {
                address: {site for resource in about["resources"] if (site := site_of(resource)) is not None}
                for address, about in known.items()
            }
            new = [address for address, sites in self._sites.items() if sites and not self._is_known(address)]
        if new:
            self._get_to_know(new)

    def _is_known(self, address: str) -> bool:
        return address in self._ahead or address in self._refused

    def _get_to_know(self, new: list[str]) -> None:
        versions = self._client.get_versions(packages=["pytest_tentacle"])
        ours = _versions(versions["client"])
        for address in new:
            theirs = _versions(versions["workers"].get(address))
            if theirs is None:
                continue  # it has gone meanwhile
            if theirs != ours:
                self._refused[address] = _OTHER_THAN.format(ours=ours, worker=address, theirs=theirs)
                continue
            before = time.time()
            told = self._client.run(clock, workers=[address], on_error="ignore").get(address)
            if isinstance(told, float):
                self._ahead[address] = told - (before + time.time()) / 2

    def _workers_of(self, site: str) -> list[str]:
        return [address for address, sites in self._sites.items() if site in sites and address in self._ahead]

    # -- errands -------------------------------------------------------------------------------------------------

    def _place(self, errand: Errand) -> None:
        """Send it to the least busy worker of its site that has not had it; else let it wait."""
        free = [address for address in self._workers_of(errand.site) if address not in errand.tried]
        if not free:
            if time.monotonic() < errand.until:
                self._homeless.append(errand)
            else:
                self._give_up(errand)
            return
        load = self._load()
        errand.tried.append(min(free, key=lambda address: load[address]))
        order = Order(errand.run, errand.task)
        errand.made = made = self._client.submit(
            carry_out,
            order,
            key=order.key,
            workers=[errand.tried[-1]],
            allow_other_workers=False,
            resources={site_resource(errand.site): 1},
            pure=False,
            retries=0,
        )
        made.add_done_callback(lambda done: self._ended.put((errand, done)))

    def _load(self) -> Counter[str]:
        return Counter(other.tried[-1] for other in self._errands.values() if other.made is not None)

    def _give_up(self, errand: Errand) -> None:
        if len(errand.tried) > 1:
            why = f"two workers of site {errand.site} ended while they surveyed it"
        elif errand.tried:
            why = f"the worker of site {errand.site} ended while it surveyed it, and there is no other one"
        else:
            why = self._why_none(errand.site)
        self._errands.pop(id(errand), None)
        errand.future.set_exception(Lost(why, self._advice(errand.site)))

    def _why_none(self, site: str) -> str:
        refused = [why for address, why in self._refused.items() if site in self._sites.get(address, ())]
        if refused:
            return f"site {site} has no worker of this version: {refused[0]}"
        return f"site {site} has no worker at the scheduler {self.way.address}"

    def _advice(self, site: str) -> str:
        return f"Start one there: pytest-tentacle worker --site {site} --scheduler {self.way.address}."

    def _lose(self, errand: Errand) -> None:
        """The worker has ended: once another one may try."""
        errand.made = None
        if len(errand.tried) > 1:
            self._give_up(errand)
        else:
            errand.until = time.monotonic() + RETURN_SECONDS
            self._place(errand)

    def _watching(self) -> None:
        again = 0.0
        while not self._closing.is_set():
            with contextlib.suppress(Empty):
                self._take(*self._ended.get(timeout=GLANCE_SECONDS))
            if time.monotonic() < again:
                continue
            try:
                self._see_workers()
            except Exception:  # noqa: BLE001  the engine raises whatever its protocol stumbles over
                self._lose_scheduler()
            self._look_after_errands()
            again = time.monotonic() + GLANCE_SECONDS

    def _lose_scheduler(self) -> None:
        if self._closing.is_set() or self._client.status == "running":
            return
        with self._lock:
            for errand in list(self._errands.values()):
                self._errands.pop(id(errand))
                lost = Lost(f"the scheduler {self.way.address} went away", "Start it and its workers, and run again.")
                errand.future.set_exception(lost)
            self._homeless.clear()

    def _look_after_errands(self) -> None:
        with self._lock:
            for errand in list(self._errands.values()):
                if errand.made is not None and errand.tried[-1] not in self._sites and errand.made.status != "finished":
                    with contextlib.suppress(Exception):
                        self._client.cancel([errand.made])
                    self._lose(errand)
            waiting, self._homeless = self._homeless, []
            for errand in waiting:
                self._place(errand)

    def _take(self, errand: Errand, done: Any) -> None:
        """An attempt has ended, in whatever way."""
        if errand.made is not done or id(errand) not in self._errands:
            return
        answer: object = None
        is_there = done.status == "finished"
        if is_there:
            try:
                answer = done.result(timeout=FETCH_SECONDS)
            except Exception:  # noqa: BLE001  the worker may end before it has handed the answer over
                is_there = False
        with self._lock:
            if id(errand) not in self._errands:
                return
            if is_there:
                del self._errands[id(errand)]
                errand.made = None
                errand.future.set_result((answer, self._ahead.get(errand.tried[-1], 0.0)))
            else:
                self._lose(errand)


def _connected(way: Way) -> Any:
    try:
        import distributed  # noqa: PLC0415  only a run with a scheduler pays for it
    except ImportError as error:
        raise SitesError(f"--executor needs the Python package {error.name}, which is not installed: {EXTRA}") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it is told as a machine's unknown
    engine: Any = distributed
    security = None
    if way.is_encrypted:
        files = {"tls_ca_file": way.ca, "tls_client_cert": way.certificate, "tls_client_key": way.key}
        given = {name: str(path) for name, path in files.items() if path is not None}
        security = engine.Security(require_encryption=True, **given)
        missing = [name for name in ("tls_ca_file", "tls_client_cert") if not getattr(security, name)]
        if missing:
            raise SitesError(
                "a scheduler is spoken to with certificates on both sides: give --executor-ca and --executor-cert (and "
                "--executor-key), or set distributed.comm.tls in dask's configuration"
            )
    try:
        return engine.Client(
            way.address, security=security, timeout=CONNECT_SECONDS, set_as_default=False, name="pytest-tentacle"
        )
    except Exception as error:  # noqa: BLE001  the engine raises OSError, TimeoutError, ssl errors, RuntimeError ...
        why = str(error).split("\n", maxsplit=1)[0][:200] or type(error).__name__
        raise SitesError(f"the scheduler {way.address} cannot be reached: {why}") from None


def _versions(about: Any) -> str | None:
    """Product, Python and engine of one end, in words; None where it did not tell."""
    if not isinstance(about, dict):
        return None
    packages = about["packages"]
    python = ".".join(str(about["host"]["python"] if "host" in about else packages["python"]).split(".")[:2])
    return f"pytest-tentacle {packages['pytest_tentacle']}, Python {python}, distributed {packages['distributed']}"
