"""Which lines of a server's log concern a Tentacle, and whether they still hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.logs.model import LogFile, LogRecord
from pytest_tentacle.logs.peers import address_of
from pytest_tentacle.logs.signatures import Phase, Signature

from .index import age_of, place_of, role_of, utc_of
from .recovery import FRESH, LOOK, WAS_LET_IN, State, Verdict, got_further

_CLOCKS_DIFFER = timedelta(minutes=2)
_CLOCKS_KNOWN = timedelta(seconds=10)
"""By how much two clocks may be told apart wrongly: where nobody knows how they differ, and where both were read."""


@dataclass(frozen=True)
class Names:
    """All that a server's log may call one Tentacle.

    Attributes:
        hosts: names and addresses, in the form that two of them are compared in.
        addresses: those from which it comes, without loopback.
        port: that it listens on; None where it does not, or nobody knows.
        thumbprints: 40 hexadecimal digits, upper case.
        subscriptions: its `poll://` addresses, lower case, without the final slash.
        shared: other machines of the inventory are on the same host, so that an address alone does not name it.
    """

    hosts: frozenset[str]
    addresses: frozenset[str]
    port: int | None
    thumbprints: frozenset[str]
    subscriptions: frozenset[str]
    shared: bool = False

    @property
    def all(self) -> frozenset[str]:
        """Any of them."""
        return self.hosts | self.addresses | self.thumbprints | self.subscriptions


def names(record: LogRecord, signature: Signature, known: Names) -> bool:
    """Whether a server's line is about this Tentacle: by thumbprint, subscription, or host and port."""
    role = role_of(signature, record)
    if role == "host":
        return False
    facts = record.facts
    shown = {as_thumbprint(facts.get(key)) for key in ("thumbprint", "expected", "actual")} & known.thumbprints
    if shown and (role == "listener" or signature.phase is Phase.SECURE):
        return True
    lowered = f"{facts.get('endpoint', '')} {record.text}".lower()
    if any(_stands_in(subscription, lowered) for subscription in known.subscriptions):
        return True
    if role == "listener":
        peer = facts.get("peer")
        return not known.shared and peer is not None and address_of(peer) in known.addresses
    place = place_of(record)
    return place is not None and place.host in known.hosts and known.port in {None, place.port}


def at_server(
    record: LogRecord,
    signature: Signature,
    log: LogFile,
    known: Names,
    own_logs: tuple[LogFile, ...],
    *,
    ahead: timedelta | None,
) -> Verdict:
    """Whether a server's line about a Tentacle still holds.

    `own_logs` are the Tentacle's, whose clock is ahead of the server's by `ahead`; None where nobody knows.
    """
    if "authenticated" in record.facts:
        return WAS_LET_IN
    if "look" in record.facts:
        return LOOK
    for peer in log.peers:
        named = not known.thumbprints.isdisjoint(peer.thumbprints) or (
            not known.shared and peer.address in known.addresses
        )
        if named and (peer.authenticated_number or -1) > record.number:
            return Verdict(State.HISTORY, f"it was let in afterwards ({peer.authenticated_time})")
    if role_of(signature, record) == "client":
        further = got_further(record, signature, log) or _let_in_there(record, log, own_logs, ahead)
        if further is not None:
            return further
    if log.dropped or signature.code in _PASSING:
        age = age_of(log, record.time, None)
        if age is not None and age > FRESH:
            return Verdict(State.UNPROVEN, "it is older than a day, and what followed cannot be seen")
    return Verdict(State.CURRENT, "nothing that came afterwards shows that it has passed")


_PASSING = frozenset({"TT115", "TT116"})
"""They need no recovery to be written: a connection that was busy once is free again."""


def _let_in_there(
    record: LogRecord, log: LogFile, own_logs: tuple[LogFile, ...], ahead: timedelta | None
) -> Verdict | None:
    """The Tentacle's own log shows a client let in after the server's failure."""
    failed = utc_of(log, record.time)
    slack = _CLOCKS_DIFFER if ahead is None else _CLOCKS_KNOWN
    if failed is None:
        return None
    for own in own_logs:
        for peer in own.peers:
            came = utc_of(own, peer.authenticated_time or "")
            if came is not None and came - (ahead or timedelta()) > failed + slack:
                return Verdict(State.HISTORY, f"the Tentacle let {peer.address} in afterwards")
    return None


def _stands_in(subscription: str, text: str) -> bool:
    """The whole of it, not the beginning of a longer one."""
    at = text.find(subscription)
    while at >= 0:
        following = text[at + len(subscription) : at + len(subscription) + 1]
        if not following.isalnum() and following not in {"-", "_"}:
            return True
        at = text.find(subscription, at + 1)
    return False
