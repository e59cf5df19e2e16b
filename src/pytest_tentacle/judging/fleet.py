"""All machines of a run, indexed once, and what is compared over all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property

from pytest_tentacle.guide.severity import DEFAULT_GATE, Severity
from pytest_tentacle.inventory.model import Mode, OctopusServer, Tentacle
from pytest_tentacle.link import By, LinkRef, Probe
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys

from .finding import Blocked, Unknown
from .reading import Ledger
from .step import Step
from .subject import Subject
from .thumbprints import as_thumbprint


class Fleet:
    """The surveys of a run, each machine a `Subject`. Everything is indexed once, so that judging stays linear."""

    def __init__(self, surveys: Surveys, steps: Iterable[Step], gate: Severity = DEFAULT_GATE) -> None:
        self.surveys = surveys
        self.gate = gate
        self._steps = {step.slug: step for step in steps}
        self._judging: list[Step | None] = []
        self.ledger = Ledger()
        self.machines: dict[str, Tentacle | OctopusServer] = {
            machine.name: machine for machine in surveys.inventory.machines
        }
        self.servers = {server.name: server for server in surveys.inventory.servers}
        self._records = {name: record for record in surveys.records for name in record.machines}
        self._subjects: dict[str, Subject] = {}
        self._own_probes: dict[str, dict[tuple[LinkRef, str, int], Probe]] = {}
        self._peer_probes: dict[str, dict[tuple[LinkRef, By], Probe]] = {}

    def step(self, slug: str) -> Step:
        """A row of the table of steps. Raises LookupError for a slug that is none."""
        if slug not in self._steps:
            raise LookupError(f"{slug!r} is no step of the guide")
        return self._steps[slug]

    def has_step(self, slug: str) -> bool:
        """Whether it is a row of the table; a user's own step is none."""
        return slug in self._steps

    def ask_for(self, slug: str) -> None:
        """Raises LookupError where the step that is being judged asks for one on which it does not rest.

        So no step can come to ask for itself, by whatever way: the table is sorted (`judging.step.in_order`).
        """
        asking = self._judging[-1] if self._judging else None
        if asking is not None and slug not in asking.rests_on:
            raise LookupError(
                f"a check of the step {asking.slug} asks for {slug}, on which that step does not rest: "
                "name it in its rests_on (STEPS in sections/__init__.py)"
            )

    @contextmanager
    def judging(self, slug: str) -> Iterator[None]:
        """While the checks of a step run. A user's own step may ask for any: nothing of the table asks for it."""
        self._judging.append(self._steps.get(slug))
        try:
            yield
        finally:
            self._judging.pop()

    def subject(self, name: str) -> Subject:
        """One machine's view. Raises KeyError where the inventory has no such machine."""
        if name not in self._subjects:
            self._subjects[name] = Subject(self.machines[name], self)
        return self._subjects[name]

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All machines, servers first."""
        return tuple(self.subject(machine.name) for machine in self.surveys.inventory.machines)

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

    @cached_property
    def polled_servers(self) -> frozenset[str]:
        """Names of the server nodes that some Tentacle polls, as far as is known."""
        with self.ledger.watch():
            return frozenset(
                server
                for tentacle in self.surveys.inventory.tentacles
                if self.subject(tentacle.name).mode is Mode.POLLING
                for server in tentacle.servers
            )

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

    @cached_property
    def hosts_by_thumbprint(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Configured thumbprint -> host -> names of the Tentacles there that have it."""
        found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        with self.ledger.watch():
            for tentacle in self.surveys.inventory.tentacles:
                thumbprint = self._configured_thumbprint(tentacle.name)
                if thumbprint:
                    found[thumbprint][self._host_identity(tentacle)].append(tentacle.name)
        return {
            thumbprint: {host: tuple(names) for host, names in hosts.items()} for thumbprint, hosts in found.items()
        }

    @cached_property
    def hosts_by_subscription(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Subscription id (`poll://...`, lower case) -> host -> names of the Tentacles there that poll with it."""
        found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        with self.ledger.watch():
            for tentacle in self.surveys.inventory.tentacles:
                for subscription in self.subject(tentacle.name).subscriptions:
                    found[subscription][self._host_identity(tentacle)].append(tentacle.name)
        return {
            subscription: {host: tuple(names) for host, names in hosts.items()} for subscription, hosts in found.items()
        }

    def _configured_thumbprint(self, name: str) -> str | None:
        try:
            return as_thumbprint(self.subject(name).settings.certificate_thumbprint)
        except (Unknown, Blocked):
            return None

    def _host_identity(self, tentacle: Tentacle) -> str:
        """The login. Two logins that lead to one host name and one set of addresses are one host all the same."""
        record = self._records.get(tentacle.name)
        host = record.survey.host.data if record and record.survey else None
        if host is None or not host.addresses:
            return tentacle.host_key
        return f"{host.hostname.lower()} {' '.join(sorted(host.addresses))}"


def _words_of(machine: Tentacle | OctopusServer) -> tuple[str, ...]:
    """By what nodes of a failover cluster know one another: its word, and the names and addresses that they share."""
    hosts = (plain_host(host) for host in (machine.dns_name, machine.ip) if host)
    return (*((f"cluster {machine.cluster}",) if machine.cluster else ()), *(f"host {host}" for host in hosts))
