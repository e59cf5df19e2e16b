"""Who reached whom, over the whole fleet: what only many links together can tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from pytest_tentacle.guide.consequences import NO_CONNECTION
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.judging.links import Link, known_links, looks_at
from pytest_tentacle.link import By, Probe
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.sections import Fleet
from pytest_tentacle.sections.addresses.subnets import regions, subnet_of


@dataclass
class Around:
    """What one server's links in one direction came to: Tentacles by their subnets. Filled first, counted then.

    Attributes:
        reached: subnet -> Tentacles with whom a TCP connection came about.
        failed: subnet -> those with whom none did, though nothing is known to be wrong with the end that listens.
    """

    reached: defaultdict[str | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: defaultdict[str | None, set[str]] = field(default_factory=lambda: defaultdict(set))

    @cached_property
    def all_reached(self) -> int:
        """How many Tentacles."""
        return sum(map(len, self.reached.values()))

    @cached_property
    def all_failed(self) -> int:
        """How many Tentacles."""
        return sum(map(len, self.failed.values()))

    @cached_property
    def subnets_failed(self) -> int:
        """In how many subnets they are."""
        return sum(bool(subnet and names) for subnet, names in self.failed.items())

    def region(self, subnet: str) -> str:
        """The subnet, or the wider one around it of which nobody is reached."""
        return self._regions.get(subnet, subnet)

    @cached_property
    def _regions(self) -> dict[str, str]:
        return regions(filter(None, self.failed), (net for net, names in self.reached.items() if net and names))


class Reach:
    """An index of all links; made once.

    Attributes:
        resolved: vantage -> hosts that it could resolve.
        by_address: (vantage, the machine that should answer) -> whether a connection by IP address came about.
        by_name: (vantage, the machine that should answer), where it was looked at by a name.
    """

    def __init__(self, fleet: Fleet, problems: Iterable[Problem]) -> None:
        self._fleet = fleet
        self.to_tentacles: defaultdict[str, Around] = defaultdict(Around)
        self.to_server: defaultdict[str, Around] = defaultdict(Around)
        self.resolved: defaultdict[str, set[str]] = defaultdict(set)
        self.by_address: dict[tuple[str, str], bool] = {}
        self.by_name: set[tuple[str, str]] = set()
        self._subnets: dict[str, str | None] = {}
        for subject in fleet.subjects:
            for link in known_links(subject) if subject.is_tentacle else ():
                self._look(link)
        for problem in problems:
            if problem.code in NO_CONNECTION:
                self._note_failure(problem)

    def subnet(self, name: str) -> str | None:
        """A machine's own subnet: by its declared address, else by one of those that its host has."""
        if name not in self._subnets:
            machine = self._fleet.machines[name]
            record = self._fleet.record(name)
            host = record.survey.host.data if record and record.survey else None
            own = [address for address in (host.addresses if host else ()) if not _is_loopback(address)]
            self._subnets[name] = subnet_of(machine.ip) or next(filter(None, map(subnet_of, own)), None)
        return self._subnets[name]

    def around(self, problem: Problem) -> Around | None:
        """The links of the same server in the same direction as a problem's; None for what is no link's problem."""
        server, vantage = problem.facts.get("server"), problem.facts.get("vantage")
        if not server or not vantage:
            return None
        return self.to_tentacles[str(server)] if vantage == server else self.to_server[str(server)]

    def _look(self, link: Link) -> None:
        """Who got where; of a node that is declared by no name, only what its own certificate proves."""
        if link.server is None or link.end is None:
            return
        tentacle, vantage, end = link.tentacle.name, link.vantage.name, link.end.name
        around = (self.to_server if link.polls else self.to_tentacles)[link.server.name]
        for probe in looks_at(link):
            self._note_name(vantage, probe)
            if _connected(probe):
                around.reached[self.subnet(tentacle)].add(tentacle)
            if probe.by is By.NAME:
                self.by_name.add((vantage, end))
            if probe.by is By.ADDRESS:
                self.by_address[vantage, end] = self.by_address.get((vantage, end), False) or _connected(probe)

    def _note_name(self, vantage: str, probe: Probe) -> None:
        if probe.by is By.NAME and probe.resolve is not None and probe.resolve.addresses:
            self.resolved[vantage].add(plain_host(probe.host))

    def _note_failure(self, problem: Problem) -> None:
        around = self.around(problem)
        if around is not None and problem.machine in self._fleet.machines:
            subnet = self.subnet(problem.machine)
            around.failed[subnet].add(problem.machine)
            around.reached[subnet].discard(problem.machine)


def _connected(probe: Probe) -> bool:
    return probe.connect is not None and probe.connect.error is None


def _is_loopback(address: str) -> bool:
    plain = plain_address(address)
    return plain is None or plain == "::1" or plain.startswith(("127.", "fe80:", "169.254."))
