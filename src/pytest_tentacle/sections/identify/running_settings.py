"""What the running process was started with, by its own words, against what its configuration file says by now.

A Tentacle reads its settings when it starts: whom it trusts and polls, where it listens, through which proxy it polls.
A call that changes them writes that a restart is required, and the process goes on as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.logs.model import LogFile, Startup
from pytest_tentacle.survey.configuration import TentacleSettings

from .index import place_at, utc_of
from .records import logs_of

OTHER_SETTINGS = "TT144"

_PROXY = re.compile(r"octopus configured proxy at (?:https?://)?(?P<host>[^\s:/]+)(?::(?P<port>\d+))?", re.IGNORECASE)
_PORT = re.compile(r":(?P<port>\d{1,5})\Z")
_AT_ONCE = timedelta(minutes=2)
"""A process tells of its start soon after the service manager has started it."""


@check(codes=(OTHER_SETTINGS,), reads=("logs", "instances", "services"))
def process_runs_with_the_settings_of_its_file(subject: Subject) -> Iterator[Finding]:
    """The process that runs was started with the settings that its configuration file holds now."""
    if not subject.is_tentacle:
        return
    started = _start_of_what_runs(subject)
    if started is None:
        return
    log, startup = started
    try:
        settings, file = subject.settings, subject.instance.configuration
    except (Unknown, Blocked):
        return  # what keeps the settings from being read is told by its own step
    other = list(_differences(startup, settings))
    source = f"log of {subject.name}, {log.path}"
    if not other:
        yield Evidence(source, f"its process started at {startup.time} with the settings that {file.path} holds")
        return
    yield Problem(
        OTHER_SETTINGS,
        subject.name,
        expected=f"the running process has the settings of {file.path}",
        actual=f"it started at {startup.time} with others: {'; '.join(other)}",
        evidence=(Evidence(source, f"start at {startup.time}: {'; '.join(other)}"),),
        facts={
            "log": log.path,
            "instance": subject.instance_name,
            "service": subject.service.name if subject.service else None,
            "other": "; ".join(other),
        },
    )


def _start_of_what_runs(subject: Subject) -> tuple[LogFile, Startup] | None:
    """The last start in its log, where it is that of the process that runs, and the file was changed since."""
    service = subject.service
    if service is None or service.state != "running" or service.pid is None or service.started_utc is None:
        return None
    try:
        modified = subject.instance.configuration.modified_utc
    except (Unknown, Blocked):
        return None
    if modified is None or modified <= service.started_utc:
        return None
    for log in logs_of(subject):
        startup = log.startup
        if startup is None or startup.listens is None:
            continue
        own = _began_with(log, startup, service.started_utc) if startup.pid is None else startup.pid == service.pid
        if own:
            return log, startup
    return None


def _began_with(log: LogFile, startup: Startup, started: datetime) -> bool:
    """Whether a start is that of the running process, by their times: until 3.15.2 a log has no process numbers."""
    told = utc_of(log, startup.time)
    return told is not None and -_AT_ONCE <= told - started <= _AT_ONCE


def _differences(startup: Startup, settings: TentacleSettings) -> Iterator[str]:
    """Each as `what: the process has this, the file that`."""
    if startup.trusted or startup.trusts_nobody:
        process = {as_thumbprint(text) or text for text in startup.trusted}
        file = {as_thumbprint(entry.thumbprint) or str(entry.thumbprint) for entry in settings.trusted}
        yield from _differ("trust", process, file)
    polled = {str(place_at(server.address)) for server in startup.polls if place_at(server.address)}
    wanted = {entry.address for entry in settings.trusted if entry.polls and entry.address}
    if polled != {str(place_at(address)) for address in wanted if place_at(address)}:
        yield from _differ("polled addresses", {server.address for server in startup.polls}, wanted)
    else:
        asks = {_identity(server.subscription) for server in startup.polls}
        named = {_identity(entry.subscription_id) for entry in settings.trusted if entry.polls}
        if "" not in asks | named:
            yield from _differ("subscription", asks, named)
    if startup.listens is not settings.no_listen and startup.listening:
        port = _PORT.search(startup.listening)
        if port and settings.port is not None:
            yield from _differ("port", {port["port"]}, {str(settings.port)})
    elif startup.listens is settings.no_listen:
        listening = {True: {"yes"}, False: {"no"}}
        yield from _differ("listening", listening[bool(startup.listens)], listening[not settings.no_listen])
    if startup.polls and startup.proxies:
        own = {_endpoint(found["host"], found["port"]) for line in startup.proxies if (found := _PROXY.search(line))}
        proxy = settings.polling_proxy
        named = {_endpoint(proxy.host, str(proxy.port) if proxy.port else None)} if proxy.host else set()
        yield from _differ("polling proxy", own, named)


def _differ(what: str, process: set[str], file: set[str]) -> Iterator[str]:
    if process != file:
        yield f"{what}: the process has {_listed(process)}, the file {_listed(file)}"


def _identity(subscription: str | None) -> str:
    return (subscription or "").rstrip("/").lower()


def _endpoint(host: str, port: str | None) -> str:
    return f"{plain_host(host)}:{port or 80}"


def _listed(values: set[str]) -> str:
    return ", ".join(sorted(values)) or "none"
