"""What a Linux host's own packet filter does with one connection, by the rules that were read: three-valued.

A connection needs both ways: the request that comes in (or goes out), and the answer that goes out (or comes in).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.judging.reading import FACTS, kept
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Probe
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.packet_filter import BESIDE, Packet, PacketFilter, Passage, Way, walk
from pytest_tentacle.packet_filter.firewall import Firewall
from pytest_tentacle.survey.surroundings import Route

WAY_READS = ("host", "routes", "peer.host", "peer.routes")
"""What a verdict on a way reads, besides the rules."""

_MAY_REJECT = frozenset({"reject", "jump", "goto", "queue", "unread"})
"""What a rule does by which the other end may hear at once; `drop` is silent."""

_TO_OWN_PORT = re.compile(r"--to-ports? (\d+)|\bredirect to :?(\d+)")
"""Where a rule that redirects leads: to a port of the machine itself, whatever the packet's destination was."""

Word = Literal["open", "closed", "unclear"]


@dataclass(frozen=True)
class LinuxVerdict:
    """The verdict on one connection.

    Attributes:
        word: `open` only where the rules were read as a whole and let it pass; `unclear` where they do not tell.
        words: the rule that decides, in its tool's words, with its counter and chain; or what could not be judged.
        by_source: it rests on the peer's address: a translation on the way would change it.
        rejects: the rule answers, so that the other end hears of it at once; where it is unclear, it may.
        answer: not the request is stopped but the answer to it.
        diverted: it is led elsewhere, by a rule that translates its destination; where it is unclear, it may be.
        own_port: the machine's own one that it is led to.
        by_rule: where it is unclear, a rule that was read may stop it; else rules are missing.
        names_port: the rule is for just this port: it stays whatever becomes of the others.
        of_neighbours: it stops ARP, so that the last router says that the machine is unreachable, or stays silent.
        beside: it is no rule of a firewall: a program or filter at a card, or IPsec's policy.
    """

    word: Word
    words: str
    by_source: bool = False
    rejects: bool = False
    answer: bool = False
    diverted: bool = False
    own_port: int | None = None
    by_rule: bool = False
    names_port: bool = False
    of_neighbours: bool = False
    beside: bool = False


@dataclass(frozen=True)
class FilteredWay:
    """One connection, as the machine's filter sees it. Addresses may be several, for want of knowing which.

    Attributes:
        inbound: whether the peer connects to the machine.
        port: of the end that listens.
        own: the machine's addresses that it may use.
        peers: the same of the other end.
        interfaces: by which it may come or go; empty: not known.
        routed: whether the other end is beyond a router, by the machine's own tables.
    """

    inbound: bool
    port: int
    own: frozenset[str]
    peers: frozenset[str]
    interfaces: frozenset[str] = frozenset()
    routed: bool = False


def own_addresses(subject: Subject) -> frozenset[str]:
    """The addresses that a machine has by its survey, loopback left out, and the declared one."""
    declared = [subject.machine.ip] if subject.machine.ip else []
    try:
        found = list(subject.read(FACTS.host).addresses)
    except Unknown:
        found = []
    plain = (plain_address(address) for address in (*found, *declared))
    return frozenset(
        each for each in plain if each and not each.startswith(("127.", "fe80:", "169.254.")) and each != "::1"
    )


def linux_verdict(firewall: Firewall, ways: Iterable[FilteredWay], *, later: bool = False) -> LinuxVerdict:
    """The verdict over several ways of the same connection, such as its families: the same for all, or unclear.

    It is on the packets by which the connection comes about; `later`: on those that then carry data, both ways. An old
    survey, which holds no rules, tells nothing.
    """
    if firewall.filters is None:
        return LinuxVerdict("unclear", "the survey is of an older version, which did not keep the rules")
    found = [_one(firewall, way, family, later=later) for way in ways for family in _families(way)]
    if not found:
        return LinuxVerdict("unclear", "nobody knows from where to where the connection goes")
    words = {verdict.word for verdict in found}
    if len(words) == 1:
        return found[0]
    doubtful = min(found, key=lambda verdict: ("unclear", "closed", "open").index(verdict.word))
    return replace(doubtful, word="unclear", answer=False, diverted=False, own_port=None, names_port=False)


