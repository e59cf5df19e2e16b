"""What changed at an end of a link, and when: settings, certificate, program, service, system, Octopus's audit.

Nothing here is a cause: that something changed when a link broke is told, and what it has to do with it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.links import known_links, looks_at
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Probe
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.octopus.model import MachineEvent
from pytest_tentacle.sections.identify.records import logs_of
from pytest_tentacle.sections.portal import portal_of, registrations_of, seen_of
from pytest_tentacle.survey.surroundings import Event

from .accounts import accounts_of
from .moments import ONE_DAY, Clock, Kind, Moment, portal_time
from .packages import runs_of
from .windows import words_of_rule, words_of_updates

_OF_UNIT = ", which says as whom and how the service runs,"

_SAME = timedelta(minutes=1)
"""A service's start and its log's word of it are one."""

_OF_SERVICES = {
    7000: "the service could not start",
    7001: "the service could not start: one that it needs did not",
    7009: "the service did not answer in time when it was started",
    7011: "the service did not answer in time",
    7022: "the service hung when it was started",
    7023: "the service ended with an error",
    7024: "the service ended with an error of its own",
    7031: "the service ended unexpectedly, and Windows does what is set for that",
    7034: "the service ended unexpectedly",
    7038: "the service could not log on with its account",
    7040: "how the service starts was changed",
    7041: "the service's account lacks the right to log on as a service",
    7045: "the service was installed",
}
"""Of Windows' service manager, by number (Microsoft Learn, "Service Control Manager events")."""

_HEALTH = frozenset({"MachineHealthy", "MachineHasWarnings", "MachineUnhealthy", "MachineUnavailable"})
_AUDIT = {
    "Created": "its registration was created in Octopus",
    "MachineAdded": "its registration was added in Octopus",
    "Modified": "its registration was changed in Octopus",
    "Deleted": "its registration was deleted in Octopus",
    "MachineEnabled": "its registration was enabled in Octopus",
    "MachineDisabled": "its registration was disabled in Octopus",
    "MachineDeploymentRelatedPropertyWasUpdated": "what is deployed to it was changed in Octopus",
}


def changes_of(tentacle: Subject, server: Subject, clocks: dict[str, Clock]) -> Iterator[Moment]:
    """All that is known to have changed at both ends, in no order."""
    for subject in (tentacle, server):
        clock = clocks[subject.name]
        yield from _settings(subject, clock)
        yield from _programs(subject, clock)
        yield from _system(subject, clock)
        yield from _written(subject, clock)
        yield from accounts_of(subject, clock)
        yield from certificate_of(subject, tentacle)
    yield from audit_of(tentacle, clocks[server.name])
    yield from _server_audit(server, clocks[server.name])


# -- settings, programs, services ----------------------------------------------------------------------------------


def _settings(subject: Subject, clock: Clock) -> Iterator[Moment]:
    try:
        file = subject.instance.configuration
    except (Unknown, Blocked):
        return
    if file.modified_utc is not None:
        yield _changed(
            clock.at(file.modified_utc),
            subject,
            "its settings were written",
            f"settings of {subject.name}, {file.path}",
        )


def _programs(subject: Subject, clock: Clock) -> Iterator[Moment]:
    """Starts, with a change of version where one shows; the service's own start where no log tells it."""
    try:
        logs = logs_of(subject)
    except (Unknown, Blocked):
        logs = ()
    starts = [moment for log in logs for moment in _starts(subject, log, clock)]
    yield from starts
    try:
        service = subject.service
    except (Unknown, Blocked):
        return
    if service is None:
        return
    if service.started_utc is not None:
        started = clock.at(service.started_utc)
        if not any(abs(started - other.time) < _SAME for other in starts):
            account = f" as {service.account}" if service.account else ""
            yield _changed(
                started, subject, f"its service {service.name} started{account}", f"services of {subject.name}"
            )
    if service.state != "running":
        yield from _last_words(subject, logs, clock)


def _last_words(subject: Subject, logs: Iterable[LogFile], clock: Clock) -> Iterator[Moment]:
    """Of a service that does not run: until when it wrote."""
    for log in logs:
        if (last := clock.of_line(log, log.last_time or "")) is not None:
            yield _changed(last, subject, "the last line of its log was written", _log(subject, log))


def _starts(subject: Subject, log: LogFile, clock: Clock) -> Iterator[Moment]:
    what = "Tentacle" if subject.is_tentacle else "Octopus Server"
    versions = log.start_versions
    if len(versions) != len(log.start_times):  # a survey of before: of the last start alone
        versions = ("",) * (len(log.start_times) - 1) + ((log.startup.version or "") if log.startup else "",)
    before = ""
    for time, version in zip(log.start_times, versions, strict=False):
        at = clock.of_line(log, time)
        if at is not None:
            other = f"; before it was {before}" if before and version and version != before else ""
            yield _changed(at, subject, f"{what} {version} started{other}".replace("  ", " "), _log(subject, log))
        before = version or before


# -- the system ----------------------------------------------------------------------------------------------------


