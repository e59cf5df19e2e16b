"""The links of a fleet: both ends, every look that was taken at them, and what should answer.

A link is the way between one Tentacle and one server node, in the direction in which the product connects. A listening
Tentacle has one from each of its declared servers. A polling one has one for each address of its settings: its node is
the one that is declared with that address, or else one whose certificate answers there. It also has one for each
declared node that no address leads to, not even in its turn behind a balancer. Through a proxy, a look on the direct
way says nothing of the link.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.link import By, PingSeries, Probe, Target, TlsVersions
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.survey.surroundings import ProxyConnect
from pytest_tentacle.survey.targets import listening_targets, names_of, polling_target, polling_targets

from .check import Finding
from .entries import Entry, entries_of, is_balanced, node_of, unnamed_web_socket
from .finding import Blocked, Problem, Unknown
from .reading import kept
from .subject import Subject
from .thumbprints import as_thumbprint

NO_ADDRESS_ADVICE = "Declare dns_name, ip, or both."

_AnyLook = TypeVar("_AnyLook", PingSeries, TlsVersions)


@dataclass(frozen=True)
class Way:
    """The guide's two tries at one port: by DNS name, then by IP address; None for what was not tried."""

    by_name: Probe | None
    by_address: Probe | None


@dataclass(frozen=True, eq=False)
class Link:
    """One link.

    Attributes:
        tentacle: the Tentacle's end.
        server: the server node's end; None where a polled address is no declared node's.
        polls: whether the Tentacle connects; else the server does.
        entry: the address of the Tentacle's settings; None where it listens, or no address leads to the node.
        proxy: what its settings let it poll through; None where it takes the direct way.
    """

    tentacle: Subject
    server: Subject | None
    polls: bool
    entry: Entry | None = None
    proxy: str | None = None

    @property
    def vantage(self) -> Subject:
        """The end that connects."""
        return self.tentacle if self.polls or self.server is None else self.server

    @property
    def end(self) -> Subject | None:
        """The end that should answer."""
        return self.server if self.polls else self.tentacle

    @property
    def product(self) -> Literal["tentacle", "server"]:
        """Whose page should come back."""
        return "server" if self.polls else "tentacle"

    @property
    def server_name(self) -> str | None:
        """The server node's name."""
        return self.server.name if self.server else None

    @property
    def is_web_socket(self) -> bool:
        """Whether the portal's web server is in between, with its own certificate."""
        return self.entry is not None and self.entry.is_web_socket

    @property
    def is_direct(self) -> bool:
        """Whether the product takes the way that was looked at: no proxy, no web socket."""
        return self.proxy is None and not self.is_web_socket

    @property
    def expected_thumbprint(self) -> str | None:
        """What the answering end should present, for checks, causes and report alike; None where nobody knows."""
        known = as_thumbprint(self.end.expected_thumbprint) if self.end else None
        return known or (as_thumbprint(self.entry.thumbprint) if self.entry else None)

    @property
    def declared_ip(self) -> str | None:
        """The address that the name should lead to; None where none is declared, or the name is not a declared one."""
        if self.end is None or (self.entry is not None and not self.entry.names(self.end)):
            return None
        return self.end.machine.ip

    @property
    def targets(self) -> tuple[Target, ...]:
        """By what the inventory declares of the answering end: every name and address on every port."""
        if not self.polls:
            machine = self.tentacle.machine
            if isinstance(machine, OctopusServer):
                return ()
            return listening_targets(machine, self.tentacle.fleet.surveys, self.server_name)
        node = self.server.machine if self.server else None
        return polling_targets(self.tentacle.name, node) if isinstance(node, OctopusServer) else ()

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each address of the link, the one that the product uses alone where the settings name it."""
        if self.entry is not None:
            return ((self.entry.host, self.entry.port),)
        return tuple((target.host, target.port) for target in self.targets)

    @property
    def is_named(self) -> bool:
        """Whether it is to be looked at by a name."""
        if self.entry is not None:
            return plain_address(self.entry.host) is None
        return self.end is not None and any(by is By.NAME for _, by in names_of(self.end.machine))

    @property
    def entry_probe(self) -> Probe | None:
        """The look at the address of the settings."""
        return self.entry.probe(self.tentacle) if self.entry is not None else None

    @property
    def looks(self) -> tuple[Probe, ...]:
        """Every look of the connecting end. Raises Unknown where it could not look."""
        if not self.polls:
            return tuple(filter(None, (self._from_server(by) for by in (By.NAME, By.ADDRESS))))
        own = None if self.is_web_socket else self.entry_probe
        found = (own, *(self.tentacle.own_probe(target) for target in self.targets))
        return tuple(probe for probe in found if probe is not None)

    @property
    def ways(self) -> tuple[Way, ...]:
        """The guide's tries, by port. Raises Unknown where the connecting end could not look."""
        if not self.polls:
            return (Way(self._from_server(By.NAME), self._from_server(By.ADDRESS)),)
        if self.entry is not None:
            probe, literal = self.entry_probe, plain_address(self.entry.host) is not None
            second = self._own_probe(self.declared_ip, self.entry.port)
            return (Way(None if literal else probe, probe if literal else second),)
        machine = self.server.machine if self.server else None
        if not isinstance(machine, OctopusServer):
            return ()
        hosts = names_of(machine)
        name = next((host for host, by in hosts if by is By.NAME), None)
        address = machine.ip or next((host for host, by in hosts if by is By.ADDRESS), None)
        return tuple(Way(self._own_probe(name, port), self._own_probe(address, port)) for port in machine.polling_ports)

    @property
    def series(self) -> PingSeries | None:
        """What the connecting end pinged. Raises Unknown where it gave no survey, or round 2 gave nothing."""
        return _first(self.vantage.pings(of_peers=not self.polls), self.endpoints[:1])

    @property
    def trials(self) -> tuple[TlsVersions, ...]:
        """The connecting end's trials of each version of TLS, one for each host and port; none where nobody asked."""
        every = self.vantage.tls_versions(of_peers=not self.polls)
        found = (_first(every, [endpoint]) for endpoint in dict.fromkeys(self.endpoints))
        return tuple(each for each in found if each is not None)

    def _from_server(self, by: By) -> Probe | None:
        return self.vantage.peer_probe(self.tentacle.name, by)

    def _own_probe(self, host: str | None, port: int) -> Probe | None:
        if host is None or self.server is None:
            return None
        return self.tentacle.own_probe(polling_target(self.tentacle.name, self.server.name, host, port))


