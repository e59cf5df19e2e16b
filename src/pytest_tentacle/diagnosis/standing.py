"""Certain is a word with a rule: what would interrupt a link is not certain on a machine whose links all stand."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.guide.severity import Severity, worst
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.attempts import attempts_of
from pytest_tentacle.judging.finding import Blocked, Evidence, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link.hosts import plain_address

from .kind import Found
from .view import View

_NOT_OF_LINKS = frozenset({"TT117", "TT125", "TT413", "TT971", "TT331", "TT332"})
"""Outages that no link shows: work that reaches another machine or none, or finds no room."""


def toned(view: View, found: Found) -> Found:
    """The cause, no more than likely where it interrupts, and every link of the machine stands."""
    if found.confidence is not Confidence.CERTAIN or not _interrupts(found) or not _all_stand(view.subject):
        return found
    stands = "a connection with each server stands now, which this would break: it may come to bear at a restart"
    return replace(
        found, confidence=Confidence.LIKELY, evidence=(*found.evidence, Evidence(f"connections of {view.name}", stands))
    )


def _interrupts(found: Found) -> bool:
    if all(problem.code in _NOT_OF_LINKS for problem in found.problems):
        return False
    return worst(frozenset(problem.code for problem in found.problems) - _NOT_OF_LINKS) is Severity.OUTAGE


def _all_stand(subject: Subject) -> bool:
    """Whether each of a Tentacle's servers is seen to answer, or to look at it, and a connection with each stands."""
    if not subject.is_tentacle or not subject.peers:
        return False
    attempts = attempts_of(subject)
    return all(
        any(attempt.server == server.name and attempt.shows_page for attempt in attempts) and _stands(subject, server)
        for server in subject.peers
    )


def _stands(subject: Subject, server: Subject) -> bool:
    addresses = {plain_address(server.machine.ip or "")}
    try:
        addresses |= {plain_address(address) for address in server.read(FACTS.host).addresses}
        service = subject.service
        rows = [row for row in subject.read(FACTS.connections) if row.state == "established"]
        if service is None or service.pid is None:
            return False
        polls = subject.mode is Mode.POLLING
        ports = server.machine.polling_ports if polls and hasattr(server.machine, "polling_ports") else ()
        own = subject.expected_port
    except (Unknown, Blocked):
        return False
    return any(
        row.pid == service.pid
        and plain_address(row.remote_address) in addresses
        and (row.remote_port in ports if polls else row.local_port == own)
        for row in rows
    )
