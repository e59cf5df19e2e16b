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

_NOT_OF_LINKS = frozenset({"TT117", "TT125", "TT413", "TT971", "TT975", "TT331", "TT332"})
"""Outages that no link shows: work that reaches another machine or none, or finds no room."""


def toned(view: View, found: Found) -> Found:
    """The cause, no more than likely where it interrupts, and every link of the machine stands, or may stand."""
    if found.confidence is not Confidence.CERTAIN or not _interrupts(found):
        return found
    all_stand = _all_stand(view.subject)
    if all_stand is False:
        return found
    stands = (
        "a connection with each server stands now, which this would break: it may come to bear at a restart"
        if all_stand
        else "nobody could see whether a connection stands now, which this would break"
    )
    return replace(
        found, confidence=Confidence.LIKELY, evidence=(*found.evidence, Evidence(f"connections of {view.name}", stands))
    )


def _interrupts(found: Found) -> bool:
    if all(problem.code in _NOT_OF_LINKS for problem in found.problems):
        return False
    return worst(frozenset(problem.code for problem in found.problems) - _NOT_OF_LINKS) is Severity.OUTAGE


def _all_stand(subject: Subject) -> bool | None:
    """Whether each of a Tentacle's servers is seen to answer, or to look at it, and a connection with each stands.

    None where that cannot be told.
    """
    if not subject.is_tentacle or not subject.peers:
        return False
    told = [_stands(subject, server) for server in subject.peers]
    return False if False in told else None if None in told else True


def _stands(subject: Subject, server: Subject) -> bool | None:
    attempts = [attempt for attempt in attempts_of(subject) if attempt.server == server.name]
    if attempts and not any(attempt.shows_page for attempt in attempts):
        return False
    try:
        service = subject.service
        if service is None or service.pid is None:
            return False
    except Unknown:
        return None
    except Blocked:
        return False
    connected = _connected(subject, server, service.pid)
    return connected and (True if attempts else None)


def _connected(subject: Subject, server: Subject, pid: int) -> bool | None:
    """Whether the process holds a connection with a server; None where that cannot be told."""
    addresses = {plain_address(server.machine.ip or "")}
    try:
        addresses |= {plain_address(address) for address in server.read(FACTS.host).addresses}
        all_addresses = True
    except Unknown:
        all_addresses = False
    try:
        rows = [row for row in subject.read(FACTS.connections) if row.state == "established"]
        polls = subject.mode is Mode.POLLING
        ports = server.machine.polling_ports if polls and hasattr(server.machine, "polling_ports") else ()
        own = subject.expected_port
    except Unknown:
        return None
    except Blocked:
        return False
    fitting = [row for row in rows if row.pid == pid and (row.remote_port in ports if polls else row.local_port == own)]
    if any(plain_address(row.remote_address) in addresses for row in fitting):
        return True
    return None if fitting and not all_addresses else False
