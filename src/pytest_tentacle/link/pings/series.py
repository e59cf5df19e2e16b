"""Many attempts at one link in a compact form: what a survey's ping order asks for, and what came of it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import model_validator

from pytest_tentacle.link.model import By, Certificate, Failure, LinkRef, Probe, Stage
from pytest_tentacle.values import Value

INTERVAL = 0.5
"""Seconds from the start of one attempt to that of the next: TentaclePing's own pause (tentacle-facts 1.11)."""

TIMED_STAGES = (Stage.RESOLVE, Stage.CONNECT, Stage.TLS, Stage.PAGE)

_PERIODS = range(2, 11)
"""Of so many members, one that is dead is told by the rhythm of the failures."""


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds over the attempts that went well, by nearest rank: each is a time that was really measured."""

    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, times: Sequence[float]) -> Percentiles | None:
        """None where nothing was measured."""
        if not times:
            return None
        ordered = sorted(times)
        return cls(p50=_nearest_rank(ordered, 50), p95=_nearest_rank(ordered, 95), max=ordered[-1])


class PingOrder(Value):
    """How a run pings each link: at most `count` attempts, none of which starts after `seconds`.

    Attributes:
        count: attempts of each link; None: as many as fit.
        seconds: for how long; None: as long as the count needs.
        payload_bytes: length of a line of `A`s in each request.
    """

    count: int | None = None
    seconds: float | None = None
    payload_bytes: int = 0

    @model_validator(mode="after")
    def _bounded(self) -> PingOrder:
        if self.count is None and self.seconds is None:
            raise ValueError("a ping needs a count or a duration")
        return self

    def starting_seconds(self, probe_seconds: float) -> float:
        """Seconds in which attempts may start. A count has time for one attempt that takes all of its own budget."""
        by_count = None if self.count is None else self.count * INTERVAL + probe_seconds
        return min(limit for limit in (by_count, self.seconds) if limit is not None)

    def all_seconds(self, probe_seconds: float) -> float:
        """The same, with the time of an attempt that starts last."""
        return self.starting_seconds(probe_seconds) + probe_seconds


class PingAttempt(Value):
    """One attempt: when it began (seconds since the pinging began), each stage's milliseconds, the first failure."""

    at: float | None = None
    resolve: float | None = None
    connect: float | None = None
    tls: float | None = None
    page: float | None = None
    stage: Stage | None = None
    """The stage that failed; None: all went well, and a whole answer came."""
    error: Failure | None = None
    certificate: int | None = None
    """Which of the series' certificates was presented; None where it did not come to that."""
    lag: float = 0.0
    """Milliseconds by which the pinging machine itself was late, at most: a stage may have taken so much less."""

    def ms(self, stage: Stage) -> float | None:
        """What a stage took, where it went well."""
        found: float | None = getattr(self, stage.value, None)
        return None if stage is self.stage else found

    def ms_at_least(self, stage: Stage) -> float | None:
        """The same without what may be the pinging machine's own."""
        found = self.ms(stage)
        return None if found is None else max(0.0, found - self.lag)


class PingSeries(Value):
    """All attempts at one link from one machine, in order.

    Attributes:
        link: the target's.
        wanted: how many were asked for; None where a duration was.
        payload_bytes: sent in each request.
        certificates: each that was presented, in the order of their first appearance.
        unavailable: why this machine could not ping at all.
    """

    link: LinkRef = LinkRef()
    host: str
    port: int
    by: By
    wanted: int | None = None
    payload_bytes: int = 0
    certificates: tuple[Certificate, ...] = ()
    attempts: tuple[PingAttempt, ...] = ()
    unavailable: str | None = None

    @property
    def sent(self) -> int:
        """How many attempts were made."""
        return len(self.attempts)

    @property
    def lost(self) -> int:
        """How many of them failed, at whatever stage."""
        return sum(attempt.error is not None for attempt in self.attempts)

    @property
    def flaps(self) -> int:
        """How often the link went from working to failing or back: 1 is an outage's begin or end, many is flapping."""
        return sum((one.error is None) != (other.error is None) for one, other in itertools.pairwise(self.attempts))

    @property
    def period(self) -> int | None:
        """Every how many attempts one fails, and no other; None where there is no such rhythm, seen three times."""
        failed = [number for number, attempt in enumerate(self.attempts) if attempt.error is not None]
        steps = {other - one for one, other in itertools.pairwise(failed)}
        if len(failed) < 3 or len(steps) != 1:  # noqa: PLR2004  two may be by chance
            return None
        step = steps.pop()
        around = failed[0] < step and len(self.attempts) - failed[-1] <= step
        return step if around and step in _PERIODS else None

    @property
    def failures(self) -> dict[tuple[Stage, Failure], int]:
        """How often each failure came, the most frequent first."""
        told = Counter((attempt.stage, attempt.error) for attempt in self.attempts if attempt.stage and attempt.error)
        return {(stage, error): number for (stage, error), number in told.most_common() if stage and error}

    def stage_times(self, stage: Stage) -> Percentiles | None:
        """Of one stage, over the attempts in which it went well; None where it never did."""
        return Percentiles.of(self.times(stage))

    def times(self, stage: Stage) -> list[float]:
        """Milliseconds of a stage in each attempt in which it went well."""
        return [ms for attempt in self.attempts if (ms := attempt.ms(stage)) is not None]

    def times_at_least(self, stage: Stage) -> list[float]:
        """The same without what may be the pinging machine's own."""
        return [ms for attempt in self.attempts if (ms := attempt.ms_at_least(stage)) is not None]

    @property
    def lag(self) -> float:
        """The most of all attempts."""
        return max((attempt.lag for attempt in self.attempts), default=0.0)

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """Of `certificates`."""
        return tuple(each.thumbprint for each in self.certificates)

    @property
    def changes(self) -> int:
        """How often another certificate was presented than the time before."""
        seen = [attempt.certificate for attempt in self.attempts if attempt.certificate is not None]
        return sum(one != other for one, other in itertools.pairwise(seen))

    @classmethod
    def of(cls, probes: Iterable[tuple[float, Probe]], **fields: object) -> PingSeries:
        """A series of whole probes, each with the second in which it began; `fields` are the others."""
        certificates: dict[Certificate, int] = {}
        attempts = tuple(_attempt(at, probe, certificates) for at, probe in probes)
        return cls.model_validate({**fields, "attempts": attempts, "certificates": tuple(certificates)})


_CERTIFICATES = 20
"""Different certificates of one link that are kept; of a further one it is not told which it was."""


def _attempt(at: float, probe: Probe, certificates: dict[Certificate, int]) -> PingAttempt:
    presented = probe.certificate
    if presented not in certificates and len(certificates) >= _CERTIFICATES:
        presented = None
    times = {stage.value: record.ms for stage in TIMED_STAGES if (record := getattr(probe, stage.value)) is not None}
    failed = probe.failed
    return PingAttempt(
        at=round(at, 3),
        **times,
        stage=failed[0] if failed else None,
        error=failed[1].error if failed else None,
        certificate=certificates.setdefault(presented, len(certificates)) if presented else None,
    )


def _nearest_rank(ordered: Sequence[float], percent: int) -> float:
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(rank, 1) - 1]
