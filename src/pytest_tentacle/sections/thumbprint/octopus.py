"""Guide, "Check the Tentacle Thumbprint": Octopus's two screens, beside what the machine has and its port presents."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.sections.portal import portal_of, registrations_of, words_of_portal


@check(codes=(), reads=("instances", "services", "probes"))
def octopus_thumbprints_are_told(subject: Subject) -> Iterator[Finding]:
    """Configuration > Thumbprints stands beside what is trusted, Machine Settings beside what the port presents.

    Evidence alone: an inventory that Octopus gave declares these thumbprints, and other checks judge by it.
    """
    portal = portal_of(subject)
    if portal is None:
        return
    source = words_of_portal(subject)
    screen = as_thumbprint(portal.thumbprint)
    if screen is not None:
        yield Evidence(f"{source}, Configuration > Thumbprints", f"{screen}: {_at_this_end(subject, screen)}")
    for registration in registrations_of(subject):
        known = as_thumbprint(registration.thumbprint)
        if known is None:
            continue
        own, shown = as_thumbprint(subject.configured_thumbprint), subject.presented_here
        told = [f"its settings have {_beside(own, known)}", f"its own port presents {_beside(shown, known)}"]
        place = f"Octopus, {registration.space}, {registration.link}"
        yield Evidence(place, f"{known} in Octopus; {'; '.join(told)}")


def _at_this_end(subject: Subject, screen: str) -> str:
    if not subject.is_tentacle:
        return f"its own port presents {_beside(subject.presented_here, screen)}"
    try:
        trusted = {as_thumbprint(entry.thumbprint) for entry in subject.settings.trusted}
    except (Unknown, Blocked):
        return f"what {subject.name} trusts is not known"
    if screen in trusted:
        return f"{subject.name} trusts it"
    others = ", ".join(sorted(filter(None, trusted)))
    return f"{subject.name} does not trust it" + (f", but {others}" if others else "")


def _beside(other: str | None, known: str) -> str:
    if other is None:
        return "one that is not known"
    return "the same" if other == known else f"another one, {other}"
