"""What a cause's predicate may look at: one machine, the other ends of its links, and the fleet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from pytest_tentacle.guide.consequences import NAME_FAILURES
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.attempts import attempts_of
from pytest_tentacle.judging.finding import Blocked, Problem, Unknown
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.sections import Fleet, Subject
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.survey.model import NOT_SURVEYED, SECTIONS, Service, Survey
from pytest_tentacle.survey.targets import names_of

from .base_facts import base_facts
from .reach import Reach


def zone_of(host: str) -> str:
    """A name without its first label; empty where it has only one."""
    return plain_host(host).partition(".")[2]


_NOTHING_TOLD = frozenset({"timed-out", "resolver-failed"})
"""How a look-up ends of which no DNS server had an answer."""


class Scene:
    """The fleet as a whole, indexed once, so that a diagnosis stays linear."""

    def __init__(self, fleet: Fleet, results: Iterable[StepResult]) -> None:
        self.fleet = fleet
        self.results: defaultdict[str, list[StepResult]] = defaultdict(list)
        self.problems: defaultdict[str, list[Problem]] = defaultdict(list)
        for result in results:
            self.results[result.machine].append(result)
            if result.outcome is not Outcome.WAIVED:
                self.problems[result.machine].extend(result.problems)
        self._add_blockers()
        self.by_code: defaultdict[str, list[Problem]] = defaultdict(list)
        for problem in self._every():
            self.by_code[problem.code].append(problem)
        self._views: dict[str, View] = {}
        self._unread: dict[str, tuple[str, ...]] = {}
        self._unlooked: dict[tuple[str, str, object], tuple[str, ...]] = {}

    def _every(self) -> Iterator[Problem]:
        for problems in self.problems.values():
            yield from problems

    @cached_property
    def reach(self) -> Reach:
        """Who reached whom; of a fleet that is well nobody asks."""
        return Reach(self.fleet, self._every())

    def blocks(self, name: str) -> tuple[tuple[str, str], ...]:
        """Code and machine of each failure elsewhere that stands in the way of a machine."""
        found = (result.blocked_by for result in self.results.get(name, ()) if result.outcome is Outcome.BLOCKED)
        return tuple(dict.fromkeys(each for each in found if each and each[1] != name))

    def _add_blockers(self) -> None:
        """A failure that stands in the way is looked up where it is not among the results, or is waived there."""
        for code, machine in {block for name in tuple(self.results) for block in self.blocks(name)}:
            known = CATALOGUE.get(code)
            if known is None or machine not in self.fleet.machines:
                continue
            if code not in {problem.code for problem in self.problems[machine]}:
                problems = self.fleet.subject(machine).problems_of(known.step)
                self.problems[machine].extend(problem for problem in problems if problem.code == code)

    def view(self, name: str) -> View:
        """One machine's view. Raises KeyError where the inventory has no such machine."""
        if name not in self._views:
            self._views[name] = View(self, self.fleet.subject(name))
        return self._views[name]

    def unread_anywhere(self, section: str) -> tuple[str, ...]:
        """Machines of which a section was not read, or which did not look; see `View.unread`."""
        if section not in self._unread:
            self._unread[section] = tuple(name for name in self.fleet.machines if section in self.view(name).unread)
        return self._unread[section]

    def unlooked(self, server: str, subnet: str, by: object) -> tuple[str, ...]:
        """Machines of a subnet with a link with this server at which nobody looked in this way, by name or address."""
        key = (server, subnet, by)
        if key not in self._unlooked:
            peers = self.fleet.subject(server).peers if server in self.fleet.servers else ()
            around = (peer for peer in peers if self.reach.subnet(peer.name) == subnet)
            self._unlooked[key] = tuple(
                peer.name for peer in around if not any(attempt.probe.by == by for attempt in attempts_of(peer))
            )
        return self._unlooked[key]

    @cached_property
    def owners(self) -> dict[str, tuple[str, ...]]:
        """Thumbprint -> machines that have it by their settings, their own port, or the inventory."""
        found: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for subject in self.fleet.subjects:
            for text in (subject.configured_thumbprint, subject.presented_here, subject.machine.thumbprint):
                thumbprint = as_thumbprint(text)
                if thumbprint:
                    found[thumbprint][subject.name] = None
        return {thumbprint: tuple(names) for thumbprint, names in found.items()}

    @cached_property
    def nameless(self) -> tuple[str, ...]:
        """Machines whose thumbprint nobody knows: a certificate that seems to be a stranger's may be one of theirs."""
        known = {name for names in self.owners.values() for name in names}
        return tuple(name for name in self.fleet.machines if name not in known)

    @cached_property
    def silent(self) -> Counter[tuple[str | None, str]]:
        """(subnet of the Tentacle, server) -> how many links are accepted and then silent."""
        return Counter(
            (self.reach.subnet(name), server)
            for name, server in {(each.machine, str(each.facts.get("server"))) for each in self.by_code["TT528"]}
        )

    @cached_property
    def pinged(self) -> Counter[str]:
        """Server -> how many of its Tentacles' links were pinged and judged, in either direction."""
        judged = (Outcome.PASSED, Outcome.FAILED)
        return Counter(
            peer.name
            for name, results in self.results.items()
            for result in results
            if result.step == "tentacle-ping" and result.outcome in judged
            for peer in self.fleet.subject(name).peers
        )

    @cached_property
    def failed_names(self) -> dict[str, set[str]]:
        """Vantage -> hosts that it could not resolve."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for code in NAME_FAILURES:
            for problem in self.by_code[code]:
                found[str(problem.facts.get("vantage"))].add(plain_host(str(problem.facts.get("host"))))
        return found

    @cached_property
    def failed_zones(self) -> Counter[tuple[str, str]]:
        """(vantage, zone) -> how many names in it could not be resolved there."""
        return Counter((vantage, zone_of(host)) for vantage, hosts in self.failed_names.items() for host in hosts)

    @cached_property
    def resolved_zones(self) -> frozenset[tuple[str, str]]:
        """(vantage, zone) of which some name was resolved."""
        return frozenset((vantage, zone_of(host)) for vantage, hosts in self.reach.resolved.items() for host in hosts)

    @cached_property
    def resolved_by(self) -> dict[str, int]:
        """Host -> how many vantage points could resolve it."""
        return Counter(host for hosts in self.reach.resolved.values() for host in hosts)

    @cached_property
    def unresolved_by(self) -> dict[str, int]:
        """Host -> how many vantage points were told that it is no name, by a DNS server that answered."""
        told = {
            (problem.facts.get("vantage"), plain_host(str(problem.facts.get("host"))))
            for code in NAME_FAILURES
            for problem in self.by_code[code]
            if problem.facts.get("error") not in _NOTHING_TOLD
        }
        return Counter(host for _, host in told)

    def count(self, code: str, **facts: object) -> int:
        """How many machines have a problem with these facts."""
        names = tuple(sorted(facts))
        if (code, names) not in self._counts:
            found: defaultdict[tuple[object, ...], set[str]] = defaultdict(set)
            for problem in self.by_code[code]:
                found[tuple(problem.facts.get(name) for name in names)].add(problem.machine)
            self._counts[code, names] = {values: len(machines) for values, machines in found.items()}
        return self._counts[code, names].get(tuple(facts[name] for name in names), 0)

    @cached_property
    def _counts(self) -> dict[tuple[str, tuple[str, ...]], dict[tuple[object, ...], int]]:
        return {}


class View:
    """One machine, with everything that is known of it; what is not known is None here, never an exception."""

    def __init__(self, scene: Scene, subject: Subject) -> None:
        self.scene = scene
        self.subject = subject
        self.name = subject.name
        self.problems = scene.problems[subject.name]
        self.codes = frozenset(problem.code for problem in self.problems)

    @property
    def survey(self) -> Survey | None:
        """The host's survey."""
        return self.subject.known_survey

    @cached_property
    def unread(self) -> frozenset[str]:
        """Sections of its survey that were not read, and `probes`, `peer_probes` where it did not look."""
        survey, record = self.survey, self.subject.record
        if survey is None:
            return frozenset((*SECTIONS, "probes", "peer_probes"))
        missing = {name for name in SECTIONS if getattr(survey, name).data is None}
        for later in ("access_control", "changes"):  # Windows has not the one, and older surveys asked for neither
            if getattr(survey, later).unknown == NOT_SURVEYED:
                missing.discard(later)
        missing |= {"peer_probes"} if record and record.peer_unknown else set()
        return frozenset(missing | (set() if survey.probes else {"probes"}))

    @cached_property
    def service(self) -> Service | None:
        """Its service."""
        return self.subject.known_service

    @cached_property
    def peers(self) -> tuple[str, ...]:
        """Names of the other ends of its links."""
        return tuple(peer.name for peer in self.subject.peers)

    @property
    def is_server(self) -> bool:
        """Whether it is an Octopus Server node."""
        return not self.subject.is_tentacle

    @property
    def system(self) -> str | None:
        """`windows` or `linux`: as surveyed, else as declared."""
        return self.subject.system

    @cached_property
    def base_facts(self) -> dict[str, Any]:
        """What every command may need."""
        return base_facts(self.subject)

    @cached_property
    def traits(self) -> tuple[str, ...]:
        """What it may have in common with others, in words that follow "all that are"."""
        found = [f"in group {group}" for group in self.subject.machine.groups]
        subnet = self.scene.reach.subnet(self.name)
        if subnet:
            found.append(f"in {subnet}")
        products = self.survey.products.data if self.survey else None
        found += [
            f"of version {product.version}"
            for product in products or ()
            if product.product == self.subject.product and product.version
        ]
        return tuple(dict.fromkeys(found))

    @cached_property
    def answers_itself(self) -> bool:
        """Whether its own port shows its page to itself."""
        return self.subject.presented_here is not None

    @property
    def connects_to_itself(self) -> bool:
        """Whether a connection to its own port comes about on the machine itself, whatever follows."""
        try:
            probe = self.subject.local_probe
        except (Blocked, Unknown):
            return False
        return probe is not None and probe.connect is not None and probe.connect.error is None

    @cached_property
    def _servers_by_host(self) -> dict[str, str]:
        servers = self.subject.peers if self.subject.is_tentacle else ()
        return {plain_host(host): server.name for server in servers for host, _ in names_of(server.machine)}

    def server_of(self, problem: Problem) -> str | None:
        """The server of the link that a problem is about; None where it may be any, or none, of the machine's."""
        facts = problem.facts
        if isinstance(facts.get("server"), str):
            return str(facts["server"])
        if facts.get("vantage") in self.scene.fleet.servers:
            return str(facts["vantage"])
        if facts.get("peer") and self.subject.is_tentacle and len(self.peers) == 1:
            return self.peers[0]
        return self._servers_by_host.get(plain_host(str(facts.get("host"))))

    def link_of(self, problem: Problem) -> str:
        """The links that a problem's is one of: those `from octo-1` to its Tentacles, or `to octo-1`."""
        way = "to" if self.subject.mode is Mode.POLLING else "from"
        return f"{way} {self.server_of(problem) or 'any server'}"

    def server_thumbprint(self, problem: Problem) -> str | None:
        """The thumbprint that a Tentacle's server should have: of the link's, else of the only one."""
        name = self.server_of(problem) or (self.peers[0] if self.subject.is_tentacle and len(self.peers) == 1 else None)
        server = self.scene.fleet.servers.get(name or "")
        return as_thumbprint(self.scene.view(server.name).subject.expected_thumbprint) if server else None

    def vantage_of(self, problem: Problem) -> str:
        """The machine that saw it: the one that connects, or in whose log it stands."""
        return str(problem.facts.get("vantage") or self.name)

    def peer(self, problem: Problem) -> View | None:
        """The server of a link's problem; None where the inventory has none of that name."""
        name = problem.facts.get("server")
        return self.scene.view(name) if isinstance(name, str) and name in self.scene.fleet.machines else None

    def vantage(self, problem: Problem) -> View | None:
        """The machine that connects."""
        name = problem.facts.get("vantage")
        return self.scene.view(name) if isinstance(name, str) and name in self.scene.fleet.machines else None

    def end(self, problem: Problem) -> View | None:
        """The machine that should answer: the Tentacle where its server connects, else the server."""
        return self if problem.facts.get("vantage") == problem.facts.get("server") else self.peer(problem)
