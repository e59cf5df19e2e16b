"""Guide, "Communication Settings": what Octopus has registered, beside what the Tentacle has."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.octopus.model import Registration
from pytest_tentacle.sections.portal import registrations_of

UNUSABLE = "TT331"
OTHER_SUBSCRIPTION = "TT332"


@check(codes=(UNUSABLE,), reads=("instances",))
def registration_in_octopus_can_be_used(subject: Subject) -> Iterator[Finding]:
    """What Octopus has registered is whole: an address that it can connect to, a thumbprint that can ever be equal."""
    for registration in registrations_of(subject):
        fault = registration.fault
        if fault is None:
            yield Evidence(_source(registration), f"{registration.uri}, thumbprint {registration.thumbprint}")
            continue
        yield Problem(
            UNUSABLE,
            subject.name,
            expected="Octopus has an address and a thumbprint that it can use",
            actual=fault,
            evidence=(
                Evidence(_source(registration), f"{registration.uri!r}, thumbprint {registration.thumbprint!r}"),
            ),
            facts={"portal": registration.link, "fault": fault, "instance": subject.instance_name},
        )


@check(codes=(OTHER_SUBSCRIPTION,), reads=("instances", "services"))
def octopus_waits_for_its_subscription(subject: Subject) -> Iterator[Finding]:
    """A polling Tentacle polls with the subscription under which Octopus knows it: no request waits for any other."""
    known = {each.subscription for each in registrations_of(subject) if each.subscription}
    polled = {text.removeprefix("poll://") for text in subject.subscriptions}
    if not known or not polled or subject.mode is not Mode.POLLING:
        return
    if known & polled:
        yield Evidence("Octopus", f"it waits for poll://{min(known & polled)}/")
        return
    registration = next(each for each in registrations_of(subject) if each.subscription)
    yield Problem(
        OTHER_SUBSCRIPTION,
        subject.name,
        expected=f"it polls with poll://{min(known)}/, as Octopus has it",
        actual=f"poll://{min(polled)}/",
        evidence=(Evidence(_source(registration), f"subscription {registration.uri}"),),
        facts={"portal": registration.link, "instance": subject.instance_name},
    )


def _source(registration: Registration) -> str:
    return f"Octopus, {registration.space}, {registration.link}"
