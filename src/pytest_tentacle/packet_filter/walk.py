"""What becomes of one packet: all hooks that it comes by, and every way that the rules leave open for it.

A condition that cannot be judged leaves two ways, so the answer has three values. A machine's own filter sees a packet
that comes in at `ingress`, `prerouting` and `input`, and one that goes out at `output`, `postrouting` and `egress`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from .comparing import among_flags, among_interfaces, among_marks, among_numbers, in_networks, in_ranges
from .marks import computed
from .model import FilterChain, FilterMatch, FilterRule, PacketFilter
from .words import CT_STATES, ICMP, ICMP6, ICMP_UNREACHABLE, PROTOCOLS

_DEEPEST = 32
_BY_INTERFACE = frozenset({"iif", "iifname", "oif", "oifname"})
_TCP, _ICMP, _ICMP6 = 6, 1, 58
_UNREACHABLE, _FRAGMENTATION_NEEDED, _TOO_BIG = 3, 4, 2
_SYN, _SYN_ACK, _DATA = 0x2, 0x12, 0x18
_ONE_HOP = re.compile(r"--(?:ttl|hl)-set [01](?!\d)|\b(?:ip ttl|ip6 hoplimit) set [01](?!\d)")
"""What gives a packet so short a life that the first router discards it (RFC 1812, 5.3.1)."""


@dataclass(frozen=True)
class Packet:
    """A connection's first packet, the first answer, or one of later, as the machine's own filter sees it.

    Or a router's word that a packet of a connection is too large for the way (`too_big`): by ICMP, fragmentation
    needed, and by ICMPv6, packet too big.

    Attributes:
        way: `in` or `out` of the machine.
        family: 4 or 6.
        sources: addresses that it may come from; empty: not known.
        destinations: the same of where it goes.
        source_port: None where it is any.
        port: the destination port; None where it is any.
        interfaces: names of those by which it may come or go; empty: not known.
        answer: whether it is the answer, or goes the way of answers.
        later: whether the connection stands already, and it carries data.
        too_big: whether it is that word of a router's.
        routed: whether a router lies between; where that is not known, none is counted on.
    """

    way: Literal["in", "out"]
    family: int
    sources: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()
    source_port: int | None = None
    port: int | None = None
    interfaces: frozenset[str] = frozenset()
    answer: bool = False
    later: bool = False
    too_big: bool = False
    routed: bool = False

    @property
    def protocol(self) -> int:
        """Its number."""
        return (_ICMP if self.family == 4 else _ICMP6) if self.too_big else _TCP  # noqa: PLR2004


class Way(StrEnum):
    """What becomes of it."""

    PASSES = "passes"
    STOPPED = "stopped"
    DIVERTED = "diverted"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Passage:
    """The verdict over all hooks.

    Attributes:
        way: what becomes of it.
        rule: the one that stops or diverts it; for an unclear verdict the first that could not be judged. None: a
            chain's policy.
        chain: where that stands; None where it passes.
        by_source: the verdict rests on where the packet comes from, which a translation on the way would change, or by
            which interface, which may be another for another peer.
        reason: for an unclear verdict, what could not be judged.
    """

    way: Way
    rule: FilterRule | None = None
    chain: FilterChain | None = None
    by_source: bool = False
    reason: str | None = None

    @property
    def words(self) -> str:
        """The rule's own text, with what it counted, and where it stands; the policy where no rule decides."""
        if self.rule is not None:
            counted = f" (it counted {self.rule.packets} packets)" if self.rule.packets else ""
            return f"{self.rule.text}{counted}" + (f", in chain {self.chain.name}" if self.chain else "")
        if self.chain is None:
            return self.reason or "no rule stops it"
        counted = f" (it counted {self.chain.policy_packets} packets)" if self.chain.policy_packets else ""
        return f"policy {self.chain.policy} of chain {self.chain.name}{counted}"


@dataclass
class _Ways:
    """What one chain leaves open: ends that it may come to, and whether it may be left without one."""

    accepted: bool = False
    stopped: list[FilterRule | None] = field(default_factory=list)
    diverted: list[FilterRule] = field(default_factory=list)
    untracked: bool = False
    unsure: list[FilterRule] = field(default_factory=list)
    by_source: bool = False
    falls: bool = True


def walk(filters: PacketFilter, packet: Packet) -> Passage:
    """The verdict of all chains that this packet comes by."""
    return _Walk(filters, packet).passage()


