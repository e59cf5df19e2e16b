"""One series of pings judged: loss, flaps, slow stages, changing certificates, and the payload's way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tentacle.judging.check import Finding
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.link import Failure, PingSeries, Stage
from pytest_tentacle.link.pings.series import TIMED_STAGES, Percentiles

STOPPED = "TT641"
ATTEMPTS_LOST = "TT642"
COMES_AND_GOES = "TT643"
SLOW = "TT644"
CERTIFICATE_CHANGES = "TT645"
PAYLOAD_LOST = "TT646"
SERIES_CODES = (STOPPED, ATTEMPTS_LOST, COMES_AND_GOES, SLOW, CERTIFICATE_CHANGES, PAYLOAD_LOST)

FLAPPING = 3
"""Changes between working and failing from which on there were two outages at least, and not one."""

SLOW_MS = 1_000.0
"""A lost SYN is sent again after one second (RFC 6298, 2.1), Windows asks its next DNS server after one second, and the
guide calls a program's load slow from there on. Octopus itself gives up after 60 s (tentacle-facts 1.7)."""

_READS_A_BYTE_MS = 0.05
"""A real one took 610 to 660 ms for 19,000 bytes, on two cores with others at work."""

SLOW_ATTEMPTS = 2
"""A single slow attempt is none of a link's properties; of less than twenty it would be the 95th percentile."""

LATE_MS = 250.0
"""The pinging machine's own delay from which on it is told."""

_MOST_CERTIFICATES = 5


@dataclass(frozen=True)
class Pinged:
    """A series, whose link it is, and which end pinged."""

    machine: str
    vantage: str
    server: str | None
    series: PingSeries


def all_lost(series: PingSeries) -> bool:
    """Whether no attempt went well."""
    return series.sent > 0 and series.lost == series.sent


def judge_series(pinged: Pinged) -> Iterator[Finding]:
    """What is wrong with a series of which nothing else is known to stand in the way."""
    series = pinged.series
    if all_lost(series):
        yield _all_lost(pinged)
        return
    if series.lost:
        yield _some_lost(pinged)
    yield from _slow(pinged)
    if len(series.certificates) > 1:
        yield _certificates(pinged)
    if series.wanted and series.sent * 2 < series.wanted:
        yield Unknown(
            f"{pinged.vantage} made {series.sent} of {series.wanted} attempts at {_endpoint(series)} before the time "
            "ran out",
            "Give a longer --machine-timeout, or a lower --ping-count.",
        )


def late_refusals(series: PingSeries) -> str | None:
    """What is late about refusals, where each attempt was refused; None: nothing is.

    They go to and fro on the way like an answer, but a router's word comes seldom (RFC 1812, 4.3.2.8), and Windows asks
    again several times before it tells of one, within two seconds (Microsoft KB 175523).
    """
    refused = [each for each in series.attempts if (each.stage, each.error) == (Stage.CONNECT, Failure.REFUSED)]
    times = [max(0.0, each.connect - each.lag) for each in refused if each.connect is not None]
    slow = sum(ms >= SLOW_MS for ms in times)
    prompt = min(times, default=SLOW_MS) < SLOW_MS
    if len(times) < len(series.attempts) or slow < SLOW_ATTEMPTS or not prompt:
        return None
    return f"{slow} of {len(times)} refusals took {SLOW_MS:.0f} ms or more, and others came at once"


def summary(series: PingSeries) -> str:
    """A series in one line: sent, lost, changes, and each stage's milliseconds (least, median, 95 %, most)."""
    sent = f"{series.sent} of {series.wanted}" if series.wanted not in (None, series.sent) else str(series.sent)
    parts = [f"{_endpoint(series)}: {sent} sent, {series.lost} lost"]
    if series.payload_bytes:
        parts.append(f"with {series.payload_bytes} bytes each")
    if series.lost:
        failures = ", ".join(f"{stage} {error} {number}x" for (stage, error), number in series.failures.items())
        rhythm = f", one of every {series.period}" if series.period else ""
        parts.append(f"{failures}{rhythm}, {series.flaps} changes between working and failing")
    times = [
        f"{stage} {min(series.times(stage)):.0f}/{found.p50:.0f}/{found.p95:.0f}/{found.max:.0f}"
        for stage in TIMED_STAGES
        if (found := series.stage_times(stage))
    ]
    if times:
        parts.append("ms least/median/95 %/most: " + ", ".join(times))
    if series.lag >= LATE_MS:
        parts.append(f"the pinging machine itself was up to {series.lag:.0f} ms late")
    return "; ".join(parts)


