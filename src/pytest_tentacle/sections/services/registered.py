"""Guide, "Check the Octopus and Tentacle Services are Running": a service as Windows has it registered."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.away import AWAY_READS, away
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import ServiceState


@check(codes=("TT214",), reads=("instances", "services", *AWAY_READS))
def service_is_not_about_to_be_deleted(subject: Subject) -> Iterator[Finding]:
    """The service is not marked for deletion."""
    service = None if away(subject) is not None else subject.service
    if service is None or not service.deleted:
        return
    runs = service.state is not ServiceState.STOPPED
    yield Problem(
        "TT214",
        subject.name,
        expected=f"service {service.name} stays installed",
        actual="it is marked for deletion" + (", and goes when it stops" if runs else ""),
        evidence=(Evidence(f"registry of {subject.name}", f"service {service.name}: DeleteFlag is set"),),
        facts={
            "service": service.name,
            "instance": subject.instance_name,
            "state": service.state.value,
            "running": runs,
            "stopped": not runs,
        },
    )
