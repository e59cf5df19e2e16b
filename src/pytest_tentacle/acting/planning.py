"""Which services a restart is for, by a survey: by name as the machine told it, and who is left alone, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from pytest_tentacle.inventory.model import Machine, OctopusServer
from pytest_tentacle.judging.away import away
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.octopus import Node
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.actions import Action, ActionResult, By
from pytest_tentacle.survey.model import Service, ServiceState
from pytest_tentacle.survey.store import Surveys

from .restarting import Restart


def planned(
    surveys: Surveys,
    machines: Mapping[str, Machine],
    *,
    by: By,
    nodes: Iterable[Node] = (),
    even_busy: bool = False,
) -> list[Restart | Action]:
    """For each machine, in this order, its restart, or why it is left alone.

    Args:
        surveys: what the machines said a moment ago.
        machines: those whose services are to be restarted, with how to log on to them.
        by: who asked.
        nodes: Octopus Server's nodes with what they run, as far as its API tells.
        even_busy: also those that run tasks, or of which nobody knows.
    """
    fleet, known = fleet_of(surveys), tuple(nodes)
    servers = [machine for machine in machines.values() if isinstance(machine, OctopusServer)]
    found: list[Restart | Action] = []
    for machine in machines.values():
        subject = fleet.subject(machine.name)
        asked = isinstance(machine, OctopusServer) and not even_busy
        busy = _busy(machine.name, known, alone=len(servers) == 1) if asked else None
        found.append(_planned(subject, machine, by, busy))
    return found


def _planned(subject: Subject, machine: Machine, by: By, busy: str | None) -> Restart | Action:
    try:
        elsewhere, service = away(subject), subject.service
    except (Unknown, Blocked) as error:
        return left_alone(machine.name, f"its service is not known: {error}", by)
    if elsewhere is not None:
        return left_alone(machine.name, elsewhere.text, by)
    if service is None:
        return left_alone(machine.name, "no service of it is there", by)
    why = busy or _why_not(service)
    if why:
        return left_alone(machine.name, why, by, service.name)
    return Restart(
        machine=machine.name,
        settings=machine.transport,
        is_windows=subject.system == "windows",
        service=service.name,
        log=_log_of(subject),
        by=by,
        site=machine.site,
    )


def _why_not(service: Service) -> str:
    """What a service manager would refuse, or nobody should ask of it."""
    if service.cluster is not None:
        return f"a failover cluster starts and stops {service.name} (Stop-ClusterResource, Start-ClusterResource)"
    if service.start_mode == "disabled" and service.state is not ServiceState.RUNNING:
        return f"{service.name} is disabled and does not run: whoever disabled it did not want it started"
    if service.state in {ServiceState.STOPPING, ServiceState.STARTING}:
        return f"{service.name} is {service.state.value} at the moment"
    return ""


def _busy(name: str, nodes: Collection[Node], *, alone: bool) -> str:
    """Why a server node may not be restarted by the way: it runs tasks, or nobody knows; empty where it runs none."""
    own = [node for node in nodes if node.name.casefold() == name.casefold()]
    if not own and alone and len(nodes) == 1:
        own = list(nodes)
    tasks = own[0].running_tasks if len(own) == 1 else None
    if tasks is None:
        return (
            "whether it runs tasks is not known (--octopus asks its API), and a restart would end them: "
            "--even-busy restarts it all the same"
        )
    if tasks:
        some = "1 task" if tasks == 1 else f"{tasks} tasks"
        return f"it runs {some}, which a restart would end: drain the node first, or say --even-busy"
    return ""


def _log_of(subject: Subject) -> str | None:
    """The file of the instance's own log, where the survey read one."""
    survey = subject.known_survey
    logs = survey.logs.data if survey else None
    name = subject.instance_name.lower()
    own = [
        log
        for log in logs or ()
        if log.account is None and log.product == subject.product and log.instance.lower() == name and not log.error
    ]
    return own[0].path if len(own) == 1 else None


def left_alone(machine: str, why: str, by: By, what: str = "") -> Action:
    """A machine to which nothing was done."""
    return Action(
        time=datetime.now(UTC),
        kind="restart",
        machine=machine,
        what=what,
        result=ActionResult.LEFT_ALONE,
        told=f"left alone: {why}",
        by=by,
    )
