"""Guide, "Other Error Messages": a web page where Halibut should speak, and the rest that logs may say."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.logs.signatures import codes
from pytest_tentacle.sections.identify.checks import problems_among, problems_in_servers_logs
from pytest_tentacle.sections.identify.records import (
    OWN_READS,
    SERVER_READS,
    evidence_of,
    logs_of,
    own_records,
)

MESSAGE_CODES = tuple(sorted(code for code in codes() if code.startswith("TT9")))


@check(codes=MESSAGE_CODES, reads=OWN_READS)
def own_log_holds_no_such_message(subject: Subject) -> Iterator[Finding]:
    """Its own log tells of no such message that was not followed by proof of recovery; what nobody knows is shown."""
    yield from problems_among(subject, own_records(subject), MESSAGE_CODES)
    for log in logs_of(subject):
        unknown = [record for record in log.records if record.signature is None and record.command is None]
        if not unknown:
            yield Evidence(f"log of {subject.name}, {log.path}", "no warning or error that the catalogue does not know")
            continue
        last = evidence_of(unknown[-1], log, subject)
        yield Evidence(last.source, f"{len(unknown)} warnings and errors that the catalogue does not know; {last.text}")


@check(codes=MESSAGE_CODES, reads=(*SERVER_READS, *AWAY_READS))
def servers_logs_hold_no_such_message(subject: Subject) -> Iterator[Finding]:
    """The servers' logs tell of no such message about this Tentacle."""
    yield from problems_in_servers_logs(subject, MESSAGE_CODES)
