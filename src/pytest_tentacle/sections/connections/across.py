"""Guide, "Check the Connections": the welcome page across the link, by DNS name, then by IP address."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.away import AWAY_READS, mode_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import nodes_of
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import By
from pytest_tentacle.survey.targets import names_of

from .link_verdict import VERDICT_CODES, Link, judge_link, standing_in_the_way
from .polled import links_to_polled_servers
from .probe_verdict import describe
from .relayed import RELAY_READS, declared_way, relayed


@check(
    codes=VERDICT_CODES,
    reads=(
        "host",
        "instances",
        "services",
        "probes",
        "peer.host",
        "peer.instances",
        "peer.services",
        "peer.probes",
        "peer.peer_probes",
        "controller.probes",
        *AWAY_READS,
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
            yield _mode_unknown(subject)


def _links_from_servers(subject: Subject) -> Iterator[Finding]:
    """From each of its Octopus Servers, https://<dns name or ip>:<port> shows the Tentacle's page."""
    servers = nodes_of(subject)
    if not servers:
        raise Unknown(f"no server is declared for {subject.name}", "Declare it in the inventory: servers: [<name>].")
    if not names_of(subject.machine):
        raise Unknown(
            f"neither a DNS name nor an IP address of {subject.name} is declared", "Declare dns_name, ip, or both."
        )
    for server in servers:
        try:
            by_name = server.peer_probe(subject.name, By.NAME)
            by_address = server.peer_probe(subject.name, By.ADDRESS)
        except Unknown as unknown:
            yield standing_in_the_way(subject) or _with_our_own_look(subject, server, unknown)
            continue
        link = Link(
            machine=subject.name,
            vantage=server.name,
            end=subject,
            product="tentacle",
            thumbprint=as_thumbprint(subject.expected_thumbprint),
            by_name=by_name,
            by_address=by_address,
            declared_ip=subject.machine.ip,
        )
        yield from _perhaps_relayed(subject, server, tuple(judge_link(link)))


def _perhaps_relayed(subject: Subject, server: Subject, findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """What the direct look found; where it failed, and the server comes another way, that way's proof instead."""
    failed = next((finding for finding in findings if isinstance(finding, Problem)), None)
    if failed is None:
        yield from findings
        return
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


def _mode_unknown(subject: Subject) -> Unknown:
    try:
        subject.settings  # noqa: B018  raises the reason
    except Unknown as unknown:
        return Unknown(f"the mode of {subject.name} is not known: {unknown.reason}", unknown.advice)
    except Blocked:
        pass
    return Unknown(
        f"the mode of {subject.name} is not known", "Declare it in the inventory: mode: listening or polling."
    )


def _with_our_own_look(subject: Subject, server: Subject, unknown: Unknown) -> Unknown:
    """What this machine sees is evidence, and no verdict: it is not the server."""
    subject.ledger.note({("controller", "probes")})
    probes = subject.fleet.surveys.controller_probes.get(subject.name, ())
    seen = "; ".join(describe(probe) for probe in probes)
    from_here = f". Seen from the machine that runs pytest, which is not the server: {seen}" if seen else ""
    return Unknown(f"{server.name} could not look: {unknown.reason}{from_here}", unknown.advice)
