"""The records of logs that concern one machine, each with a verdict: its own log's, and those of its servers' logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from pytest_tentacle.hiding import shorten
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.entries import account_proxy, entries_of, own_addresses
from pytest_tentacle.judging.finding import Blocked, Evidence, Unknown
from pytest_tentacle.judging.reading import FACTS, kept
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.logs.columns import without_column
from pytest_tentacle.logs.model import LogFile, LogRecord
from pytest_tentacle.logs.signatures import Signature
from pytest_tentacle.survey.model import Host
from pytest_tentacle.survey.surroundings import Connection
from pytest_tentacle.survey.targets import names_of

from .index import ahead_of_ours, index_of, place_of, role_of, telling
from .recovery import Present, State, Verdict, judge
from .restarts import cut_off_by_a_restart
from .server import Names, at_server, names

LOGS_ADVICE = "Survey with an account that may read the folder Logs of Octopus Home, or read the log by hand."


MACHINE_READS = ("logs", "host", "instances", "services", "connections", "probes", "proxies")
OWN_READS = (*MACHINE_READS, "peer.host", "peer.instances", "peer.probes")
"""What `own_records` reads."""
SERVER_READS = ("logs", "host", "instances", "services", "probes", "peer.host", "peer.logs", "peer.instances")
"""What `server_records` reads."""

_SHOWN = 800
_WORDS = 200
_CAUSES = re.compile(r"---> ?(?P<net>[^\r\n]{1,300}?)(?= --->|[\r\n]|$)|--Inner Exception--\s+(?P<ours>[^\r\n]{1,300})")
"""Where .NET and Tentacle name an inner exception."""
_UNHANDLED = re.compile(r"\AUnhandled \w+ exception occurred: ")
_HEADING = 130
"""Characters of a message that leave room for what caused it."""
_OF_ITS_OWN_KEY = "key-too-small"
"""A listener says it of its own certificate, whoever came."""
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True)
class Judged:
    """A record that leads to a problem, and whether it still holds.

    Attributes:
        vantage: the machine in whose log it stands.
    """

    record: LogRecord
    signature: Signature
    log: LogFile
    vantage: Subject
    verdict: Verdict

    @property
    def evidence(self) -> Evidence:
        """The record as evidence, cut."""
        return evidence_of(self.record, self.log, self.vantage)


def evidence_of(record: LogRecord, log: LogFile, vantage: Subject) -> Evidence:
    """A record as evidence: when, how often, and its text, cut to 800 characters."""
    often = f" ({record.count} times since {record.first_time})" if record.count > 1 else ""
    text = record.text if len(record.text) <= _SHOWN else record.text[: _SHOWN - 3] + "..."
    return Evidence(f"log of {vantage.name}, {log.path}", f"{record.time} {record.level}{often}: {text}")


def words_of(record: LogRecord) -> str:
    """What a record says, in at most 200 characters: its message, and the first line of the exception below it."""
    lines = [line.strip() for line in without_column(record.text).splitlines()]
    telling = [line for line in lines if line and not line.startswith(("at ", "bei ", "à ", "場所 ", "---"))]
    text = " ".join(telling[:2]) or "nothing"
    return text if len(text) <= _WORDS else text[: _WORDS - 3] + "..."


def innermost(record: LogRecord) -> str:
    """What a record says, in at most 200 characters, with the innermost exception's message where it holds several.

    The system's own words stand innermost, and name neither address nor file: the message above them goes before.
    """
    said = words_of(record)
    text = without_column(record.text)
    causes = [found["net"] or found["ours"] for found in _CAUSES.finditer(text)]
    inner = causes[-1].strip(" -") if causes else ""
    if not inner or inner in said:
        return said
    message = next((line.strip() for line in text.splitlines() if line.strip()), "")
    heading = _UNHANDLED.sub("", message).partition(" --->")[0].partition(" --Inner")[0]
    return shorten(f"{heading}: {inner}" if len(heading) < _HEADING else inner, _WORDS, "...")


def logs_of(subject: Subject) -> tuple[LogFile, ...]:
    """The logs of its own instance that could be read. Raises Unknown where there is none."""
    own = [
        log
        for log in subject.read(FACTS.logs)
        if log.account is None
        and log.product == subject.product
        and log.instance.lower() == subject.instance_name.lower()
    ]
    opened = tuple(log for log in own if log.error is None)
    readable = tuple(log for log in opened if not _is_foreign(log))
    if readable:
        return readable
    if opened:
        raise Unknown(
            f"no line of {opened[0].path} on {subject.name} begins as its product writes it: its layout was changed",
            "Read the log by hand, or give it the layout back that its .nlog file had when it was installed.",
        )
    if not own:
        raise Unknown(f"no log of instance {subject.instance_name} on {subject.name} was found", LOGS_ADVICE)
    raise Unknown(f"{own[0].path} on {subject.name} could not be read: {own[0].error}", LOGS_ADVICE)


def _is_foreign(log: LogFile) -> bool:
    """Whether it has text and no line that begins a record: whoever reads it learns nothing, good or bad."""
    return log.read > 0 and log.last_time is None


def own_records(subject: Subject) -> Iterator[Judged]:
    """What its own log says of itself and of its links. A server's links are judged at their Tentacles."""
    for log in logs_of(subject):
        present = present_of(subject)
        for record, signature in telling(log):
            if not subject.is_tentacle and role_of(signature, record) != "host":
                continue
            verdict = judge(record, signature, log, present)
            if verdict.state is State.CURRENT and _of_a_stranger(record, signature, subject):
                verdict = Verdict(State.HISTORY, "it comes from none of its servers", is_failure=False)
            elif verdict.state is State.CURRENT and _of_another_server(record, signature, subject):
                verdict = Verdict(State.HISTORY, "it is about a server that the inventory does not have")
            verdict = cut_off_by_a_restart(record, signature, log, subject, (subject, *subject.peers)) or verdict
            yield Judged(record, signature, log, subject, verdict)


