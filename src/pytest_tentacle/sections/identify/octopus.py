"""Guide, "Identify the Problem": what the Octopus Web Portal shows of a machine, where its API was asked.

All of it is evidence. A health check is the past: healthy then is not reachable now, and unavailable then may have
recovered (octopus-rest 14).
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.logs.signatures import classify
from pytest_tentacle.octopus.model import ConnectionLine, MachineEvent, Registration
from pytest_tentacle.sections.portal import registrations_of, seen_of

_TROUBLE = frozenset({"Error", "Fatal", "Warning"})
_SHOWN = 3
"""Lines of the Connectivity tab that are shown, the last ones."""

_LONGEST = 300


@check(codes=(), reads=())
def octopus_own_words_are_told(subject: Subject) -> Iterator[Finding]:
    """What Octopus last saw of the machine stands beside what its log says."""
    for registration in registrations_of(subject):
        source = f"Octopus, {registration.space}, {registration.link}"
        yield Evidence(source, _health(registration))
        seen = seen_of(subject, registration)
        if seen is None:
            continue
        yield from (Evidence(source, _event(event)) for event in seen.events[:_SHOWN])
        trouble = [line for line in seen.connection if line.level in _TROUBLE]
        yield from (Evidence(f"{source}, Connectivity", _line(line)) for line in trouble[-_SHOWN:])
        yield from (Evidence(source, text) for text in seen.unread)


def _health(registration: Registration) -> str:
    said = f"{registration.name}: {registration.health or 'its health is not known'}"
    said += ", disabled" if registration.disabled else ""
    return f"{said}; {registration.health_summary}" if registration.health_summary else said


def _event(event: MachineEvent) -> str:
    words = event.details or event.message
    changed = f", changed {', '.join(event.changed)}" if event.changed else ""
    return f"{event.occurred}: {event.category}{changed}{_meaning(words)}: {_first(words)}"


def _line(line: ConnectionLine) -> str:
    return f"{line.occurred} {line.level}{_meaning(line.text)}: {_first(line.text)}"


def _meaning(text: str) -> str:
    """What the catalogue of logs makes of it."""
    found = classify(text)
    return f" ({found[0].meaning})" if found else ""


def _first(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
