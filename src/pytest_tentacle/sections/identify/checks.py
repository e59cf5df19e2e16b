"""Guide, "Identify the Problem": what the Tentacle's log, and its servers' logs about it, say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise

from pytest_tentacle.hiding import shorten
from pytest_tentacle.judging.away import AWAY_READS, away
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile, LogPeer, LogRecord
from pytest_tentacle.logs.signatures import BY_ID, TLS_UNSPECIFIC, Phase, codes

from .index import age_of, place_of
from .our_looks import without_our_looks
from .records import (
    MACHINE_READS,
    OWN_READS,
    SERVER_READS,
    Judged,
    evidence_of,
    innermost,
    logs_of,
    own_records,
    present_of,
    server_addresses,
    server_records,
)
from .recovery import STEADY, Present, State

FATAL = "TT129"
START_UNFINISHED = "TT130"
UNKNOWN_CAUSE = "TT131"
NEVER_LET_IN = "TT132"

IDENTIFY_CODES = tuple(sorted(code for code in codes() if code.startswith("TT1")))

ATTEMPTS = 3
"""Attempts in a row that a server makes at least, of the five that Halibut makes (tentacle-facts 1.7)."""

_APART = (timedelta(seconds=0.9), timedelta(seconds=10))
"""How far apart Halibut's attempts are: a second's rest and the attempt itself. A browser's and our own come closer."""

_EVIDENCE = 3
_SUMMED_UP = timedelta(seconds=2)
"""Within this time after an exception Halibut says in one more line that the attempt failed."""

_FACTS = {
    "thumbprint": "thumbprint",
    "actual": "thumbprint",
    "expected": "expected_thumbprint",
    "subject": "subject",
    "peer": "peer",
    "path": "path",
    "status": "status",
    "subscription": "subscription",
    "word": "word",
    "url": "url",
    "port": "port",
}
"""What a record's facts are called in a problem."""


@check(codes=IDENTIFY_CODES, reads=OWN_READS)
def own_log_holds_no_standing_failure(subject: Subject) -> Iterator[Finding]:
    """Its own log holds no failure that was not followed by proof of recovery."""
    for log in logs_of(subject):
        yield _read(log, subject)
    yield from problems_among(subject, own_records(subject), IDENTIFY_CODES)


@check(codes=(FATAL, START_UNFINISHED), reads=MACHINE_READS)
def last_start_came_to_its_end(subject: Subject) -> Iterator[Finding]:
    """The last start came to its end, and no process ended with an error that nobody knows."""
    present = present_of(subject)
    for log in logs_of(subject):
        last = log.startup
        fatal = [record for record in log.records if record.level == "FATAL" and record.command is None]
        unknown = [record for record in fatal if record.signature is None]
        got_through = last is not None and last.listens is not None
        if unknown and not _overcome(unknown[-1], log, present):
            yield ended_with(unknown[-1], log, subject)
        if last is None or got_through or not subject.is_tentacle:
            continue
        age = age_of(log, last.time, present.clock)
        if age is not None and age > STEADY and not _told(log, last.number):
            yield Problem(
                START_UNFINISHED,
                subject.name,
                expected="the agent says that it listens, or that it will not",
                actual=f"it began to start at {last.time} and said neither since",
                evidence=(Evidence(f"log of {subject.name}, {log.path}", f"last start: {last.time}"),),
                facts=_base_facts(subject, log),
            )


def ended_with(record: LogRecord, log: LogFile, subject: Subject) -> Problem:
    """A process that ended with an error that nobody knows."""
    words = innermost(record)
    return Problem(
        FATAL,
        subject.name,
        expected="no process of it ends with a fatal error",
        actual=f"{record.time}: {shorten(words, 200)}",
        evidence=(evidence_of(record, log, subject),),
        facts=_base_facts(subject, log) | {"words": words},
    )


def _told(log: LogFile, number: int) -> bool:
    """Whether a start that began with this line said why it came to nothing."""
    for record in log.records:
        signature = BY_ID.get(record.signature or "")
        failed = signature is not None and signature.code is not None and signature.phase is Phase.START
        if record.number > number and record.command is None and (failed or record.level == "FATAL"):
            return True
    return False


