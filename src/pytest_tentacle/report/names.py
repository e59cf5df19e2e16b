"""The names in a run that pseudonyms stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_tentacle.inventory.model import SSH, OctopusServer, WinRM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_tentacle.survey.model import Survey
    from pytest_tentacle.survey.store import Surveys


def names_of(surveys: Surveys) -> tuple[set[str], set[str]]:
    """Host names and user names: what the inventory declares and what the surveys found."""
    hosts: set[str] = set()
    users: set[str] = set()
    for machine in surveys.inventory.machines:
        hosts |= {machine.name, machine.dns_name or ""}
        if isinstance(machine, OctopusServer):
            hosts |= {*machine.addresses, urlsplit(machine.portal or "").hostname or ""}
        if isinstance(machine.transport, WinRM | SSH):
            hosts.add(machine.transport.host)
            users.add(machine.transport.user or "")
    for record in surveys.records:
        hosts |= {probe.host for probe in record.peer_probes}
        if record.survey:
            hosts |= set(_hosts(record.survey))
            users |= set(_users(record.survey))
    hosts |= {probe.host for probes in surveys.controller_probes.values() for probe in probes}
    return hosts - {""}, users - {""}


def _hosts(survey: Survey) -> Iterator[str]:
    if survey.host.data:
        yield survey.host.data.hostname
        yield survey.host.data.fqdn or ""
    for probe in survey.probes:
        yield probe.host


def _users(survey: Survey) -> Iterator[str]:
    if survey.host.data:
        yield survey.host.data.user or ""
    for service in survey.services.data or ():
        yield service.account or ""
    for listener in survey.listeners.data or ():
        for process in (listener.owner, *listener.children):
            if process:
                yield process.user or ""
