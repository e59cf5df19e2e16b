"""What was followed by proof of recovery is history, not a problem (tentacle-seen, "What follows for us").

What proves what:
- A client's `Secure connection established` proves that name, route, TLS and the listener's certificate are well by
  then, and nothing more: it is written before the listener decides whether it trusts the client.
- A listener's `authenticated as` proves the whole way, for the client's address.
- A start that came to `Agent listening on` (or to saying that it will not listen) proves that all is well that a start
  needs; so does a process that lives on a minute after it began, which one that could not listen does not.
- A connection that stands (ESTABLISHED) when its failures would long have come again proves a polling link: a client
  that is turned away is closed on at once and comes again within two minutes.
- Silence proves nothing: a poller whose proxy says nothing is silent for ever, and so is one that works.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.logs.model import LogFile, LogRecord
from pytest_tentacle.logs.peers import address_of
from pytest_tentacle.logs.signatures import Level, Phase, Signature
from pytest_tentacle.survey.surroundings import Connection

from .index import Place, age_of, index_of, place_at, place_of, role_of

BACK_OFF = timedelta(minutes=3)
"""A poller tries again within two minutes, and an attempt may take one more (tentacle-facts 1.7)."""

STEADY = timedelta(seconds=60)
"""A process that could not start is gone by then."""

KEY = "TT122"
"""The certificate's private key could not be used: whoever talks TLS now has it (a warning may heal by itself)."""

_LISTENS_ON = re.compile(r"listen://\S+?:(?P<port>\d{1,5})/?\Z")

_CLOCKS_DIFFER = timedelta(seconds=5)

_FIRST_PASSING_PORT = 32_768
"""Ports from which a system opens connections begin there (Linux), or later (Windows)."""

FRESH = timedelta(days=1)
"""What is older and of the host itself is left to the steps that look at its present state."""


class State(StrEnum):
    """Whether a record still holds."""

    CURRENT = "current"
    HISTORY = "history"
    UNPROVEN = "unproven"
    """It may have passed, and nobody can see it."""


@dataclass(frozen=True)
class Verdict:
    """Whether a record still holds, and why.

    Attributes:
        is_failure: False for words about a look of ours, about a stranger, or about a connection that had been let in.
    """

    state: State
    reason: str
    is_failure: bool = True


LOOK = Verdict(
    State.HISTORY,
    "a look that speaks an identity without a certificate (--probe-identity) leaves just that",
    is_failure=False,
)
WAS_LET_IN = Verdict(State.HISTORY, "the connection had been let in, and came to an end", is_failure=False)


@dataclass(frozen=True)
class Present:
    """What is known of the moment of the survey.

    Attributes:
        clock: the machine's own, in UTC.
        pid: of the service's process; None where it does not run, or nobody knows.
        is_down: the service is known not to run.
        uptime: how long that process has been running.
        connections: TCP connections of the machine; None where they could not be read.
        direct: False where polling goes through a proxy, so that its connections are not the server's.
        polls: False where it is known to poll no server.
        answers: its own port has just shown its page, so it could open the port and use its certificate; None where
            nobody looked.
        addresses: by host, the addresses that it has, as far as they are known.
    """

    clock: datetime | None = None
    pid: int | None = None
    is_down: bool = False
    uptime: timedelta | None = None
    connections: tuple[Connection, ...] | None = None
    direct: bool = True
    polls: bool = True
    answers: bool | None = False
    addresses: Mapping[str, frozenset[str]] = field(default_factory=dict)


def judge(record: LogRecord, signature: Signature, log: LogFile, present: Present) -> Verdict:
    """Whether a record of the product's own log still holds."""
    role = role_of(signature, record)
    if record.command is not None:
        return _call(record, signature, log, present)
    if signature.phase is Phase.START:
        return _start(record, signature, log, present)
    if role == "host" or signature.phase is Phase.HOST:
        return _host(record, log, present)
    if role == "listener":
        return _listener(record, log, present)
    return _client(record, signature, log, present)


