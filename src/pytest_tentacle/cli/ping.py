"""`pytest-tentacle ping`: a continuous look at one port, without inventory."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

from pytest_tentacle.hiding import printable
from pytest_tentacle.link.model import By, Stage, Target
from pytest_tentacle.link.pings.ping import TENTACLE_PORT, Attempt, PingResult, attempts
from pytest_tentacle.link.pings.series import INTERVAL
from pytest_tentacle.link.resolving import is_literal

HALIBUT_READS = 19_000
"""Bytes of a payload: Halibut reads 20,000 characters of a request, its head included (tentacle-facts 1.3)."""


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument("host", type=host, help="DNS name or IP address")
    parser.add_argument("--port", type=port, default=TENTACLE_PORT, help="TCP port (default: %(default)s)")
    parser.add_argument("--count", type=whole_number, help="attempts (default: 10, if there is no --duration)")
    parser.add_argument("--duration", type=number, metavar="SECONDS", help="ping for this time")
    parser.add_argument("--interval", type=number, default=INTERVAL, metavar="SECONDS", help="default: %(default)s")
    parser.add_argument("--timeout", type=number, default=5.0, metavar="SECONDS", help="for one attempt")
    parser.add_argument(
        "--payload-bytes", type=int, default=0, metavar="N", help="send a line of N bytes in each request"
    )
    parser.add_argument("--pong", action="store_true", help="the other end is a pong: it takes a larger payload")
    parser.add_argument("--json", action="store_true", help="one JSON document for each attempt")


def run(options: argparse.Namespace) -> int:
    """Exit code 0 when every attempt went well, 1 otherwise, 2 for a payload that nobody would read."""
    if options.payload_bytes > HALIBUT_READS and not options.pong:
        sys.stderr.write(
            f"a Tentacle and an Octopus Server read {HALIBUT_READS:,} bytes of a payload at most and close on more: "
            f"take "
            "fewer, or say --pong where `pytest-tentacle pong` answers\n"
        )
        return 2
    by = By.ADDRESS if is_literal(options.host) else By.NAME
    target = Target(host=options.host, port=options.port, by=by)
    count = options.count
    if count is None and options.duration is None:
        count = 10
    made: list[Attempt] = []
    try:
        for attempt in attempts(
            target,
            count=count,
            duration=options.duration,
            interval=options.interval,
            seconds=options.timeout,
            payload_bytes=options.payload_bytes,
        ):
            made.append(attempt)
            sys.stdout.write((_as_json(attempt) if options.json else printable(_line(attempt))) + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; this is what came so far\n")
    result = PingResult(target, tuple(made))
    if not options.json:
        sys.stdout.write(printable("\n".join(_summary(result))) + "\n")
    return 0 if result.sent and not result.lost else 1


def host(text: str) -> str:
    """A host name or address, without a log-on before it, which would stand in every line."""
    if "@" in text:
        raise argparse.ArgumentTypeError("a host name or an IP address alone: nobody logs on to it")
    return text


def number(text: str) -> float:
    """A number above 0. argparse tells these functions' names to who gives something else."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def whole_number(text: str) -> int:
    """A whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def port(text: str) -> int:
    """A TCP port."""
    value = int(text)
    if not 1 <= value <= 65_535:  # noqa: PLR2004  the ports that there are
        raise argparse.ArgumentTypeError(f"{text} is not a port, 1 to 65535")
    return value


def _line(attempt: Attempt) -> str:
    found = attempt.probe
    stages = [
        f"{stage} {record.ms:.1f} ms"
        for stage in Stage
        if (record := getattr(found, stage.value)) is not None and record.ms is not None
    ]
    failed = found.failed
    if failed:
        stage, record = failed
        verdict = f"FAILED at {stage}: {record.error}" + (f" ({record.detail})" if record.detail else "")
    else:
        length = found.page.length if found.page else 0
        version = found.tls.version if found.tls else None
        verdict = f"ok {version}, {length:,} bytes"
    return f"{attempt.started_utc:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"Z #{attempt.number} {verdict} | {', '.join(stages)}"


def _summary(result: PingResult) -> Iterator[str]:
    place = f"{result.target.host} port {result.target.port}"
    yield f"{place}: {result.sent} sent, {result.lost} lost ({result.loss:.1%}), {result.flaps} flaps"
    whole = result.times
    if whole:
        yield f"  whole: p50 {whole.p50:.1f} ms, p95 {whole.p95:.1f} ms, max {whole.max:.1f} ms"
    for stage in Stage:
        times = result.stage_times(stage)
        if times:
            yield f"  {stage}: p50 {times.p50:.1f} ms, p95 {times.p95:.1f} ms, max {times.max:.1f} ms"
    for (stage, failure), number in result.failures.items():
        yield f"  {number} x {stage}: {failure}"
    for thumbprint in result.thumbprints:
        yield f"  thumbprint {thumbprint}"


def _as_json(attempt: Attempt) -> str:
    document = {
        "number": attempt.number,
        "started_utc": attempt.started_utc.isoformat(),
        "ms": attempt.ms,
        "succeeded": attempt.succeeded,
        "probe": attempt.probe.model_dump(mode="json"),
    }
    return json.dumps(document)