def _overcome(record: LogRecord, log: LogFile, present: Present) -> bool:
    """Whether the process that ended so was followed by one that lives."""
    last = log.startup
    if last is not None and last.number > record.number and last.listens is not None:
        return True
    lives = present.uptime is not None and present.uptime >= STEADY
    return lives and (record.pid is None or record.pid != present.pid)


@check(
    codes=(NEVER_LET_IN,),
    reads=(
        *("logs", "host", "instances", "services", "probes", "connections"),
        *("peer.host", "peer.instances", "peer.probes", "peer.peer_probes"),
    ),
)
def connecting_server_is_let_in(subject: Subject) -> Iterator[Finding]:
    """A server that connects is let in: `Accepted TCP client` is followed by `authenticated as`."""
    if not subject.is_tentacle:
        return
    servers = server_addresses(subject)
    for log in logs_of(subject):
        for peer in log.peers:
            if peer.address not in servers:
                continue
            row = longest_row(without_our_looks(peer, log, subject))
            if peer.unanswered >= ATTEMPTS and row >= ATTEMPTS:
                if _holds_one(subject, peer.address):
                    text = f"a connection of {peer.address} stands, so it is let in: the others were looks, or are over"
                    yield Evidence(f"connections of {subject.name}", text)
                else:
                    yield _never_let_in(subject, log, peer)
            elif peer.authenticated and not peer.unanswered:
                yield Evidence(
                    f"log of {subject.name}, {log.path}",
                    f"{peer.address} was let in {peer.authenticated} times, last at {peer.authenticated_time}",
                )


@check(codes=IDENTIFY_CODES, reads=(*SERVER_READS, *AWAY_READS))
def servers_logs_hold_no_standing_failure(subject: Subject) -> Iterator[Finding]:
    """The servers' logs hold no failure that names this Tentacle and was not followed by proof of recovery."""
    yield from problems_in_servers_logs(subject, IDENTIFY_CODES)


def problems_in_servers_logs(subject: Subject, wanted: tuple[str, ...]) -> Iterator[Finding]:
    """What the logs of a Tentacle's servers tell of it; a server whose log cannot be read is an Unknown of its own."""
    if not subject.is_tentacle:
        return
    for server in subject.peers:
        if not server.can_log_on or away(server) is not None:
            continue
        try:
            found = list(server_records(subject, server))
        except Unknown as unknown:
            yield unknown
            continue
        yield from problems_among(subject, found, wanted)


def problems_among(subject: Subject, found: Iterable[Judged], wanted: tuple[str, ...]) -> Iterator[Finding]:
    """One problem for each code and other end, with its records as evidence; and what nobody can see, as Unknown."""
    groups: dict[tuple[object, ...], list[Judged]] = {}
    for judged in found:
        code = judged.signature.code
        if code not in wanted:
            continue
        if judged.verdict.state is State.UNPROVEN:
            yield Unknown(
                f"the log of {judged.vantage.name} told of {judged.signature.id} at {judged.record.time}: "
                f"{judged.verdict.reason}",
                "Look at the connection by hand, or run a health check in the portal and look again.",
            )
        elif judged.verdict.state is State.HISTORY:
            yield Evidence(
                judged.evidence.source,
                f"{judged.signature.id} at {judged.record.time} is history: {judged.verdict.reason}",
            )
        else:
            groups.setdefault((code, judged.vantage.name, place_of(judged.record)), []).append(judged)
    told = {key[1:] for key in groups if key[0] != UNKNOWN_CAUSE}
    for key, group in groups.items():
        if key[0] == UNKNOWN_CAUSE and (key[1:] in told or (key[2] is None and told)):
            continue
        yield _problem(subject, group)


def longest_row(times: Iterable[str]) -> int:
    """How many of these connections came one after the other as Halibut's attempts do."""
    moments = [at for at in map(moment, times) if at is not None]
    longest = row = 1 if moments else 0
    for earlier, later in pairwise(moments):
        row = row + 1 if _APART[0] <= later - earlier <= _APART[1] else 1
        longest = max(longest, row)
    return longest


