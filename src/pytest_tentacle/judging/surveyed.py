"""What was surveyed, indexed once, and one machine of it: its sections, instance, service, settings and probes.

What cannot be known raises Unknown; what a failure elsewhere makes meaningless raises Blocked.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Any, Literal, TypeVar

from pytest_tentacle.guide.advice import advice_on
from pytest_tentacle.inventory.model import LooksFrom, Mode, NoTransport, OctopusServer, Tentacle
from pytest_tentacle.link import By, LinkRef, PingSeries, Probe, Target, TlsVersions, Vantage
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.survey.configuration import ServerSettings, TentacleSettings, effective_settings
from pytest_tentacle.survey.model import HostRecord, Instance, Section, Service, Survey
from pytest_tentacle.survey.store import Surveys
from pytest_tentacle.survey.targets import DEFAULT_INSTANCES, own_instance

from .finding import Blocked, Unknown
from .own_service import own_service
from .reading import FACTS, Ledger, derived

T = TypeVar("T")

_CONFIGURATION_CODES = {"not-found": "TT301", "empty": "TT302", "malformed": "TT303"}
"""What a configuration file's error is called in the catalogue; the other errors are ours, not the Tentacle's."""

_NOT_REGISTERED = "TT207"


class Surveyed:
    """The surveys of a run by machine, every look by its link: indexed once, so that judging stays linear."""

    def __init__(self, surveys: Surveys) -> None:
        self.surveys = surveys
        self.ledger = Ledger()
        self.machines: dict[str, Tentacle | OctopusServer] = {
            machine.name: machine for machine in surveys.inventory.machines
        }
        self.servers = {server.name: server for server in surveys.inventory.servers}
        self._records = {name: record for record in surveys.records for name in record.machines}
        self._own_probes: dict[str, dict[tuple[LinkRef, str, int], Probe]] = {}
        self._peer_probes: dict[str, dict[tuple[LinkRef, By], Probe]] = {}

    def record(self, name: str) -> HostRecord | None:
        """What came of the log-on to a machine; None where it was not selected."""
        return self._records.get(name)

    def own_probes(self, name: str) -> dict[tuple[LinkRef, str, int], Probe]:
        """By link, host and port, the probes that a machine's host made in round 1."""
        record = self._records.get(name)
        if record is None or record.survey is None:
            return {}
        if record.host_key not in self._own_probes:
            self._own_probes[record.host_key] = {
                (probe.link, plain_host(probe.host), probe.port): probe for probe in record.survey.probes
            }
        return self._own_probes[record.host_key]

    def peer_probes(self, name: str) -> dict[tuple[LinkRef, By], Probe]:
        """By link and how the host is named, the probes of its listening Tentacles that a server made in round 2."""
        record = self._records.get(name)
        if record is None:
            return {}
        if record.host_key not in self._peer_probes:
            self._peer_probes[record.host_key] = {(probe.link, probe.by): probe for probe in record.peer_probes}
        return self._peer_probes[record.host_key]

    def controller_probe(self, tentacle: str, by: By) -> Probe | None:
        """A probe of a Tentacle's port that the machine which runs pytest made itself; None where it made none."""
        probes = self.surveys.controller_probes.get(tentacle, ())
        return next((probe for probe in probes if probe.by is by), None)

    def twins_of(self, machine: Tentacle | OctopusServer) -> tuple[str, ...]:
        """Names of the other machines of the same cluster, or which are declared by the same name or address."""
        found: dict[str, None] = {}
        for word in _words_of(machine):
            found |= self._by_word[word]
        return tuple(name for name in found if name != machine.name)

    @cached_property
    def _by_word(self) -> dict[str, dict[str, None]]:
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for machine in self.surveys.inventory.machines:
            for word in _words_of(machine):
                found[word][machine.name] = None
        return found

    @cached_property
    def machines_by_address(self) -> dict[str, tuple[str, ...]]:
        """Address -> names of the surveyed machines that have it, by their own account."""
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for name, record in self._records.items():
            host = record.survey.host.data if record.survey else None
            for address in host.addresses if host else ():
                found[plain_address(address) or address][name] = None
        return {address: tuple(names) for address, names in found.items()}


