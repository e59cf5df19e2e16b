"""How long a name takes: a resolver asks its next DNS server only when the first has been silent for a while.

The wait is 5 s on Linux (resolv.conf(5), `timeout`), and a second at first on Windows (Microsoft, "DNS client
resolution timeouts"). Every new connection to the name waits so long, as neither resolver remembers who was silent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_tentacle.judging.attempts import TENTACLE_READS, Attempt, attempts_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import By, Probe
from pytest_tentacle.sections.connections.ways import busy

SLOW_MS = 1_000.0
_ALONE_MS = 1_500.0
"""Where a single look says so."""


@check(codes=("TT717",), reads=TENTACLE_READS)
def names_resolve_soon(subject: Subject) -> Iterator[Finding]:
    """Whoever connects by name resolves it within a second."""
    looks: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts_of(subject):
        if attempt.probe.by is By.NAME and attempt.link.proxy is None and resolving_ms(attempt.probe) is not None:
            looks[attempt.vantage].append(attempt)
    for vantage, each in looks.items():
        ms = _slow(each)
        if ms is None:
            continue
        if doubt := busy(each[0].link.vantage, "its resolver"):
            yield doubt
            continue
        probe = each[0].probe
        told = tuple(
            Evidence(f"probe from {vantage}", f"{one.probe.host}: resolve {resolving_ms(one.probe):.0f} ms")
            for one in each
        )
        yield Problem(
            "TT717",
            subject.name,
            expected=f"{vantage} resolves {probe.host} within {SLOW_MS:.0f} ms",
            actual=f"it takes {ms:.0f} ms",
            evidence=told,
            facts={"vantage": vantage, "server": each[0].server, "host": probe.host, "port": probe.port, "ms": int(ms)},
        )


def resolving_ms(probe: Probe) -> float | None:
    """How long a name that was resolved took, without what the looking machine may have been late; None: not known."""
    resolved, connected = probe.resolve, probe.connect
    if resolved is None or resolved.error or resolved.ms is None or connected is None or connected.lag_ms is None:
        return None
    return max(0.0, resolved.ms - connected.lag_ms)


def _slow(looks: Sequence[Attempt]) -> float | None:
    """The shortest time, where all of them are long; a single look must be longer, as it may meet a lost packet."""
    least = min(resolving_ms(look.probe) or 0.0 for look in looks)
    return least if least >= (SLOW_MS if len(looks) > 1 else _ALONE_MS) else None
