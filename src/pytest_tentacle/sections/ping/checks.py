"""Guide, "Tentacle Ping": what many attempts at each link show, from the machine that the mode prescribes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.attempts import attempts_of
from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import Entry, entries_of, is_balanced, node_of, nodes_of, unnamed_web_socket
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import PingSeries
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.sections.connections.link_verdict import standing_in_the_way
from pytest_tentacle.survey.targets import listening_targets, polling_targets

from .series import SERIES_CODES, Pinged, all_lost, judge_series, summary

_UNPINGED = "Run again with --ping-count, and with a longer --machine-timeout if time ran out."


@check(
    codes=SERIES_CODES,
    reads=(
        *AWAY_READS,
        "instances",
        "services",
        "probes",
        "pings",
        "peer.instances",
        "peer.probes",
        "peer.peer_probes",
        "peer.peer_pings",
    ),
)
def every_attempt_goes_well(subject: Subject) -> Iterator[Finding]:
    """Every attempt at each link goes well, in good time, and meets the same certificate."""
    match subject.mode:
        case Mode.LISTENING:
            yield from _from_servers(subject)
        case Mode.POLLING:
            yield from _to_servers(subject)
        case None:
            yield Unknown(
                f"the mode of {subject.name} is not known", "Declare it in the inventory: mode: listening or polling."
            )


def _from_servers(subject: Subject) -> Iterator[Finding]:
    """A listening Tentacle: from each of its servers."""
    machine = subject.machine
    servers = nodes_of(subject)
    targets = () if isinstance(machine, OctopusServer) else listening_targets(machine, subject.fleet.surveys)
    if not servers:
        raise Unknown(f"no server is declared for {subject.name}", "Declare it in the inventory: servers: [<name>].")
    if not targets:
        raise Unknown(
            f"neither a DNS name nor an IP address of {subject.name} is declared", "Declare dns_name, ip, or both."
        )
    for server in servers:
        try:
            found = _find(_peer_pings(server), targets[0].host, targets[0].port)
        except Unknown as unknown:
            yield standing_in_the_way(subject) or unknown
            continue
        yield from _judge(subject, found, vantage=server.name, server=server.name, end=subject)


def _to_servers(subject: Subject) -> Iterator[Finding]:
    """A polling Tentacle: to each address of its settings, then to each declared node that none of them leads to."""
    subject.ledger.note({(subject.name, "pings")})
    series = subject.survey.pings
    try:
        own = subject.settings.polling_proxy
        entries, proxy = entries_of(subject.settings), None if own.use_default else own.host
    except (Unknown, Blocked):
        entries, proxy = (), None
    nodes = nodes_of(subject)
    if not entries and not nodes:
        raise Unknown(f"no server is known for {subject.name}", "Declare it in the inventory: servers: [<name>].")
    findings: list[Finding] = []
    reached: set[str] = set()
    for entry in entries:
        node = _node_of(entry, nodes, subject)
        reached |= {node.name} if node else set()
        if entry.is_web_socket:
            yield Unknown(
                f"{subject.name} polls {entry.address} over a web socket, which is not pinged",
                "Browse there from the Tentacle's machine: the portal's web server answers.",
            )
            continue
        found = _find(series, entry.host, entry.port)
        server = node.name if node else None
        findings += _judge(subject, found, vantage=subject.name, server=server, end=node)
    for node in () if unnamed_web_socket(entries, nodes) else nodes:
        targets = polling_targets(subject.name, node.machine) if isinstance(node.machine, OctopusServer) else ()
        if node.name in reached or any(is_balanced(entry, node, subject) for entry in entries):
            continue
        if targets:
            found = _find(series, targets[0].host, targets[0].port)
            findings += _judge(subject, found, vantage=subject.name, server=node.name, end=node)
    for finding in findings:
        if proxy and isinstance(finding, Problem):
            yield Unknown(
                f"{subject.name} polls through the proxy {proxy}; on the direct way, which it does not use: "
                f"{finding.actual}",
                "Check the proxy (guide, proxy servers).",
            )
        else:
            yield finding


def _node_of(entry: Entry, nodes: Iterable[Subject], subject: Subject) -> Subject | None:
    """The node that an address is declared for, else one whose certificate answers there."""
    return node_of(entry, subject, entries_of(subject.settings)) or next(
        (node for node in nodes if entry.leads_to(node, subject)), None
    )


def _peer_pings(server: Subject) -> tuple[PingSeries, ...]:
    """What a server pinged in round 2. Raises Unknown where it could not be logged on to, or round 2 gave nothing."""
    server.ledger.note({(server.name, "peer_pings")})
    survey, record = server.survey, server.record
    if survey and record and not record.peer_pings and record.peer_unknown:
        raise Unknown(f"{server.name} did not ping: {record.peer_unknown}", "Run again.")
    return record.peer_pings if record else ()


def _find(series: Iterable[PingSeries], host: str, port: int) -> PingSeries | None:
    """The series to a host and port, whoever asked for it: each is pinged once from a machine."""
    wanted = plain_host(host)
    return next((one for one in series if one.port == port and plain_host(one.host) == wanted), None)


def _judge(
    subject: Subject, series: PingSeries | None, *, vantage: str, server: str | None, end: Subject | None
) -> Iterator[Finding]:
    """A link's series; where no attempt went well, what else is known to be wrong comes first."""
    if series is None:
        yield standing_in_the_way(end) or Unknown(f"{vantage} did not ping the link of {subject.name}", _UNPINGED)
        return
    if series.unavailable or not series.sent:
        why = series.unavailable or "no attempt was made before the time ran out"
        yield standing_in_the_way(end) or Unknown(f"{vantage} could not ping {series.host}: {why}", _UNPINGED)
        return
    yield Evidence(f"ping from {vantage}", summary(series))
    if all_lost(series):
        standing = standing_in_the_way(end) or _failed_before(subject, vantage, server)
        if standing:
            yield standing
            return
        if not _went_well_before(subject, series):
            yield Unknown(
                f"all {series.sent} attempts of {vantage} failed, and no first look at {series.host}:{series.port} "
                f"tells why: {summary(series)}",
                "See the step of the welcome page across the link, or browse there by hand.",
            )
            return
    yield from judge_series(Pinged(subject.name, vantage, server, series))


def _went_well_before(subject: Subject, series: PingSeries) -> bool:
    """Whether the first look at the same host and port showed the page."""
    wanted = (plain_host(series.host), series.port)
    looks = (attempt for attempt in attempts_of(subject) if attempt.shows_page)
    return any((plain_host(look.probe.host), look.probe.port) == wanted for look in looks)


def _failed_before(subject: Subject, vantage: str, server: str | None) -> Blocked | None:
    """What the step of the welcome page says of the same link."""
    result = subject.result("welcome-page-across")
    for problem in result.problems:
        if problem.facts.get("vantage") == vantage and (
            server is None or problem.facts.get("server") in (None, server)
        ):
            return Blocked(problem.code, subject.name, problem.actual)
    if result.blocked_by:
        return Blocked(*result.blocked_by, result.reason)
    return None
