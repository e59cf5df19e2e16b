"""What Windows' service controller wrote when a service last failed, as causes ask for it."""

from __future__ import annotations

from datetime import datetime

from pytest_tentacle.diagnosis.kind import Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.sections.services.events import LastFailure, installed_otherwise, last_failure, said, source_of


def exit_of(problem: Problem) -> object:
    """The exit code, as the service's manager has it."""
    return problem.facts.get("exit_code")


def failure_of(view: View) -> LastFailure | None:
    """What Windows' service controller wrote of its last failure; None where it wrote nothing that still holds."""
    events = view.survey.events.data if view.survey and view.system == "windows" else None
    if not events or view.service is None:
        return None
    host = view.survey.host.data if view.survey else None
    return last_failure(events, view.service, since=host.boot_utc if host else None, wrote=_last_written(view))


def _last_written(view: View) -> datetime | None:
    logs = view.survey.logs.data if view.survey else None
    name = view.subject.instance_name.lower()
    own = [log for log in logs or () if log.instance.lower() == name and log.product == view.subject.product]
    return max((log.modified_utc for log in own if log.modified_utc), default=None)


def told_by(view: View, failure: LastFailure | None) -> tuple[Evidence, ...]:
    """What the System log says of a failure, and of what was changed since the service was installed."""
    told = tuple(Evidence(source_of(event, view.name), said(event)) for event in failure.events) if failure else ()
    events = view.survey.events.data if view.survey else None
    installed = installed_otherwise(events or (), view.service) if view.service else None
    return (*told, Evidence(source_of(installed[0], view.name), installed[1])) if installed else told


def program_clue(view: View, **facts: object) -> Clue:
    """Its program did not come to run: which one, and whose."""
    service = view.service
    named = {"executable": service.executable if service else None, "account": service.account if service else None}
    return Clue(facts=named | facts, evidence=told_by(view, failure_of(view)))


def is_told_otherwise(view: View) -> bool:
    """Whether an event names a reason that has a cause of its own."""
    failure = failure_of(view)
    return failure is not None and (
        failure.log_on
        or failure.too_late
        or failure.no_program
        or failure.no_memory is not None
        or bool(failure.dependency or failure.lacks_dependency)
    )
