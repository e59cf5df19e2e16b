"""Guide, "Check the Octopus and Tentacle Services are Running": the server's nodes, as its own API tells of them."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.octopus.model import Node, Portal
from pytest_tentacle.sections.portal import portal_of


@check(codes=(), reads=())
def octopus_says_that_it_operates(subject: Subject) -> Iterator[Finding]:
    """What Octopus says of itself stands beside what is seen of its service."""
    portal = portal_of(subject)
    if portal is None or subject.is_tentacle:
        return
    source = f"Octopus {portal.version}, {portal.url}"
    yield Evidence(source, _state(portal))
    own = [node for node in portal.nodes if node.name.casefold() == subject.name.casefold()]
    yield from (Evidence(source, _node(node)) for node in own)


def _state(portal: Portal) -> str:
    if portal.operating_normally is None:
        said = "it does not say whether it operates normally"
    elif portal.operating_normally:
        said = "it operates normally"
    else:
        said = f"it does not operate normally: {portal.health_description or 'it does not say why'}"
    said += "; it is in maintenance mode" if portal.in_maintenance else ""
    said += "; all of its nodes are read-only: no task runs" if portal.all_read_only else ""
    said += "; all of its nodes are draining: no new task begins" if portal.all_draining else ""
    said += "; its database may be a copy of another Octopus's" if portal.potential_clone else ""
    stopped = ", ".join(portal.stopped_spaces)
    return said + (f"; no health check runs in {stopped}: the task queue is stopped" if stopped else "")


def _node(node: Node) -> str:
    state = "offline" if node.offline else "draining its tasks" if node.draining else "online"
    busy = f", {node.running_tasks} of {node.task_cap} tasks" if node.task_cap is not None else ""
    seen = f", last seen {node.last_seen:%Y-%m-%d %H:%M}" if node.last_seen else ""
    return f"node {node.name}: {state}{busy}{seen}"