def stops_too_big(firewall: Firewall, own: frozenset[str], family: int) -> str | None:
    """The rule that surely stops a router's word that a packet is too large for the way; None: none is known."""
    if firewall.filters is None:
        return None
    mine = frozenset(address for address in own if _family(address) == family)
    passage = walk(firewall.filters, Packet("in", family=family, destinations=mine, too_big=True))
    return passage.words if passage.way is Way.STOPPED else None


def on_loopback(subject: Subject, probe: Probe) -> LinuxVerdict | None:
    """What the machine's own rules do with its own look at its port; None where they are not known, or no Linux's."""
    try:
        firewall = subject.read(FACTS.firewall)
    except Unknown:
        return None
    if firewall.engine == "windows" or firewall.filters is None or probe.connect is None:
        return None
    ends = frozenset(filter(None, [plain_address(probe.connect.address or probe.host)]))
    verdicts = [
        linux_verdict(firewall, [FilteredWay(inbound, probe.port, ends, ends, frozenset({"lo"}))])
        for inbound in (True, False)
    ]
    return next((verdict for verdict in verdicts if verdict.word != "open"), verdicts[0])


def verdict_of_way(
    subject: Subject, peer: Subject | None, probe: Probe, *, inbound: bool, later: bool = False
) -> LinuxVerdict:
    """What the rules of a Linux host do with the connection that was tried, as well as its ends are known.

    `later`: with what it would carry once it stands.

    Raises Unknown where the rules were not read, or are Windows'.
    """
    firewall = subject.read(FACTS.firewall)
    if firewall.engine == "windows":
        raise Unknown(f"the rules of {subject.name} are not those of Linux", "")
    connected = probe.connect
    address = plain_address((connected.address if connected else None) or probe.host)
    own, peers = own_addresses(subject), own_addresses(peer) if peer else frozenset[str]()
    six = address is not None and ":" in address
    there, back = (route_to(subject, peer, six=six), route_to(peer, subject, six=six)) if peer else (None, None)
    if there is not None and there.source and (":" in there.source) is six:
        own = frozenset({there.source})
    if back is not None and back.source and (":" in back.source) is six:
        peers = frozenset({back.source})
    if address is not None:
        own, peers = (frozenset({address}), peers) if inbound else (own, frozenset({address}))
        own, peers = (frozenset(each for each in ends if (":" in each) is six) or ends for ends in (own, peers))
    devices = frozenset({there.device} if there is not None and there.device else ())
    devices -= {"lo"}  # an address that is the peer's as well: what the peer sends comes by another interface
    routed = there is not None and there.via is not None
    way = FilteredWay(inbound=inbound, port=probe.port, own=own, peers=peers, interfaces=devices, routed=routed)
    return linux_verdict(firewall, [way], later=later)


def route_to(machine: Subject, other: Subject, *, six: bool = False) -> Route | None:
    """A machine's way to another one's declared address; None where it was not asked for.

    `six`: to one of IPv6, where one was asked for: it has tables of its own.
    """
    try:
        by_peer = kept(machine, "routes by peer", lambda: _by_peer(machine.read(FACTS.routes)))
    except Unknown:
        return None
    names = {plain_host(host) for host in (other.machine.ip, other.machine.dns_name) if host}
    found = [each for name in names for each in by_peer.get(name, ())]
    fitting = [each for each in found if six and ":" in each[1].address] or found
    return min(fitting, key=operator.itemgetter(0))[1] if fitting else None


def _by_peer(routes: tuple[Route, ...]) -> dict[str, tuple[tuple[int, Route], ...]]:
    """By the host that they lead to, the routes, and which of all each is."""
    found: dict[str, tuple[tuple[int, Route], ...]] = {}
    for place, route in enumerate(routes):
        host = plain_host(route.peer)
        found[host] = (*found.get(host, ()), (place, route))
    return found


