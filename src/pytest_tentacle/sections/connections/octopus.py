"""Guide, "Check the Connections": the server's own look at a machine, and how long Octopus waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import OctopusServer
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Unknown
from pytest_tentacle.judging.links import Link
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.octopus.model import Discovery, Policy, Portal, Registration
from pytest_tentacle.sections.portal import portal_of, registrations_of, seen_of, words_of_portal


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
        policy = next((each for each in portal.policies if each.id == registration.policy), None)
        if policy is not None and (waits := _waits(policy, registration)):
            yield Evidence(f"Octopus, {registration.space}, machine policy {policy.name}", waits)
        seen = seen_of(subject, registration)
        if seen is not None and seen.discovered is not None:
            yield Evidence(f"{source}, discover", told_of(seen.discovered, registration))
    if len(subject.peers) > 1 and any(each.mode == "polling" for each in registrations):
        yield Evidence(words_of_portal(subject), _queue(portal))


def discovered(link: Link) -> Finding | None:
    """The server's own look in the place of ours, where nobody can log on to it; None where it did not look.

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