def _system(subject: Subject, clock: Clock) -> Iterator[Moment]:
    try:
        host = subject.read(FACTS.host)
    except Unknown:
        return
    if host.boot_utc is not None:
        yield _changed(clock.at(host.boot_utc), subject, "the machine booted", f"system of {subject.name}")
    try:
        events = subject.read(FACTS.events)
    except Unknown:
        return
    names = _service_names(subject)
    for event in events:
        if event.source == "service-control-manager" and _is_about(event, names):
            words = _OF_SERVICES.get(event.id, "an event of its service")
            details = ", ".join(value for value in event.data.values() if value)
            yield _changed(
                clock.at(event.time_utc),
                subject,
                f"{words} ({details})",
                f"System log of {subject.name}, event {event.id}",
            )


def _written(subject: Subject, clock: Clock) -> Iterator[Moment]:
    """Files of the system, what the package manager or Windows' servicing did, and changes of Windows' firewall."""
    try:
        changes = subject.read(FACTS.changes)
    except Unknown:
        return
    for file in changes.files:
        if file.modified_utc is not None:
            source = f"time of the file on {subject.name}"
            what = f"{file.path}{_OF_UNIT if _is_unit(file.path) else ''} was written"
            yield _changed(clock.at(file.modified_utc), subject, what, source)
    for time, text in runs_of(changes):
        yield _changed(clock.at(time), subject, text, f"package manager's log on {subject.name}")
    for time, text in words_of_updates(changes.updates):
        yield _changed(clock.at(time), subject, text, f"Setup log of {subject.name}")
    for rule in changes.rules:
        yield _changed(clock.at(rule.time_utc), subject, words_of_rule(rule), f"firewall's log of {subject.name}")


def _is_unit(path: str) -> bool:
    return "/systemd/system/" in path and path.endswith((".service", ".conf"))


def _service_names(subject: Subject) -> frozenset[str]:
    try:
        service = subject.service
    except (Unknown, Blocked):
        return frozenset()
    return frozenset({service.name.casefold()}) if service else frozenset()


def _is_about(event: Event, names: frozenset[str]) -> bool:
    return any(value.casefold() in names for value in event.data.values())


# -- certificates --------------------------------------------------------------------------------------------------


def certificate_of(subject: Subject, tentacle: Subject) -> Iterator[Moment]:
    """When the certificate that an end presents was made.

    A Tentacle, and Octopus Server, makes its own valid from the midnight a day before (tentacle-facts 1.1): the day of
    making is known, the time is not. Of another one only the first moment of its validity is.
    """
    seen: set[str] = set()
    for probe in _presented(subject, tentacle):
        certificate = probe.certificate
        if certificate is None or certificate.not_before is None or certificate.thumbprint in seen:
            continue
        seen.add(certificate.thumbprint)
        begins = certificate.not_before
        midnight = begins.time() == datetime.min.time()
        own = midnight and certificate.subject in {"CN=Octopus Tentacle", "CN=Octopus Server", "CN=Octopus Portal"}
        text = f"the certificate that it presents, {certificate.thumbprint}, "
        yield Moment(
            begins + ONE_DAY if own else begins,
            Kind.CHANGED,
            subject.name,
            text + ("was made on that day" if own else "begins to be valid"),
            f"certificate at {probe.host}:{probe.port}",
            within=ONE_DAY if own else timedelta(),
            brief="its certificate was created" if own else "its certificate begins to be valid",
        )


def _presented(subject: Subject, tentacle: Subject) -> Iterator[Probe]:
    """Looks at which this end showed its own page, so that the certificate is its own."""
    looks = [probe for link in known_links(tentacle) if link.end is subject for probe in looks_at(link)]
    try:
        own = subject.local_probe
    except (Unknown, Blocked):
        own = None
    for probe in (*((own,) if own else ()), *looks):
        if probe.page is not None and probe.page.product == subject.product:
            yield probe


# -- Octopus's audit -----------------------------------------------------------------------------------------------


def audit_of(tentacle: Subject, clock: Clock) -> Iterator[Moment]:
    """What was done to its registrations in Octopus, by the clock of that server."""
    for registration in registrations_of(tentacle):
        seen = seen_of(tentacle, registration)
        for event in seen.events if seen else ():
            time = portal_time(event.occurred)
            if time is not None and event.category not in _HEALTH:
                source = f"Octopus, {registration.space}, audit of {registration.name}"
                yield Moment(clock.at(time), Kind.CHANGED, tentacle.name, _words(event), source)


def _server_audit(server: Subject, clock: Clock) -> Iterator[Moment]:
    portal = portal_of(server)
    for event in portal.events if portal else ():
        if (time := portal_time(event.occurred)) is not None:
            text = " ".join(event.message.split())[:200] or f"{event.category} in Octopus"
            yield Moment(clock.at(time), Kind.CHANGED, server.name, text, "Octopus, audit of the server")


def _words(event: MachineEvent) -> str:
    words = _AUDIT.get(event.category, f"{event.category} in Octopus")
    return f"{words}: {', '.join(event.changed)}" if event.changed else words


def _changed(time: datetime, subject: Subject, text: str, source: str) -> Moment:
    return Moment(time, Kind.CHANGED, subject.name, text, source)


def _log(subject: Subject, log: LogFile) -> str:
    return f"log of {subject.name}, {log.path}"
