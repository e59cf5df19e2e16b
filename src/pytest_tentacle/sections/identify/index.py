"""What the records of a log name, looked up: hundreds of Tentacles ask the log of the same server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile, LogLink, LogPeer, LogRecord
from pytest_tentacle.logs.peers import address_of
from pytest_tentacle.logs.signatures import BY_ID, HANDLING, Role, Signature

_HTTPS = 443
_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_LISTENER = re.compile(HANDLING, re.IGNORECASE)
_HEADING_WITHIN = 300
_SUBSCRIPTION = re.compile(r"poll://[^\s/'\"]{1,200}")
_SYSTEM_TEXTS = frozenset({"refused", "no-response-from-host", "unreachable"})
_AT_THE_END = re.compile(
    r"[ \t(](?:\[(?P<six>[0-9a-f:.]{2,45})\]|(?P<four>\d{1,3}(?:\.\d{1,3}){3})):(?P<port>\d{1,5})\)?\.?[ \t\r]*$",
    re.IGNORECASE | re.MULTILINE,
)
_LOGS = 64
"""Logs that are kept in mind."""

_MISLEADING = frozenset({"TT106", "TT109"})
"""Failures that may come at any point of a link, so that they prove nothing of what lies before."""


@dataclass(frozen=True)
class Place:
    """The other end that a client's record concerns."""

    host: str
    port: int


def role_of(signature: Signature, record: LogRecord) -> Role:
    """Which end of a link wrote it."""
    if signature.role != "either":
        return signature.role
    if _LISTENER.search(record.text[:_HEADING_WITHIN]):
        return "listener"
    endpoint = record.facts.get("endpoint", "")
    return "listener" if endpoint.startswith("listen://") or (not endpoint and "peer" in record.facts) else "client"


def place_of(record: LogRecord) -> Place | None:
    """Host and port of the other end, by Halibut's column or the address in the text; None where neither names one."""
    facts = record.facts
    return place_at(facts.get("endpoint", "")) or place_at(facts.get("url", "")) or _named_by_the_system(record)


def _named_by_the_system(record: LogRecord) -> Place | None:
    """Windows and .NET end such a message with address and port: all that a record without Halibut's column has."""
    if "peer" in record.facts or record.signature not in _SYSTEM_TEXTS:
        return None
    found = _AT_THE_END.search(record.text)
    if found is None:
        return None
    address = plain_address(found["six"] or found["four"])
    return Place(address, int(found["port"])) if address else None


def place_at(url: str) -> Place | None:
    """Host and port of a URL; None where it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES or not parts.hostname:
        return None
    return Place(plain_host(parts.hostname), port or _HTTPS)


def telling(log: LogFile) -> tuple[tuple[LogRecord, Signature], ...]:
    """A log's records that lead to a problem, without what calls of the command line say of who made them."""
    return index_of(log).telling


class Index:
    """The records of one log."""

    def __init__(self, log: LogFile) -> None:
        found = ((record, BY_ID.get(record.signature or "")) for record in log.records)
        known = [(record, signature) for record, signature in found if signature is not None]
        self.telling = tuple(
            (record, signature)
            for record, signature in known
            if signature.code is not None and (record.command is None or signature.by_call)
        )
        self._named: dict[str, list[int]] = {}
        for number, (record, _) in enumerate(self.telling):
            for name in _names(record):
                self._named.setdefault(name, []).append(number)
        self._attempts: dict[Place, list[tuple[LogRecord, Signature]]] = {}
        for record, signature in known:
            place = place_of(record)
            if place is None or record.command or signature.code in _MISLEADING:
                continue
            if role_of(signature, record) == "client":
                self._attempts.setdefault(place, []).append((record, signature))
        self._all_links = log.links
        self._links: dict[Place | None, list[LogLink]] = {}
        for link in log.links:
            self._links.setdefault(place_at(link.endpoint), []).append(link)
        self._peers: dict[str, list[LogPeer]] = {}
        for peer in log.peers:
            for word in {peer.address, *peer.thumbprints}:
                self._peers.setdefault(word, []).append(peer)

    def about(self, names: Iterable[str]) -> Iterator[tuple[LogRecord, Signature]]:
        """The telling records that hold one of these names: thumbprints, hosts, addresses, subscriptions."""
        numbers = {number for name in names for number in self._named.get(name, ())}
        return (self.telling[number] for number in sorted(numbers))

    def attempts(self, place: Place | None) -> list[tuple[LogRecord, Signature]]:
        """What a client's attempts there came to."""
        return self._attempts.get(place, []) if place is not None else []

    def peers(self, words: Iterable[str]) -> tuple[LogPeer, ...]:
        """Those that came from one of these addresses, or as one of these thumbprints, each once."""
        found = {id(peer): peer for word in words for peer in self._peers.get(word, ())}
        return tuple(found.values())

    def links(self, place: Place | None) -> Iterable[LogLink]:
        """The TLS connections that came about there; without a place, all."""
        return self._all_links if place is None else self._links.get(place, ())


