"""A polling Tentacle's own addresses, the server nodes that they belong to, and what it may poll through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.link import Probe
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.survey.configuration import TentacleSettings
from pytest_tentacle.survey.surroundings import Proxy
from pytest_tentacle.survey.targets import names_of

from .finding import Blocked, Unknown
from .reading import FACTS
from .subject import Subject
from .thumbprints import as_thumbprint, fault_in

_HTTPS_PORT = 443
_WEB_SOCKETS = "wss"


@dataclass(frozen=True)
class Entry:
    """One address that a Tentacle polls by its settings, as written and taken apart."""

    address: str
    scheme: str
    host: str
    port: int
    thumbprint: str | None

    @property
    def is_web_socket(self) -> bool:
        """Whether it goes through the portal's web server, with that one's certificate."""
        return self.scheme == _WEB_SOCKETS

    def names(self, node: Subject) -> bool:
        """Whether the host is one of those declared for this server node."""
        names = {plain_host(host) for host, _ in names_of(node.machine)}
        if self.is_web_socket and isinstance(node.machine, OctopusServer):
            names.add(plain_host(urlsplit(node.machine.portal or "").hostname or ""))
        return plain_host(self.host) in names

    def is_gateway_of(self, node: Subject) -> bool:
        """Whether it is the balancer's address that leads to this node alone."""
        gateway = node.machine.gateway if isinstance(node.machine, OctopusServer) else None
        host, _, port = (gateway or "").rpartition(":")
        return bool(host) and plain_host(host.strip("[]")) == plain_host(self.host) and int(port) == self.port

    def probe(self, tentacle: Subject) -> Probe | None:
        """The Tentacle's probe of this address. Raises Unknown without a survey."""
        wanted = plain_host(self.host)
        for probe in tentacle.own_probes():
            there = probe.port == self.port and plain_host(probe.host) == wanted
            if there and probe.is_of_polled_address and tentacle.is_own(probe):
                return probe
        return None

    def leads_to(self, node: Subject, tentacle: Subject) -> bool:
        """Whether this server node's certificate answers at the address."""
        probe = self.probe(tentacle)
        expected = as_thumbprint(node.expected_thumbprint)
        return probe is not None and expected is not None and probe.thumbprint == expected


def entries_of(settings: TentacleSettings) -> tuple[Entry, ...]:
    """The addresses that a Tentacle polls, in the order of its settings; what is no address is left out."""
    entries = (
        _taken_apart(entry.address, entry.thumbprint) for entry in settings.trusted if entry.polls and entry.address
    )
    return tuple(entry for entry in entries if entry is not None)


def node_of(entry: Entry, tentacle: Subject, entries: tuple[Entry, ...]) -> Subject | None:
    """The node that one of a Tentacle's addresses is declared for; None where it is declared for none.

    Where a name is declared for several nodes, the port tells them apart; where it does not, each has one of them.
    """
    if "nodes" not in tentacle.kept:
        tentacle.kept["nodes"] = _shared_out(entries, tentacle.peers)
    found: dict[Entry, Subject] = tentacle.kept["nodes"]
    return found.get(entry)


def own_addresses(tentacle: Subject, node: Subject) -> frozenset[str]:
    """The addresses that it polls and that are known to be this node's: declared, or its certificate answers there."""
    entries = entries_of(tentacle.settings)
    return frozenset(
        entry.address
        for entry in entries
        if node_of(entry, tentacle, entries) is node or _is_seen_to_lead(entry, node, tentacle)
    )


def _is_seen_to_lead(entry: Entry, node: Subject, tentacle: Subject) -> bool:
    try:
        return entry.leads_to(node, tentacle)
    except (Unknown, Blocked):
        return False


def is_of_these_alone(thumbprint: str, nodes: Collection[Subject], tentacle: Subject) -> bool:
    """Whether a trusted thumbprint is that of these nodes' addresses alone, so that to replace it cuts off nobody else.

    `update-trust` replaces it in each entry. One without an address lets in whoever has it, where the Tentacle listens.
    """
    own = frozenset[str]().union(*(own_addresses(tentacle, node) for node in nodes))
    settings = tentacle.settings
    same = [each for each in settings.trusted if (each.thumbprint or "").strip().upper() == thumbprint.upper()]
    return all(each.address in own if each.polls else settings.no_listen for each in same)


def needs_no_other(tentacle: Subject) -> bool:
    """Whether its settings have a whole entry for each declared server: then an entry that is damaged is one too many.

    False where no server is declared, or where that cannot be told.
    """
    try:
        return bool(tentacle.peers) and all(_has_whole_entry(tentacle, node) for node in tentacle.peers)
    except (Unknown, Blocked):
        return False


def _has_whole_entry(tentacle: Subject, node: Subject) -> bool:
    expected = as_thumbprint(node.expected_thumbprint)
    trusted = [each for each in tentacle.settings.trusted if fault_in(each.thumbprint) is None]
    if tentacle.mode is Mode.LISTENING:
        return expected is not None and any(as_thumbprint(each.thumbprint) == expected for each in trusted)
    own = own_addresses(tentacle, node)
    return any(
        each.polls and each.subscription_id and each.address in own and each.thumbprint == expected for each in trusted
    )


def is_balanced(entry: Entry, node: Subject, tentacle: Subject) -> bool:
    """Whether an address leads to this node among others: its name is no other node's alone, its certificate shows.

    Then one node after the other answers there, and each is polled in its turn.
    """
    named = [each for each in tentacle.peers if entry.names(each) or entry.is_gateway_of(each)]
    return (not named or (node in named and len(named) > 1)) and entry.leads_to(node, tentacle)


def _shared_out(entries: tuple[Entry, ...], nodes: tuple[Subject, ...]) -> dict[Entry, Subject]:
    found = {entry: node for entry in entries for node in nodes if entry.is_gateway_of(node)}
    for by_port in (True, False):
        for entry in entries:
            named = [node for node in nodes if entry.names(node)]
            if entry in found or not named:
                continue
            fitting = [node for node in named if entry.port in _ports(node)] if by_port else named
            free = [node for node in fitting if node not in found.values()]
            if free or (fitting and len(named) == 1) or not by_port:
                found[entry] = (free or fitting)[0]
    return found


def _ports(node: Subject) -> tuple[int, ...]:
    return node.machine.polling_ports if isinstance(node.machine, OctopusServer) else ()


def account_proxy(tentacle: Subject) -> Proxy | None:
    """A proxy through which it may poll though its settings name none: on Windows, that of its service's account.

    It holds there unless the settings say otherwise (tentacle-facts 2.3). Raises Unknown where it could not be read.
    """
    if tentacle.read(FACTS.host).os != "windows" or not tentacle.settings.polling_proxy.use_default:
        return None
    found = (proxy for proxy in tentacle.read(FACTS.proxies) if proxy.enabled and (proxy.address or proxy.pac))
    return next(found, None)


def unnamed_web_socket(entries: tuple[Entry, ...], nodes: tuple[Subject, ...]) -> bool:
    """Whether it polls over a web socket by a name that is declared for no node.

    Any node may be behind that name, and the ports that are declared for the nodes are none of its ways then.
    """
    return any(entry.is_web_socket and not any(map(entry.names, nodes)) for entry in entries)


def _taken_apart(address: str, thumbprint: str | None) -> Entry | None:
    try:
        parts = urlsplit(address.strip())
        port = parts.port or _HTTPS_PORT
    except ValueError:
        return None
    return Entry(address, parts.scheme.lower(), parts.hostname, port, thumbprint) if parts.hostname else None
