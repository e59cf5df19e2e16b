"""Healthy servers of each shape: what Octopus says of a fleet that is well makes no problem, and nothing unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from pytest_tentacle.inventory.model import Mode, NoTransport
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.lab.portal import Answer, PortalData, PortalServer, Space, activity, health_task, machine, node
from pytest_tentacle.lab.portal.resources import OLD
from pytest_tentacle.octopus import read_portal
from pytest_tentacle.octopus.evidence import read_evidence
from pytest_tentacle.sections import STEPS, applicable
from support.fleets.certificates import thumbprint
from support.fleets.whole import Whole, wide_fleet

WHEN = "2026-11-22T03:00:00.000+00:00"


@dataclass
class Shape:
    """What is unlike a single server of today with all rights."""

    world: Callable[[Whole], None] = lambda _world: None
    data: Callable[[PortalData], None] = lambda _data: None
    server: Callable[[PortalServer], None] = lambda _server: None
    old: bool = False
    most_requests: int = 40
    notes: tuple[str, ...] = field(default=())
    """Words that must stand in what could not be read, or may not be seen."""


def three_nodes(world: Whole) -> None:
    for name, ip in (("octo-2", "192.0.2.11"), ("octo-3", "192.0.2.12")):
        world.add_server(name, ip)
        for tentacle in ("web-01", "web-02", "poll-01", "poll-02"):
            world.join(tentacle, name)


def nobody_logs_on(world: Whole) -> None:
    """Octopus Cloud: listening Tentacles are seen by the server's own look alone."""
    world["octo-1"].declare(transport=NoTransport())
    world.dark("octo-1")


def in_three(data: PortalData) -> None:
    data.nodes = [node("octo-1"), node("octo-2", IsInMaintenanceMode=True), node("octo-3", MaxConcurrentTasks=0)]
    data.nodes.append(node("octo-old", IsOffline=True, LastSeen="2024-01-01T00:00:00+00:00"))


def meets_everybody(server: PortalServer) -> None:
    server.discover = lambda host, port: {
        "Endpoint": {"CommunicationStyle": "TentaclePassive", "Uri": f"https://{host}:{port}/", "Thumbprint": thumbprint(host.partition(".")[0])}
    }  # fmt: skip


def without_rights(data: PortalData) -> None:
    data.permissions = {"MachineView": [{"SpaceId": "Spaces-1"}]}


def refuses(server: PortalServer) -> None:
    """What it may not see is refused; lists come empty, without a word."""
    allowed = ("", "/users/me/permissions", "/spaces", "/Spaces-1/machines")
    empty = {"Items": [], "TotalResults": 0}
    server.override = lambda path, _query: (
        None
        if path in allowed
        else Answer(data=[] if path.endswith("/all") else empty)
        if path.startswith("/Spaces-1/")
        else Answer(403, {"ErrorMessage": "You do not have permission. Missing permission: AdministerSystem"})
    )


def limits(server: PortalServer) -> None:
    """Each question is refused once."""
    refused: set[str] = set()

    def once(path: str, _query: object) -> Answer | None:
        if path in refused:
            return None
        refused.add(path)
        return Answer(429, headers={"Retry-After": "1", "Octopus-RateLimit": "r=0;t=18"})

    server.override = once


def is_large(data: PortalData) -> None:
    more = [machine(n, f"host-{n:04}", f"https://host-{n:04}:10933/", f"{n:040X}") for n in range(100, 5_100)]
    data.spaces[0].machines += more


SHAPES = {
    "single": Shape(),
    "three nodes": Shape(world=three_nodes, data=in_three),
    "cloud": Shape(world=nobody_logs_on, server=meets_everybody),
    "2019.4": Shape(data=lambda data: setattr(data, "version", OLD), old=True),
    "key without rights": Shape(data=without_rights, server=refuses, notes=("no WorkerView", "AdministerSystem")),
    "rate-limited": Shape(server=limits, most_requests=80),
    "5,000 machines": Shape(data=is_large, most_requests=60),
}


def portal_of(world: Whole, *, old: bool) -> PortalData:
    """What a server would know of the world's Tentacles, all of them well."""
    space = Space()
    for number, draft in enumerate((d for d in world.drafts.values() if d.product == "tentacle"), 1):
        tentacle = draft.machine
        polls = tentacle.mode is Mode.POLLING
        uri = draft.trusted[0]["SubscriptionId"] if polls else f"https://{tentacle.dns_name}:10933/"
        space.machines.append(machine(number, tentacle.name, uri, tentacle.thumbprint, old=old))
        space.events[f"Machines-{number}"] = [
            {
                "Category": "MachineHealthy",
                "Occurred": WHEN,
                "Message": "",
                "RelatedDocumentIds": [f"Machines-{number}"],
            }
        ]
    task = health_task(1, WHEN, State="Success")
    checks = [activity(f"Check deployment target: {each['Name']}", ("Info", WHEN, "well")) for each in space.machines]
    space.tasks, space.activities = [task], {task["Id"]: checks}
    return PortalData(spaces=[space], thumbprint=thumbprint("octopus"))


@pytest.mark.parametrize("name", SHAPES)
def test_no_false_problem(name, serve, connect):
    """All steps of all machines, with Octopus's word beside what the machines say."""
    shape, world = SHAPES[name], wide_fleet()
    shape.world(world)
    data = portal_of(world, old=shape.old)
    shape.data(data)
    server = serve(data)
    shape.server(server)
    client = connect(server)
    portal = read_portal(client)
    ids = {each.name: each for each in portal.registrations}
    ours = [ids[name] for name in world.drafts if name in ids]
    evidence = tuple(read_evidence(client, ours, discover=name == "cloud", portal=portal))
    world.portal = portal.model_copy(update={"evidence": evidence})
    for each in ours:
        world[each.name].declare(registrations=(each.id,))
    fleet = world.fleet()
    found = {
        (subject.name, step.slug): (result.outcome, [problem.code for problem in result.problems], result.reason)
        for subject in fleet.subjects
        if subject.can_log_on
        for step in STEPS
        if applicable(step.slug, subject)
        and (result := subject.result(step.slug)).outcome is not Outcome.PASSED
        and not (name == "cloud" and result.outcome is Outcome.UNKNOWN and not _is_of_octopus(step.slug))
    }
    assert found == {}
    assert len(client.asked) <= shape.most_requests
    told = " ".join((*portal.unread, *portal.coverage.partial))
    assert all(words in told for words in shape.notes)
    assert bool(told) == bool(shape.notes)


def _is_of_octopus(step: str) -> bool:
    """A step that Octopus's own look answers where nobody can log on to the server."""
    return step == "welcome-page-across"