def _start(record: LogRecord, signature: Signature, log: LogFile, present: Present) -> Verdict:
    later = log.startup
    if later is not None and later.number > record.number and later.listens is not None:
        return Verdict(State.HISTORY, f"it started again at {later.time} and came to the end of its start")
    fails = signature.level > Level.INFO or record.level == "FATAL"  # an entry that is left out lets others work
    if fails and (sign := last_sign(log)) is not None and sign > record.number:
        return Verdict(State.HISTORY, "it worked again afterwards")
    uses_key = {present.answers, polling_link_stands(present)} if signature.code == KEY else {False}
    if True in uses_key:
        return Verdict(State.HISTORY, "it uses its key right now: its port answers, or a connection of it stands")
    if present.uptime is not None and present.uptime >= STEADY and _of_another_process(record, log, present):
        seconds = int(present.uptime.total_seconds())
        return Verdict(State.HISTORY, f"another process of it has been running for {seconds} s")
    if None in uses_key:
        return Verdict(State.UNPROVEN, "whether it uses its key by now could not be seen")
    return Verdict(State.CURRENT, "no later start got further")


def _of_another_process(record: LogRecord, log: LogFile, present: Present) -> bool:
    if record.pid is not None and present.pid is not None:
        return record.pid != present.pid
    age = age_of(log, record.time, present.clock)
    return age is not None and present.uptime is not None and age > present.uptime + _CLOCKS_DIFFER


def _call(record: LogRecord, signature: Signature, log: LogFile, present: Present) -> Verdict:
    """Of a call of the command line: it failed once, and nothing of it comes again by itself."""
    if signature.phase is Phase.START:
        started = _start(record, signature, log, present)
        if started.state is State.HISTORY:
            return started
    elif signature.phase is not Phase.HOST:
        later = log.startup
        if later is not None and later.number > record.number and later.listens is not None:
            return Verdict(State.HISTORY, f"it was started again at {later.time} and came to the end of its start")
        if (sign := last_sign(log)) is not None and sign > record.number:
            return Verdict(State.HISTORY, "it worked afterwards")
    return _host(record, log, present)


def _host(record: LogRecord, log: LogFile, present: Present) -> Verdict:
    age = age_of(log, record.time, present.clock)
    if age is not None and age > FRESH:
        return Verdict(State.HISTORY, "it is older than a day, and other steps look at the present state")
    return Verdict(State.CURRENT, "it is not a day old")


def _is_gone(record: LogRecord, log: LogFile, present: Present) -> bool:
    """Whether the process that wrote it is gone, and one that came to the end of its start has followed it."""
    later = log.startup
    if later is None or later.number < record.number or later.listens is None:
        return False
    return later.pid is None or present.pid is None or later.pid == present.pid


def _listener(record: LogRecord, log: LogFile, present: Present) -> Verdict:
    if "authenticated" in record.facts:
        return WAS_LET_IN
    if "look" in record.facts:
        return LOOK
    if _is_gone(record, log, present):
        return Verdict(State.HISTORY, "the process that wrote it is gone, and the one that followed did not meet it")
    peer = address_of(record.facts["peer"]) if "peer" in record.facts else None
    if peer is not None and _comes_from(peer, record, present):
        return Verdict(State.HISTORY, f"a connection of {peer} stands, so it is let in")
    for known in log.peers:
        if (peer is None or known.address == peer) and (known.authenticated_number or -1) > record.number:
            return Verdict(State.HISTORY, f"{known.address} was let in afterwards ({known.authenticated_time})")
    age = age_of(log, record.time, present.clock)
    unseen = peer is not None and present.connections is None and age is not None and age > BACK_OFF
    reason = f"whether a connection of {peer} stands by now could not be seen"
    return Verdict(State.UNPROVEN, reason) if unseen else Verdict(State.CURRENT, "the client was not let in afterwards")


def _comes_from(peer: str, record: LogRecord, present: Present) -> bool:
    """Whether a connection of that address stands on the port that the record's listener listens on."""
    found = _LISTENS_ON.match(record.facts.get("endpoint", ""))
    return found is not None and any(
        row.state == "established"
        and row.local_port == int(found["port"])
        and plain_address(row.remote_address) == peer
        for row in present.connections or ()
    )


def _client(record: LogRecord, signature: Signature, log: LogFile, present: Present) -> Verdict:
    place = place_of(record)
    passed = got_further(record, signature, log)
    if passed is not None:
        return passed
    startup = log.startup
    restarted = startup is not None and startup.number > record.number
    if startup is not None and restarted and startup.listens is not None:
        polled = [place_at(server.address) for server in startup.polls]
        if not polled or (place is not None and place not in polled):
            return Verdict(State.HISTORY, "since its last start it does not connect there any more")
    age = age_of(log, record.time, present.clock)
    stands = _stands(place, present)
    if stands is False:
        return Verdict(State.CURRENT, "no connection stands")
    return _by_what_stands(record, log, present, stands=stands, age=age)


