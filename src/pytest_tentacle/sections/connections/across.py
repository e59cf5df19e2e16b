"""Guide, "Check the Connections": the welcome page across the link, by DNS name, then by IP address."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.away import AWAY_READS, mode_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.links import (
    Link,
    links_from_servers,
    mode_not_known,
    no_address_declared,
    no_server_declared,
)
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.targets import names_of

from .link_verdict import VERDICT_CODES, judge_link, standing_in_the_way
from .linux_filter import WAY_READS
from .octopus import discovered
from .polled import links_to_polled_servers
from .probe_verdict import describe
from .relayed import LOG_READS, RELAY_READS, declared_way, relayed


@check(
    codes=(*VERDICT_CODES, "TT534", "TT537"),
    reads=(
        "instances",
        "services",
        "probes",
        "peer.instances",
        "peer.services",
        "peer.probes",
        "peer.peer_probes",
        "peer.reservations",
        "listeners",
        "peer.listeners",
        "firewall",
        "peer.firewall",
        *WAY_READS,
        "controller.probes",
        "proxy_connects",
        *AWAY_READS,
        *LOG_READS,
        *RELAY_READS,
    ),
)
def page_is_shown_by_name_or_else_by_address(subject: Subject) -> Iterator[Finding]:
    """The page is shown across the link that the mode prescribes, by DNS name, or else by IP address."""
    match mode_of(subject):
        case Mode.LISTENING:
            yield from _links_from_servers(subject)
        case Mode.POLLING:
            yield from links_to_polled_servers(subject)
        case None:
            yield mode_not_known(subject)


def _links_from_servers(subject: Subject) -> Iterator[Finding]:
    """From each of its Octopus Servers, https://<dns name or ip>:<port> shows the Tentacle's page."""
    links = links_from_servers(subject)
    if not links:
        raise no_server_declared(subject)
    if not names_of(subject.machine):
        raise no_address_declared(subject)
    for link in links:
        try:
            ways = link.ways
        except Unknown as unknown:
            yield standing_in_the_way(subject) or discovered(link) or _with_our_own_look(link, unknown)
            continue
        for way in ways:
            yield from _perhaps_relayed(link, tuple(judge_link(link, way)))


def _perhaps_relayed(link: Link, findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """What the direct look found; where it failed, and the server comes another way, that way's proof instead."""
    failed = next((finding for finding in findings if isinstance(finding, Problem)), None)
    if failed is None:
        yield from findings
        return
    subject, server = link.tentacle, link.vantage
    proof, proxy = relayed(subject, server), declared_way(subject)
    if proof is not None:
        yield proof
        yield Evidence(f"probe from {server.name}", f"the direct way, which it does not go, fails: {failed.actual}")
    elif proxy is not None:
        yield Unknown(
            f"{server.name} reaches {subject.name} through the proxy {proxy}, where we cannot look, and the log of "
            f"{subject.name} does not say that it was let in within a day",
            "Run a health check in the portal, then run again.",
        )
    else:
        yield from findings


def _with_our_own_look(link: Link, unknown: Unknown) -> Unknown:
    """What this machine sees is evidence, and no verdict: it is not the server."""
    seen = "; ".join(describe(probe) for probe in link.tentacle.seen_from_here())
    outside = link.tentacle.fleet.surveys.outside_of(link.tentacle.machine)
    from_here = f". Seen from {outside}, which is not the server: {seen}" if seen else ""
    return Unknown(f"{link.vantage.name} could not look: {unknown.reason}{from_here}", unknown.advice)
