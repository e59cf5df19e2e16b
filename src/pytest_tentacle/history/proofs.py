"""When a link worked and when it failed: both ends' logs, health checks, connection records, and the looks of now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.away import away
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.links import known_links, looks_at
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Probe
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.logs.model import LogFile, LogLink, LogPeer
from pytest_tentacle.logs.signatures import Phase, classify
from pytest_tentacle.octopus.model import ConnectionLine, MachineEvent
from pytest_tentacle.sections.identify.checks import ATTEMPTS, longest_row
from pytest_tentacle.sections.identify.index import Place, index_of, place_at, place_of, role_of
from pytest_tentacle.sections.identify.our_looks import without_our_looks
from pytest_tentacle.sections.identify.records import (
    Judged,
    logs_of,
    names_for,
    own_records,
    present_of,
    server_records,
    words_of,
)
from pytest_tentacle.sections.identify.recovery import polling_link_stands
from pytest_tentacle.sections.portal import registrations_of, seen_of
from pytest_tentacle.survey.targets import names_of

from .moments import Clock, Kind, Moment, portal_time

_CONTACTED = {
    "MachineHealthy": "a health check found it healthy",
    "MachineHasWarnings": "a health check reached it, and had warnings",
    "MachineUnhealthy": "a health check reached it, and its script failed there",
}
_TROUBLE = frozenset({"Error", "Fatal", "Warning"})
_ENDS = 2
"""Of a record that came more often, neither its first nor its last time, those between are not known."""

_BUSY = "Cannot start this task yet"
"""The machine was busy with another task: the link had been there."""

_SECURED = "Secure connection established"


def proofs_of(tentacle: Subject, server: Subject, clocks: dict[str, Clock]) -> Iterator[Moment]:
    """Everything that shows the link at work, or failing, in no order.

    Args:
        tentacle: at one end.
        server: the node at the other.
        clocks: of both, by name.
    """
    yield from _by_logs(tentacle, server, clocks)
    yield from _by_failures(tentacle, server, clocks)
    yield from _by_octopus(tentacle, server, clocks[server.name])
    yield from _by_now(tentacle, server)


# -- logs ----------------------------------------------------------------------------------------------------------


def _by_logs(tentacle: Subject, server: Subject, clocks: dict[str, Clock]) -> Iterator[Moment]:
    """Who was let in, and whose TLS came about."""
    polls = tentacle.mode is Mode.POLLING
    listener, client = (server, tentacle) if polls else (tentacle, server)
    words = set() if _is_shared(client) else set(client.known_addresses)
    words |= {thumbprint} if (thumbprint := as_thumbprint(client.expected_thumbprint)) else set()
    for log in _logs(listener):
        for peer in index_of(log).peers(words):
            yield from _let_in(peer, log, listener, client, clocks[listener.name])
            if listener is tentacle:
                yield from _turned_away(peer, log, tentacle, client, clocks[tentacle.name])
    for log in _logs(client):
        for link in _links_to(listener, log):
            if (time := clocks[client.name].of_line(log, link.time)) is not None:
                text = f"{client.name} made a TLS connection to {link.endpoint}: whether it was let in is not shown"
                yield Moment(time, Kind.PARTLY, client.name, text, _source(client, log))


def _links_to(listener: Subject, log: LogFile) -> Iterator[LogLink]:
    """The TLS connections of a client's log that lead to this end; a server's log, which has hundreds, is looked up."""
    hosts = _hosts_of(listener)
    if not listener.is_tentacle:
        yield from (link for link in log.links if (place := place_at(link.endpoint)) and place.host in hosts)
        return
    port: int | None = names_for(listener).port or getattr(listener.machine, "port", None)
    if port is None:
        return
    for host in hosts:
        yield from index_of(log).links(Place(host, port))


def _let_in(peer: LogPeer, log: LogFile, listener: Subject, client: Subject, clock: Clock) -> Iterator[Moment]:
    if (time := clock.of_line(log, peer.authenticated_time or "")) is not None:
        text = f"{listener.name} let {client.name} in, from {peer.address}"
        yield Moment(time, Kind.WORKED, listener.name, text, _source(listener, log))


def _turned_away(peer: LogPeer, log: LogFile, tentacle: Subject, client: Subject, clock: Clock) -> Iterator[Moment]:
    """A row of connections as Halibut's attempts come, of which none was let in."""
    times = without_our_looks(peer, log, tentacle)
    first = clock.of_line(log, times[0]) if longest_row(times) >= ATTEMPTS else None
    if first is not None:
        text = f"{client.name} connected from {peer.address}, and was not let in"
        yield Moment(first, Kind.FAILED, tentacle.name, text, _source(tentacle, log))


def _by_failures(tentacle: Subject, server: Subject, clocks: dict[str, Clock]) -> Iterator[Moment]:
    with suppress(Unknown, Blocked):  # that a log was not read is told beside the timeline
        yield from _failures_in(own_records(tentacle), tentacle, server, clocks)
    with suppress(Unknown, Blocked):
        yield from _failures_in(server_records(tentacle, server), tentacle, server, clocks)


def _failures_in(
    records: Iterable[Judged], tentacle: Subject, server: Subject, clocks: dict[str, Clock]
) -> Iterator[Moment]:
    for judged in records:
        if judged.verdict.is_failure and _is_of_link(judged, tentacle, server):
            yield from _failures(judged, clocks[judged.vantage.name])