def server_records(subject: Subject, server: Subject) -> Iterator[Judged]:
    """What a server's log says of this Tentacle. Raises Unknown where that log could not be read."""
    known = names_for(subject)
    try:
        own_logs = logs_of(subject)
    except Unknown:
        own_logs = ()
    ahead = _ahead_of(subject, server)
    for log in logs_of(server):
        for record, signature in index_of(log).about(known.all):
            if names(record, signature, known):
                verdict = at_server(record, signature, log, known, own_logs, ahead=ahead)
                verdict = cut_off_by_a_restart(record, signature, log, server, (subject, server)) or verdict
                yield Judged(record, signature, log, server, verdict)


def present_of(subject: Subject) -> Present:
    """What is known of the machine at the moment of the survey; what cannot be read stays unknown."""
    return kept(subject, "present", lambda: _present(subject))


def _present(subject: Subject) -> Present:
    host = host_of(subject)
    clock = host.clock_utc if host else None
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    running = service is not None and service.state == "running"
    started = service.started_utc if service is not None and running else None
    return Present(
        clock=clock,
        pid=service.pid if service is not None and running else None,
        is_down=service is not None and service.state in {"stopped", "failed"},
        uptime=clock - started if clock is not None and started is not None else None,
        connections=_connections(subject),
        direct=not _has_proxy(subject),
        polls=_may_poll(subject),
        answers=_answers(subject),
        addresses=_resolved(subject),
    )


def names_for(subject: Subject) -> Names:
    """All that a server's log may call a Tentacle."""
    return kept(subject, "names in logs", lambda: _names_for(subject))


def _names_for(subject: Subject) -> Names:
    host = host_of(subject)
    hosts = {plain_host(name) for name, _ in names_of(subject.machine)}
    addresses = {address for address in map(plain_address, hosts) if address}
    if host is not None:
        hosts |= {plain_host(name) for name in (host.hostname, host.fqdn, *_in_its_log(subject)) if name}
        addresses |= {address for address in map(plain_address, host.addresses) if address}
    thumbprints = {as_thumbprint(subject.configured_thumbprint), as_thumbprint(subject.expected_thumbprint)}
    try:
        settings = subject.settings
        subscriptions = {entry.subscription_id for entry in settings.trusted if entry.subscription_id}
        port = None if settings.no_listen else settings.port
    except (Unknown, Blocked):
        subscriptions, port = set(), getattr(subject.machine, "port", None)
    return Names(
        hosts=frozenset(hosts | addresses),
        addresses=frozenset(addresses - _LOOPBACK),
        port=port,
        thumbprints=frozenset(thumbprint for thumbprint in thumbprints if thumbprint),
        subscriptions=frozenset(subscription.rstrip("/").lower() for subscription in subscriptions),
        shared=_shares_its_host(subject),
    )


