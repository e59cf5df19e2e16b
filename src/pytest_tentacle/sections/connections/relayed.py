"""Listening Tentacles that their server reaches through a proxy of the portal's: what shows that it does."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.inventory.model import Tentacle
from pytest_tentacle.judging.finding import Evidence, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile, LogPeer

RELAY_READS = ("logs", "connections", "instances", "services", "peer.host", "peer.probes")

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
