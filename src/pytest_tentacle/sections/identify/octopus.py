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
from pytest_tentacle.octopus.model import ConnectionLine, HealthTask, MachineEvent, Policy, Registration
from pytest_tentacle.sections.portal import policy_of, portal_of, registrations_of, seen_of, words_of_portal

_TROUBLE = frozenset({"Error", "Fatal", "Warning"})
_SHOWN = 3
"""Lines of the Connectivity tab that are shown, the last ones."""

_LONGEST = 300
_BUSY = "Cannot start this task yet"
"""Of a task that waits for another one on the machine (octopus-rest 10.1)."""


@check(codes=(), reads=())
def octopus_own_words_are_told(subject: Subject) -> Iterator[Finding]:
    """What Octopus last saw of the machine stands beside what its log says."""
    portal = portal_of(subject)
    if portal is not None and not subject.is_tentacle:
        trouble = [line for line in portal.server_log if line.level in _TROUBLE]
        source = f"{words_of_portal(subject)}, Configuration > Diagnostics"
        yield from (Evidence(source, _line(line)) for line in trouble[-_SHOWN:])
    for registration in registrations_of(subject):
        source = f"Octopus, {registration.space}, {registration.link}"
        yield Evidence(source, _health(registration))
        policy = policy_of(portal, registration) if portal is not None else None
        if policy is not None:
            yield Evidence(f"{source}, policy {policy.name}", _checked(policy))
        seen = seen_of(subject, registration)
        if seen is None:
            continue
        yield from (Evidence(source, _event(event)) for event in seen.events[:_SHOWN])
        yield from _health_check(source, seen.task)
        trouble = [line for line in seen.connection if line.level in _TROUBLE]
        yield from (Evidence(f"{source}, Connectivity", _line(line)) for line in trouble[-_SHOWN:])
        yield from (Evidence(source, text) for text in seen.unread)


def _health_check(source: str, task: HealthTask | None) -> Iterator[Evidence]:
    """What the last one's log said; a machine that was busy is no broken link."""
    if task is None:
        return
    where = f"{source}, health check {task.id}" + (f" on {task.node}" if task.node else "")
    yield Evidence(where, f"ended {task.completed or 'at a time that is not known'}: {task.state}")
    for line in task.lines[-_SHOWN:]:
        busy = ": it was busy, which is no fault of the link" if _BUSY in line.text else ""
        yield Evidence(where, f"{_line(line).strip()}{busy}")


def _health(registration: Registration) -> str:
    said = f"{registration.name}: {registration.health or 'its health is not known'}"
    said += ", disabled" if registration.disabled else ""
    return f"{said}; {registration.health_summary}" if registration.health_summary else said


def _checked(policy: Policy) -> str:
    """How old the portal's word may be, and how much it says."""
    if policy.health_interval:
        said = f"Octopus checks its health every {policy.health_interval / 60:g} min"
    elif policy.health_schedule:
        said = f"Octopus checks its health by a schedule ({policy.health_schedule})"
    else:
        said = "no interval of health checks is known: what Octopus says of its health may be old"
    said += ", the connection alone" if policy.only_connectivity else ""
    return said + ("; that it is offline is no failure there" if policy.may_be_offline else "")


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
