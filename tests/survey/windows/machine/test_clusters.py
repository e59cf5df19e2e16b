"""What a node says of the failover cluster that starts its service: the script's own answer, and the verdict on it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.model import ClusterResource
from pytest_tentacle.survey.request import Request
from support.fleets.whole import Whole

NAME = "OctopusDeploy Tentacle"
ADDRESS = {"name": "Cluster's address", "state": "online", "owner": "WEB-02"}

ONLINE = {"name": "Octopus's \\ role", "service": NAME, "state": "online", "owner": "WEB-02", "group": "Role"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "another node runs it": (
        {"cluster": [ADDRESS, ONLINE]}, {"state": "online", "owner": "WEB-02", "group": "Role"}, "passed", "stands by",
    ),
    "no node runs it": (
        {"cluster": [ADDRESS, ONLINE | {"state": "failed"}]}, {"state": "failed", "owner": "WEB-02", "group": "Role"},
        "failed", "is failed on WEB-02",
    ),
    "it is moving": (
        {"cluster": [ONLINE | {"state": "pending"}]}, {"state": "pending", "owner": "WEB-02", "group": "Role"},
        "unknown", "starting, stopping or moving",
    ),
    "this very node is to run it": (
        {"cluster": [ONLINE | {"owner": "WEB-01"}]}, {"state": "online", "owner": "WEB-01", "group": "Role"},
        "failed", "is online on WEB-01",
    ),
    "WMI refuses": (
        {"cluster": [ONLINE], "denied": ["MSCluster_Resource"]}, {"detail": "which node runs it could not be read"},
        "unknown", "which node runs it could not be read",
    ),
    "WMI hangs": (
        {"cluster": [ONLINE], "hanging": ["MSCluster_Resource"]}, {"detail": "which node runs it could not be read"},
        "unknown", "which node runs it could not be read",
    ),
    "the registry refuses": (
        {"cluster": [ONLINE], "denied": ["cluster"]}, {"resource": None, "detail": "the cluster's part of the registry"},
        "unknown", "the cluster's part of the registry",
    ),
    "its cluster starts something else": ({"cluster": [ADDRESS]}, {}, "failed", "it is stopped"),
    "no cluster": ({}, {}, "failed", "it is stopped"),
}  # fmt: skip


@pytest.fixture
def sections():
    return {"services"}


@pytest.mark.parametrize("case", CASES)
def test_a_node_on_which_it_does_not_run(case: str, machine: Any, shapes: Any) -> None:
    """Well where another node runs it by the cluster's word; what was not read is unknown, and never all right."""
    description, wanted, outcome, said = CASES[case]
    stopped = shapes.service(state="stopped", start_mode="manual", pid=None, exit_code=0)
    machine.description |= {"hostname": "web-01", "services": [stopped], "processes": [], "sockets": []} | description
    survey = machine.run(Request()).survey
    (service,) = survey.services.data
    assert (service.state, service.start_mode) == ("stopped", "manual")
    found = service.cluster
    if not wanted:
        assert found is None
    else:
        assert found is not None
        for key, value in ({"resource": ONLINE["name"]} | wanted).items():
            told = getattr(found, key)
            assert told.startswith(value) if key == "detail" else told == value, (key, told)
    result = judged(found)
    assert result.outcome is Outcome[outcome.upper()], result
    assert said in " ".join((*(problem.actual for problem in result.problems), result.reason, *result.looked_at))


def judged(resource: ClusterResource | None) -> Any:
    """The step `services-running` of a machine whose service is stopped, with what the script said of its cluster."""
    world = Whole()
    world.add_server("octo-1", "192.0.2.10")
    world.add_listening("web-01", "198.51.100.1")
    cluster = None if resource is None else resource.model_dump()
    world.down("web-01", start_mode="manual", cluster=cluster)
    return fleet_of(world.surveys()).subject("web-01").result("services-running")


def test_a_running_one_asks_no_cluster(machine: Any, shapes: Any) -> None:
    """Each question costs time: who starts it is in the registry, and that it runs here is seen."""
    machine.description |= {"services": [shapes.service(start_mode="manual")], "cluster": [ONLINE]}
    answer = machine.run(Request())
    (service,) = answer.survey.services.data
    assert service.cluster == ClusterResource(resource=ONLINE["name"])
