"""Guide, "Check the Connections": what the processes of both ends really hold open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.entries import Entry, account_proxy, entries_of, node_of
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import polled_links
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.survey.model import Service, ServiceState
from pytest_tentacle.survey.surroundings import Connection

from .link_verdict import is_well, standing_in_the_way
from .relayed import LOG_READS, accounts_proxy, connected_by_its_log

PILE = 10
"""As many half-closed connections of one address are no coincidence."""

MANY = 100
"""A server keeps a few connections to a Tentacle in its pool; those that leak are hundreds (Issues#5834)."""

MANY_AT_A_SERVER = 2_000
"""Whole sites of polling Tentacles may come from one address (NAT)."""

_SETTLED = timedelta(minutes=2)
"""A polling Tentacle tries again after two minutes at the latest (tentacle-facts 1.7)."""


@check(
    codes=("TT551", "TT553"),
    reads=(
        *AWAY_READS,
        *LOG_READS,
        "connections",
        "instances",
        "services",
        "host",
        "probes",
        "proxies",
        "peer.host",
        "peer.instances",
        "peer.probes",
        "peer.services",
    ),
)
def polled_servers_are_connected(subject: Subject) -> Iterator[Finding]:
    """The Tentacle's process holds a connection to each server that it polls, where the server can be reached."""
    if not subject.is_tentacle or subject.mode is not Mode.POLLING:
        return
    settings = subject.settings
    service = subject.service
    if service is None or service.state is not ServiceState.RUNNING:
        yield Evidence(f"services of {subject.name}", "the service does not run, so it polls no server")
        return
    if settings.polling_proxy.host and not settings.polling_proxy.use_default:
        yield Evidence(
            subject.instance.configuration.path, f"polls through the proxy {settings.polling_proxy.host}: not checked"
        )
        return
    connections = _ByServer(subject)
    for entry in entries_of(settings):
        proxy = accounts_proxy(subject, entry)
        if proxy is not None:
            yield Evidence(f"log of {subject.name}", f"polls {entry.address} through the proxy {proxy}: not checked")
        elif entry.is_web_socket:
            yield Evidence(subject.instance.configuration.path, f"{entry.address} is a web socket: not checked")
        else:
            try:
                yield from _judge_entry(subject, service, entry, connections)
            except (Unknown, Blocked) as reason:  # the others can be looked at all the same
                yield reason


@check(codes=("TT552",), reads=("connections", "instances", "services"))
def half_closed_connections_do_not_pile_up(subject: Subject) -> Iterator[Finding]:
    """Connections that the other end closed are closed here as well."""
    rows = _own_rows(subject)
    piles = Counter(
        plain_address(row.remote_address) or row.remote_address for row in rows if row.state == "close-wait"
    )
    alive = Counter(
        plain_address(row.remote_address) or row.remote_address for row in rows if row.state == "established"
    )
    first: dict[str, Connection] = {}
    for row in rows:
        if row.state == "close-wait":
            first.setdefault(plain_address(row.remote_address) or row.remote_address, row)
    yield Evidence(
        f"connections of {subject.name}", f"{sum(alive.values())} established, {sum(piles.values())} half-closed"
    )
    for address, count in sorted(piles.items()):
        if count < PILE or count <= alive[address]:
            continue
        row = first[address]
        yield Problem(
            "TT552",
            subject.name,
            expected="connections that the other end closed are closed here as well",
            actual=f"{count} connections of {address} are in CLOSE_WAIT, {alive[address]} established",
            evidence=(Evidence(f"connections of {subject.name}", f"{count} in CLOSE_WAIT, such as {_line(row)}"),),
            facts={
                "address": address,
                "count": count,
                "port": _own_port(subject, row),
                "instance": subject.instance_name,
            },
        )


@check(codes=("TT554",), reads=("connections", "instances", "services"))
def no_address_holds_too_many_connections(subject: Subject) -> Iterator[Finding]:
    """No address holds more connections to its port than a server, or a Tentacle, has use for."""
    if subject.is_tentacle and subject.mode is Mode.POLLING:
        return
    most = MANY if subject.is_tentacle else MANY_AT_A_SERVER
    standing = Counter(
        plain_address(row.remote_address) or row.remote_address
        for row in _own_rows(subject)
        if row.state == "established"
    )
    for address, count in sorted(standing.items()):
        if count <= most:
            continue
        yield Problem(
            "TT554",
            subject.name,
            expected=f"at most {most} connections of one address stand on port {subject.expected_port}",
            actual=f"{count} connections of {address} stand",
            evidence=(Evidence(f"connections of {subject.name}", f"{count} of {address} are established"),),
            facts={
                "address": address,
                "count": count,
                "port": subject.expected_port,
                "instance": subject.instance_name,
            },
        )


def _judge_entry(subject: Subject, service: Service, entry: Entry, connections: _ByServer) -> Iterator[Finding]:
    rows = connections.to(entry)
    others = _other_services(subject, service)
    mine = [row for row in rows if row.pid not in others]
    established = [row for row in mine if row.state == "established"]
    trying = [row for row in mine if row.state == "syn-sent" and row.pid == service.pid]
    wanted = subject.settings.polling_connection_count
    source = f"connections of {subject.name}"
    if established:
        of = f" of {wanted}" if wanted else ""
        yield Evidence(source, f"{len(established)}{of} connections to {entry.host}:{entry.port} are established")
        return
    elsewhere = _at_another_address(service, entry, connections)
    if elsewhere is not None:
        there = f"{elsewhere.remote_address}:{elsewhere.remote_port}"
        yield connected_by_its_log(subject, entry, elsewhere.remote_address) or Unknown(
            f"{service.name} on {subject.name} is connected to {there}, which {entry.host} does not lead to now",
            "See whether that address is the server's or its balancer's; if it is of old, restart the service.",
        )
        return
    _require_reachable(subject, entry)
    _require_settled(subject, service)
    _require_no_proxy(subject)
    node = node_of(entry, subject, entries_of(subject.settings))
    _require_settled_server(node)
    seen = f"none is established; {len(rows)} in other states or of other processes"
    yield Problem(
        "TT553" if trying else "TT551",
        subject.name,
        expected=f"{service.name} holds a connection to {entry.host}:{entry.port}",
        actual="it gets no answer to its own attempts, and a probe does" if trying else "it holds none",
        evidence=(
            Evidence(source, "; ".join(map(_line, trying)) or seen),
            Evidence(f"probe from {subject.name}", f"https://{entry.host}:{entry.port} shows the server's page"),
        ),
        facts={
            "host": entry.host,
            "port": entry.port,
            "server": node.name if node else None,
            "service": service.name,
            "pid": service.pid,
            "executable": service.executable,
            "instance": subject.instance_name,
        },
    )


def _require_reachable(subject: Subject, entry: Entry) -> None:
    """Raises Blocked where the step of the welcome page across the link, or the server, says why there is nobody.

    Raises Unknown where neither does, and where the server was not seen to answer.
    """
    link = next(link for link in polled_links(subject) if link.entry == entry)
    if link.entry_probe is not None and is_well(link, link.entry_probe):
        return
    for problem in subject.problems_of("welcome-page-across"):
        if problem.facts.get("host") == entry.host and problem.facts.get("port") == entry.port:
            raise Blocked(problem.code, subject.name, f"{entry.host}:{entry.port} cannot be reached")
    raise standing_in_the_way(link.server) or Unknown(
        f"no connection to {entry.host}:{entry.port} is established, and whether it can be reached was not seen",
        "See the step of the welcome page across the link.",
    )


class _ByServer:
    """A machine's connections, found by whom they lead to: sorted once, however many servers it polls."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.rows: tuple[Connection, ...] = subject.read(FACTS.connections)
        self._by_port: dict[int, dict[str | None, list[tuple[int, Connection]]]] = {}
        for number, row in enumerate(self.rows):
            there = self._by_port.setdefault(row.remote_port, {})
            there.setdefault(plain_address(row.remote_address), []).append((number, row))

    @cached_property
    def known(self) -> frozenset[Connection]:
        """Those that lead to any server of the settings."""
        return frozenset(row for entry in entries_of(self._subject.settings) for row in self.to(entry))

    def to(self, entry: Entry) -> tuple[Connection, ...]:
        """Those to an entry's server. Where one name stands for several addresses, each of them counts."""
        probe = entry.probe(self._subject)
        known = {plain_address(entry.host)}
        if probe is not None:
            known |= {plain_address(address) for address in (probe.resolve.addresses if probe.resolve else ())}
            known.add(plain_address(probe.connect.address or "") if probe.connect else None)
        addresses = {address for address in known if address}
        declared = {plain_address(node.machine.ip or "") for node in self._subject.peers if entry.names(node)}
        addresses |= {address for address in declared if address}
        there = self._by_port.get(entry.port, {})
        found = [pair for address in (addresses or there) for pair in there.get(address, ())]
        return tuple(row for _, row in sorted(found, key=lambda pair: pair[0]))


def _at_another_address(service: Service, entry: Entry, connections: _ByServer) -> Connection | None:
    """A connection of its process to that port at an address that is none of its servers' by what their names say now.

    A name behind which a balancer or a DNS server takes turns led there when the connection was made; or the process
    still works by older settings.
    """
    for row in connections.rows:
        mine = row.pid == service.pid and row.state == "established" and row.remote_port == entry.port
        if mine and row not in connections.known:
            return row
    return None


def _other_services(subject: Subject, service: Service) -> frozenset[int]:
    """The processes of the host's other services of Octopus: what they hold is not this one's."""
    pids = (other.pid for other in subject.read(FACTS.services) if other.name != service.name)
    return frozenset(pid for pid in pids if pid is not None)


def _require_settled(subject: Subject, service: Service) -> None:
    """Raises Unknown where the service may not yet have come as far as to connect."""
    clock = subject.read(FACTS.host).clock_utc
    if clock is None or service.started_utc is None:
        raise Unknown(f"since when {service.name} on {subject.name} runs is not known", "Run again in two minutes.")
    if clock - service.started_utc < _SETTLED:
        raise Unknown(f"{service.name} on {subject.name} was just started", "Run again in two minutes.")


def _require_settled_server(node: Subject | None) -> None:
    """Raises Unknown where the server was started so lately that its pollers need not have come back yet."""
    if node is None or (service := node.known_service) is None:
        return
    clock = node.read(FACTS.host).clock_utc
    if clock is not None and service.started_utc is not None and clock - service.started_utc < _SETTLED:
        raise Unknown(f"{service.name} on {node.name} was just started", "Run again in two minutes.")


def _require_no_proxy(subject: Subject) -> None:
    """Raises Unknown where it may poll through the proxy of its account."""
    proxy = account_proxy(subject)
    if proxy is not None:
        raise Unknown(
            f"{subject.name} may poll through the proxy {proxy.address or proxy.pac}, whose connections are not seen",
            "See the proxy settings of the service's account (guide, proxy servers).",
        )


def _own_rows(subject: Subject) -> tuple[Connection, ...]:
    """The connections of its own port; of a polling Tentacle, those of its process."""
    if subject.is_tentacle and subject.mode is Mode.POLLING:
        service = subject.service
        pid = service.pid if service else None
        ports = {entry.port for entry in entries_of(subject.settings)}
        return tuple(
            row for row in subject.read(FACTS.connections) if row.remote_port in ports and row.pid in (pid, None)
        )
    port = subject.expected_port
    return tuple(row for row in subject.read(FACTS.connections) if row.local_port == port)


def _own_port(subject: Subject, row: Connection) -> int:
    return row.remote_port if subject.is_tentacle and subject.mode is Mode.POLLING else row.local_port


def _line(row: Connection) -> str:
    return (
        f"{row.local_address}:{row.local_port} to {row.remote_address}:{row.remote_port}, {row.state}, "
        f"pid {row.pid or 'not shown'}"
    )
