"""What Octopus's API says of a machine: its registrations, and the last that was seen of each."""

from __future__ import annotations

from pytest_tentacle.inventory.model import Tentacle
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.octopus.model import Evidence, Policy, Portal, Registration


def portal_of(subject: Subject) -> Portal | None:
    """What Octopus's API says; None where it was not asked."""
    return subject.fleet.surveys.inventory.portal


def registrations_of(subject: Subject) -> tuple[Registration, ...]:
    """Under what Octopus knows a Tentacle; none where it was not asked or does not know it."""
    portal = portal_of(subject)
    if portal is None or not isinstance(subject.machine, Tentacle):
        return ()
    ids = set(subject.machine.registrations)
    return tuple(each for each in portal.registrations if each.id in ids)


def seen_of(subject: Subject, registration: Registration) -> Evidence | None:
    """What was read of one registration besides; None where nobody asked for it."""
    portal = portal_of(subject)
    found = portal.evidence if portal else ()
    return next((each for each in found if each.registration == registration.id), None)


def policy_of(portal: Portal, registration: Registration) -> Policy | None:
    """The machine policy of a registration; None where it could not be read."""
    return next((each for each in portal.policies if each.id == registration.policy), None)


def words_of_portal(subject: Subject) -> str:
    """Where its word comes from, as a source of evidence: `Octopus 2026.3.1, https://octopus.example`."""
    portal = portal_of(subject)
    return f"Octopus {portal.version}, {portal.url}" if portal else "Octopus"
