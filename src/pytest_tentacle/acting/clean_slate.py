"""The guide's last section, "Uninstall Tentacles", as a plan for one machine: nothing of it is run by us.

What is removed is moved aside where that can be done, what was deployed stays, and the program stays where another
instance needs it. Sources of the order: tentacle-commands.md 4.12, Octopus's page on uninstalling by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tentacle.diagnosis.base_facts import base_facts
from pytest_tentacle.guide.commands import CLI, EXE, IMPORT, REGISTER
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.configuration import Mode, TentacleSettings
from pytest_tentacle.survey.surroundings import LeftOver

_ASIDE = ".before-clean-slate"
_MOVED = ("Logs", "Work")
"""Folders of Octopus Home that are moved aside: its own traces, and nothing that was deployed."""


@dataclass(frozen=True)
class Plan:
    """What a person needs to remove a Tentacle and to bring it back; lines that begin with `$ ` are commands.

    Attributes:
        first: what to think of before.
        keep: settings, by name: what they are now.
        server: what Octopus Server has to be told, and what to note there.
        remove: in this order.
        left_overs: what earlier installations left, and what to do with it.
        back: in this order.
    """

    machine: str
    is_windows: bool
    first: tuple[str, ...]
    keep: tuple[tuple[str, str], ...]
    server: tuple[str, ...]
    remove: tuple[str, ...]
    left_overs: tuple[str, ...]
    back: tuple[str, ...]


class NoPlanError(Exception):
    """Why there can be no plan, in a sentence."""


def planned(subject: Subject) -> Plan:
    """The plan for a surveyed Tentacle. Raises NoPlanError."""
    if not subject.is_tentacle:
        raise NoPlanError(f"{subject.name} is an Octopus Server: a clean slate is for Tentacles")
    if subject.known_survey is None:
        record = subject.record
        why = record.unreachable.summary if record and record.unreachable else "it was not surveyed"
        raise NoPlanError(f"{subject.name} was not surveyed: {why}")
    is_windows = subject.system == "windows"
    cluster = subject.known_service.cluster if subject.known_service else None
    if cluster is not None:
        raise NoPlanError(
            f"the service of {subject.name} is a failover cluster's ({cluster.resource or 'of unknown name'}), which "
            "takes its end for a failure: take it out of the role first"
        )
    try:
        settings: TentacleSettings | None = subject.settings
    except (Unknown, Blocked) as error:
        settings, unread = None, str(error)
    else:
        unread = ""
    others = subject.other_instances
    maker = _Lines(subject, settings, is_windows=is_windows)
    return Plan(
        machine=subject.name,
        is_windows=is_windows,
        first=tuple(_first(subject, others, unread)),
        keep=tuple(_kept(subject, settings)),
        server=tuple(_server(subject, settings)),
        remove=maker.filled(maker.remove(alone=others == ())),
        left_overs=maker.filled(_left_overs(subject, is_windows=is_windows)),
        back=maker.filled(maker.back()),
    )


def _first(subject: Subject, others: tuple[str, ...] | None, unread: str) -> Iterator[str]:
    yield "Do this only where the report's causes were mended and it still does not work: it is the guide's last step."
    yield "What was deployed stays as it is. Work that runs on this machine is ended: disable it in the portal first."
    yield "Keep a copy of what is below: settings that are not noted are lost."
    if others:
        yield (
            f"Other instances are on this machine ({', '.join(others)}): the program is theirs as well, so it is not "
            "uninstalled."
        )
    if others is None:
        survey = subject.known_survey
        why = survey.instances.unknown if survey else "it was not surveyed"
        yield (
            f"Whether other instances are on this machine was not read ({why}): look first. The program would be "
            "theirs as well, so it is not uninstalled."
        )
    if unread:
        yield f"Its settings could not be read ({unread}): note them by hand, or take them from the portal."


def _kept(subject: Subject, settings: TentacleSettings | None) -> Iterator[tuple[str, str]]:
    service = subject.known_service
    yield "instance", subject.instance_name
    if service is not None:
        yield "service", service.name
        yield "account", service.account or "not known"
        for name, value in sorted(service.environment.items()):
            yield f"variable {name}", value
    if settings is None:
        return
    yield "mode", settings.mode.value
    yield "Octopus Home", settings.home or "not set"
    yield "applications", settings.application_directory or "not set"
    yield "port", str(settings.port)
    yield "listens on", settings.listen_ip or "every address"
    yield "own thumbprint (a new one takes its place)", settings.certificate_thumbprint or "none"
    for number, each in enumerate(settings.trusted, 1):
        where = f", polled at {each.address} as {each.subscription_id or 'no subscription'}" if each.address else ""
        yield f"trusted server {number}", f"{each.thumbprint}{where}"
    if settings.polling_connection_count:
        yield "polling connections", str(settings.polling_connection_count)
    for name, proxy in (("proxy of polling", settings.polling_proxy), ("proxy of scripts", settings.web_proxy)):
        if proxy.host:
            user = f", user {proxy.username}, with a password that only a person has" if proxy.username else ""
            yield name, f"{proxy.host}:{proxy.port}{user}"


def _server(subject: Subject, settings: TentacleSettings | None) -> Iterator[str]:
    portal = subject.fleet.surveys.inventory.portal
    ids = set(getattr(subject.machine, "registrations", ()))
    own = [each for each in portal.registrations if each.id in ids] if portal else []
    for each in own:
        yield (
            f"Octopus knows it as {each.name} ({each.kind} {each.id} in space {each.space}): environments "
            f"{', '.join(each.environments) or 'none'}; roles {', '.join(each.roles) or 'none'}; tenants "
            f"{', '.join((*each.tenants, *each.tenant_tags)) or 'none'}; address {each.uri or 'none'}."
        )
    if not own:
        yield (
            "Note the machine's name, space, environments, roles, tenants, policy and proxy in the portal: no API was "
            "asked (--octopus of a run whose surveys you give tells them)."
        )
    yield "Do not delete the machine in the portal: under its old name it keeps its id, and what refers to it."
    if settings is None or settings.mode is not Mode.POLLING:
        yield "Afterwards: put its new thumbprint into the machine's settings (Connectivity), and run a health check."
    else:
        yield (
            "Afterwards: it is registered again under its old name with --force, which gives it environments and roles "
            "of that call alone; then run a health check."
        )


class _Lines:
    """The commands for one machine, its own names and paths in them."""

    def __init__(self, subject: Subject, settings: TentacleSettings | None, *, is_windows: bool) -> None:
        self._subject, self._settings, self._is_windows = subject, settings, is_windows
        self._program = EXE if is_windows else CLI
        configuration = None
        survey = subject.known_survey
        for each in (survey.instances.data if survey else None) or ():
            if each.product == "tentacle" and each.name.lower() == subject.instance_name.lower():
                configuration = each.configuration.path
        self._facts = base_facts(subject) | {
            "file": configuration,
            "home": settings.home if settings else None,
            "path": settings.application_directory if settings else None,
            "port": settings.port if settings else None,
            "runs_as": None,  # its log is moved aside, and its files are given back as a whole
            "address": settings.listen_ip if settings else None,
        }

    def filled(self, lines: Iterator[str]) -> tuple[str, ...]:
        return fill(tuple(lines), "windows" if self._is_windows else "linux", self._facts)

    def _call(self, words: str) -> str:
        return f"$ {self._program} {words}"

    def remove(self, *, alone: bool) -> Iterator[str]:
        yield from self._out_of_service()
        yield self._call('delete-instance --instance "<instance>"')
        survey = self._subject.known_survey
        if alone and self._is_windows and survey is not None and survey.watchdog.data:
            yield self._call("watchdog --delete")
        yield "What the instance leaves is moved aside, so that nothing of it comes back by itself:"
        yield self._aside('"<file>"')
        between = "\\" if self._is_windows else "/"
        for folder in _MOVED if self._facts.get("home") else ():
            yield self._aside(f'"<home>{between}{folder}"')
        if not self._is_windows:
            yield "$ sudo systemctl daemon-reload"
        if not alone:
            return
        yield "Only if the program itself is in doubt: take it away, too, and install the current version first."
        if self._is_windows:
            yield "# Get-Package -Name 'Octopus Deploy Tentacle*' | Uninstall-Package"
        else:
            yield "# sudo apt-get remove tentacle || sudo yum remove tentacle"

    def _out_of_service(self) -> Iterator[str]:
        """Tentacle's own call finds the service that it would have made; one of another name would go on."""
        service = self._subject.known_service
        if service is None or service.name.lower() in self._usual_services():
            yield self._call('service --stop --uninstall --instance "<instance>"')
            return
        yield f"Tentacle did not make its service {service.name}: it is stopped, and what made it stays for a person."
        yield from (
            ('$ Stop-Service -Name "<service>"', '$ Set-Service -Name "<service>" -StartupType Disabled')
            if self._is_windows
            else ('$ sudo systemctl disable --now "<service>"',)
        )

    def _usual_services(self) -> set[str]:
        """What Tentacle calls this instance's service (ServiceName.cs, LinuxServiceConfigurator.cs), in lower case."""
        instance = self._subject.instance_name
        if self._is_windows:
            return {"octopusdeploy tentacle", f"octopusdeploy tentacle: {instance}".lower()}
        names = ("OctopusDeploy Tentacle" if self._facts["unnamed"] else instance,)
        return {re.sub(r"\s+", "-", name.replace("/", "")).lower() + ".service" for name in names}

    def _aside(self, word: str) -> str:
        to = f'{word[:-1]}{_ASIDE}"'
        if self._is_windows:
            return f"$ if (Test-Path -LiteralPath {word}) {{ Move-Item -LiteralPath {word} -Destination {to} }}"
        return f"$ if sudo test -e {word}; then sudo mv -- {word} {to}; fi"

    def back(self) -> Iterator[str]:
        settings = self._settings
        if self._facts["unnamed"]:
            yield "It stands in no registry: create-instance would give its file to the instance of the usual name."
            yield self._empty_file()
        else:
            yield self._call('create-instance --instance "<instance>" --config "<file>"')
        if self._facts["shares_certificate"]:
            yield "Its certificate is that of other machines on purpose: import that from its file, with its password."
            yield f"# {self._program} {IMPORT}"
        else:
            yield self._call('new-certificate --instance "<instance>"')
        if settings is None:
            yield "Its settings could not be read: configure it by hand (home, applications, port, mode, trust)."
        else:
            yield self._configured(settings)
        if settings is not None and settings.polling_proxy.host:
            yield "Set the proxy of polling by hand, with its password, if any (polling-proxy --proxyEnable True)."
        yield self._call('show-thumbprint --instance "<instance>"')
        if settings is None or settings.mode is not Mode.LISTENING:
            yield "Register it by hand, with a key that stands in no file:"
            trusted = settings.trusted if settings else ()
            polled = dict.fromkeys(each.address for each in trusted if each.polls and each.address)
            if len(polled) > 1:
                addresses = ", ".join(polled)
                yield f"It polled {addresses}: register it with the server of each; a further node by poll-server."
            yield (f"# {self._program} {REGISTER}")
        account = self._subject.known_service.account if self._subject.known_service else None
        if account is None or account in {"LocalSystem", "root"}:
            yield self._call('service --install --start --instance "<instance>"')
            return
        yield self._call('service --install --instance "<instance>"')
        yield (
            f"It ran as {account}. Give it that account before it starts (service --reconfigure --username, with "
            "--password unless it is a managed one), or it makes files that this account may not write; on Linux make "
            "it the owner of what these calls made below Octopus Home. Then start it:"
        )
        yield f'# {self._program} service --start --instance "<instance>"'

    def _empty_file(self) -> str:
        """As create-instance makes it."""
        empty = "'<octopus-settings></octopus-settings>'"
        if self._is_windows:
            return f'$ Set-Content -LiteralPath "<file>" -Value {empty}'
        return f'$ echo {empty} | sudo tee "<file>"'

    def _configured(self, settings: TentacleSettings) -> str:
        words = ['configure --instance "<instance>"']
        words += ['--home "<home>"'] if settings.home else []
        words += ['--app "<path>"'] if settings.application_directory else []
        words.append("--reset-trust")
        if settings.mode is Mode.POLLING:
            words.append("--noListen True")
        else:
            known = (each.thumbprint for each in settings.trusted if not each.polls)
            trusted = [each for each in known if each and each.isalnum()]
            words += [f"--trust {thumbprint}" for thumbprint in dict.fromkeys(trusted)]
            words.append("--noListen False --port <port>")
            words += ['--listenIpAddress "<address>"'] if settings.listen_ip else []
        return self._call(" ".join(words))


def _left_overs(subject: Subject, *, is_windows: bool) -> Iterator[str]:
    survey = subject.known_survey
    if survey is None or survey.left_overs.data is None:
        yield f"What earlier installations left was not read: {survey.left_overs.unknown if survey else 'no survey'}."
        return
    for each in survey.left_overs.data:
        yield f"{each.kind}: {each.where}"
        command = _moved(each, is_windows=is_windows)
        if command:
            yield command
    if not survey.left_overs.data:
        yield "Nothing that an earlier installation left was found."


def _moved(found: LeftOver, *, is_windows: bool) -> str:
    """A command for what can be moved aside; what else there is stays for a person."""
    if found.kind not in {"folder", "index", "unit"}:
        return ""
    template = (
        f'$ Move-Item -LiteralPath "<path>" -Destination "<path>{_ASIDE}"'
        if is_windows
        else f'$ sudo mv -- "<path>" "<path>{_ASIDE}"'
    )
    (line,) = fill((template,), "windows" if is_windows else "linux", {"path": found.where})
    return line if "<path>" not in line else ""
