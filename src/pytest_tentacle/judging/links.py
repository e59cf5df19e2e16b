"""A polling Tentacle's own addresses, the server nodes that they belong to, and what it may poll through."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_tentacle.link import Probe
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.survey.configuration import TentacleSettings
from pytest_tentacle.survey.surroundings import Proxy
from pytest_tentacle.survey.targets import names_of

from .subject import Subject
from .thumbprints import as_thumbprint

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
        return plain_host(self.host) in {plain_host(host) for host, _ in names_of(node.machine)}

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


def nodes_of(tentacle: Subject) -> tuple[Subject, ...]:
    """The server nodes that are declared for a Tentacle."""
    return tentacle.peers


def account_proxy(tentacle: Subject) -> Proxy | None:
    """A proxy through which it may poll though its settings name none: on Windows, that of its service's account.

    It holds there unless the settings say otherwise (tentacle-facts 2.3). Raises Unknown where it could not be read.
    """
    if tentacle.read("host").os != "windows" or not tentacle.settings.polling_proxy.use_default:
        return None
    found = (proxy for proxy in tentacle.read("proxies") if proxy.enabled and (proxy.address or proxy.pac))
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