class SurveyedMachine:
    """One machine, by what is declared of it and what its host said, read with a count kept."""

    def __init__(self, machine: Tentacle | OctopusServer, surveyed: Surveyed) -> None:
        self.machine = machine
        self.name = machine.name
        """The machine's name in the inventory."""
        self.is_tentacle = isinstance(machine, Tentacle)
        """Whether it is a Tentacle; else it is an Octopus Server node."""
        self.surveyed = surveyed
        self.record = surveyed.record(machine.name)
        """What came of the log-on; None where it was not selected."""
        self.ledger = surveyed.ledger
        self.kept: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    # -- who it is -----------------------------------------------------------------------------------------------

    @property
    def product(self) -> Literal["tentacle", "server"]:
        """The product's word in surveys."""
        return "tentacle" if self.is_tentacle else "server"

    @property
    def can_log_on(self) -> bool:
        """Whether a transport is declared."""
        return not isinstance(self.machine.transport, NoTransport)

    # -- what was read -------------------------------------------------------------------------------------------

    @property
    def survey(self) -> Survey:
        """The host's survey. Raises Unknown where the host could not be surveyed: the stage and what to do."""
        record = self.record
        if record is None:
            raise Unknown(f"{self.name} was not surveyed", "Select it too (--limit), or replay a file that holds it.")
        survey = record.survey
        if survey is None:
            unreachable = record.unreachable
            if unreachable is None:
                raise Unknown(f"{self.name} gave no survey", "Run again with -v.")
            raise Unknown(unreachable.reason, unreachable.advice)
        return survey

    @property
    def known_survey(self) -> Survey | None:
        """The same without a word about why there is none."""
        record = self.record
        return record.survey if record else None

    @property
    def known_service(self) -> Service | None:
        """Its service; None where it has none, or nobody could read it."""
        try:
            return self.service
        except (Unknown, Blocked):
            return None

    @property
    def known_instance(self) -> Instance | None:
        """Its own instance; None where it has none, or nobody could read it."""
        try:
            return self.registered
        except Unknown:
            return None

    @property
    def other_instances(self) -> tuple[str, ...] | None:
        """The host's other instances of Tentacle; None where they were not read."""
        survey = self.known_survey
        known = survey.instances.data if survey else None
        if known is None:
            return None
        own = self.instance_name.lower()
        return tuple(each.name for each in known if each.product == "tentacle" and each.name.lower() != own)

    @property
    def call_facts(self) -> dict[str, Any]:
        """What calls for its instance and its service need, by placeholder and flag; what is not known is left out."""
        own, service = self.known_instance, self.known_service
        cluster = service.cluster if service else None
        facts: dict[str, Any] = {
            "instance": self.instance_name,
            "unnamed": bool(own and own.unnamed),
            "only_instance": self.other_instances == (),
            "clustered": cluster is not None,
        }
        facts |= {"file": own.configuration.path} if own and own.unnamed else {}
        facts |= {"service": service.name} if service else {}
        return facts | ({"resource": cluster.resource} if cluster and cluster.resource else {})

    @property
    def known_addresses(self) -> tuple[str, ...]:
        """The addresses that it is known to have: the declared one, and its host's own where these were read."""
        try:
            own = self.read(FACTS.host).addresses
        except Unknown:
            own = ()
        return tuple(plain_address(address) or address for address in (self.machine.ip, *own) if address)

    @property
    def system(self) -> str | None:
        """`windows` or `linux`: as surveyed, else as declared."""
        survey = self.known_survey
        if survey is not None and survey.host.data is not None:
            return survey.host.data.os
        return self.machine.os.value if self.machine.os else None

    def read(self, section: Section[T]) -> T:
        """A section's data, as `read(FACTS.own_names)`. Raises Unknown, with the reason, where there is none."""
        name = str(section)
        self.ledger.note_one((self.name, name))
        found: Section[T] = getattr(self.survey, name)
        if found.data is None:
            raise Unknown(f"{name} of {self.name}: {found.unknown}", advice_on(found.unknown or ""))
        return found.data

    def own_probe(self, target: Target) -> Probe | None:
        """A probe that the machine was asked for in round 1; None where none was. Raises Unknown without a survey."""
        self.ledger.note_one((self.name, "probes"))
        key = (target.link, plain_host(target.host), target.port)
        return self.surveyed.own_probes(self.name).get(key) if self.survey else None

    def own_probes(self) -> tuple[Probe, ...]:
        """All probes that its host made in round 1. Raises Unknown without a survey."""
        self.ledger.note_one((self.name, "probes"))
        return self.survey.probes

    def peer_probe(self, tentacle: str, by: By) -> Probe | None:
        """A probe that this server made of one of its Tentacles in round 2; None where there is none.

        Where the inventory declares our own look to be as good, that is it.
        Raises Unknown where it could not be logged on to, or round 2 gave nothing.
        """
        self.ledger.note_one((self.name, "peer_probes"))
        if isinstance(self.machine, OctopusServer) and self.machine.vantage is LooksFrom.CONTROLLER:
            return self.surveyed.controller_probe(tentacle, by)
        survey = self.survey
        link = LinkRef(vantage=Vantage.SERVER, tentacle=tentacle, server=self.name)
        found = self.surveyed.peer_probes(self.name).get((link, by))
        record = self.record
        if found is None and survey and record and record.peer_unknown:
            raise Unknown(f"{self.name} did not probe: {record.peer_unknown}", "Run again.")
        return found

    def pings(self, *, of_peers: bool) -> tuple[PingSeries, ...]:
        """What its host pinged: its Tentacles in round 2, or what it connects to itself.

        Raises Unknown where it could not be logged on to, or round 2 gave nothing.
        """
        self.ledger.note_one((self.name, "peer_pings" if of_peers else "pings"))
        survey, record = self.survey, self.record
        if not of_peers:
            return survey.pings
        if record and not record.peer_pings and record.peer_unknown:
            raise Unknown(f"{self.name} did not ping: {record.peer_unknown}", "Run again.")
        return record.peer_pings if record else ()

    def tls_versions(self, *, of_peers: bool) -> tuple[TlsVersions, ...]:
        """Its host's trials of each version of TLS: with its Tentacles, or what it connects to itself; else none."""
        self.ledger.note_one((self.name, "peer_tls_versions" if of_peers else "tls_versions"))
        record, survey = self.record, self.known_survey
        if of_peers:
            return record.peer_tls_versions if record else ()
        return survey.tls_versions if survey else ()

    def seen_from_here(self) -> tuple[Probe, ...]:
        """What the machine that runs pytest saw of its port: evidence, and no verdict of those who connect."""
        self.ledger.note_one(("controller", "probes"))
        return self.surveyed.surveys.controller_probes.get(self.name, ())

    # -- what it comes to ----------------------------------------------------------------------------------------

    @derived
    def registered(self) -> Instance | None:
        """Its own instance in the registry of instances; None where the machine has none that fits.

        Raises Unknown where several fit, and where the service runs with `--config` and needs no registry.
        """
        instances = self.read(FACTS.instances)
        found = own_instance(self.machine, instances)
        if found is not None:
            return found
        own = [instance.name for instance in instances if instance.product == self.product]
        if len(own) > 1 and self.machine.instance is None:
            raise Unknown(
                f"{self.name} has several instances ({', '.join(own)})",
                "Say in the inventory which one is meant: instance: <name>.",
            )
        if any(_has_config_argument(service) for service in self._services_or_none()):
            raise Unknown(
                f"a service on {self.name} is started with --config, outside the registry of instances",
                "Register the instance (create-instance --instance <name> --config <file>), or look at its file by "
                "hand.",
            )
        return None

    @derived
    def instance(self) -> Instance:
        """Its own instance. Raises Blocked where it is not registered."""
        found = self.registered
        if found is None:
            raise Blocked(_NOT_REGISTERED, self.name, "no instance, no settings")
        return found

    @property
    def instance_name(self) -> str:
        """Declared, else found, else the product's default."""
        if self.machine.instance is not None:
            return self.machine.instance
        try:
            found = self.registered
        except Unknown:
            found = None
        return found.name if found else DEFAULT_INSTANCES[self.product]

    @derived
    def service(self) -> Service | None:
        """The service of its instance (`own_service`). None where there is none."""
        own = [service for service in self.read(FACTS.services) if service.product == self.product]
        return own_service(own, self._instance_of, self.instance_name, any_other=self.machine.instance is None)

    @derived
    def file_settings(self) -> dict[str, str]:
        """The settings as the process sees them: the service's environment wins over the file.

        Raises Unknown where the file or the environment could not be read by us, Blocked where the file is missing,
        empty or malformed.
        """
        configuration = self.instance.configuration
        code = _CONFIGURATION_CODES.get(configuration.error or "")
        if code:
            raise Blocked(code, self.name, f"{configuration.path}: {configuration.error}")
        if configuration.error:
            raise Unknown(
                f"{configuration.path} on {self.name} could not be read: {configuration.detail or configuration.error}",
                "Survey with an account that may read it (Windows: local Administrators; Linux: root or sudo).",
            )
        service = self.known_service
        if service is not None and service.environment_unread:
            raise Unknown(
                f"the environment of {service.name} on {self.name} was not read whole, and its variables win over the "
                f"settings: {service.environment_unread}",
                "Look by hand (as root: systemctl show, or /proc/<pid>/environ), or survey as root.",
            )
        return effective_settings(configuration.settings, service.environment if service else {})

    @derived
    def settings(self) -> TentacleSettings:
        """A Tentacle's settings, typed. Raises as `file_settings` does."""
        return TentacleSettings.of(self.file_settings)

    @derived
    def server_settings(self) -> ServerSettings:
        """An Octopus Server's settings, typed. Raises as `file_settings` does."""
        return ServerSettings.of(self.file_settings)

    @derived
    def mode(self) -> Mode | None:
        """The communication mode: declared, else by the settings; None where neither tells, and for a server."""
        if not isinstance(self.machine, Tentacle):
            return None
        if self.machine.mode is not None:
            return self.machine.mode
        try:
            settings = self.settings
        except (Unknown, Blocked):
            return None
        if any(entry.polls for entry in settings.trusted):
            return Mode.POLLING
        return Mode.LISTENING if not settings.no_listen or settings.trusted else None

    @property
    def expected_port(self) -> int | None:
        """The port that its instance listens on by its settings. Raises as `file_settings` does."""
        return self.settings.port if self.is_tentacle else self.server_settings.services_port

    @derived
    def local_probe(self) -> Probe | None:
        """Its probe of its own port; None where it did not make one. Raises Unknown without a survey."""
        return next((probe for probe in self.own_probes() if probe.is_of_own_port and self.is_own(probe)), None)

    def is_own(self, probe: Probe) -> bool:
        """Whether a probe of its host was made for its own instance, by that one's settings."""
        instance = probe.link.instance
        if instance is None or probe.link.vantage.value != self.product:
            return False
        return instance.lower() == self.instance_name.lower()

    @property
    def presented_here(self) -> str | None:
        """The thumbprint that its own port presents to itself with a welcome page; None where that is not known."""
        try:
            probe = self.local_probe
        except Unknown:
            return None
        return probe.thumbprint if probe and probe.page and probe.page.product == self.product else None

    @property
    def expected_thumbprint(self) -> str | None:
        """What a peer should see: what the port presents on its own machine, else the configured, else the declared."""
        return self.presented_here or self.configured_thumbprint or self.machine.thumbprint

    @property
    def configured_thumbprint(self) -> str | None:
        """A Tentacle's own thumbprint by its settings; None where it is not known. A server has it in its database."""
        if not self.is_tentacle:
            return None
        try:
            return self.settings.certificate_thumbprint
        except (Unknown, Blocked):
            return None

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The ids that it polls with, lower case, without the final slash; none where the settings are not known."""
        if not self.is_tentacle:
            return ()
        try:
            entries = [entry for entry in self.settings.trusted if entry.polls]
        except (Unknown, Blocked):
            return ()
        return tuple(
            dict.fromkeys(entry.subscription_id.rstrip("/").lower() for entry in entries if entry.subscription_id)
        )

    def _services_or_none(self) -> tuple[Service, ...]:
        try:
            return tuple(service for service in self.read(FACTS.services) if service.product == self.product)
        except Unknown:
            return ()

    def _instance_of(self, service: Service) -> str:
        if service.instance:
            return service.instance
        if _has_config_argument(service):
            for instance in self.survey.instances.data or ():
                if instance.configuration.path.lower() in (service.arguments or "").lower():
                    return instance.name
        _, colon, named = service.name.partition(": ")
        return named if colon else DEFAULT_INSTANCES[self.product]


def _has_config_argument(service: Service) -> bool:
    return "--config" in (service.arguments or "").lower()


def _words_of(machine: Tentacle | OctopusServer) -> tuple[str, ...]:
    """By what nodes of a failover cluster know one another: its word, and the names and addresses that they share."""
    hosts = (plain_host(host) for host in (machine.dns_name, machine.ip) if host)
    return (*((f"cluster {machine.cluster}",) if machine.cluster else ()), *(f"host {host}" for host in hosts))
