"""What in Octopus Home is a Tentacle's own, and what proves that its account may work there."""

from __future__ import annotations

from pytest_tentacle.judging.finding import Evidence, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import ServiceState

_KEPT_AT_HOME = frozenset({"logs", "work", "tools", "packages", "files", "calamari", "operationsconsole", "temp"})
"""Folders of Octopus Home in which a Tentacle itself works (tentacle-facts 2.1), in lower case."""

_FILES = (".config", ".txt", ".heartbeat")


def is_tentacles_own(path: str, home: str) -> bool:
    """Whether what lies at a path is the Tentacle's: home itself, what it keeps there, and its files.

    What deployments laid down below the folder for applications, or anywhere else, may be kept to an application's
    account, and the Tentacle's needs no rights there until it deploys that application again.
    """
    separator = "\\" if "\\" in home else "/"
    start = home.rstrip(separator).lower() + separator
    lowered = path.lower()
    if lowered.rstrip(separator) + separator == start:
        return True
    if not lowered.startswith(start):
        return False
    first, *below = lowered.removeprefix(start).split(separator)
    return first in _KEPT_AT_HOME or (not below and first.endswith(_FILES))


def proof_of_work(subject: Subject) -> Evidence | None:
    """That the service runs, and wrote its log in Octopus Home since it was started; None where that was not seen."""
    try:
        service = subject.service
        if service is None or service.state is not ServiceState.RUNNING or service.started_utc is None:
            return None
        if _runs_as_another(subject, service.name):
            return None
        for log in subject.read(FACTS.logs):
            own = log.product == subject.product and log.instance.lower() == subject.instance.name.lower()
            if own and log.account is None and log.modified_utc is not None and log.modified_utc > service.started_utc:
                words = f"written at {log.modified_utc:%Y-%m-%d %H:%M:%SZ}, by a service that runs since before that"
                return Evidence(log.path, words)
    except Unknown:
        return None
    return None


def _runs_as_another(subject: Subject, service: str) -> bool:
    """Whether the process is known to belong to another account than the service is set to run as."""
    try:
        rows = subject.read(FACTS.service_accounts)
    except Unknown:
        return False
    return any(row.service == service and row.sid and row.process_sid and row.sid != row.process_sid for row in rows)
