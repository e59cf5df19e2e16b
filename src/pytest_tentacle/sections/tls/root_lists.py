"""What Windows itself does in each handshake: it looks for its lists of trusted roots, if need be on the Internet.

Windows builds the chain of every certificate before a program may say that it goes by the thumbprint alone. For a root
that it does not know, as every certificate of Octopus's is, it may fetch its list of roots from Windows Update. In a
network that drops packets to the Internet each attempt waits for 15 s (windows-reality 8a), in Tentacle and Octopus
Server as well as in our own look; where the way is refused, or the policy forbids it, nobody waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Failure, Probe
from pytest_tentacle.survey.surroundings import RootLists

WAITS = "TT909"

_SYNCED_ENOUGH = timedelta(days=30)
"""Windows looks for a newer list about once a week: whoever got one in this time has a way to it."""

_NEARLY = 0.9
"""Of one attempt's whole time: what a handshake takes that waited for it."""

_EVENTS_SHOWN = 3


@check(codes=(WAITS,), reads=("host", "tls", "probes", "events"))
def no_handshake_waits_for_lists_of_roots(subject: Subject) -> Iterator[Finding]:
    """No handshake that the machine made waited for as long as Windows waits for its lists of trusted roots."""
    host = subject.read(FACTS.host)
    if host.os != "windows":
        return
    looks = [probe for probe in subject.own_probes() if probe.tls is not None]
    lists = _lists(subject, looks) if looks else None
    if lists is None:
        return
    slow = [probe for probe in looks if _waited(probe, lists)]
    told = Evidence(f"lists of trusted roots of {subject.name}", _told(lists, host.clock_utc))
    if lists.disabled or not slow or len(slow) < len(looks) or _is_fresh(lists, host.clock_utc):
        yield told
        return
    seconds = max(probe.tls.ms or 0 for probe in slow if probe.tls) / 1000
    yield Problem(
        WAITS,
        subject.name,
        expected="a handshake takes less than a second",
        actual=f"each handshake that was tried took {seconds:.0f} s, as long as Windows waits for its lists of roots",
        evidence=(told, *_events(subject), *(Evidence(f"probe on {subject.name}", _line(probe)) for probe in slow)),
        facts={"waited": f"{seconds:.0f}", "limit": f"{lists.seconds:.0f}"},
    )


def _lists(subject: Subject, looks: Iterable[Probe]) -> RootLists | None:
    """None where they could not be read, and do not matter: some handshake was quick.

    Raises Unknown where they matter.
    """
    try:
        return subject.read(FACTS.tls).root_lists
    except Unknown:
        if all(_waited(probe, RootLists()) for probe in looks):
            raise
        return None


def _waited(probe: Probe, lists: RootLists) -> bool:
    """Whether a handshake came through after that long, or the other end was awake while ours did not."""
    tls = probe.tls
    if tls is None or tls.ms is None or tls.ms < _NEARLY * lists.seconds * 1000:
        return False
    return tls.error is None or (tls.error is Failure.TIMED_OUT and tls.hello_ms is not None)


def _is_fresh(lists: RootLists, clock: datetime | None) -> bool:
    return lists.synced_utc is not None and clock is not None and clock - lists.synced_utc < _SYNCED_ENOUGH


def _told(lists: RootLists, clock: datetime | None) -> str:
    if lists.disabled:
        return "Windows may not fetch them, by policy"
    source = f"from {lists.own_source}" if lists.own_source else "from Windows Update"
    if lists.synced_utc is None:
        return f"Windows may fetch them {source}, and never did"
    age = f", {(clock - lists.synced_utc).days} days ago" if clock else ""
    return f"Windows may fetch them {source}, and last did so at {lists.synced_utc:%Y-%m-%d}{age}"


def _events(subject: Subject) -> Iterator[Evidence]:
    try:
        found = [event for event in subject.read(FACTS.events) if event.source == "capi2"]
    except Unknown:
        return
    for event in found[:_EVENTS_SHOWN]:
        words = f"{event.time_utc:%Y-%m-%d %H:%M:%SZ}: a list of roots could not be fetched"
        yield Evidence(f"Application log of {subject.name}, CAPI2 {event.id}", words)


def _line(probe: Probe) -> str:
    tls = probe.tls
    took = f"{(tls.ms or 0) / 1000:.1f} s" if tls else "no time"
    awake = f"; a plain hello was answered in {tls.hello_ms:.0f} ms" if tls and tls.hello_ms is not None else ""
    return f"handshake with {probe.host}:{probe.port}: {took}{awake}"
