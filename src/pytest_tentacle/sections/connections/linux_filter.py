"""What a Linux host's own packet filter does with one connection, by the rules that were read: three-valued.

A connection needs both ways: the request that comes in (or goes out), and the answer that goes out (or comes in).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Probe
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.packet_filter import Packet, Passage, Way, walk
from pytest_tentacle.survey.surroundings import Firewall

_NOBODY_ELSES = ("127.", "fe80:", "169.254.", "::1")
"""How addresses begin that lead nowhere from another subnet."""

_MAY_REJECT = frozenset({"reject", "jump", "goto", "queue", "unread"})
"""What a rule does by which the other end may hear at once; `drop` is silent."""

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
        diverted: it is led elsewhere, by a rule that translates its destination.
        by_rule: where it is unclear, a rule that was read may stop it; else rules are missing.
    """

    word: Word
    words: str
    by_source: bool = False
    rejects: bool = False
    answer: bool = False
    diverted: bool = False
    by_rule: bool = False


@dataclass(frozen=True)
class FilteredWay:
    """One connection, as the machine's filter sees it. Addresses may be several, for want of knowing which.

    Attributes:
        inbound: whether the peer connects to the machine.
        port: of the end that listens.
        own: the machine's addresses that it may use.
        peers: the same of the other end.
        interfaces: by which it may come or go; empty: not known.
    """

    inbound: bool
    port: int
    own: frozenset[str]
    peers: frozenset[str]
    interfaces: frozenset[str] = frozenset()


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
    return LinuxVerdict("unclear", doubtful.words, doubtful.by_source, doubtful.rejects, by_rule=doubtful.by_rule)


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


def _one(firewall: Firewall, way: FilteredWay, family: int, *, later: bool) -> LinuxVerdict:
    own = frozenset(address for address in way.own if _family(address) == family)
    peers = frozenset(address for address in way.peers if _family(address) == family)
    request, answer = _packets(way, family, own, peers)
    filters = firewall.filters
    assert filters is not None  # noqa: S101  the caller has seen to it
    for packet in (request, answer):
        passage = walk(filters, replace(packet, later=later))
        if passage.way is not Way.PASSES:
            return _verdict(passage, answer=packet.answer)
    return LinuxVerdict("open", "the rules let it pass", passage.by_source)


def _packets(way: FilteredWay, family: int, own: frozenset[str], peers: frozenset[str]) -> tuple[Packet, Packet]:
    towards = Packet(
        way="in" if way.inbound else "out",
        family=family,
        sources=peers if way.inbound else own,
        destinations=own if way.inbound else peers,
        port=way.port,
        interfaces=way.interfaces,
    )
    back = Packet(
        way="out" if way.inbound else "in",
        family=family,
        sources=towards.destinations,
        destinations=towards.sources,
        source_port=way.port,
        interfaces=way.interfaces,
        answer=True,
    )
    return towards, back


def _verdict(passage: Passage, *, answer: bool) -> LinuxVerdict:
    if passage.way is Way.UNCLEAR:
        reason = f"{passage.reason}: " if passage.reason and passage.rule else ""
        words, by_rule = f"{reason}{passage.words}", passage.rule is not None
        may_reject = by_rule and passage.rule is not None and passage.rule.verdict in _MAY_REJECT
        return LinuxVerdict("unclear", words, passage.by_source, rejects=may_reject, answer=answer, by_rule=by_rule)
    rejects = passage.rule is not None and passage.rule.verdict == "reject"
    return LinuxVerdict(
        "closed",
        passage.words,
        passage.by_source,
        rejects=rejects,
        answer=answer,
        diverted=passage.way is Way.DIVERTED,
    )


def _families(way: FilteredWay) -> tuple[int, ...]:
    """Those that either end is known to use; IPv4 where nothing is known."""
    known = {_family(address) for address in (way.peers or way.own)}
    return tuple(sorted(known)) or (4,)


def _family(address: str) -> int:
    return 6 if ":" in (plain_address(address) or address) else 4
