"""Guide, "Check the Octopus and Tentacle Services are Running": the process that runs, and as whom.

Another account that is given to a service holds from its next start on. Until then rights, proxies and certificates are
still those of the former one, whatever is granted to the new one.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.away import AWAY_READS, away
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import NOT_SURVEYED, Service

_UNITS = "/etc/systemd/system/"


_HALTED = {
    "stopped": "it is stopped by a signal (SIGSTOP, or a terminal's Ctrl-Z)",
    "traced": "a debugger or tracer holds it",
    "frozen": "its control group is frozen (systemctl freeze, or whatever manages its cgroup)",
}


@check(codes=("TT213",), reads=("instances", "services", "service_accounts", *AWAY_READS))
def process_is_not_halted(subject: Subject) -> Iterator[Finding]:
    """Nobody has stopped the running process: it would keep its port and its connections, and do nothing (Linux)."""
    if away(subject) is not None:
        return
    service = subject.service
    if service is None or service.pid is None:
        return
    try:
        rows = subject.read(FACTS.service_accounts)
    except Unknown:
        return  # the next check says so
    halted = next((row.halted for row in rows if row.service == service.name), None)
    if halted is None:
        return
    source = f"process {service.pid} of {subject.name}"
    yield Problem(
        "TT213",
        subject.name,
        expected=f"process {service.pid} does its work",
        actual=_HALTED[halted],
        evidence=(Evidence(source, _HALTED[halted]),),
        facts={
            "service": service.name,
            "instance": subject.instance_name,
            "pid": service.pid,
            "how": _HALTED[halted],
            "frozen": halted == "frozen",
            "stopped": halted != "frozen",
        },
    )


@check(codes=("TT208",), reads=("instances", "services", "service_accounts", "host", "changes", *AWAY_READS))
def process_runs_as_its_account(subject: Subject) -> Iterator[Finding]:
    """The running process belongs to the account that the service is set to run as."""
    if away(subject) is not None:
        return
    service = subject.service
    if service is None or service.pid is None:
        return
    source = f"process {service.pid} of {subject.name}"
    try:
        rows = subject.read(FACTS.service_accounts)
    except Unknown as unknown:
        if NOT_SURVEYED not in unknown.reason:  # where the script does not ask for it, only the evidence says so
            raise
        yield Evidence(source, f"whom it runs as was not read: {unknown.reason}")
        return
    row = next((row for row in rows if row.service == service.name), None)
    if row is None or row.sid is None or row.process_sid is None:
        missing = "its owner" if row is None or row.process_sid is None else f"who {row.account} is"
        yield Evidence(source, f"whether it runs as {service.account} is not known: nobody tells {missing}")
        return
    if row.sid == row.process_sid:
        yield Evidence(source, f"it runs as {row.account}, as the service is set to")
        return
    other = f"it belongs to {row.process_sid}, and {row.account} is {row.sid}"
    if subject.read(FACTS.host).os == "linux" and not _unit_was_written_since(subject, service):
        yield Evidence(source, f"{other}: a drop-in may say so, or a + before the program in ExecStart")
        return
    yield Problem(
        "TT208",
        subject.name,
        expected=f"process {service.pid} runs as {row.account}",
        actual=other,
        evidence=(Evidence(source, other), Evidence(f"services of {subject.name}", f"{service.name}: {row.account}")),
        facts={
            "service": service.name,
            "instance": subject.instance_name,
            "account": row.account,
            "process_sid": row.process_sid,
        },
    )


def _unit_was_written_since(subject: Subject, service: Service) -> bool:
    """Whether the unit's file is newer than the process: only that shows a change, since a unit may ask for both."""
    try:
        files = subject.read(FACTS.changes).files
    except Unknown as unknown:
        if NOT_SURVEYED not in unknown.reason:
            raise
        return False
    unit = next((file for file in files if file.path == f"{_UNITS}{service.name}"), None)
    return bool(unit and unit.modified_utc and service.started_utc and unit.modified_utc > service.started_utc)
