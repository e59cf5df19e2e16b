"""Faults of the way between the two ends: names, addresses, and what stands between."""

from __future__ import annotations

from pytest_tentacle.lab import network
from pytest_tentacle.lab.blueprint import Blueprint

from .breaking import Site, behind, elsewhere

_NOWHERE = "127.255.255.255"
"""Loopback's broadcast address: Linux answers a connect with "Network is unreachable", and sends nothing."""

_LINK_LOCAL = "fe80::1"
"""Without a zone no system can connect there, and none sends anything."""


def dns_issue(machine: Blueprint, site: Site) -> None:
    """Its peers cannot resolve its name; its address works."""
    _known_to_peers_as(machine, site, "name-not-found")


def nameless(machine: Blueprint, site: Site) -> None:
    """Its peers cannot resolve its name, and nobody declared an address."""
    machine.declared["ip"] = None
    _known_to_peers_as(machine, site, "name-not-found")


def stale_name(machine: Blueprint, site: Site) -> None:
    """The name still leads to the address that the machine had before."""
    _known_to_peers_as(machine, site, [elsewhere(machine)])


def moved(machine: Blueprint, site: Site) -> None:
    """As `stale_name`, and nobody declared the present address."""
    machine.declared["ip"] = None
    stale_name(machine, site)


def link_local_name(machine: Blueprint, site: Site) -> None:
    """The name leads to an address that the machine gave itself, for want of a DHCP server."""
    machine.declared["ip"] = None
    _known_to_peers_as(machine, site, [_LINK_LOCAL])


def second_address(machine: Blueprint, site: Site) -> None:
    """Its name leads to its second address, and it listens on the first."""
    machine.declared["ip"] = None
    machine.addresses.append(elsewhere(machine))
    stale_name(machine, site)


def name_of_another(machine: Blueprint, site: Site) -> None:
    """A line in its hosts file is another machine's: asked on the machine itself, its name leads there.

    The lab's own addresses are loopback's, which are everybody's; so that other machine gets one more.
    """
    other = site.other(machine)
    address = f"192.0.2.{other.address.rpartition('.')[2]}"
    other.addresses.append(address)
    machine.names[f"{machine.name}.lab"] = [address]


def firewall_drops(machine: Blueprint, _: Site) -> None:
    """Something between swallows the packets."""
    behind(machine, lambda outer, port, _inner: network.BlackHole(outer, port))


def firewall_rejects(machine: Blueprint, _: Site) -> None:
    """Something between refuses the connection."""
    behind(machine, lambda _outer, _port, _inner: None)


def unroutable(machine: Blueprint, _: Site) -> None:
    """There is no way to the network that the machine is in."""
    behind(machine, lambda _outer, _port, _inner: None)
    machine.outer = _NOWHERE


def intercepted(machine: Blueprint, site: Site) -> None:
    """A box between opens the TLS and closes it again with a certificate of its own."""
    inspector = site.fresh("Corporate TLS Inspection CA")
    behind(machine, lambda outer, port, inner: network.TlsInspector(outer, port, inner, port, certificate=inspector))


def web_page_between(machine: Blueprint, _: Site) -> None:
    """A proxy answers in plain HTTP where Halibut should speak."""
    behind(machine, lambda outer, port, _inner: network.HttpResponder(outer, port))


def another_server_answers(machine: Blueprint, site: Site) -> None:
    """The address leads to somebody else's web server."""
    stranger = site.fresh("www.example.com")
    behind(machine, lambda outer, port, _inner: network.HttpsServer(outer, port, certificate=stranger))


def old_tls_between(machine: Blueprint, _: Site) -> None:
    """An appliance that ends TLS 1.0 and nothing newer."""
    behind(machine, lambda outer, port, _inner: network.OldTls(outer, port, by_hand=True))


def other_ciphers_between(machine: Blueprint, _: Site) -> None:
    """An appliance whose cipher suites nobody else has."""
    behind(machine, lambda outer, port, _inner: network.NoCommonCipher(outer, port))


def closed_between(machine: Blueprint, _: Site) -> None:
    """A load balancer without a living member: it accepts and closes."""
    behind(machine, lambda outer, port, _inner: network.Closer(outer, port))


def silent_between(machine: Blueprint, _: Site) -> None:
    """Something accepts the connection and never says a word."""
    behind(machine, lambda outer, port, _inner: network.Hanger(outer, port))


def _known_to_peers_as(machine: Blueprint, site: Site, answer: list[str] | str) -> None:
    """What the machine's name comes to on the machines of the other kind: they are its peers."""
    for other in site.machines.values():
        if other.is_server != machine.is_server:
            other.names[f"{machine.name}.lab"] = answer


FAULTS = (
    dns_issue, nameless, stale_name, moved, link_local_name, second_address, name_of_another,
    firewall_drops, firewall_rejects, unroutable, intercepted, web_page_between, another_server_answers,
    old_tls_between, other_ciphers_between, closed_between, silent_between,
)  # fmt: skip
