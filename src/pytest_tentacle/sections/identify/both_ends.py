"""What the order and number of a listener's lines tell: a server that hangs up, a thumbprint from two places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile, LogPeer, LogRecord
from pytest_tentacle.logs.peers import address_of

from .our_looks import addresses_of
from .records import host_of, logs_of, server_addresses

HANGS_UP = "TT145"
TWO_PLACES = "TT146"

_RESET = "visitor-reset"
_RIGHT_AFTER = timedelta(seconds=2)
_SECONDS = timedelta(seconds=60)
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
    server = next((peer.name for peer in subject.peers if address in addresses_of(peer)), None)
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
    reads=("host", "instances", "services", "peer.logs", "peer.instances", "peer.services"),
)
def thumbprint_is_let_in_from_one_machine(subject: Subject) -> Iterator[Finding]:
    """In the servers' logs no unknown machine is let in with the Tentacle's thumbprint at the same time.

    Whether machines of the inventory may share one is judged by the step that compares certificates.
    """
    if not subject.is_tentacle or subject.mode is not Mode.POLLING:
        return
    thumbprint = as_thumbprint(subject.configured_thumbprint or subject.machine.thumbprint)
    if thumbprint is None:
        return
    host = host_of(subject)
    own = {plain_address(address) for address in host.addresses} if host else set()
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
                yield _two_places(subject, server, log, places)


def _at_the_same_time(log: LogFile, thumbprint: str) -> tuple[LogPeer, ...]:
    """Two addresses that it was let in from within a minute; none where there are no such two."""
    found = [peer for peer in log.peers if thumbprint in peer.thumbprints and peer.authenticated_time]
    for one, other in combinations(found, 2):
        first, second = moment(one.authenticated_time or ""), moment(other.authenticated_time or "")
        if first is not None and second is not None and abs(first - second) <= _SECONDS:
            return (one, other)
    return ()


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
