"""What kept the service from its own log: the words of processes that did not learn where their home is.

Such a log belongs to an account, and every call of the program by that account begins there (tentacle-facts 3.1). So
only what was said for this machine's instance counts, and only as long as nothing later shows that a process got
further: its own log begins with just that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile, LogRecord
from pytest_tentacle.survey.model import ServiceState

from .checks import FATAL, ended_with, problems_among
from .index import age_of, telling, utc_of
from .records import MACHINE_READS, Judged, logs_of, present_of
from .recovery import FRESH, State, Verdict, judge

BEFORE_HOME_CODES = ("TT122", "TT123", "TT124", "TT126", "TT137", "TT140", "TT142", "TT148", "TT149", "TT150")
"""What can keep a process from its home: the configuration and its secrets, keys, and rights on files and folders."""

QUOTED, NOT_THERE = "TT141", "TT152"

_UNKNOWN_INSTANCE = "instance-unknown"

_QUOTES = "\"'\u201c\u201d\u2018\u2019\u00ab\u00bb`"
_NO_INSTANCE = "default"
"""What a process without `--instance` calls its instance."""


@check(codes=BEFORE_HOME_CODES, reads=MACHINE_READS)
def no_start_ended_before_its_home_was_known(subject: Subject) -> Iterator[Finding]:
    """No start of its service ended before it knew its home, without one that got further since."""
    if subject.is_tentacle:
        own = (judged for judged in _records(subject) if not _is_quoted(judged.record.instance))
        yield from problems_among(subject, own, BEFORE_HOME_CODES)


@check(codes=(FATAL,), reads=("logs", "instances", "services"))
def no_process_ended_unknown_before_its_home_was_known(subject: Subject) -> Iterator[Finding]:
    """No process of its service ended before it knew its home, with an error that nobody knows."""
    if not subject.is_tentacle or _runs(subject):
        return
    try:
        own = logs_of(subject)
    except Unknown:
        own = ()
    for log in _early(subject):
        fatal = [record for record in log.records if record.level == "FATAL" and record.command is None]
        last = fatal[-1] if fatal else None
        if last is None or last.signature is not None or not _is_meant(last, subject):
            continue
        if _got_further(last, log, own) is None and _written_since(last, log, subject) is None:
            yield ended_with(last, log, subject)


@check(codes=(QUOTED, NOT_THERE), reads=MACHINE_READS)
def service_names_an_instance_that_is_there(subject: Subject) -> Iterator[Finding]:
    """The service's command line names an instance that is there, and no quotes are handed on as a part of its name."""
    if not subject.is_tentacle:
        return
    standing = [judged for judged in _records(subject) if judged.verdict.state is State.CURRENT]
    quoted = [judged for judged in standing if _is_quoted(judged.record.instance)]
    strange = [judged for judged in standing if _is_not_there(judged.record, subject)]
    if quoted:
        yield _looks_for(QUOTED, subject, quoted, "quotes included")
    elif strange:
        yield _looks_for(NOT_THERE, subject, strange, "which this machine does not have")


def _looks_for(code: str, subject: Subject, standing: list[Judged], why: str) -> Problem:
    last = standing[-1]
    facts: dict[str, object] = {"log": last.log.path, "instance": subject.instance_name, "wanted": last.record.instance}
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    if service is not None:
        facts |= {"service": service.name}
    return Problem(
        code,
        subject.name,
        expected=f"the service looks for instance {subject.instance_name}",
        actual=f"it looks for {last.record.instance}, {why} ({last.record.time})",
        evidence=tuple(judged.evidence for judged in reversed(standing)),
        facts=facts,
    )


def _early(subject: Subject) -> list[LogFile]:
    try:
        logs = subject.read(FACTS.logs)
    except Unknown:
        return []  # its own log is unknown for the same reason, and says so
    return [log for log in logs if log.account is not None and log.product == subject.product]


def _runs(subject: Subject) -> bool:
    try:
        service = subject.service
    except (Unknown, Blocked):
        return False
    return service is not None and service.state is ServiceState.RUNNING


