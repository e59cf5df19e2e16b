"""Guide, "Check the Tentacle Thumbprint": the certificate behind it, and the subscription that a polling Tentacle uses.

Halibut knows its peers by thumbprint: chain, name and validity of a certificate are nobody's business (tentacle-facts
1.2). Its key and signature are the TLS libraries', and they only explain a link that is not well.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.attempts import ATTEMPT_READS, Attempt, attempts_of, is_well
from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Certificate, Probe
from pytest_tentacle.link.model import TOO_LONG
from pytest_tentacle.sections.connections.link_verdict import standing_in_the_way

_LEAST_BITS = 2048
_WEAK_HASHES = frozenset({"md5", "sha1"})
_NAMED = 5


@check(codes=("TT411", "TT412"), reads=(*AWAY_READS, "host", *ATTEMPT_READS))
def certificate_is_strong_enough(subject: Subject) -> Iterator[Finding]:
    """The certificate that the own port presents is one that today's TLS libraries take."""
    if subject.is_tentacle and subject.mode is Mode.POLLING:
        yield Evidence(subject.name, "a polling Tentacle presents its certificate on no port")
        return
    attempts = tuple(attempt for attempt in attempts_of(subject) if attempt.listening is subject.is_tentacle)
    seen = _presented(subject, attempts)
    if seen is None:
        raise standing_in_the_way(subject) or Unknown(
            f"nobody saw the certificate that the port of {subject.name} presents",
            "See the step of the welcome page on the machine itself.",
        )
    source, probe = seen
    certificate = probe.certificate
    if certificate is not None and certificate.error == TOO_LONG:
        raise Unknown(
            f"the certificate that the port of {subject.name} presents is too long to be kept: {source} told its "
            f"thumbprint, {probe.thumbprint}",
            "A Tentacle's own has less than 2,000 bytes: see what answers there.",
        )
    if certificate is None or certificate.error is not None:
        yield Evidence(source, f"certificate {probe.thumbprint}: {certificate.error if certificate else 'none'}")
        return
    yield Evidence(source, _described(certificate, subject))
    well = is_well(attempts)
    if certificate.rsa_bits is not None and certificate.rsa_bits < _LEAST_BITS:
        actual = f"its RSA key has {certificate.rsa_bits} bits"
        if well is None:
            yield _problem(subject, "TT412", f"an RSA key of {_LEAST_BITS} bits or more", actual, seen)
        else:
            yield Evidence(source, f"{actual}; {well.vantage} takes it all the same")
    if certificate.hash_name in _WEAK_HASHES:
        actual = f"its signature is made with {certificate.hash_name.upper()}"
        refused = well is None and any(_fails_above_tcp(attempt) for attempt in attempts)
        if refused:
            yield _problem(subject, "TT411", "a signature made with SHA-256", actual, seen)
        else:
            yield Evidence(source, f"{actual}, which stricter systems refuse")


@check(codes=("TT413",), reads=("instances", "services", "fleet.subscriptions"))
def no_other_host_has_the_subscription(subject: Subject) -> Iterator[Finding]:
    """No Tentacle on another host polls with the same subscription: a clone."""
    if not subject.is_tentacle or not subject.settings.trusted:
        return
    subscriptions = subject.subscriptions
    subject.ledger.note_one(("fleet", "subscriptions"))
    for subscription in subscriptions:
        hosts = subject.fleet.hosts_by_subscription.get(subscription, {})
        others = sorted(name for names in hosts.values() if subject.name not in names for name in names)
        path = subject.instance.configuration.path
        if not others:
            yield Evidence("all surveyed Tentacles", f"nobody else polls with {subscription}")
            continue
        more = len(others) - _NAMED
        shown = ", ".join(others[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield Problem(
            "TT413",
            subject.name,
            expected="each polling Tentacle has a subscription of its own",
            actual=f"{shown} polls with the same",
            evidence=(Evidence(path, f"SubscriptionId {subscription}"),),
            facts={"subscription": subscription, "others": tuple(others), "instance": subject.instance_name},
        )


def _presented(subject: Subject, attempts: tuple[Attempt, ...]) -> tuple[str, Probe] | None:
    """A probe that saw the machine's own certificate: that of its own, else a peer's, if it is the expected one."""
    try:
        local = subject.local_probe
    except Unknown:
        local = None
    if local is not None and local.thumbprint and subject.presented_here:
        return f"{subject.name} on its own port", local
    expected = as_thumbprint(subject.configured_thumbprint or subject.machine.thumbprint)
    probes = [(f"probe from {attempt.vantage}", attempt.probe) for attempt in attempts]
    if local is not None:
        probes.insert(0, (f"{subject.name} on its own port", local))
    return next(((source, probe) for source, probe in probes if expected and probe.thumbprint == expected), None)


def _fails_above_tcp(attempt: Attempt) -> bool:
    return attempt.connected and not attempt.shows_page


def _described(certificate: Certificate, subject: Subject) -> str:
    key = f"RSA {certificate.rsa_bits}" if certificate.rsa_bits else "a key that is not RSA"
    text = f"{certificate.thumbprint}, {certificate.subject}, {key}, {certificate.hash_name or 'unknown signature'}"
    try:
        clock = subject.read(FACTS.host).clock_utc
    except Unknown:
        clock = None
    ends = certificate.not_after
    if clock is not None and ends is not None and ends < clock:
        text += f", expired on {ends:%Y-%m-%d}, which Halibut does not look at"
    return text


def _problem(subject: Subject, code: str, expected: str, actual: str, seen: tuple[str, Probe]) -> Problem:
    source, probe = seen
    return Problem(
        code,
        subject.name,
        expected=expected,
        actual=actual,
        evidence=(Evidence(source, f"certificate {probe.thumbprint}: {actual}"),),
        facts={"instance": subject.instance_name, "thumbprint": probe.thumbprint},
    )
