"""Rules of a packet filter, one vocabulary for nftables and iptables."""

from __future__ import annotations

from typing import Literal

from pytest_tentacle.values import Value

RuleVerdict = Literal[
    "accept", "drop", "reject", "queue", "jump", "goto", "return", "none", "divert", "notrack", "unread"
]
"""`divert`: the packet gets another destination (DNAT, redirect). `none`: the rule only counts, marks or logs.
`unread`: what the rule does with a packet is not known."""


class FilterMatch(Value):
    """One condition of a rule. `field` is in nftables' words, such as `tcp dport`; `values` are any of those.

    A value is an address, a network, a range `a-b`, a word, or `@name` for a set of the same table. Several fields,
    joined by ` . `, have values that are joined alike. `unread` as the field: not understood, the value is its text.
    """

    field: str
    values: tuple[str, ...]
    negated: bool = False


class FilterRule(Value):
    """One rule, in its tool's own words, and what it comes to."""

    text: str
    matches: tuple[FilterMatch, ...] = ()
    verdict: RuleVerdict = "none"
    to: str | None = None
    """The chain that it jumps to; for `divert` the new destination, as the rule gives it."""
    packets: int | None = None
    """How many packets the rule counted; None where it does not count."""
    mark: str | None = None
    """What it sets the packet's mark to, a formula of `marks.computed`; None: it leaves it as it is."""
    connection_mark: str | None = None
    """The same of its connection's mark."""
    zone: str | None = None
    """The zone of connection tracking that it puts the packet into; None: it leaves it as it is."""


class FilterChain(Value):
    """A chain. Only one with a hook sees packets by itself."""

    name: str
    """With family and table, such as `inet filter input` or `ip raw PREROUTING`."""
    table: str
    """Whose sets it names."""
    families: tuple[Literal[4, 6], ...] = (4, 6)
    """Of the packets that it sees; none for ARP's, by which a neighbour is asked for an address of IPv4."""
    kind: Literal["filter", "nat", "route"] = "filter"
    hook: Literal["ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"] | None = None
    priority: int = 0
    devices: tuple[str, ...] = ()
    """Of an ingress or egress hook: the interfaces that it stands at."""
    policy: Literal["accept", "drop"] = "accept"
    policy_packets: int | None = None
    rules: tuple[FilterRule, ...] = ()


class FilterSet(Value):
    """A set of addresses, ports or words. `elements` None: they could not be read."""

    table: str
    name: str
    elements: tuple[str, ...] | None = None


class PacketFilter(Value):
    """All chains of a host, of every tool.

    `trouble` says why part of it could not be read, so that nothing can be said to be let in.
    """

    chains: tuple[FilterChain, ...] = ()
    sets: tuple[FilterSet, ...] = ()
    trouble: str | None = None
    marks: bool = False
    """Some rule sets a packet's or a connection's mark; without one both are 0."""
