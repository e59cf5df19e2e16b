"""Guide, "Tentacle Ping": what many attempts at each link show, from the machine that the mode prescribes."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.attempts import attempts_of
from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Unknown
from pytest_tentacle.judging.links import (
    Link,
    links_from_servers,
    mode_not_known,
    no_address_declared,
    no_server_declared,
    on_its_way,
    polled_links,
)
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import PingSeries
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.sections.connections.link_verdict import standing_in_the_way

from .series import SERIES_CODES, Pinged, all_lost, judge_series, late_refusals, summary

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
            yield mode_not_known(subject)


def _from_servers(subject: Subject) -> Iterator[Finding]:
    """A listening Tentacle: from each of its servers."""
    links = links_from_servers(subject)
    if not links:
        raise no_server_declared(subject)
    if not links[0].targets:
        raise no_address_declared(subject)
    for link in links:
        try:
            series = link.series
        except Unknown as unknown:
            yield standing_in_the_way(subject) or unknown
            continue
        yield from _judge(link, series)


def _to_servers(subject: Subject) -> Iterator[Finding]:
    """A polling Tentacle: to each address of its settings, then to each declared node that none of them leads to."""
    links = polled_links(subject)
    if not links:
        raise no_server_declared(subject)
    for link in links:
        if link.entry and link.is_web_socket:
            yield Unknown(
                f"{subject.name} polls {link.entry.address} over a web socket, which is not pinged",
                "Browse there from the Tentacle's machine: the portal's web server answers.",
            )
        elif link.endpoints:
            yield from on_its_way(link, _judge(link, link.series))


def _judge(link: Link, series: PingSeries | None) -> Iterator[Finding]:
    """A link's series; where no attempt went well, what else is known to be wrong comes first."""
    subject, vantage, server, end = link.tentacle, link.vantage.name, link.server_name, link.end
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
            if late := late_refusals(series):
                yield Unknown(
                    f"from {vantage} to {series.host}:{series.port}, {late}: whether the way is slow, or whoever "
                    "refuses may say so but once a second (a firewall, by ICMP), cannot be told",
                    f"Run again with --ping-count once {standing.code} is mended.",
                )
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
