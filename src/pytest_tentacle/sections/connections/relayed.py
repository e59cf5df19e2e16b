"""Ways at which nobody can look, and what proves that they are taken.

A listening Tentacle may be reached through a proxy of the portal's. A poller may go through a proxy of its account (a
script, a policy, WPAD: nobody but its process knows), or to an address to which its server's name no longer leads: its
process says at its start which proxy it uses, and of each TLS connection where it led and whose certificate answered.
A connection that breaks leaves an error, and so does a server that turns it away, for a poller's connection is used
every half minute.
"""

from __future__ import annotations

import re
from datetime import timedelta

from pytest_tentacle.inventory.model import Tentacle
from pytest_tentacle.judging.entries import Entry
from pytest_tentacle.judging.finding import Blocked, Evidence, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile, LogLink, LogPeer, LogRecord
from pytest_tentacle.sections.identify.index import place_at, place_of
from pytest_tentacle.sections.identify.records import logs_of

RELAY_READS = ("logs", "connections", "instances", "services", "peer.host", "peer.probes")

LOG_READS = ("logs", "instances", "services")
"""What these read."""

_USES = re.compile(r"Agent will use the configured system proxy at (?P<proxy>\S+) for server at (?P<address>\S+)")
_TROUBLE = frozenset({"ERROR", "FATAL"})
_RECENT = timedelta(days=1)
"""Health checks come every hour by default; who was let in within a day is let in."""


def relayed(subject: Subject, server: Subject) -> Evidence | None:
    """What proves that a server is let in by a way which is not the direct one; None where nothing does.

    Declared (`via_proxy`): its log lets the server's certificate in, within a day before the log ends. Not declared: a
    connection stands from an address that is none of the server's, and the certificate that was let in from there is
    the server's: a firewall that swallows the direct way could have let a connection of the server's own live on.
    """
    expected = as_thumbprint(server.expected_thumbprint)
    try:
        logs = tuple(log for log in subject.read(FACTS.logs) if _is_own(log, subject) and log.error is None)
        let_in = [(log, peer) for log in logs for peer in log.peers if expected in map(as_thumbprint, peer.thumbprints)]
        if expected is None or not let_in:
            return None
        if isinstance(subject.machine, Tentacle) and subject.machine.via_proxy is not None:
            return _declared(subject, server, let_in, subject.machine.via_proxy)
        return _standing(subject, server, [peer for _, peer in let_in])
    except Unknown:
        return None


def declared_way(subject: Subject) -> str | None:
    """The proxy through which the server is declared to come."""
    return subject.machine.via_proxy if isinstance(subject.machine, Tentacle) else None


def _declared(subject: Subject, server: Subject, let_in: list[tuple[LogFile, LogPeer]], proxy: str) -> Evidence | None:
    for log, peer in let_in:
        at, end = moment(peer.authenticated_time or ""), moment(log.last_time or "")
        if at is not None and end is not None and end - at <= _RECENT:
            words = f"{peer.authenticated_time}: {server.name} was let in from {peer.address}"
            return Evidence(f"log of {subject.name}, {log.path}", f"{words}, through the proxy {proxy} (inventory)")
    return None


def _standing(subject: Subject, server: Subject, let_in: list[LogPeer]) -> Evidence | None:
    own = {plain_address(address) for address in server.read(FACTS.host).addresses}
    own.add(plain_address(server.machine.ip or ""))
    service = subject.service
    for row in subject.read(FACTS.connections):
        address = plain_address(row.remote_address)
        if row.state != "established" or row.local_port != subject.expected_port or address in own:
            continue
        if service is None or row.pid not in (None, service.pid):
            continue
        if any(plain_address(peer.address) == address for peer in let_in):
            words = f"{server.name} is let in from {address}, which is none of its own addresses, and is connected now"
            return Evidence(f"log and connections of {subject.name}", f"{words}: through a proxy")
    return None


def _is_own(log: LogFile, subject: Subject) -> bool:
    return log.product == subject.product and log.instance.lower() == subject.instance_name.lower()


def accounts_proxy(subject: Subject, entry: Entry) -> str | None:
    """`host:port` of its account's proxy, through which the running process polls an address by its own words."""
    log = _of_the_process(subject)
    if log is None or log.startup is None:
        return None
    said = (_USES.search(line) for line in log.startup.proxies)
    wanted = entry.address.rstrip("/").lower()
    return next((found["proxy"] for found in said if found and found["address"].rstrip("/").lower() == wanted), None)


def connected_by_its_log(subject: Subject, entry: Entry, address: str | None = None) -> Evidence | None:
    """That the running process met the expected certificate there, and nothing went wrong since.

    With an address: that it did so at that address.
    """
    log = _of_the_process(subject)
    link = _last_link(log, entry) if log is not None else None
    if log is None or link is None or log.startup is None or link.number < log.startup.number:
        return None
    expected = as_thumbprint(entry.thumbprint)
    if expected is None or as_thumbprint(link.thumbprint) != expected:
        return None
    if address is not None and plain_address(link.address or "") != plain_address(address):
        return None
    if any(record.number > link.number and _is_trouble(record, entry) for record in log.records):
        return None
    where = f" at {link.address}" if link.address else ""
    words = f"{link.time}: a TLS connection to {entry.host}:{entry.port}{where} with the expected certificate"
    return Evidence(f"log of {subject.name}, {log.path}", f"{words}; no failure since")


def _of_the_process(subject: Subject) -> LogFile | None:
    try:
        service, logs = subject.service, logs_of(subject)
    except (Unknown, Blocked):
        return None
    if service is None or service.pid is None:
        return None
    return next((log for log in logs if log.startup is not None and log.startup.pid == service.pid), None)


def _is_trouble(record: LogRecord, entry: Entry) -> bool:
    if record.command is not None:
        return False
    place = place_of(record)
    return record.level in _TROUBLE if place is None else (place.host, place.port) == _place(entry)


def _place(entry: Entry) -> tuple[str, int]:
    return plain_host(entry.host), entry.port


def _last_link(log: LogFile, entry: Entry) -> LogLink | None:
    found = [
        link
        for link in log.links
        if (place := place_at(link.endpoint)) is not None and (place.host, place.port) == _place(entry)
    ]
    return max(found, key=lambda link: link.number, default=None)