def _all_lost(pinged: Pinged) -> Finding:
    series = pinged.series
    stages = {stage for stage, _ in series.failures}
    actual = f"all {series.sent} attempts failed ({_failures(series)}), after a first look that went well"
    if series.payload_bytes and stages == {Stage.PAGE}:
        return _problem(pinged, PAYLOAD_LOST, "a request with the payload is answered like one without", actual)
    return _late(pinged) or _problem(pinged, STOPPED, "the link keeps working", actual)


def _some_lost(pinged: Pinged) -> Finding:
    series = pinged.series
    code = COMES_AND_GOES if series.flaps >= FLAPPING else ATTEMPTS_LOST
    rhythm = f", one of every {series.period}" if series.period else ""
    actual = f"{series.lost} of {series.sent} failed ({_failures(series)}){rhythm}"
    return _late(pinged) or _problem(pinged, code, f"all {series.sent} attempts go well", actual)


def _late(pinged: Pinged) -> Unknown | None:
    """Time-outs that may be the pinging machine's own."""
    series = pinged.series
    failed = [attempt for attempt in series.attempts if attempt.error]
    if not all(attempt.error is Failure.TIMED_OUT and attempt.lag >= SLOW_MS for attempt in failed):
        return None
    return Unknown(
        f"{pinged.vantage} was itself up to {series.lag / 1000:.1f} s late while it pinged {_endpoint(series)}, and "
        f"{series.lost} of {series.sent} attempts timed out",
        "Run again when the machine is less busy.",
    )


def limit(stage: Stage, payload_bytes: int) -> float:
    """Milliseconds from which a stage is slow. Halibut reads a request byte by byte, which takes time of its own."""
    return SLOW_MS + (payload_bytes * _READS_A_BYTE_MS if stage is Stage.PAGE else 0)


def _slow(pinged: Pinged) -> Iterator[Finding]:
    series = pinged.series
    times = {stage: series.times_at_least(stage) for stage in TIMED_STAGES}
    slow = [
        (stage, found)
        for stage in TIMED_STAGES
        if (found := Percentiles.of(times[stage]))
        and found.p95 >= limit(stage, series.payload_bytes)
        and sum(ms >= limit(stage, series.payload_bytes) for ms in times[stage]) >= SLOW_ATTEMPTS
    ]
    if slow:
        told = ", ".join(
            f"{stage} took {SLOW_MS:.0f} ms or more in {sum(ms >= SLOW_MS for ms in times[stage])} of "
            f"{len(times[stage])} attempts"
            for stage, _ in slow
        )
        worst = max(slow, key=lambda pair: pair[1].p95)[0]
        yield _problem(
            pinged,
            SLOW,
            f"each stage is done within {SLOW_MS:.0f} ms, in 19 of 20 attempts",
            told,
            slow_stage=worst.value,
        )


def _certificates(pinged: Pinged) -> Problem:
    series = pinged.series
    told = []
    for number, certificate in enumerate(series.certificates[:_MOST_CERTIFICATES]):
        times = sum(attempt.certificate == number for attempt in series.attempts)
        told.append(f"{certificate.thumbprint} {times}x ({certificate.whose})")
    return _problem(
        pinged,
        CERTIFICATE_CHANGES,
        "the same certificate each time",
        f"{len(series.certificates)} certificates, {series.changes} changes: {', '.join(told)}",
        thumbprints=", ".join(sorted(series.thumbprints)),
        changes=series.changes,
    )


def _problem(pinged: Pinged, code: str, expected: str, actual: str, **facts: object) -> Problem:
    series = pinged.series
    failure = next(iter(series.failures), None)
    common = {
        "host": series.host,
        "port": series.port,
        "vantage": pinged.vantage,
        "server": pinged.server,
        "sent": series.sent,
        "lost": series.lost,
        "period": series.period,
        "stage": failure[0].value if failure else None,
        "error": failure[1].value if failure else None,
    }
    return Problem(
        code,
        pinged.machine,
        expected=f"from {pinged.vantage} to {_endpoint(series)}: {expected}",
        actual=actual,
        evidence=(Evidence(f"ping from {pinged.vantage}", summary(series)),),
        facts={**common, **facts},
    )


def _failures(series: PingSeries) -> str:
    return ", ".join(f"{number}x {error} at {stage}" for (stage, error), number in series.failures.items())


def _endpoint(series: PingSeries) -> str:
    host = f"[{series.host}]" if ":" in series.host else series.host
    return f"{host}:{series.port}"