class _Walk:
    def __init__(self, filters: PacketFilter, packet: Packet) -> None:
        self._filters = filters
        self._packet = packet
        self._chains = {chain.name: chain for chain in filters.chains}
        self._sets = {(each.table, each.name): each for each in filters.sets}
        state = "related" if packet.too_big else "established" if packet.answer or packet.later else "new"
        self._state = CT_STATES[state]
        self._diverted = False
        rules = [rule for chain in filters.chains for rule in chain.rules]
        told = any(rule.mark is not None or rule.connection_mark is not None for rule in rules)
        self._mark: int | None = None if filters.marks and not told else 0
        of_answer = (packet.answer or packet.later) and any(rule.connection_mark is not None for rule in rules)
        self._connection_mark = None if of_answer else self._mark
        self._zone: int | None = 0

    def passage(self) -> Passage:
        """The first hook that surely stops it; else what was not clear on the way; else it passes."""
        unclear: Passage | None = None
        by_source = False
        for chain in self._on_the_way():
            ways = self._through(chain)
            by_source = by_source or ways.by_source
            if ways.diverted and not ways.unsure and not ways.accepted and not ways.falls and not ways.stopped:
                return Passage(Way.DIVERTED, ways.diverted[0], chain, ways.by_source)
            if ways.diverted:
                self._diverted = True
                unclear = unclear or _unclear(chain, ways, ways.diverted)
            if chain.kind == "nat":
                continue
            if ways.stopped and not ways.accepted:
                return Passage(Way.STOPPED, ways.stopped[0], chain, ways.by_source)
            if ways.stopped:
                unclear = unclear or _unclear(chain, ways, [rule for rule in ways.stopped if rule])
            if ways.untracked:
                self._state = CT_STATES["untracked"]
        if unclear is not None:
            return unclear
        if self._filters.trouble:
            return Passage(Way.UNCLEAR, reason=self._filters.trouble)
        return Passage(Way.PASSES, by_source=by_source)

    def _on_the_way(self) -> list[FilterChain]:
        hooks = ("ingress", "prerouting", "input") if self._packet.way == "in" else ("output", "postrouting", "egress")
        answered = self._packet.answer or self._packet.later or self._packet.too_big
        chains = [
            chain
            for chain in self._filters.chains
            if chain.hook in hooks and self._packet.family in chain.families and not (answered and chain.kind == "nat")
        ]
        return sorted(chains, key=lambda chain: (hooks.index(chain.hook or hooks[0]), chain.priority))

    def _through(self, chain: FilterChain) -> _Ways:
        ways = _Ways()
        if chain.devices and self._packet.interfaces.isdisjoint(chain.devices) and self._packet.interfaces:
            ways.accepted = True
            return ways
        self._follow(chain, ways, 0)
        ways.by_source = ways.by_source or (bool(chain.devices) and bool(ways.stopped))
        if ways.falls:
            if chain.policy == "accept":
                ways.accepted = True
            else:
                ways.stopped.append(None)
        return ways

    def _follow(self, chain: FilterChain, ways: _Ways, deep: int) -> bool:
        """Adds a chain's ends to the ways. Gives whether it may be left by its end, or by a return."""
        if deep > _DEEPEST:
            ways.falls = True
            return True
        returns = False
        for rule in chain.rules:
            fits = self._fits(chain, rule, ways)
            if fits is False:
                continue
            if rule.mark is not None:
                self._mark = self._computed(rule.mark) if fits and not ways.unsure else None
            if rule.connection_mark is not None:
                self._connection_mark = self._computed(rule.connection_mark) if fits and not ways.unsure else None
            if rule.zone is not None:
                self._zone = self._computed(rule.zone) if fits and not ways.unsure else None
            dies = self._dies_on_its_way(rule)
            if fits is None and (dies or rule.verdict not in {"none", "notrack"}):
                ways.unsure.append(rule)
            if dies:
                ways.stopped.append(rule)
            ended, may_return = (True, False) if dies else self._act(rule, ways, deep)
            returns = returns or may_return
            if fits and ended:
                ways.falls = returns
                return returns
        ways.falls = True
        return True

    def _computed(self, formula: str) -> int | None:
        return computed(formula, self._mark, self._connection_mark)

    def _dies_on_its_way(self, rule: FilterRule) -> bool:
        out = self._packet.way == "out" and self._packet.routed
        return out and rule.verdict == "none" and bool(_ONE_HOP.search(rule.text))

    def _act(self, rule: FilterRule, ways: _Ways, deep: int) -> tuple[bool, bool]:
        """What a rule does that fits.

        Gives whether nothing behind it in its chain is looked at, and whether that chain is then left without an end.
        """
        if rule.verdict in {"jump", "goto"}:
            return self._enter(rule, ways, deep)
        if rule.verdict == "accept":
            ways.accepted = True
        elif rule.verdict in {"drop", "reject"}:
            ways.stopped.append(rule)
        elif rule.verdict == "divert":
            ways.diverted.append(rule)
        elif rule.verdict in {"queue", "unread"}:
            ways.unsure.append(rule)
            ways.accepted = True
            ways.stopped.append(rule)
        elif rule.verdict == "notrack":
            ways.untracked = True
        return rule.verdict not in {"none", "unread", "notrack"}, rule.verdict == "return"

    def _enter(self, rule: FilterRule, ways: _Ways, deep: int) -> tuple[bool, bool]:
        target = self._chains.get(rule.to or "")
        if target is None:
            ways.unsure.append(rule)
            return False, False
        falls = self._follow(target, ways, deep + 1)
        return (True, falls) if rule.verdict == "goto" else (not falls, False)

    def _fits(self, chain: FilterChain, rule: FilterRule, ways: _Ways) -> bool | None:
        """Whether a rule's conditions hold; None where that cannot be judged. The addresses alone decide: noted."""
        sure, matched, missed = True, False, False
        for each in rule.matches:
            holds = self._holds(chain, each)
            of_source = "saddr" in each.field and self._packet.way == "in"
            if holds is False and not of_source:
                return False
            missed = missed or holds is False
            matched = matched or (holds is True and (of_source or each.field in _BY_INTERFACE))
            sure = sure and holds is not None
        ways.by_source = ways.by_source or missed or matched
        return False if missed else True if sure else None

    def _holds(self, chain: FilterChain, match: FilterMatch) -> bool | None:
        fields = match.field.split(" . ")
        if any(self._of_another_protocol(name) for name in fields):
            return False
        if len(fields) > 1:
            found = self._concatenated(chain, match, fields)
        else:
            found = self._one(chain, match.field, match.values)
        return found if found is None or not match.negated else not found

    def _of_another_protocol(self, name: str) -> bool:
        """Whether a packet of ours has no such field: then the condition does not hold, negated or not."""
        header = name.partition(" ")[0]
        if header in {"ip", "ip6"}:
            return (header == "ip") is not (self._packet.family == 4)  # noqa: PLR2004
        own = {_TCP: _OF_TCP, _ICMP: {"icmp"}, _ICMP6: {"icmpv6"}}[self._packet.protocol]
        return header in _PROTOCOLS and header not in own

    def _concatenated(self, chain: FilterChain, match: FilterMatch, fields: list[str]) -> bool | None:
        elements = self._elements(chain, match.values)
        if elements is None:
            return None
        results = []
        for element in elements:
            parts = [part.strip() for part in element.split(" . ")]
            if len(parts) != len(fields):
                return None
            each = [self._one(chain, name, (part,)) for name, part in zip(fields, parts, strict=True)]
            results.append(False if False in each else None if None in each else True)
        return True if True in results else None if None in results else False

    def _elements(self, chain: FilterChain, values: tuple[str, ...]) -> tuple[str, ...] | None:
        """Values with sets put in; None where one could not be read."""
        found: list[str] = []
        for value in values:
            if value.startswith("@"):
                known = self._sets.get((chain.table, value[1:]))
                if known is None or known.elements is None:
                    return None
                found += known.elements
            else:
                found.append(value)
        return tuple(found)

    def _one(self, chain: FilterChain, name: str, values: tuple[str, ...]) -> bool | None:  # noqa: C901, PLR0911, PLR0912
        packet = self._packet
        elements = self._elements(chain, values)
        if elements is None:
            return None
        match name:
            case "ip saddr" | "ip6 saddr":
                return in_networks(packet.sources, elements)
            case "ip daddr" | "ip6 daddr":
                return in_networks(packet.destinations, elements)
            case "tcp dport" | "th dport":
                return in_ranges(packet.port, elements)
            case "tcp sport" | "th sport":
                return in_ranges(packet.source_port, elements)
            case "tcp port":
                both = (in_ranges(packet.port, elements), in_ranges(packet.source_port, elements))
                return True if True in both else None if None in both else False
            case "l4proto" | "ip protocol" | "ip6 nexthdr":
                return among_numbers(packet.protocol, elements, PROTOCOLS, wild=0)
            case "icmp type":
                return among_numbers(_UNREACHABLE, elements, ICMP)
            case "icmp code":
                return among_numbers(_FRAGMENTATION_NEEDED, elements, ICMP_UNREACHABLE)
            case "icmpv6 type":
                return among_numbers(_TOO_BIG, elements, ICMP6)
            case "nfproto":
                return among_numbers({4: 2, 6: 10}[packet.family], elements, {"ipv4": 2, "ipv6": 10})
            case "protocol":
                return among_numbers({4: 0x800, 6: 0x86DD}[packet.family], elements, {"ip": 0x800, "ip6": 0x86DD})
            case "ct state":
                return among_numbers(self._state, elements, CT_STATES)
            case "ct status":
                return False if not self._diverted and {word.lower() for word in elements} <= _TRANSLATED else None
            case "ct direction":
                return among_numbers(int(packet.answer), elements, {"original": 0, "reply": 1})
            case "tcp flags":
                return among_flags(_DATA if packet.later else _SYN_ACK if packet.answer else _SYN, elements)
            case "iif" | "iifname":
                return among_interfaces(packet.interfaces, elements) if packet.way == "in" else False
            case "oif" | "oifname":
                return among_interfaces(packet.interfaces, elements) if packet.way == "out" else False
            case "mark":
                return None if self._mark is None else among_marks(self._mark, elements)
            case "ct zone":
                return None if self._zone is None else among_marks(self._zone, elements)
            case "ct mark":
                return None if self._connection_mark is None else among_marks(self._connection_mark, elements)
            case (
                "ct original proto-dst" | "ct reply proto-src" | "ct original proto-src" | "ct reply proto-dst"
                | "ct original ip saddr" | "ct original ip6 saddr" | "ct reply ip daddr" | "ct reply ip6 daddr"
                | "ct original ip daddr" | "ct original ip6 daddr" | "ct reply ip saddr" | "ct reply ip6 saddr"
            ):  # fmt: skip
                return self._of_connection(name, elements)
            case "pkttype":
                return among_numbers(0, elements, {"host": 0, "unicast": 0, "broadcast": 1, "multicast": 2, "other": 3})
            case "fib daddr type" | "fib daddr . iif type":
                words = {word.lower() for word in elements}
                return ("local" in words) is (packet.way == "in") if words <= _TYPES else None
            case _:
                return None

    def _of_connection(self, name: str, elements: tuple[str, ...]) -> bool | None:
        """An end of the connection, as its first packet had it, or as the answers have it; None where it was led on."""
        packet = self._packet
        if self._diverted:
            return None
        opened_from = name.endswith(("saddr", "proto-src")) is ("original" in name)
        if "proto" in name:
            of_source = packet.source_port if not packet.answer else packet.port
            of_target = packet.port if not packet.answer else packet.source_port
            return in_ranges(of_source if opened_from else of_target, elements)
        if ("ip6 " in name) is (packet.family == 4):  # noqa: PLR2004
            return False
        starts = packet.sources if not packet.answer else packet.destinations
        ends = packet.destinations if not packet.answer else packet.sources
        return in_networks(starts if opened_from else ends, elements)


_OF_TCP = frozenset({"tcp", "th"})
_PROTOCOLS = _OF_TCP | {"udp", "sctp", "dccp", "udplite", "icmp", "icmpv6", "igmp", "esp", "ah", "comp", "arp", "gre"}
_TRANSLATED = frozenset({"dnat", "snat", "0x20", "0x10"})
_TYPES = frozenset({"local", "unicast", "broadcast", "multicast", "anycast", "blackhole", "unreachable", "prohibit"})


def _unclear(chain: FilterChain, ways: _Ways, others: list[FilterRule]) -> Passage:
    rule = next(iter(ways.unsure or others), None)
    reason = None
    if rule is not None:
        odd = [each.values[0] for each in rule.matches if each.field == "unread"]
        reason = f"whether this holds was not judged: {'; '.join(odd)}" if odd else "whether it holds is not known"
    return Passage(Way.UNCLEAR, rule, chain, ways.by_source, reason)