def _in_its_log(subject: Subject) -> set[str]:
    """What it calls its machine when it starts: in a container the container's own name, which it registers by."""
    try:
        started = [log.startup for log in logs_of(subject) if log.startup is not None]
    except Unknown:
        return set()
    return {startup.environment.get("MachineName", "") for startup in started}


def host_of(subject: Subject) -> Host | None:
    """Its host; None where it is not known."""
    try:
        return subject.read(FACTS.host)
    except Unknown:
        return None


def server_addresses(subject: Subject) -> frozenset[str]:
    """The addresses that its servers are known to have: declared, resolved by its own probes, or their hosts' own."""
    found: set[str] = set()
    hosts: set[str] = set()
    for peer in subject.peers:
        hosts |= {plain_host(name) for name, _ in names_of(peer.machine)}
        host = host_of(peer)
        if host is not None:
            found |= {plain_address(address) or address for address in host.addresses}
    found |= {address for address in map(plain_address, hosts) if address}
    for name, addresses in _resolved(subject).items():
        if name in hosts:
            found |= addresses
    return frozenset(found - _LOOPBACK)


def _of_a_stranger(record: LogRecord, signature: Signature, subject: Subject) -> bool:
    """A listener's words about somebody who is none of its servers, as far as their addresses are known."""
    peer = record.facts.get("peer")
    if peer is None or role_of(signature, record) != "listener" or signature.id == _OF_ITS_OWN_KEY:
        return False
    thumbprint = as_thumbprint(record.facts.get("thumbprint"))
    if thumbprint is not None and thumbprint in {as_thumbprint(server.expected_thumbprint) for server in subject.peers}:
        return False
    known = server_addresses(subject)
    return bool(known) and (plain_address(peer.rpartition(":")[0]) or "") not in known


def _of_another_server(record: LogRecord, signature: Signature, subject: Subject) -> bool:
    """About an address that it polls besides those of its declared servers, each of which is known to have its own."""
    place = place_of(record)
    if place is None or not subject.is_tentacle or role_of(signature, record) != "client" or not subject.peers:
        return False
    try:
        entries = entries_of(subject.settings)
        own = [own_addresses(subject, node) for node in subject.peers]
    except (Unknown, Blocked):
        return False
    there = [entry for entry in entries if (plain_host(entry.host), entry.port) == (place.host, place.port)]
    declared = {address for addresses in own for address in addresses}
    return all(own) and bool(there) and all(entry.address not in declared for entry in there)


def _ahead_of(subject: Subject, server: Subject) -> timedelta | None:
    """By how much its clock is ahead of the server's; None where either is not known."""
    own, other = ahead_of_ours(subject), ahead_of_ours(server)
    return own - other if own is not None and other is not None else None


def _connections(subject: Subject) -> tuple[Connection, ...] | None:
    try:
        return subject.read(FACTS.connections)
    except Unknown:
        return None


def _may_poll(subject: Subject) -> bool:
    """Whether it polls a server, as far as its settings and its declared mode tell."""
    if not subject.is_tentacle:
        return False
    try:
        return any(entry.polls for entry in subject.settings.trusted)
    except (Unknown, Blocked):
        return subject.mode is not Mode.LISTENING


def _answers(subject: Subject) -> bool | None:
    """Whether its own port showed it its page; None where it was not asked."""
    if subject.presented_here is not None:
        return True
    try:
        return None if subject.local_probe is None and not _listens_nowhere(subject) else False
    except Unknown:
        return None


def _listens_nowhere(subject: Subject) -> bool:
    if not subject.is_tentacle:
        return False
    try:
        return subject.settings.no_listen
    except (Unknown, Blocked):
        return subject.mode is Mode.POLLING


def _has_proxy(subject: Subject) -> bool:
    if not subject.is_tentacle:
        return False
    try:
        return subject.settings.polling_proxy.host is not None or account_proxy(subject) is not None
    except (Unknown, Blocked):
        return False


def _resolved(subject: Subject) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    try:
        probes = subject.own_probes()
    except Unknown:
        return {}
    for probe in probes:
        addresses = probe.resolve.addresses if probe.resolve else (probe.host,)
        plain = {address for address in map(plain_address, addresses) if address}
        if plain:
            found.setdefault(plain_host(probe.host), set()).update(plain)
    return {host: frozenset(addresses) for host, addresses in found.items()}


def _shares_its_host(subject: Subject) -> bool:
    record = subject.record
    return record is not None and sum(name in subject.fleet.machines for name in record.machines) > 1
