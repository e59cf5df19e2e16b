"""Guide, "Check the Connections": the server's own look at a machine, and how long Octopus waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.attempts import Attempt, attempts_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.links import Link
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Failure, Probe, Stage
from pytest_tentacle.octopus.model import Discovery, Policy, Portal, Registration
from pytest_tentacle.sections.identify.records import present_of
from pytest_tentacle.sections.identify.recovery import polling_link_stands
from pytest_tentacle.sections.portal import policy_of, portal_of, registrations_of, seen_of, words_of_portal

from .probe_verdict import describe
from .ways import connecting_ms

IMPATIENT = "TT536"


@check(codes=(), reads=())
def octopus_way_to_the_machine_is_told(subject: Subject) -> Iterator[Finding]:
    """How Octopus goes to the machine, how long it waits, and what its own look met (`--discover`)."""
    portal = portal_of(subject)
    if portal is None:
        return
    registrations = registrations_of(subject)
    for registration in registrations:
        source = f"Octopus, {registration.space}, {registration.link}"
        yield Evidence(source, _way(registration))
        policy = policy_of(portal, registration)
        if policy is not None and (waits := _waits(policy, registration)):
            yield Evidence(f"Octopus, {registration.space}, machine policy {policy.name}", waits)
        seen = seen_of(subject, registration)
        if seen is not None and seen.discovered is not None:
            yield Evidence(f"{source}, discover", told_of(seen.discovered, registration))
    if len(subject.peers) > 1 and any(each.mode == "polling" for each in registrations):
        yield Evidence(words_of_portal(subject), _queue(portal))


@check(
    codes=(IMPATIENT,), reads=("instances", "services", "probes", "peer.peer_probes", "connections", "host", "proxies")
)
def octopus_waits_long_enough(subject: Subject) -> Iterator[Finding]:
    """Octopus does not give up, by its machine policy, before a connection has come about.

    `ConnectionConnectTimeout` bounds TCP and TLS to a listening machine; `PollingRequestQueueTimeout` how long a
    request waits for a polling one, which matters while no connection of it stands (octopus-rest 5).
    """
    portal = portal_of(subject)
    if portal is None or not subject.is_tentacle or (stands := _stands(subject)):
        return
    for registration in registrations_of(subject):
        policy = policy_of(portal, registration)
        limit = _limit(policy, registration) if policy else None
        if policy is None or not limit:
            continue
        source = f"Octopus, {registration.space}, machine policy {policy.name}"
        by_vantage: dict[tuple[str, str | None], list[Attempt]] = {}
        for attempt in attempts_of(subject):
            if attempt.link.proxy is None:
                by_vantage.setdefault((attempt.vantage, attempt.server), []).append(attempt)
        for (vantage, server), looks in by_vantage.items():
            times = [(ms, look) for look in looks if (ms := _secured_ms(look.probe)) is not None]
            quickest, look = min(times, key=lambda pair: pair[0], default=(0.0, looks[0]))
            if quickest >= limit * 1000:
                found = Problem(
                    IMPATIENT,
                    subject.name,
                    expected=f"Octopus waits longer than a connection to {look.probe.host}:{look.probe.port} takes",
                    actual=f"it waits {limit:g} s, and the connection takes {quickest / 1000:.1f} s from {vantage}",
                    evidence=(
                        Evidence(source, _waits(policy, registration)),
                        Evidence(f"probe from {vantage}", describe(look.probe)),
                    ),
                    facts={
                        "vantage": vantage,
                        "server": server,
                        "host": look.probe.host,
                        "port": look.probe.port,
                        "policy": policy.name,
                        "limit": f"{limit:g}",
                        "took": f"{quickest / 1000:.1f}",
                    },
                )
                yield found if stands is False else _unseen(found)
            elif not times and (short := _gave_up_sooner(looks, limit)) is not None:
                waits = f"Octopus itself waits {limit:g} s: --probe-timeout {limit:g} does, too"
                yield Evidence(f"probe from {vantage}", f"it gave up after {short:.0f} s; {waits}")


def _stands(subject: Subject) -> bool | None:
    return polling_link_stands(present_of(subject)) if subject.mode is Mode.POLLING else False


def _unseen(found: Problem) -> Unknown:
    return Unknown(
        f"{found.actual}: whether one stands, so that nothing waits for it, could not be seen",
        "Survey with an account that may see whose the connections are.",
    )


def _limit(policy: Policy, registration: Registration) -> float | None:
    """Seconds."""
    return policy.queue_seconds if registration.mode == "polling" else policy.connect_seconds


def _secured_ms(probe: Probe) -> float | None:
    """Until TLS stood; None where it never did, or nobody knows how late the looking machine itself was."""
    connecting = connecting_ms(probe)
    tls = probe.tls
    if connecting is None or tls is None or tls.error is not None or tls.ms is None:
        return None
    return connecting + tls.ms


def _gave_up_sooner(looks: list[Attempt], limit: float) -> float | None:
    """After how many seconds a look ended that timed out, where that is sooner than Octopus would."""
    for look in looks:
        failed = look.probe.failed
        if failed is None or failed[0] not in {Stage.CONNECT, Stage.TLS} or failed[1].error is not Failure.TIMED_OUT:
            continue
        records = (look.probe.connect, look.probe.tls)
        seconds = sum(record.ms or 0 for record in records if record is not None) / 1000
        if 0 < seconds < limit:
            return seconds
    return None


def discovered(link: Link) -> Finding | None:
    """The server's own look instead of ours, where nobody can log on to it; None where it did not look.

    It proves the way and the certificate. That it did not come through proves nothing of the Tentacle: another node may
    have looked, or its time was over (octopus-rest 14).
    """
    portal = portal_of(link.tentacle)
    server = link.server.machine if link.server else None
    if portal is None or not isinstance(server, OctopusServer) or not _is_of(server, portal):
        return None
    for registration in registrations_of(link.tentacle):
        seen = seen_of(link.tentacle, registration)
        look = seen.discovered if seen else None
        if look is None:
            continue
        told = told_of(look, registration)
        if as_thumbprint(look.thumbprint) == as_thumbprint(registration.thumbprint) is not None:
            return Evidence(f"Octopus, {registration.space}, {registration.link}, discover", told)
        return Unknown(
            f"nobody can log on to {server.name}, and its own look did not come to the end: {told}",
            "Compare the thumbprints, or see why it cannot connect: a firewall, DNS, or the Tentacle itself.",
        )
    return None


def _is_of(server: OctopusServer, portal: Portal) -> bool:
    """Whether it is a node of the portal that was asked: it names that one, or none."""
    return server.portal is None or server.portal.rstrip("/").casefold() == portal.url.casefold()


def told_of(discovered: Discovery, registration: Registration) -> str:
    """What the server's own look came to. It proves way and certificate, and no trust."""
    who = f"node {discovered.node}" if discovered.node else "the server"
    where = f"{discovered.host}:{discovered.port}"
    if discovered.thumbprint is None:
        return f"{who} could not look at {where}: {discovered.error or 'it does not say why'}"
    same = as_thumbprint(discovered.thumbprint) == as_thumbprint(registration.thumbprint)
    return f"{who} reaches {where} and is shown {discovered.thumbprint}" + (
        ", as Octopus has it" if same else f", where Octopus has {registration.thumbprint}"
    )


def _way(registration: Registration) -> str:
    if registration.mode == "polling":
        return f"it waits for the machine, as {registration.uri}"
    through = f" through the proxy {registration.proxy}" if registration.proxy else ""
    port = "" if registration.has_port else " (no port in Octopus: the server uses 443)"
    return f"it connects to {registration.host}:{registration.port}{port}{through}"


def _waits(policy: Policy, registration: Registration) -> str:
    if registration.mode == "polling":
        return f"a request waits {policy.queue_seconds:g} s for the machine" if policy.queue_seconds else ""
    if not policy.connect_seconds:
        return ""
    retries = "" if policy.retries is None else ", and tries again" if policy.retries else ", and does not try again"
    return f"it waits {policy.connect_seconds:g} s for a connection{retries}"


def _queue(portal: Portal) -> str:
    if portal.shared_queue is None:
        return "whether its nodes share the queue for polling Tentacles is not known"
    if portal.shared_queue:
        return "its nodes share the queue for polling Tentacles: one polled address is enough"
    return "its nodes share no queue: a polling Tentacle has to poll every one of them"