def _by_what_stands(
    record: LogRecord, log: LogFile, present: Present, *, stands: bool | None, age: timedelta | None
) -> Verdict:
    """Of a client's failure that nothing in the log refutes: by its process, and by whether a connection stands."""
    over = age is not None and age > BACK_OFF
    gone = _is_gone(record, log, present)
    if stands and (over or gone or _secured_since(record, log)):
        return Verdict(State.HISTORY, "a connection stands, and the failure has not come again")
    if gone and _settled(present):
        return Verdict(State.HISTORY, "the process that wrote it is gone, and the one that runs has not met it")
    if over:
        return Verdict(State.UNPROVEN, "it has not come again, but whether a connection stands could not be seen")
    return Verdict(State.CURRENT, "it is minutes old" if age is not None else "nothing shows that it has passed")


def _secured_since(record: LogRecord, log: LogFile) -> bool:
    """Whether the log's last word about that end is a success: a TLS connection after the failure."""
    return any(link.number > record.number for link in index_of(log).links(place_of(record)))


def _settled(present: Present) -> bool:
    """Whether the process has had the time to meet the same failure."""
    return present.uptime is not None and present.uptime > BACK_OFF


def got_further(record: LogRecord, signature: Signature, log: LogFile) -> Verdict | None:
    """The proof that a client got further at the same endpoint afterwards; None where there is none."""
    place = place_of(record)
    rank = _rank(signature)
    if rank < _rank_of(Phase.TRUST):
        for link in index_of(log).links(place):
            if link.number > record.number:
                return Verdict(State.HISTORY, f"a TLS connection came about afterwards ({link.time})")
    for other, known in index_of(log).attempts(place):
        if other.number > record.number and _rank(known) > rank:
            return Verdict(State.HISTORY, f"afterwards it got further ({other.time}: {known.id})")
    return None


def last_sign(log: LogFile) -> int | None:
    """Number of the last line that shows the process at work: a client let in, or a connection made."""
    numbers = [peer.authenticated_number for peer in log.peers if peer.authenticated_number is not None]
    numbers += [link.number for link in log.links]
    return max(numbers, default=None)


def polling_link_stands(present: Present) -> bool | None:
    """Whether its process holds a connection that it opened: a client that is turned away holds none.

    None where it may poll, and its connections, or whose they are, could not be read.
    """
    opened = [
        connection
        for connection in present.connections or ()
        if connection.state == "established" and connection.local_port >= _FIRST_PASSING_PORT
    ]
    if any(connection.pid == present.pid is not None for connection in opened):
        return True
    if present.is_down or not present.polls:
        return False
    somebodys = any(connection.pid is None or present.pid is None for connection in opened)
    return None if present.connections is None or somebodys else False


def _rank(signature: Signature) -> tuple[int, int]:
    return (signature.phase, 0 if signature.id in {"name-unknown", "proxy-name-unknown"} else 1)


def _rank_of(phase: Phase) -> tuple[int, int]:
    return (phase, 0)


def _stands(place: Place | None, present: Present) -> bool | None:
    if present.connections is None:
        return None
    standing = [
        connection
        for connection in present.connections
        if connection.state == "established" and (present.pid is None or connection.pid in {None, present.pid})
    ]
    if not present.direct:  # a connection to the place itself stands, whatever proxy others have
        if place is None or place.host not in present.addresses:
            return None
        return any(_leads_to(connection, place, present) for connection in standing) or None
    if place is None or any(_leads_to(connection, place, present) for connection in standing):
        return bool(standing)
    # Behind a name, a balancer or DNS may have led to another address when the connection was made.
    known = frozenset[str]().union(*present.addresses.values())
    strange = (each for each in standing if (plain_address(each.remote_address) or "") not in known)
    same_port = any(each.remote_port == place.port and each.pid == present.pid is not None for each in strange)
    return None if same_port and plain_address(place.host) is None else False


def _leads_to(connection: Connection, place: Place, present: Present) -> bool:
    if connection.remote_port != place.port:
        return False
    addresses = present.addresses.get(place.host)
    return addresses is None or (plain_address(connection.remote_address) or "") in addresses
