"""A host's own packet filter, as its survey tells of it: one section's data in `model.Survey`."""

from __future__ import annotations

from typing import Literal

from pytest_tentacle.values import Value

from .model import PacketFilter


class FirewallProfile(Value):
    """Windows: one of Domain, Private, Public. Linux: one chain or zone that filters inbound."""

    name: str
    enabled: bool | None = None
    inbound: Literal["allow", "block"] | None = None
    local_rules: bool | None = None
    """False: only rules of group policy count."""
    active: bool | None = None
    """Whether a connected network uses it."""


class FirewallRule(Value):
    """An enabled inbound TCP rule that covers a port of interest. Empty tuples mean any."""

    name: str
    action: Literal["allow", "block"]
    ports: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    program: str | None = None
    source: Literal["local", "policy"] = "local"
    conditional: bool = False
    """It depends on more than that (user, machine, service, interface, IPsec)."""
    conditions: tuple[str, ...] = ()
    """On what, as the registry has it, such as `IFType=Wireless`; empty in older surveys."""


class Firewall(Value):
    """The host's own packet filter, as far as it concerns the ports of interest."""

    engine: Literal["windows", "nftables", "iptables", "firewalld", "ufw", "none"]
    running: bool | None = None
    profiles: tuple[FirewallProfile, ...] = ()
    rules: tuple[FirewallRule, ...] = ()
    secured: tuple[FirewallRule, ...] = ()
    """Windows: rules for connection security, each of which lets its peers in by IPsec alone."""
    filters: PacketFilter | None = None
    """Linux: all chains that could be read. None: a survey by an older version, which tells nothing for certain."""
    text: str | None = None
    """Linux: the rules as evidence, cut to 4,000 characters."""
