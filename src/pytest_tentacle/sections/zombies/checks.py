"""Guide, "Check for Zombie Child Processes Locking TCP Ports": left-overs on the port of a living service.

One that holds the port in the service's stead is found with the welcome page on the machine itself (TT503).
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.guide.consequences import LEFT_BEHIND
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.connections.here import (
    holder_words,
    is_left_over,
    is_own,
    listener_line,
    listeners_of,
    require_listening,
)
from pytest_tentacle.survey.model import Listener

_TOLD = 20
"""Sockets of one port; a machine has one or two."""


@check(codes=("TT721",), reads=("instances", "services", "listeners"))
def nothing_left_over_holds_the_port(subject: Subject) -> Iterator[Finding]:
    """No process that an earlier Tentacle or server left behind has a socket on the port."""
    require_listening(subject)
    standing = subject.first_problem(LEFT_BEHIND, "welcome-page-here")
    if standing is not None:
        raise Blocked(standing.code, subject.name, standing.actual)
    listeners = listeners_of(subject)
    own = any(is_own(subject, listener) for listener in listeners)
    zombies = [listener for listener in listeners if own and _is_zombie(subject, listener)]
    sockets = tuple(Evidence(f"sockets of {subject.name}", listener_line(other)) for other in listeners[:_TOLD])
    for listener in zombies[:_TOLD]:
        yield Problem(
            "TT721",
            subject.name,
            expected=f"port {listener.port} is held by the service alone",
            actual=f"on {listener.address} {holder_words(listener)}",
            evidence=sockets,
            facts={
                "instance": subject.instance_name,
                "port": listener.port,
                "pid": listener.pid,
                "children": tuple(child.pid for child in listener.children),
            },
        )
    if not zombies:
        lines = "; ".join(map(listener_line, listeners)) or f"nothing listens on port {subject.expected_port}"
        yield Evidence(f"sockets of {subject.name}", lines)


def _is_zombie(subject: Subject, listener: Listener) -> bool:
    """Its process is gone, or is a script older than the living Tentacle; a younger one just does its work."""
    if listener.pid is None or is_own(subject, listener):
        return False
    owner = listener.owner
    if owner is None:
        return True
    service = subject.service
    since = service.started_utc if service else None
    return is_left_over(owner) and bool(since and owner.started_utc and owner.started_utc < since)
