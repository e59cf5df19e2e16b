"""Guide, "Check the Tentacle Thumbprint"."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.guide.consequences import NO_PAGE_HERE, NO_PROCESS, NOT_LISTENING
from pytest_tentacle.inventory.model import Mode, Tentacle
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.sections.connections.here import tied_to

_NAMED = 5
"""How many machines with the same certificate are named."""


@check(codes=("TT401",), reads=("instances", "services"))
def thumbprint_is_as_declared(subject: Subject) -> Iterator[Finding]:
    """The Tentacle's configured thumbprint is the one that the inventory declares."""
    if not subject.is_tentacle:
        return
    path = subject.instance.configuration.path
    configured = as_thumbprint(subject.settings.certificate_thumbprint)
    if configured is None:
        raise Unknown(f"{path} names no thumbprint", "Look with `Tentacle show-thumbprint --instance <instance>`.")
    declared = as_thumbprint(subject.machine.thumbprint)
    if declared in (None, configured):
        yield Evidence(path, f"thumbprint {configured}")
        return
    yield Problem(
        "TT401",
        subject.name,
        expected=f"thumbprint {declared} (inventory)",
        actual=f"thumbprint {configured}",
        evidence=(Evidence(path, f"Tentacle.CertificateThumbprint = {configured}"),),
        facts={"instance": subject.instance_name, "thumbprint": configured, "expected_thumbprint": declared},
    )


@check(codes=("TT402", "TT404"), reads=("instances", "services", "probes", "listeners"))
def port_presents_the_thumbprint(subject: Subject) -> Iterator[Finding]:
    """The own port presents the configured thumbprint; a server's polling port the declared one."""
    if subject.is_tentacle and subject.mode is not Mode.LISTENING:
        return
    if subject.is_tentacle:
        code, expected = "TT402", as_thumbprint(subject.settings.certificate_thumbprint)
        source = subject.instance.configuration.path
    else:
        code, expected, source = "TT404", as_thumbprint(subject.machine.thumbprint), "inventory"
    if expected is None:
        return  # what is not declared is not asserted; a Tentacle's missing one is told by the check above
    presented = subject.presented_here
    if presented == expected:
        yield Evidence(f"{subject.name} on its own port", f"presents {presented}")
        return
    standing = (
        subject.first_problem(NO_PROCESS, "services-running")
        or subject.first_problem(NOT_LISTENING - {"TT311"}, "communication-settings")
        or subject.first_problem(NO_PAGE_HERE, "welcome-page-here")
    )
    if standing:
        raise Blocked(standing.code, subject.name, "what its port presents is not its own")
    if presented is None and (device := tied_to(subject)):
        words = f"it takes only what comes by {device}: what it presents is compared on the links"
        yield Evidence(f"sockets of {subject.name}", words)
        return
    if presented is None:
        raise Unknown(
            f"{subject.name} did not see which certificate its own port presents",
            "See the step of the welcome page on the machine itself.",
        )
    probe = subject.local_probe
    where = f"{probe.host}:{probe.port}" if probe else "its own port"
    yield Problem(
        code,
        subject.name,
        expected=f"its port presents {expected} ({source})",
        actual=f"it presents {presented}",
        evidence=(Evidence(f"probe of {where} on {subject.name}", f"certificate {presented}"),),
        facts={"instance": subject.instance_name, "thumbprint": presented, "expected_thumbprint": expected},
    )


@check(codes=("TT403",), reads=("instances", "services", "fleet.thumbprints"))
def no_other_host_has_the_certificate(subject: Subject) -> Iterator[Finding]:
    """No Tentacle on another host is a copy of it: the same certificate, and what only a copy has as well.

    Failover clusters, and machines that were set up from one exported certificate, share theirs as Octopus documents
    it. A copy of a machine or of its settings has the same subscription, the same Squid, or a settings file that was
    written in the very same second.
    """
    if not subject.is_tentacle:
        return
    thumbprint = as_thumbprint(subject.settings.certificate_thumbprint)
    if thumbprint is None:
        return
    subject.ledger.note_one(("fleet", "thumbprints"))
    hosts = subject.fleet.hosts_by_thumbprint.get(thumbprint, {})
    others = sorted(name for names in hosts.values() if subject.name not in names for name in names)
    if not others:
        yield Evidence("all surveyed Tentacles", f"nobody else has {thumbprint}")
        return
    purpose = _purpose(subject, others)
    if purpose:
        yield Evidence(
            subject.instance.configuration.path, f"{', '.join(others[:_NAMED])} has {thumbprint} too{purpose}"
        )
        return
    more = len(others) - _NAMED
    shown = ", ".join(others[:_NAMED]) + (f" and {more} more" if more > 0 else "")
    yield Problem(
        "TT403",
        subject.name,
        expected="each Tentacle has a certificate of its own",
        actual=f"the same thumbprint has {shown}",
        evidence=(Evidence(subject.instance.configuration.path, f"thumbprint {thumbprint}"),),
        facts={"thumbprint": thumbprint, "others": tuple(others), "instance": subject.instance_name},
    )


def _purpose(subject: Subject, others: list[str]) -> str:
    """How it comes that others have its certificate, where that is no fault; empty where one is a copy."""
    machine = subject.machine
    if isinstance(machine, Tentacle) and (machine.shares_certificate or machine.cluster):
        return ", on purpose (inventory)"
    if _is_clustered(subject):
        return ", as nodes of a failover cluster do"
    with subject.ledger.watch():  # settings of many machines, which `fleet.thumbprints` stands for
        if any(_is_copy(subject, subject.fleet.subject(name)) for name in others):
            return ""
    return (
        ": well where they are a cluster or were set up from one exported certificate. If one is a copy of the other "
        "by mistake, give that one a certificate of its own (new-certificate) and tell its server"
    )


def _is_clustered(subject: Subject) -> bool:
    """Whether a failover cluster starts its service, by the cluster's own part of the registry."""
    service = subject.service
    return service is not None and service.cluster is not None and service.cluster.resource is not None


def _is_copy(one: Subject, other: Subject) -> bool:
    try:
        settings, others = one.settings, other.settings
        files = one.instance.configuration, other.instance.configuration
    except (Unknown, Blocked):
        return False
    if set(one.subscriptions) & set(other.subscriptions):
        return True
    if settings.squid is not None and settings.squid == others.squid:
        return True
    if _came_with_its_disk(one) or _came_with_its_disk(other):
        return True
    return files[0].modified_utc is not None and files[0].modified_utc == files[1].modified_utc


def _came_with_its_disk(subject: Subject) -> bool:
    """Whether its certificate's key is there as another machine's: the disk was copied, which no export does."""
    try:
        keys = subject.read(FACTS.private_keys)
    except Unknown:
        return False
    wanted = subject.instance_name.lower()
    return any(key.instance.lower() == wanted and key.of_another_machine for key in keys)