def _holds_one(subject: Subject, address: str) -> bool:
    """Whether a connection of that address stands on its port: who is turned away is closed on at once."""
    try:
        connections, port = subject.read(FACTS.connections), subject.expected_port
    except (Unknown, Blocked):
        return False
    return any(
        row.state == "established" and row.local_port == port and plain_address(row.remote_address) == address
        for row in connections
    )


def _never_let_in(subject: Subject, log: LogFile, peer: LogPeer) -> Problem:
    before = f"; it was let in before, last at {peer.authenticated_time}" if peer.authenticated_time else ""
    facts = _base_facts(subject, log) | {"address": peer.address}
    server = next((server for server in subject.peers if peer.address in server.known_addresses), None)
    if server is not None:
        facts |= {"server": server.name}
        thumbprint = as_thumbprint(server.expected_thumbprint)
        if thumbprint:
            facts |= {"thumbprint": thumbprint}
    return Problem(
        NEVER_LET_IN,
        subject.name,
        expected=f"connections from {peer.address} are accepted and authenticated",
        actual=f"{peer.unanswered} were accepted and none was authenticated, the last at {peer.accepted_time}{before}",
        evidence=(
            Evidence(
                f"log of {subject.name}, {log.path}",
                f"Accepted TCP client: {peer.address} at {', '.join(peer.unanswered_times)}, no `authenticated as`",
            ),
        ),
        facts=facts,
    )


def _read(log: LogFile, subject: Subject) -> Evidence:
    part = f"{log.read} records from {log.first_time} to {log.last_time}" if log.read else "it is empty"
    last = log.startup
    began = ""
    if last is not None:
        where = f", listening on {last.listening}" if last.listening else ""
        polls = f", polling {', '.join(server.address for server in last.polls)}" if last.polls else ""
        began = f"; last start {last.time}, version {last.version or 'unknown'}{where}{polls}"
    return Evidence(f"log of {subject.name}, {log.path}", part + began)


def _base_facts(subject: Subject, log: LogFile) -> dict[str, object]:
    facts: dict[str, object] = {"log": log.path, "instance": subject.instance_name}
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    return facts | ({"service": service.name} if service is not None else {})


def _telling(group: list[Judged]) -> Judged:
    """The first of these, newest first; where that only sums an attempt up, the one just before it that does not."""
    newest, at = group[0], moment(group[0].record.time)
    if newest.signature not in TLS_UNSPECIFIC or at is None:
        return newest
    for judged in group[1:]:
        before = moment(judged.record.time)
        if before is not None and judged.signature not in TLS_UNSPECIFIC and timedelta() <= at - before <= _SUMMED_UP:
            return judged
    return newest


def _problem(subject: Subject, group: list[Judged]) -> Problem:
    """The last record of a group speaks for it, or the one of the same attempt that says why."""
    group = sorted(group, key=lambda judged: judged.record.number, reverse=True)
    newest = _telling(group)
    record, signature = newest.record, newest.signature
    own = newest.vantage is subject
    facts = _base_facts(newest.vantage if own else subject, newest.log) | {"signature": signature.id}
    if not own:
        facts["vantage"] = newest.vantage.name
    place = place_of(record)
    if place is not None:
        facts |= {"host": place.host, "port": place.port}
    facts |= {"command": "proxy" if signature.id == "web-proxy-settings" else "polling-proxy"}
    facts |= {_FACTS[key]: value for key, value in record.facts.items() if key in _FACTS}
    facts |= {"words": innermost(record), "endpoint": record.facts.get("endpoint")}
    count = sum(judged.record.count for judged in group)
    where = "its own log" if own else f"the log of {newest.vantage.name}"
    return Problem(
        signature.code or UNKNOWN_CAUSE,
        subject.name,
        expected=f"{where} holds no failure without a recovery after it",
        actual=f"{signature.meaning} ({count} times, last at {record.time}; {newest.verdict.reason})",
        evidence=tuple(judged.evidence for judged in sorted(group, key=lambda each: each is not newest)[:_EVIDENCE]),
        facts=facts,
    )
