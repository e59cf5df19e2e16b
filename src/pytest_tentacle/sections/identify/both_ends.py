"""What the order and number of a listener's lines tell: a server that hangs up, a thumbprint from two places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import combinations

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import polled_links
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile, LogPeer, LogRecord
from pytest_tentacle.logs.peers import address_of

from .index import ahead_of_ours, place_at, utc_of
from .records import host_of, logs_of, server_addresses

HANGS_UP = "TT145"
TWO_PLACES = "TT146"

_RESET = "visitor-reset"
_RIGHT_AFTER = timedelta(seconds=2)
_SECONDS = timedelta(seconds=60)
_CLOCKS_DIFFER = timedelta(seconds=5)
_SEVERAL = 2


@check(codes=(HANGS_UP,), reads=("logs", "instances", "services", "probes", "peer.host"))
def server_does_not_hang_up_on_the_certificate(subject: Subject) -> Iterator[Finding]:
    """A server that connects does not reset its connections as soon as it has seen the Tentacle's certificate."""
    if not subject.is_tentacle:
        return
    servers = server_addresses(subject)
    for log in logs_of(subject):
        peers = {peer.address: peer for peer in log.peers}
        for record in log.records:
            address = address_of(record.facts.get("peer", ""))
            if record.signature != _RESET or address not in servers or record.count < _SEVERAL:
                continue
            peer = peers.get(address)
            if peer is not None and _right_after(record, peer) and not _overcome(record, peer, log):
                yield _hangs_up(subject, log, record, address)


def _right_after(record: LogRecord, peer: LogPeer) -> bool:
    """Whether the last reset came at once after a connection of that address that was not let in."""
    reset = moment(record.time)
    accepted = [at for at in map(moment, peer.unanswered_times) if at is not None]
    return reset is not None and any(timedelta() <= reset - at <= _RIGHT_AFTER for at in accepted)


def _overcome(record: LogRecord, peer: LogPeer, log: LogFile) -> bool:
    """Whether it was let in afterwards, or the process that wrote it is gone."""
    started = log.startup is not None and log.startup.number > record.number
    return started or "authenticated" in record.facts or (peer.authenticated_number or -1) > record.number


def _hangs_up(subject: Subject, log: LogFile, record: LogRecord, address: str) -> Problem:
    server = next((peer.name for peer in subject.peers if address in peer.known_addresses), None)
    return Problem(
        HANGS_UP,
        subject.name,
        expected=f"{address} talks on the connections that it opens",
        actual=f"it reset {record.count} of them right after they were accepted, the last at {record.time}",
        evidence=(Evidence(f"log of {subject.name}, {log.path}", f"{record.time}: {record.text[:300]}"),),
        facts={
            "log": log.path,
            "instance": subject.instance_name,
            "server": server,
            "address": address,
            "thumbprint": as_thumbprint(subject.configured_thumbprint),
        },
    )


@check(
    codes=(TWO_PLACES,),
    reads=(
        "host",
        "instances",
        "services",
        "logs",
        "probes",
        "peer.host",
        "peer.logs",
        "peer.instances",
        "peer.services",
    ),
)
def thumbprint_is_let_in_from_one_machine(subject: Subject) -> Iterator[Finding]:
    """In the servers' logs no unknown machine is let in with the Tentacle's thumbprint at the same time.

    Whether machines of the inventory may share one is judged by the step that compares certificates. Two addresses are
    one machine's where other machines come from both of them (a balancer without its clients' addresses, a NAT device),
    and where its own log has as many connections at those moments (a NAT device with several addresses).
    """
    if not subject.is_tentacle or subject.mode is not Mode.POLLING:
        return
    thumbprint = as_thumbprint(subject.configured_thumbprint or subject.machine.thumbprint)
    if thumbprint is None:
        return
    host = host_of(subject)
    own = frozenset(plain_address(address) for address in host.addresses) if host else frozenset()
    for server in subject.peers:
        if not server.can_log_on:
            continue
        try:
            logs = logs_of(server)
        except Unknown:
            continue  # the step that reads that log for failures says so
        for log in logs:
            places = _at_the_same_time(log, thumbprint)
            addresses = {place.address for place in places}
            if places and not addresses <= own and not addresses <= subject.fleet.machines_by_address.keys():
                why = _of_one_machine(subject, server, log, places, own)
                source = f"log of {server.name}, {log.path}"
                yield Evidence(source, why) if why else _two_places(subject, server, log, places)


def _at_the_same_time(log: LogFile, thumbprint: str) -> tuple[LogPeer, ...]:
    """Two addresses that it was let in from within a minute; none where there are no such two."""
    found = [peer for peer in log.peers if thumbprint in peer.thumbprints and peer.authenticated_time]
    for one, other in combinations(found, 2):
        first, second = moment(one.authenticated_time or ""), moment(other.authenticated_time or "")
        if first is not None and second is not None and abs(first - second) <= _SECONDS:
            return (one, other)
    return ()


def _of_one_machine(
    subject: Subject, server: Subject, log: LogFile, places: tuple[LogPeer, ...], own: frozenset[str | None]
) -> str | None:
    """Why two addresses may be one machine's; None where nothing shows it."""
    shown = " and ".join(place.address for place in places)
    if all(len(place.thumbprints) > 1 and place.address not in own for place in places):
        return f"other Tentacles come from {shown} as well: a balancer or a NAT device"
    mine = sorted(_opened(subject, server))
    let_in = [_on_our_clock(server, log, place.authenticated_times) for place in places]
    if not mine or not all(let_in):
        return None
    first = min(mine[0], *(times[-1] for times in let_in)) - _CLOCKS_DIFFER  # what is older, its log need not tell
    for time in sorted(time for times in let_in for time in times if time >= first):
        fitting = next((at for at in mine if abs(at - time) <= _CLOCKS_DIFFER), None)
        if fitting is None:
            return None
        mine.remove(fitting)
    return f"let in from {shown}, each time when its own log tells of a connection: a NAT device with several addresses"


def _opened(subject: Subject, server: Subject) -> list[datetime]:
    """When its own log tells of a connection to that server, on our clock."""
    try:
        links = [link for link in polled_links(subject) if link.server is server and link.entry is not None]
        logs = logs_of(subject)
    except (Unknown, Blocked):
        return []
    wanted = {(plain_host(link.entry.host), link.entry.port) for link in links if link.entry is not None}
    found: list[datetime] = []
    for log in logs:
        for link in log.links:
            place = place_at(link.endpoint)
            if place is not None and (place.host, place.port) in wanted:
                found += _on_our_clock(subject, log, link.times)
    return found


def _on_our_clock(subject: Subject, log: LogFile, times: Iterable[str]) -> list[datetime]:
    ahead = ahead_of_ours(subject) or timedelta()
    written = (utc_of(log, time) for time in times)
    return [time - ahead for time in written if time is not None]


def _two_places(subject: Subject, server: Subject, log: LogFile, places: tuple[LogPeer, ...]) -> Problem:
    shown = ", ".join(f"{place.address} at {place.authenticated_time}" for place in places)
    return Problem(
        TWO_PLACES,
        subject.name,
        expected=f"one machine comes to {server.name} with the thumbprint of {subject.name}",
        actual=f"it was let in from {shown}",
        evidence=(Evidence(f"log of {server.name}, {log.path}", f"authenticated with that thumbprint: {shown}"),),
        facts={
            "log": log.path,
            "instance": subject.instance_name,
            "server": server.name,
            "vantage": server.name,
            "addresses": tuple(place.address for place in places),
        },
    )