def _is_meant(record: LogRecord, subject: Subject) -> bool:
    """Whether its process was started for this instance.

    Until about 3.7 no process said for which: then it is the only instance's of a service that does not run.
    """
    said = record.instance or record.facts.get("instance", "")
    if said:
        return said.strip(_QUOTES + " ").lower() in _names(subject)
    try:
        instances = subject.read(FACTS.instances)
        service = subject.service
    except (Unknown, Blocked):
        return False
    alone = sum(instance.product == subject.product for instance in instances) == 1
    return alone and service is not None and service.state is not ServiceState.RUNNING


def _records(subject: Subject) -> Iterator[Judged]:
    early = _early(subject)
    if not early:
        return
    try:
        own = logs_of(subject)
    except Unknown:
        own = ()
    present = present_of(subject)
    for log in early:
        for record, signature in telling(log):
            if not _is_meant(record, subject):
                continue
            verdict = _got_further(record, log, own) or _written_since(record, log, subject)
            if verdict is None:
                verdict = judge(record, signature, log, present)
                if verdict.state is State.CURRENT and not own and not _service_is_known(subject):
                    age = age_of(log, record.time, present.clock)
                    if age is None or age > FRESH:
                        verdict = Verdict(State.UNPROVEN, "neither its service nor its own log could be read")
            yield Judged(record, signature, log, subject, verdict)


def _is_quoted(instance: str | None) -> bool:
    """Whether quotes are a part of the name, whatever sort of them."""
    return instance is not None and instance.strip() != instance.strip().strip(_QUOTES)


def _is_not_there(record: LogRecord, subject: Subject) -> bool:
    """Whether the program says that there is no instance of the name with which the service starts it."""
    if record.signature != _UNKNOWN_INSTANCE or not record.instance:
        return False
    wanted = record.instance.strip().lower()
    try:
        service, instances = subject.service, subject.read(FACTS.instances)
    except (Unknown, Blocked):
        return False
    return (
        service is not None
        and (service.instance or "").lower() == wanted
        and all(instance.name.lower() != wanted for instance in instances)
    )


def _names(subject: Subject) -> set[str]:
    """What a process of its service may call its instance."""
    found = {subject.instance_name.lower()}
    try:
        service = subject.service
    except (Unknown, Blocked):
        return found
    if service is not None:
        found.add((service.instance or _NO_INSTANCE).lower())
    return found


def _got_further(record: LogRecord, log: LogFile, own: tuple[LogFile, ...]) -> Verdict | None:
    """A later process that learned where its home is. All logs of a machine are in the same local time."""
    for home in log.homes:
        if home.number > record.number and home.instance == record.instance:
            return Verdict(State.HISTORY, f"a later process read its configuration ({home.time})")
    failed = moment(record.time)
    for other in own:
        for time in _signs(other):
            at = moment(time)
            if failed is not None and at is not None and at > failed:
                return Verdict(State.HISTORY, f"its own log goes on at {time}")
    return None


def _signs(log: LogFile) -> Iterator[str]:
    """When an agent started, made a connection or let a client in."""
    if log.startup is not None:
        yield log.startup.time
    yield from (link.time for link in log.links)
    yield from (peer.authenticated_time for peer in log.peers if peer.authenticated_time)


def _written_since(record: LogRecord, log: LogFile, subject: Subject) -> Verdict | None:
    """The configuration is well by now, and was written after that."""
    failed = utc_of(log, record.time)
    written = _well_since(subject)
    if failed is not None and written is not None and written > failed:
        return Verdict(State.HISTORY, f"its configuration was written afterwards ({written:%Y-%m-%d %H:%M:%S} UTC)")
    return None


def _well_since(subject: Subject) -> datetime | None:
    try:
        configuration = subject.instance.configuration
    except (Unknown, Blocked):
        return None
    return configuration.modified_utc if configuration.error is None else None


def _service_is_known(subject: Subject) -> bool:
    try:
        return subject.service is not None
    except (Unknown, Blocked):
        return False
