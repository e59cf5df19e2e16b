"""A bounded, honest ping: the probe again and again, and what became of each attempt."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tentacle.link.client import probe
from pytest_tentacle.link.deadline import Deadline
from pytest_tentacle.link.model import Failure, Probe, Stage, StageRecord, Target
from pytest_tentacle.link.resolving import Resolver, system_resolver

from .series import INTERVAL, Percentiles, PingOrder, PingSeries

TENTACLE_PORT = 10933


@dataclass(frozen=True)
class Attempt:
    """One probe and when it was made. `ms` is the whole time that it took."""

    number: int
    started_utc: dt.datetime
    ms: float
    probe: Probe

    @property
    def succeeded(self) -> bool:
        """Whether an HTTP answer came to its end: name, TCP, TLS and page all went well."""
        return self.probe.failed is None and self.probe.page is not None


@dataclass(frozen=True)
class PingResult:
    """All attempts at one target, in order."""

    target: Target
    attempts: tuple[Attempt, ...]

    @property
    def sent(self) -> int:
        """How many attempts were made."""
        return len(self.attempts)

    @property
    def lost(self) -> int:
        """How many of them failed, at whatever stage."""
        return sum(not attempt.succeeded for attempt in self.attempts)

    @property
    def loss(self) -> float:
        """The share that failed, 0.0 to 1.0; 0.0 where nothing was sent."""
        return self.lost / self.sent if self.sent else 0.0

    @property
    def flaps(self) -> int:
        """How often the link went from working to failing or back: 1 is an outage's begin or end, many is flapping."""
        states = [attempt.succeeded for attempt in self.attempts]
        return sum(before != after for before, after in itertools.pairwise(states))

    @property
    def times(self) -> Percentiles | None:
        """Of whole attempts."""
        return Percentiles.of([attempt.ms for attempt in self.attempts if attempt.succeeded])

    def stage_times(self, stage: Stage) -> Percentiles | None:
        """Of one stage, over the attempts in which that stage went well; None where it never did."""
        records: list[StageRecord | None] = [getattr(attempt.probe, stage.value) for attempt in self.attempts]
        return Percentiles.of(
            [record.ms for record in records if record and record.error is None and record.ms is not None]
        )

    @property
    def failures(self) -> dict[tuple[Stage, Failure], int]:
        """How often each failure came, the most frequent first."""
        told: Counter[tuple[Stage, Failure]] = Counter()
        for attempt in self.attempts:
            failed = attempt.probe.failed
            if failed and failed[1].error:
                told[failed[0], failed[1].error] += 1
        return dict(told.most_common())

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that answered: several are several machines, or a load balancer."""
        return tuple(
            dict.fromkeys(
                attempt.probe.connect.address
                for attempt in self.attempts
                if attempt.probe.connect and attempt.probe.connect.error is None and attempt.probe.connect.address
            )
        )

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """The certificates that were presented: more than one means that not always the same peer answers."""
        seen = (attempt.probe.thumbprint for attempt in self.attempts)
        return tuple(dict.fromkeys(thumbprint for thumbprint in seen if thumbprint))


def attempts(
    target: Target,
    *,
    count: int | None = None,
    duration: float | None = None,
    interval: float = INTERVAL,
    seconds: float = 5.0,
    payload_bytes: int = 0,
    resolve: Resolver = system_resolver,
) -> Iterator[Attempt]:
    """Probe the target again and again; each attempt as it ends.

    Args:
        target: whom to probe.
        count: how many attempts at most.
        duration: seconds after which no further attempt starts, and to which the last is cut.
        interval: seconds from the start of one attempt to the start of the next.
        seconds: the budget of one attempt.
        payload_bytes: length of a line of `A`s in each request; only a pong takes more than 20,000 (tentacle-facts
            1.11).
        resolve: how a name becomes addresses.

    Raises:
        ValueError: neither count nor duration: a ping is bounded.
    """
    if count is None and duration is None:
        raise ValueError("a ping needs a count or a duration")
    end = None if duration is None else Deadline(duration)
    number = 0
    began = time.monotonic()
    while (count is None or number < count) and (end is None or end.left > 0):
        if number:
            pause = max(0.0, began + interval - time.monotonic())
            if end is not None and pause >= end.left:
                return
            time.sleep(pause)
        began = time.monotonic()
        number += 1
        started = dt.datetime.now(dt.UTC)
        budget = seconds if end is None else max(min(seconds, end.left), _LEAST_SECONDS)
        found = probe(target, seconds=budget, resolve=resolve, payload_bytes=payload_bytes)
        yield Attempt(number, started, round((time.monotonic() - began) * 1000, 2), found)


_LEAST_SECONDS = 1.0
"""The last attempt of a duration gets at least this, or its time-out would be of our own making."""


def ping(
    target: Target,
    *,
    count: int | None = None,
    duration: float | None = None,
    interval: float = INTERVAL,
    seconds: float = 5.0,
    payload_bytes: int = 0,
    resolve: Resolver = system_resolver,
) -> PingResult:
    """All of `attempts`, at their end."""
    made = attempts(
        target,
        count=count,
        duration=duration,
        interval=interval,
        seconds=seconds,
        payload_bytes=payload_bytes,
        resolve=resolve,
    )
    return PingResult(target, tuple(made))


def ping_series(target: Target, order: PingOrder, *, seconds: float, resolve: Resolver = system_resolver) -> PingSeries:
    """The same by a survey's order, in the form in which the scripts of the surveyed machines tell it."""
    began = time.monotonic()
    made = attempts(
        target,
        count=order.count,
        duration=order.starting_seconds(seconds),
        seconds=seconds,
        payload_bytes=order.payload_bytes,
        resolve=resolve,
    )
    probes = [(time.monotonic() - began - attempt.ms / 1000, attempt.probe) for attempt in made]
    fields = {"link": target.link, "host": target.host, "port": target.port, "by": target.by}
    return PingSeries.of(probes, **fields, wanted=order.count, payload_bytes=order.payload_bytes)