class _Same:
    """A log, told from others by its identity: to compare records takes longer than to index them."""

    __slots__ = ("log",)

    def __init__(self, log: LogFile) -> None:
        self.log = log

    def __hash__(self) -> int:
        return id(self.log)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.log is self.log


def index_of(log: LogFile) -> Index:
    """The index of a log, made once."""
    return _index(_Same(log))


@lru_cache(maxsize=_LOGS)
def _index(same: _Same) -> Index:
    return Index(same.log)


def _names(record: LogRecord) -> set[str]:
    facts = record.facts
    found = {as_thumbprint(facts.get(key)) for key in ("thumbprint", "expected", "actual")}
    if "peer" in facts:
        found.add(address_of(facts["peer"]))
    place = place_of(record)
    if place is not None:
        found.add(place.host)
    text = f"{facts.get('endpoint', '')} {record.text}".lower()
    if "poll://" in text:
        found |= {subscription.rstrip(".,;:)") for subscription in _SUBSCRIPTION.findall(text)}
    return {name for name in found if name}


_ZONE_STEP = timedelta(minutes=15)
_SLACK = timedelta(minutes=5)
"""How far a file's time may lie behind its last line, for the zone to be told from the two."""
_FARTHEST = timedelta(hours=15)


def offset_of(log: LogFile) -> timedelta | None:
    """How far its local time is ahead of UTC, by the last line and the file's own time; None where that is unclear."""
    last = moment(log.last_time or "")
    if last is None or log.modified_utc is None:
        return None
    ahead = last - log.modified_utc.astimezone(UTC).replace(tzinfo=None)
    rounded = round(ahead / _ZONE_STEP) * _ZONE_STEP
    return rounded if abs(ahead - rounded) <= _SLACK and abs(rounded) <= _FARTHEST else None


def utc_of(log: LogFile, time: str) -> datetime | None:
    """A line's time in UTC; None where the zone is unclear."""
    local, offset = moment(time), offset_of(log)
    if local is None or offset is None:
        return None
    try:
        return (local - offset).replace(tzinfo=UTC)
    except OverflowError:  # no log was written in the first or the last hours of the calendar
        return None


def age_of(log: LogFile, time: str, clock: datetime | None) -> timedelta | None:
    """How long ago a line was written by the machine's clock; at least how long, where the zone is unclear."""
    written = utc_of(log, time)
    if written is not None and clock is not None:
        return clock - written
    local, last = moment(time), moment(log.last_time or "")
    return last - local if local is not None and last is not None else None


def ahead_of_ours(subject: Subject) -> timedelta | None:
    """How far its clock is ahead of that of the machine that runs pytest; the survey's own time is within it."""
    try:
        clock = subject.read(FACTS.host).clock_utc
    except Unknown:
        return None
    taken = subject.record.taken_utc if subject.record else None
    return clock - taken if clock is not None and taken is not None else None