def _one(firewall: Firewall, way: FilteredWay, family: int, *, later: bool) -> LinuxVerdict:
    own = frozenset(address for address in way.own if _family(address) == family)
    peers = frozenset(address for address in way.peers if _family(address) == family)
    request, answer = _packets(way, family, own, peers)
    filters = firewall.filters
    assert filters is not None  # noqa: S101  the caller has seen to it
    if family == 4 and way.interfaces != {"lo"} and (silent := _without_neighbours(filters)) is not None:  # noqa: PLR2004
        return LinuxVerdict("closed", silent, of_neighbours=True)
    for packet in (request, answer):
        passage = walk(filters, replace(packet, later=later))
        if passage.way is not Way.PASSES:
            return _verdict(passage, way.port, answer=packet.answer)
    return LinuxVerdict("open", "the rules let it pass", passage.by_source)


def _without_neighbours(filters: PacketFilter) -> str | None:
    """What surely stops all ARP, and so everything that is not sent within the machine; None: nothing is known to."""
    for chain in filters.chains:
        if chain.families or chain.hook not in {"input", "output"}:
            continue
        sure = next((rule for rule in chain.rules if rule.verdict not in {"none", "drop"} or not rule.matches), None)
        if sure is not None and sure.verdict == "drop":
            return f"{sure.text}, in chain {chain.name}, which stops all ARP"
        if sure is None and chain.policy == "drop":
            return f"policy drop of chain {chain.name}, which stops all ARP"
    return None


def _packets(way: FilteredWay, family: int, own: frozenset[str], peers: frozenset[str]) -> tuple[Packet, Packet]:
    towards = Packet(
        way="in" if way.inbound else "out",
        family=family,
        sources=peers if way.inbound else own,
        destinations=own if way.inbound else peers,
        port=way.port,
        interfaces=way.interfaces,
        routed=way.routed,
    )
    back = Packet(
        way="out" if way.inbound else "in",
        family=family,
        sources=towards.destinations,
        destinations=towards.sources,
        source_port=way.port,
        interfaces=way.interfaces,
        answer=True,
        routed=way.routed,
    )
    return towards, back


def _verdict(passage: Passage, port: int, *, answer: bool) -> LinuxVerdict:
    beside = passage.chain is not None and passage.chain.table == BESIDE
    if passage.way is Way.UNCLEAR:
        reason = f"{passage.reason}: " if passage.reason and passage.rule else ""
        words, by_rule = f"{reason}{passage.words}", passage.rule is not None
        may_reject = by_rule and passage.rule is not None and passage.rule.verdict in _MAY_REJECT
        return LinuxVerdict(
            "unclear",
            words,
            passage.by_source,
            rejects=may_reject,
            answer=answer,
            diverted=passage.rule is not None and passage.rule.verdict == "divert",
            by_rule=by_rule,
            beside=beside,
        )
    rule = passage.rule
    rejects = rule is not None and rule.verdict == "reject"
    dies = rule is not None and rule.verdict == "none"
    return LinuxVerdict(
        "closed",
        passage.words + (", so that none comes past the first router" if dies else ""),
        passage.by_source or dies,  # whoever is nearer gets through
        rejects=rejects,
        answer=answer,
        diverted=passage.way is Way.DIVERTED,
        own_port=_own_port(rule.text) if rule is not None and rule.verdict == "divert" else None,
        names_port=any(
            each.field.endswith(" dport") and not each.negated and each.values == (str(port),)
            for each in (rule.matches if rule else ())
        ),
        beside=beside,
    )


def _own_port(rule: str) -> int | None:
    found = _TO_OWN_PORT.search(rule)
    return int(found[1] or found[2]) if found else None


def _families(way: FilteredWay) -> tuple[int, ...]:
    """Those that either end is known to use; IPv4 where nothing is known."""
    known = {_family(address) for address in (way.peers or way.own)}
    return tuple(sorted(known)) or (4,)


def _family(address: str) -> int:
    return 6 if ":" in (plain_address(address) or address) else 4