def links_from_servers(tentacle: Subject) -> tuple[Link, ...]:
    """The links of a listening Tentacle: from each declared server node."""
    return tuple(Link(tentacle, server, polls=False) for server in tentacle.peers)


def polled_links(tentacle: Subject) -> tuple[Link, ...]:
    """The links of a polling Tentacle. Raises Unknown without a survey: nobody looked."""
    return kept(tentacle, "polled links", lambda: _polled(tentacle))


def known_links(tentacle: Subject) -> tuple[Link, ...]:
    """The links of a Tentacle's mode, both kinds where that is not known; what cannot be known is left out."""
    found = [] if tentacle.mode is Mode.POLLING else [*links_from_servers(tentacle)]
    if tentacle.mode is not Mode.LISTENING:
        with contextlib.suppress(Unknown):
            found += polled_links(tentacle)
    return tuple(found)


def looks_at(link: Link) -> tuple[Probe, ...]:
    """Every look at a link; none where the connecting end could not look."""
    try:
        return link.looks
    except Unknown:
        return ()


def on_its_way(link: Link, findings: Iterable[Finding]) -> Iterator[Finding]:
    """A Tentacle that polls through a proxy does not use the direct way: if that fails, it says nothing."""
    address = f" {link.entry.address}" if link.entry else ""
    for finding in findings:
        if link.proxy and isinstance(finding, Problem):
            yield Unknown(
                f"{link.tentacle.name} polls{address} through the proxy {link.proxy}; the direct way, which it does "
                f"not use, fails: {finding.actual}",
                "Check the proxy (guide, proxy servers), or look at the Tentacle's log.",
            )
        else:
            yield finding


def no_server_declared(tentacle: Subject) -> Unknown:
    """Why a Tentacle has no link."""
    return Unknown(f"no server is declared for {tentacle.name}", "Declare it in the inventory: servers: [<name>].")


def no_address_declared(machine: Subject) -> Unknown:
    """Why nobody knows where a machine should be reached."""
    return Unknown(f"neither a DNS name nor an IP address of {machine.name} is declared", NO_ADDRESS_ADVICE)


def mode_not_known(tentacle: Subject) -> Unknown:
    """Why nobody knows who connects: the settings could not be read, or tell nothing."""
    try:
        tentacle.settings  # noqa: B018  raises the reason
    except Unknown as unknown:
        return Unknown(f"the mode of {tentacle.name} is not known: {unknown.reason}", unknown.advice)
    except Blocked:
        pass
    return Unknown(
        f"the mode of {tentacle.name} is not known", "Declare it in the inventory: mode: listening or polling."
    )


def _polled(tentacle: Subject) -> tuple[Link, ...]:
    tentacle.own_probes()
    try:
        through = tentacle.settings.polling_proxy
        entries, proxy = entries_of(tentacle.settings), None if through.use_default else through.host
    except (Unknown, Blocked):
        entries, proxy = (), None
    nodes, reached = tentacle.peers, set[str]()
    links = []
    for entry in entries:
        node = node_of(entry, tentacle, entries) or _certified(entry, tentacle, reached)
        reached |= {node.name} if node else set()
        links.append(Link(tentacle, node, polls=True, entry=entry, proxy=proxy))
    if not unnamed_web_socket(entries, nodes):
        left = [node for node in nodes if node.name not in reached]
        unnamed = [node for node in left if not any(is_balanced(entry, node, tentacle) for entry in entries)]
        links += [Link(tentacle, node, polls=True, proxy=proxy) for node in unnamed]
    return tuple(links)


def _certified(entry: Entry, tentacle: Subject, reached: set[str]) -> Subject | None:
    """A node that no address leads to yet, whose certificate answers at this one."""
    free = (node for node in tentacle.peers if node.name not in reached)
    return next((node for node in free if entry.leads_to(node, tentacle)), None)


def _first(every: Iterable[_AnyLook], endpoints: Iterable[tuple[str, int]]) -> _AnyLook | None:
    """The first to one of these hosts and ports, whoever asked for it: each is looked at once from a machine."""
    wanted = {(plain_host(host), port) for host, port in endpoints}
    return next((one for one in every if (plain_host(one.host), one.port) in wanted), None)


def shows_own_page(row: ProxyConnect) -> bool:
    """Whether a proxy said that all is well, and showed a page in the place of a tunnel.

    What an answer to CONNECT says of content counts for nothing (RFC 9110, 9.3.6); but no TLS comes through a page.
    """
    return row.content_type is not None and row.tls is not None and row.tls.error is not None
