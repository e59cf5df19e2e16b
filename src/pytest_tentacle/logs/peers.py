"""Who came to a listener, and whether it was let in; and which TLS connections a client got through.

At the usual level a client that is turned away leaves nothing but `Accepted TCP client`: a row of these without
`authenticated as` is the sign of missing trust (tentacle-facts 3.2).
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import timedelta

from pytest_tentacle.hiding import shorten
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.logs.model import LogLink, LogPeer

from .columns import endpoint_of
from .lines import RawRecord, moment

_ACCEPTED = re.compile(r"Accepted TCP client: (?P<peer>\S{1,200})")
_AUTHENTICATED = re.compile(r"Client at (?P<peer>\S{1,200}) authenticated as (?P<thumbprint>\S{1,100})")
_SECURED = re.compile(
    r"Secure connection established\. Server at (?P<peer>\S{1,200}) identified by thumbprint: (?P<thumbprint>\w{1,100})"
    r"(?:, using protocol (?P<protocol>\w{1,20}))?"
)
_SHOWN = 12
_LOOK_LASTS = timedelta(seconds=3)
_OPEN = 20_000
"""Connections that are remembered until they are authenticated."""


@dataclass
class _Peer:
    accepted: int = 0
    accepted_time: str | None = None
    authenticated: int = 0
    authenticated_time: str | None = None
    authenticated_number: int | None = None
    let_in: deque[str] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    thumbprints: dict[str, None] = field(default_factory=dict)
    unanswered: int = 0
    times: deque[str] = field(default_factory=lambda: deque(maxlen=_SHOWN))


@dataclass
class _Connection:
    peer: str
    time: str
    told: bool = False


@dataclass
class _Last:
    """The last two connections of an address."""

    now: _Connection
    before: _Connection | None


class Connections:
    """Collects what a log says of connections, record by record."""

    def __init__(self) -> None:
        self._peers: dict[str, _Peer] = {}
        self._links: dict[str, LogLink] = {}
        self._authenticated: OrderedDict[str, None] = OrderedDict()
        self._last: dict[str, _Last] = {}

    def take(self, record: RawRecord) -> bool:
        """Whether it was such a line."""
        text = record.text
        if "Accepted TCP client: " in text:
            return self._accepted(record, _ACCEPTED.search(text))
        if " authenticated as " in text:
            return self._let_in(record, _AUTHENTICATED.search(text))
        if "Secure connection established" in text:
            return self._secured(record, _SECURED.search(text))
        return False

    def spoke(self, peer: str) -> None:
        """A record tells of this connection: it was no mere look at the page."""
        last = self._last.get(address_of(peer))
        if last is not None and last.now.peer == peer:
            last.now.told = True

    def follows_a_page(self, peer: str, time: str) -> bool:
        """Whether the same address opened a connection just before this one, of which the log has nothing to tell.

        A look that also speaks an identity (`--probe-identity`) comes as these two; a client of Octopus that lacks a
        certificate fails with each of its connections.
        """
        last = self._last.get(address_of(peer))
        if last is None or last.before is None or last.now.peer != peer or last.before.told:
            return False
        earlier, later = moment(last.before.time), moment(time)
        return earlier is not None and later is not None and timedelta() <= later - earlier <= _LOOK_LASTS

    def restarted(self) -> None:
        """The agent started anew: what nobody answered before it says nothing of the new one."""
        for peer in self._peers.values():
            peer.unanswered = 0
            peer.times.clear()

    def was_authenticated(self, peer: str) -> bool:
        """Whether this very connection was let in before."""
        return peer in self._authenticated

    @property
    def peers(self) -> list[LogPeer]:
        """By address, those that were last left without an answer first."""
        found = [
            LogPeer(
                address=address,
                accepted=peer.accepted,
                accepted_time=peer.accepted_time,
                authenticated=peer.authenticated,
                authenticated_time=peer.authenticated_time,
                authenticated_number=peer.authenticated_number,
                authenticated_times=tuple(peer.let_in),
                thumbprints=tuple(peer.thumbprints)[-5:],
                unanswered=peer.unanswered,
                unanswered_times=tuple(peer.times),
            )
            for address, peer in self._peers.items()
        ]
        return sorted(found, key=lambda peer: (peer.unanswered > 1, peer.accepted_time or ""), reverse=True)

    @property
    def links(self) -> list[LogLink]:
        """By endpoint, the last one first."""
        return sorted(self._links.values(), key=lambda link: link.number, reverse=True)

    def _accepted(self, record: RawRecord, found: re.Match[str] | None) -> bool:
        if not found:
            return False
        peer = self._peer(found["peer"])
        peer.accepted += 1
        peer.accepted_time = record.time
        peer.unanswered += 1
        peer.times.append(record.time)
        self._authenticated.pop(found["peer"], None)  # a port number is used again one day
        address, now = address_of(found["peer"]), _Connection(found["peer"], record.time)
        before = self._last.get(address)
        self._last[address] = _Last(now, before.now if before else None)
        return True

    def _let_in(self, record: RawRecord, found: re.Match[str] | None) -> bool:
        if not found:
            return False
        peer = self._peer(found["peer"])
        peer.authenticated += 1
        peer.authenticated_time, peer.authenticated_number = record.time, record.number
        peer.let_in.append(record.time)
        peer.thumbprints[found["thumbprint"].upper()] = None
        peer.unanswered = 0
        peer.times.clear()
        self._authenticated[found["peer"]] = None
        self.spoke(found["peer"])
        while len(self._authenticated) > _OPEN:
            self._authenticated.popitem(last=False)
        return True

    def _secured(self, record: RawRecord, found: re.Match[str] | None) -> bool:
        if not found:
            return False
        endpoint = endpoint_of(record.text) or found["peer"]
        before = self._links.get(endpoint)
        self._links[endpoint] = LogLink(
            endpoint=shorten(endpoint, 200),
            count=before.count + 1 if before else 1,
            time=record.time,
            number=record.number,
            thumbprint=found["thumbprint"],
            protocol=found["protocol"],
            address=address_of(found["peer"]),
            times=(*(before.times if before else ()), record.time)[-_SHOWN:],
        )
        return True

    def _peer(self, peer: str) -> _Peer:
        return self._peers.setdefault(address_of(peer), _Peer())


def address_of(peer: str) -> str:
    """The address in `address:port`, in its shortest form."""
    host, colon, port = peer.rpartition(":")
    if not colon or not port.isdecimal():
        host = peer
    return plain_address(host) or shorten(host, 100)
