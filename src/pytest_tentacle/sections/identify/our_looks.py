"""Which connections in a listener's log were our own looks, so that just these are left out and no server's attempt.

A look leaves the same line as a server that is turned away (`Accepted TCP client`). Known is how many looks this run
made, from which machine, and about when; which of the lines of that time are theirs is not: the last ones are taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from pytest_tentacle.judging.reading import kept
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Probe
from pytest_tentacle.logs.model import LogFile, LogPeer
from pytest_tentacle.survey.model import HostRecord

from .index import utc_of
from .records import host_of

SURVEY_LASTS = timedelta(minutes=2)
"""How far from the survey's own moment, by the machine's clock, our looks may stand in its log."""


def without_our_looks(peer: LogPeer, log: LogFile, subject: Subject) -> tuple[str, ...]:
    """When those were accepted that were not let in, without as many of the survey's time as were ours."""
    taken = _taken(subject)
    ours = looks_from(peer.address, subject)
    if taken is None or not ours:
        return peer.unanswered_times
    kept: list[str] = []
    for time in reversed(peer.unanswered_times):
        at = utc_of(log, time)
        if ours and at is not None and abs(at - taken) <= SURVEY_LASTS:
            ours -= 1
        else:
            kept.append(time)
    return tuple(reversed(kept))


def looks_from(address: str, subject: Subject) -> int:
    """How many connections this run opened to a Tentacle's port from the server of that address."""
    found = 0
    for server in subject.peers:
        if address not in server.known_addresses:
            continue
        subject.ledger.note_one((server.name, "peer_probes"))
        found += _of_the_server(server)[subject.name]
        if server.machine.transport.kind == "local":  # pytest itself runs there
            surveys = subject.fleet.surveys
            found += _connections(surveys.controller_probes.get(subject.name, ()))
            versions = surveys.controller_tls_versions.get(subject.name)
            found += len(versions.trials) if versions is not None else 0
    return found


def _of_the_server(server: Subject) -> Counter[str | None]:
    """How many connections it opened, by the name of the Tentacle."""
    return kept(server, "connections that it opened", lambda: _counted(server.record))


def _counted(record: HostRecord | None) -> Counter[str | None]:
    found: Counter[str | None] = Counter()
    if record is not None:
        for probe in record.peer_probes:
            found[probe.link.tentacle] += _connections([probe])
        for series in record.peer_pings:
            found[series.link.tentacle] += series.sent
        for tried in record.peer_tls_versions:
            found[tried.link.tentacle] += len(tried.trials)
    return found


def _connections(probes: Iterable[Probe]) -> int:
    """Each look is one connection, and what it says of an identity a second one."""
    return sum(1 + (probe.identity is not None) for probe in probes if probe.connect and probe.connect.error is None)


def _taken(subject: Subject) -> datetime | None:
    host = host_of(subject)
    return (host.clock_utc if host else None) or (subject.record.taken_utc if subject.record else None)
