"""Guide, "Check the Octopus and Tentacle Services are Running"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from pytest_tentacle.judging.away import AWAY_READS, away
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import ClusterResource, Service, ServiceState
from pytest_tentacle.survey.surroundings import Event

from .events import CRASHES, events_of, said, source_of

START_LIMIT = timedelta(seconds=30)
"""How long a service may take to start (the guide's words: "Allow 30 seconds")."""

AFTER_BOOT = timedelta(minutes=3)
"""Windows starts delayed services two minutes after the others (AutoStartDelay), and they need a moment."""

LOOP_RESTARTS = 3
LOOP_UPTIME = timedelta(minutes=5)
"""systemd restarted it this often since somebody last started it, and the last time is not longer ago than that."""

CRASHES_WITHIN = timedelta(hours=1)
"""Windows counts no restarts: as many unexpected ends in this time are the same, where the last is as fresh."""

_NEVER_STARTED = 1077
_TERMINATED = 143
"""What a Tentacle gives when it is asked to end by SIGTERM, and systemd then calls failed (tentacle-seen 4.2)."""

_WINDOWS_EXIT_CODES = {
    2: "its executable is missing",
    3: "its executable is missing",
    5: "access was refused",
    8: "no memory was left to start it",
    14: "no memory was left to start it",
    193: "its executable is none that this Windows can run",
    216: "its executable is none that this Windows can run",
    225: "its executable is held to be unwanted software",
    577: "the signature of its executable is not accepted",
    1053: "it did not answer in time",
    1058: "it is disabled",
    1067: "its process ended unexpectedly",
    1068: "a service that it depends on failed",
    1069: "its account could not log on",
    1072: "it is to be deleted",
    1075: "a service that it depends on is not installed",
    1260: "a policy blocks its executable",
    1392: "its executable cannot be read",
    1450: "no memory was left to start it",
    1455: "no memory was left to start it",
    4551: "a policy blocks its executable",
    14001: "its executable is not whole",
    _NEVER_STARTED: "it was not started since the machine was",
}
"""windows-shapes 1.2, and MS-ERREF 2.2 for those of a program that does not come to run."""


@check(codes=("TT207",), reads=("instances", "services", *AWAY_READS))
def instance_is_registered(subject: Subject) -> Iterator[Finding]:
    """The instance that the inventory means is in the machine's registry of instances."""
    if (elsewhere := away(subject)) is not None:
        yield elsewhere
        return
    found = subject.registered
    if found is not None:
        where = "services" if found.unnamed else "instance registry"
        yield Evidence(f"{where} of {subject.name}", f"instance {found.name}: {found.configuration.path}")
        return
    others = [instance.name for instance in subject.read(FACTS.instances) if instance.product == subject.product]
    wanted = f"instance {subject.machine.instance}" if subject.machine.instance else "an instance"
    present = f"only {', '.join(others)}" if others else "no instance at all"
    yield Problem(
        "TT207",
        subject.name,
        expected=f"{wanted} of {_product(subject)} is registered",
        actual=f"{present} of {_product(subject)} is registered",
        evidence=(Evidence(f"instance registry of {subject.name}", present),),
        facts={"instance": subject.instance_name},
    )


@check(codes=("TT201",), reads=("instances", "services", "host", *AWAY_READS))
def service_is_installed(subject: Subject) -> Iterator[Finding]:
    """There is a service for the instance."""
    if away(subject) is not None:
        return
    service = subject.service
    if service is not None:
        yield Evidence(f"services of {subject.name}", f"service {service.name} is installed")
        return
    host = subject.read(FACTS.host)
    if host.os == "windows" and host.elevated is not True:
        raise Unknown(
            f"{subject.name} shows no service, but {host.user or 'the account'} may not be allowed to see it",
            "Survey with an account of the local Administrators.",
        )
    others = [service.name for service in subject.read(FACTS.services) if service.product == subject.product]
    yield Problem(
        "TT201",
        subject.name,
        expected=f"a service runs instance {subject.instance_name} of {_product(subject)}",
        actual=f"other services only: {', '.join(others)}" if others else "there is no such service",
        evidence=(Evidence(f"services of {subject.name}", ", ".join(others) or "none of Octopus Deploy's"),),
        facts={"instance": subject.instance_name},
    )


@check(codes=("TT202", "TT203", "TT204", "TT206"), reads=("instances", "services", "host", "events", *AWAY_READS))
def service_keeps_running(subject: Subject) -> Iterator[Finding]:
    """The service is running, and keeps running."""
    if away(subject) is not None:
        return
    service = _service(subject)
    if service.cluster is not None and service.state is ServiceState.STOPPED and not _ended_by_error(subject, service):
        yield _not_run_by_its_cluster(subject, service, service.cluster)
        return
    if _loops(service):
        yield _problem(subject, service, "TT203", "it crashes and is started again and again")
        return
    match service.state:
        case ServiceState.RUNNING:
            yield from _running(subject, service)
        case ServiceState.STARTING:
            yield from _starting(subject, service)
        case ServiceState.FAILED if service.exit_code != _TERMINATED:
            yield _problem(subject, service, "TT203", "it failed")
        case ServiceState.STOPPED if _ended_by_error(subject, service):
            yield _problem(subject, service, "TT203", "it stopped with an error")
        case ServiceState.UNKNOWN:
            raise Unknown(f"the state of service {service.name} on {subject.name} is not known", "Look by hand.")
        case ServiceState.STOPPED if late := _starts_late(subject, service):
            raise late
        case state:
            word = "stopped" if state is ServiceState.FAILED else state.value
            yield _problem(subject, service, "TT202" if subject.is_tentacle else "TT206", f"it is {word}")


@check(codes=("TT205",), reads=("instances", "services", "host", *AWAY_READS))
def service_starts_by_itself(subject: Subject) -> Iterator[Finding]:
    """The service comes back after a reboot."""
    if away(subject) is not None:
        return
    service = _service(subject)
    if service.cluster is not None and service.start_mode == "manual":
        if service.cluster.resource is None:
            raise _no_word_of_the_cluster(subject, service, service.cluster)
        yield Evidence(f"cluster of {subject.name}", f"its resource {service.cluster.resource} starts {service.name}")
        return
    match service.start_mode:
        case "disabled" | "manual":
            yield _problem(
                subject, service, "TT205", f"its start mode is {service.start_mode}", expected="starts by itself"
            )
        case None:
            raise Unknown(f"the start mode of service {service.name} on {subject.name} is not known", "Look by hand.")
        case mode:
            yield Evidence(f"services of {subject.name}", f"service {service.name}: start mode {mode}")


def _no_word_of_the_cluster(subject: Subject, service: Service, resource: ClusterResource) -> Unknown:
    return Unknown(
        f"{subject.name} is a node of a failover cluster, and whether that starts {service.name}, and where, is not "
        f"known: {resource.detail or 'nobody told'}",
        "Survey with an account of the local Administrators, or look at the cluster (Get-ClusterResource).",
    )


def _not_run_by_its_cluster(subject: Subject, service: Service, resource: ClusterResource) -> Problem | Unknown:
    """Nobody but the cluster starts it: what its resource says tells whether that is all right, and it is not."""
    if resource.resource is None or resource.state is None:
        return _no_word_of_the_cluster(subject, service, resource)
    if resource.state == "pending":
        return Unknown(
            f"the cluster of {subject.name} is just starting, stopping or moving its resource {resource.resource}",
            "Allow it a minute, then run again.",
        )
    what = f"it is stopped, and its cluster's resource {resource.resource} is {resource.state} on {resource.owner}"
    found = _problem(subject, service, "TT202" if subject.is_tentacle else "TT206", what)
    told = {"resource": resource.resource, "state_of_resource": resource.state, "owner": resource.owner}
    return replace(found, facts=found.facts | told)


def _starts_late(subject: Subject, service: Service) -> Unknown | None:
    """A service that starts by itself, on a machine that was started a moment ago: Windows has not come to it yet."""
    host = subject.read(FACTS.host)
    up = host.clock_utc - host.boot_utc if host.clock_utc and host.boot_utc else None
    if up is None or up > AFTER_BOOT or service.start_mode != "auto" or service.exit_code not in (None, _NEVER_STARTED):
        return None
    return Unknown(
        f"{subject.name} was started {int(up.total_seconds())} s ago, and service {service.name} not yet: Windows "
        "leaves two minutes before it starts what is delayed",
        "Run again in three minutes.",
    )


def _service(subject: Subject) -> Service:
    service = subject.service
    if service is None:
        raise Blocked("TT201", subject.name, "there is no service")
    return service


def _loops(service: Service) -> bool:
    """Whether systemd waits for the moment to start it again."""
    return service.state is ServiceState.STARTING and "auto-restart" in (service.detail or "")


def _running(subject: Subject, service: Service) -> Iterator[Finding]:
    if (service.restarts or 0) >= LOOP_RESTARTS:
        uptime = _since(subject, service.started_utc)
        if uptime is None:
            yield Unknown(
                f"service {service.name} on {subject.name} was restarted {service.restarts} times, nobody knows when "
                f"last",
                "Look at `systemctl status` and the Tentacle's log.",
            )
            return
        if uptime <= LOOP_UPTIME:
            seconds = int(uptime.total_seconds())
            yield _problem(
                subject, service, "TT203", f"it was restarted {service.restarts} times, the last time {seconds} s ago"
            )
            return
    if uncounted := _uncounted(subject, service):
        yield uncounted
        return
    crashes = _recent_crashes(subject, service)
    if isinstance(crashes, Unknown):
        yield crashes
        return
    if len(crashes) >= LOOP_RESTARTS:
        ago = int((_since(subject, crashes[0].time_utc) or timedelta()).total_seconds())
        what = f"it ended unexpectedly {len(crashes)} times in the last hour, the last time {ago} s ago"
        found = _problem(subject, service, "TT203", what)
        told = tuple(Evidence(source_of(each, subject.name), said(each)) for each in crashes[:LOOP_RESTARTS])
        yield replace(found, evidence=found.evidence + told, facts=found.facts | {"crashes": len(crashes)})
        return
    yield Evidence(f"services of {subject.name}", f"service {service.name} is running" + _as_process(service))


def _uncounted(subject: Subject, service: Service) -> Unknown | None:
    """A systemd before 235 counts no restarts: a loop and a fresh start look alike, until it has run for a while."""
    # Of a masked unit systemd knows no Restart=: nothing starts it again.
    if service.restarts is not None or service.detail == "masked" or subject.read(FACTS.host).os != "linux":
        return None
    uptime = _since(subject, service.started_utc)
    if uptime is not None and uptime > LOOP_UPTIME:
        return None
    when = f"{int(uptime.total_seconds())} s ago" if uptime is not None else "nobody knows when"
    return Unknown(
        f"service {service.name} on {subject.name} was started {when}, and its systemd does not count restarts: "
        "whether it keeps running is not known",
        "Run again in five minutes, or look at `systemctl status` and the Tentacle's log.",
    )


def _recent_crashes(subject: Subject, service: Service) -> tuple[Event, ...] | Unknown:
    """Unexpected ends by Windows' System log, newest first, where the newest is fresh enough for a next one.

    Where that log was not read, a loop and a fresh start look alike, until the service has run for a while.
    """
    if subject.read(FACTS.host).os != "windows":
        return ()
    try:
        events = subject.read(FACTS.events)
    except Unknown as unread:
        uptime = _since(subject, service.started_utc)
        if uptime is not None and uptime > LOOP_UPTIME:
            return ()
        when = f"{int(uptime.total_seconds())} s ago" if uptime is not None else "nobody knows when"
        return Unknown(
            f"service {service.name} on {subject.name} was started {when}, and whether it ended unexpectedly before "
            f"was not read: {unread.reason}",
            "Run again in five minutes, or look for the events 7031 and 7034 in the System log.",
        )
    ages = [(event, _since(subject, event.time_utc)) for event in events_of(events, service) if event.id in CRASHES]
    if not ages or ages[0][1] is None or ages[0][1] > LOOP_UPTIME:
        return ()
    return tuple(event for event, age in ages if age is not None and age <= CRASHES_WITHIN)


def _starting(subject: Subject, service: Service) -> Iterator[Finding]:
    uptime = _since(subject, service.started_utc)
    if uptime is None or uptime <= START_LIMIT:
        yield Unknown(
            f"service {service.name} on {subject.name} was just starting", "Allow it 30 seconds, then run again."
        )
        return
    seconds = int(uptime.total_seconds())
    yield _problem(subject, service, "TT204", f"it has been starting for {seconds} s")


def _since(subject: Subject, moment: datetime | None) -> timedelta | None:
    clock = subject.read(FACTS.host).clock_utc
    return clock - moment if clock and moment else None


def _ended_by_error(subject: Subject, service: Service) -> bool:
    """Only Windows: systemd itself tells what ended by an error from what was stopped."""
    if service.exit_code in (None, 0, _NEVER_STARTED):
        return False
    return subject.read(FACTS.host).os == "windows"


def _problem(
    subject: Subject, service: Service, code: str, what: str, *, expected: str = "is running, and keeps running"
) -> Problem:
    facts: dict[str, object] = {
        "service": service.name,
        "instance": subject.instance_name,
        "state": service.state.value,
    }
    if service.exit_code is not None:
        facts["exit_code"] = service.exit_code
    word = _WINDOWS_EXIT_CODES.get(service.exit_code or 0) if code in {"TT202", "TT203"} else None
    on_windows = subject.read(FACTS.host).os == "windows"
    return Problem(
        code,
        subject.name,
        expected=f"service {service.name} {expected}",
        actual=what + (f": {word}" if word and on_windows else ""),
        evidence=(Evidence(f"services of {subject.name}", _line(service)),),
        facts=facts,
    )


def _line(service: Service) -> str:
    parts = [f"{service.name}: {service.state.value}"]
    parts += [f"start mode {service.start_mode}"] if service.start_mode else []
    parts += [f"pid {service.pid}"] if service.pid else []
    parts += [f"exit code {service.exit_code}"] if service.exit_code is not None else []
    parts += [f"{service.restarts} restarts"] if service.restarts else []
    parts += [service.detail] if service.detail else []
    return ", ".join(parts)


def _as_process(service: Service) -> str:
    return f" (pid {service.pid})" if service.pid else ""


def _product(subject: Subject) -> str:
    return "Tentacle" if subject.is_tentacle else "Octopus Server"