def _failures(judged: Judged, clock: Clock) -> Iterator[Moment]:
    """A record that came several times is known by its first and its last time."""
    record, brief = judged.record, judged.signature.meaning
    text, source = f"{brief} ({words_of(record)})", _source(judged.vantage, judged.log)
    for time in dict.fromkeys(filter(None, (record.first_time, record.time))):
        if (at := clock.of_line(judged.log, time)) is not None:
            again = record.count > _ENDS and time == record.time
            yield Moment(at, Kind.FAILED, judged.vantage.name, text, source, brief=brief, again=again)


def _is_of_link(judged: Judged, tentacle: Subject, server: Subject) -> bool:
    """Not what the host has of its own, such as a full disk, nor what is of the link to another node."""
    role = role_of(judged.signature, judged.record)
    if role == "host" and judged.signature.phase is not Phase.START:
        return False
    place = place_of(judged.record)
    if place is None or judged.vantage is server:
        return True
    others = [peer for peer in tentacle.peers if peer is not server]
    return place.host in _hosts_of(server) or not any(place.host in _hosts_of(other) for other in others)


def _logs(subject: Subject) -> tuple[LogFile, ...]:
    try:
        return logs_of(subject)
    except (Unknown, Blocked):
        return ()


def _hosts_of(subject: Subject) -> frozenset[str]:
    declared = {plain_host(host) for host, _ in names_of(subject.machine)}
    if subject.is_tentacle:
        return frozenset(declared) | names_for(subject).hosts
    return frozenset(declared | set(subject.known_addresses))


def _is_shared(subject: Subject) -> bool:
    record = subject.record
    return record is not None and len(record.machines) > 1


def _source(subject: Subject, log: LogFile) -> str:
    return f"log of {subject.name}, {log.path}"


# -- Octopus -------------------------------------------------------------------------------------------------------


def _by_octopus(tentacle: Subject, server: Subject, clock: Clock) -> Iterator[Moment]:
    for registration in registrations_of(tentacle):
        seen = seen_of(tentacle, registration)
        if seen is None:
            continue
        where = f"Octopus, {registration.space}"
        for event in seen.events:
            yield from _event(event, server, clock, f"{where}, audit of {registration.name}")
        for line in seen.connection:
            yield from _line(line, server, clock, f"{where}, Connectivity of {registration.name}")
        task = seen.task
        for line in task.lines if task else ():
            yield from _line(line, server, clock, f"{where}, health check {task.id if task else ''}")


def _event(event: MachineEvent, server: Subject, clock: Clock, source: str) -> Iterator[Moment]:
    time = portal_time(event.occurred)
    if time is None:
        return
    if event.category in _CONTACTED:
        yield Moment(clock.at(time), Kind.WORKED, server.name, _CONTACTED[event.category], source)
    elif event.category == "MachineUnavailable":
        meaning, words = _words(event.details or event.message)
        text = f"a health check could not reach it: {words}"
        brief = f"a health check could not reach it: {meaning}" if meaning else ""
        yield Moment(clock.at(time), Kind.FAILED, server.name, text, source, brief=brief)


def _line(line: ConnectionLine, server: Subject, clock: Clock, source: str) -> Iterator[Moment]:
    time = portal_time(line.occurred)
    if time is None:
        return
    if line.level in _TROUBLE and _BUSY not in line.text:
        meaning, words = _words(line.text)
        yield Moment(clock.at(time), Kind.FAILED, server.name, words, source, brief=meaning)
    elif _SECURED in line.text:
        text = "the server made a TLS connection: whether it was let in is not shown"
        yield Moment(clock.at(time), Kind.PARTLY, server.name, text, source)


def _words(text: str) -> tuple[str, str]:
    """What the catalogue of logs makes of it, empty for nothing; and the same with its own beginning."""
    found = classify(text)
    first = " ".join(text.split())[:200] or "it says no more"
    return (found[0].meaning, f"{found[0].meaning} ({first})") if found else ("", first)


# -- now -----------------------------------------------------------------------------------------------------------


def _by_now(tentacle: Subject, server: Subject) -> Iterator[Moment]:
    """What the survey itself met."""
    for subject in (tentacle, server):
        try:
            service = subject.service
        except (Unknown, Blocked):
            continue
        if service is not None and subject.record is not None and service.state != "running" and away(subject) is None:
            text = f"its service {service.name} is {service.state.value}"
            yield Moment(
                subject.record.taken_utc, Kind.FAILED, subject.name, text, f"survey of {subject.name}", is_now=True
            )
    if tentacle.mode is Mode.POLLING and tentacle.record is not None and polling_link_stands(present_of(tentacle)):
        text = "a connection that its process opened stands"
        yield Moment(
            tentacle.record.taken_utc, Kind.PARTLY, tentacle.name, text, f"connections of {tentacle.name}", is_now=True
        )
    for link in known_links(tentacle):
        record = link.vantage.record
        looks = looks_at(link) if link.server_name == server.name else ()
        if record is None or not looks:
            continue
        failed = next((probe for probe in looks if probe.failed is not None), None)
        if failed is not None and not any(probe.shows_page for probe in looks):
            text = f"{link.vantage.name} could not reach {failed.host}:{failed.port}: {_failure(failed)}"
            yield Moment(
                record.taken_utc, Kind.FAILED, link.vantage.name, text, f"survey of {link.vantage.name}", is_now=True
            )


def _failure(probe: Probe) -> str:
    if probe.failed is None:
        return "no page came"
    stage, record = probe.failed
    return f"{stage.value} failed, {record.error.value}" if record.error else f"{stage.value} failed"
