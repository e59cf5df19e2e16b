"""What is known of a machine, as names and values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from pytest_tentacle.inventory.model import LooksFrom, Machine, OctopusServer, Tentacle
from pytest_tentacle.survey.model import Host, HostRecord, Instance, Service, Survey

from .document import FactView

_CONFIGURATION_KEYS = (
    "Tentacle.Services.NoListen",
    "Tentacle.Services.ListenIP",
    "Tentacle.Services.PortNumber",
    "Octopus.Communications.ServicesPort",
    "Tentacle.CertificateThumbprint",
)


def facts_of(machine: Machine, record: HostRecord | None) -> tuple[FactView, ...]:
    """Declared first, then what the survey found; what is not known is left out."""
    pairs = [*_declared(machine), *_found(machine, record)]
    return tuple(_fact(name, value) for name, value in pairs if value)


@lru_cache(maxsize=1024)
def _fact(name: str, value: str) -> FactView:
    """One and the same for all machines that have it in common."""
    return FactView(name=name, value=value)


def _declared(machine: Machine) -> Iterator[tuple[str, str]]:
    if isinstance(machine, Tentacle):
        yield "Communication mode", machine.mode.value if machine.mode else ""
        yield "Port", str(machine.port or "")
        yield "Listens on", str(machine.listens_on or "")
        yield "Reached through the proxy", machine.via_proxy or ""
        yield "Shares its certificate", "on purpose" if machine.shares_certificate else ""
        yield "Servers", ", ".join(machine.servers)
    if isinstance(machine, OctopusServer):
        yield "Portal", machine.portal or ""
        yield "Polling ports", ", ".join(map(str, machine.polling_ports))
        yield "Further addresses", ", ".join(machine.addresses)
        yield "Gateway", machine.gateway or ""
        yield "Checked from", "the machine that runs pytest" if machine.vantage is LooksFrom.CONTROLLER else ""
    yield "DNS name", machine.dns_name or ""
    yield "IP address", machine.ip or ""
    yield "Instance", machine.instance or ""
    yield "Declared thumbprint", machine.thumbprint or ""
    yield "Site", machine.site or ""
    yield "Failover cluster", machine.cluster or ""
    yield "Runs in a container", "yes" if machine.container else ""
    yield "Groups", ", ".join(machine.groups)
    yield "Logged on by", machine.transport.kind
    if machine.origin:
        yield "Declared in", f"{machine.origin.file}:{machine.origin.line}"


def _found(machine: Machine, record: HostRecord | None) -> Iterator[tuple[str, str]]:
    if record is None:
        return
    yield (
        "Surveyed",
        f"{_time(record.taken_utc)}, in {record.seconds:.1f} s"
        + (f" and {record.requests} requests" if record.requests else ""),
    )
    if record.unreachable:
        yield "Not logged on", f"{record.unreachable.summary} ({record.unreachable.stage.value})"
    if record.survey is None:
        return
    survey = record.survey
    if survey.host.data:
        yield from _host(survey.host.data, record)
    for service in _mine(machine, survey.services.data or ()):
        yield f"Service {service.name}", _service(service)
    for instance in survey.instances.data or ():
        if machine.instance is None or instance.name.lower() == machine.instance.lower():
            yield from _instance(instance)
    yield from _listeners(survey)
    for name in ("host", "services", "instances", "listeners"):
        section = getattr(survey, name)
        if section.unknown:
            yield f"Unknown: {name}", section.unknown


def _host(host: Host, record: HostRecord) -> Iterator[tuple[str, str]]:
    yield "Host name", host.fqdn or host.hostname
    yield "System", " ".join(part for part in (host.os_name or host.os, host.os_version, host.architecture) if part)
    yield "Addresses", ", ".join(host.addresses)
    if host.clock_utc:
        skew = (host.clock_utc - record.taken_utc).total_seconds()
        yield "Clocks", f"there {_time(host.clock_utc)}, here {_time(record.taken_utc)} ({skew:+.0f} s)"
    if host.boot_utc:
        yield "Up since", _time(host.boot_utc)
    shell = " ".join(part for part in (host.shell.name, host.shell.version, host.shell.language_mode) if part)
    yield "Looked with", shell
    if host.user:
        yield "Looked as", host.user + {True: " (elevated)", False: " (not elevated)", None: ""}[host.elevated]


def _mine(machine: Machine, services: tuple[Service, ...]) -> Iterator[Service]:
    for service in services:
        if machine.instance is None or service.instance is None or service.instance.lower() == machine.instance.lower():
            yield service


def _service(service: Service) -> str:
    parts = [service.state.value, service.start_mode or "", f"as {service.account}" if service.account else ""]
    if service.pid:
        parts.append(f"pid {service.pid}")
    if service.exit_code:
        parts.append(f"exit code {service.exit_code}")
    if service.restarts:
        parts.append(f"{service.restarts} restarts")
    if service.started_utc:
        parts.append(f"since {_time(service.started_utc)}")
    return ", ".join([part for part in parts if part] + ([service.detail] if service.detail else []))


def _instance(instance: Instance) -> Iterator[tuple[str, str]]:
    configuration = instance.configuration
    changed = f", changed {_time(configuration.modified_utc)}" if configuration.modified_utc else ""
    error = f": {configuration.error} {configuration.detail or ''}".rstrip() if configuration.error else changed
    yield f"Configuration of {instance.name}", configuration.path + error
    for key in _CONFIGURATION_KEYS:
        yield key, configuration.settings.get(key, "")


def _listeners(survey: Survey) -> Iterator[tuple[str, str]]:
    for listener in survey.listeners.data or ():
        owner = listener.owner.name if listener.owner else None
        holder = f"{owner or 'process'} (pid {listener.pid})" if listener.pid else "unknown process"
        yield f"Listens on {listener.address}:{listener.port}", holder


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"
