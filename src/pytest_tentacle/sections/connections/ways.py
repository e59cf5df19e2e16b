"""The way between two machines, as their own tables and filters have it: what lets nothing out, or knows no way back.

A link needs a way in both directions. Whoever listens may have none to whom connects, though it answers itself and all
of its own network: then the connection only times out, at the other end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_tentacle.judging.attempts import TENTACLE_READS, Attempt, attempts_of
from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS, kept
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import By, Failure, Probe, Stage, StageRecord
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.survey.surroundings import Route

from .link_verdict import standing_in_the_way
from .linux_filter import WAY_READS, route_to, verdict_of_way
from .probe_verdict import describe

SLOW_MS = 1_000.0
"""A SYN that is lost is sent again after one second (RFC 6298, 2.1)."""

_LOST = frozenset({Failure.TIMED_OUT, Failure.UNREACHABLE, Failure.REFUSED, Failure.PROHIBITED})
_NOBODY = frozenset({"failed", "incomplete"})
"""What the neighbours' table says of an address for which nobody answers."""

_OF_CONTAINERS = re.compile(
    r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}|cni\d+|cni-podman\d+|podman\d+|virbr\d+|lxcbr\d+|lxdbr\d+|incusbr\d+"
)
"""Bridges that Docker, Podman, libvirt and LXC make for networks of their own on the machine."""
_WORDS = {
    "no-route": "it has no route there",
    "unreachable": "its routing table says unreachable",
    "prohibited": "its routing table prohibits it",
    "blackhole": "its routing table swallows it",
    "other": "the system gives no route",
}


@check(codes=("TT533",), reads=("firewall", "peer.firewall", "peer.services", *AWAY_READS, *WAY_READS, *TENTACLE_READS))
def connection_is_let_out(subject: Subject) -> Iterator[Finding]:
    """The connecting end's own packet filter on Linux lets the connection out, and the answer in."""
    lost = tuple(_lost_links(subject))
    for attempt, server in (*lost, *_taken_links(subject)):
        connecting, other = (server, subject) if attempt.listening else (subject, server)
        is_lost = (attempt, server) in lost
        try:
            verdict = verdict_of_way(connecting, other, attempt.probe, inbound=False)
        except Unknown as unknown:
            if is_lost and standing_in_the_way(attempt.link.end) is None:
                yield from _unread_rules(connecting, unknown)
            continue
        if verdict.word != "closed" or not (is_lost or verdict.diverted):
            continue
        port = attempt.probe.port
        what = "its answers are kept out" if verdict.answer else "led elsewhere" if verdict.diverted else "kept in"
        yield Problem(
            "TT533",
            subject.name,
            expected=f"the own firewall of {connecting.name} lets connections to TCP port {port} out",
            actual=f"port {port}: {what} by {verdict.words}",
            evidence=(
                Evidence(f"packet filter of {connecting.name}", verdict.words),
                Evidence(f"probe from {attempt.vantage}", describe(attempt.probe)),
            ),
            facts={
                "end": connecting.name,
                "other": other.name,
                "port": port,
                "rule": verdict.words,
                "why": f"{what} by {verdict.words}",
                "server": server.name,
                "vantage": attempt.vantage,
            },
        )


@check(codes=("TT532",), reads=("routes", "peer.routes", "peer.services", *AWAY_READS, *TENTACLE_READS))
def both_ends_have_a_way(subject: Subject) -> Iterator[Finding]:
    """Both ends of a link on which no connection comes about have a way to each other, by their own tables."""
    for attempt, server in _lost_links(subject):
        for machine, other in ((subject, server), (server, subject)):
            dialled = attempt.probe.connect.address if attempt.probe.connect and _listens(attempt, machine) else None
            route = route_to(machine, other)
            if route is None:
                if standing_in_the_way(attempt.link.end) is None:
                    yield _unread_way(machine, other)
                continue
            why = _why(route, dialled)
            if why is None and _ends_here(route):
                if other.record is None or machine.record is other.record:
                    continue
                why = f"{machine.name} has that address itself"
            if why is None:
                if doubt := _doubtful_hop(machine, other, route):
                    yield doubt
                continue
            yield _no_way(attempt, machine, other, route, why)
    yield from _answered_by_others(subject)


def _answered_by_others(subject: Subject) -> Iterator[Problem]:
    """Links that something else answers, of whose ends the one that should can answer nobody, by its own tables."""
    for attempt, server in _taken_links(subject):
        end, other = (subject, server) if attempt.listening else (server, subject)
        route = route_to(end, other)
        why = _why(route, None) if route is not None else None
        if route is not None and why is not None:
            yield _no_way(attempt, end, other, route, why)


def _no_way(attempt: Attempt, machine: Subject, other: Subject, route: Route, why: str) -> Problem:
    return Problem(
        "TT532",
        attempt.tentacle.name,
        expected=f"{machine.name} has a way to {other.name} ({route.address})",
        actual=f"{machine.name} has none to {route.address}: {why}",
        evidence=(
            Evidence(f"routes of {machine.name}", _told(route)),
            Evidence(f"probe from {attempt.vantage}", describe(attempt.probe)),
        ),
        facts={
            "end": machine.name,
            "other": other.name,
            "why": why,
            "address": route.address,
            "server": attempt.server,
            "vantage": attempt.vantage,
            "bridge": route.device if route.via is None and _OF_CONTAINERS.fullmatch(route.device or "") else None,
        },
    )


@check(
    codes=("TT535",),
    reads=("host", "firewall", "peer.host", "peer.firewall", "peer.services", *AWAY_READS, *WAY_READS, *TENTACLE_READS),
)
def connection_comes_about_soon(subject: Subject) -> Iterator[Finding]:
    """A connection comes about within a second, for no distance on Earth takes that long."""
    for looks in _slow_links(subject):
        vantage, server = looks[0].vantage, looks[0].server
        if busy := _busy_end(looks[0]):
            if not any(_is_quick(look.probe) for look in looks):
                yield busy
            continue
        least = min(ms for look in looks if (ms := connecting_ms(look.probe)) is not None)
        probe = looks[0].probe
        told = "; ".join(_stage_times(look.probe) for look in looks)
        yield Problem(
            "TT535",
            subject.name,
            expected=f"from {vantage}, connections to {probe.host}:{probe.port} come about within {SLOW_MS:.0f} ms",
            actual=told,
            evidence=tuple(Evidence(f"probe from {vantage}", describe(look.probe)) for look in looks),
            facts={
                "vantage": vantage,
                "server": server,
                "host": probe.host,
                "port": probe.port,
                "ms": least,
                "times": told,
            },
        )
    for looks in _refused_links(subject):
        if late := _late_refusals(looks):
            yield late


def _late_refusals(looks: Sequence[Attempt]) -> Unknown | None:
    """Why it is not known whether a way is slow on which each connection was refused, and late.

    Linux refuses at once where nobody listens. A refusal goes to and fro on the way like an answer; but a router's word
    comes seldom (RFC 1812, 4.3.2.8), and Windows asks again several times before it tells of one (Microsoft KB 175523).
    """
    first, end = looks[0], looks[0].link.end
    probe, times = first.probe, [connecting_ms(look.probe) or 0.0 for look in looks]
    if end is None or len(times) == 1 or min(times) < SLOW_MS or not _is_linux(first.link.vantage):
        return None
    standing = standing_in_the_way(end)
    try:
        rules = verdict_of_way(end, first.link.vantage, probe, inbound=True)
    except Unknown:
        return None
    if standing is None or rules.word != "open":
        return None
    return Unknown(
        f"from {first.vantage} to {probe.host}:{probe.port} each connection was refused after {min(times):.0f} ms or "
        "more: whether the way is slow, or something on it may say no but now and then (ICMP), cannot be told",
        f"Run again once {standing.code} on {standing.machine} is mended.",
    )


def _refused_links(subject: Subject) -> list[list[Attempt]]:
    """The looks at each link of which all were refused."""
    by_link: defaultdict[tuple[str, str | None], list[Attempt]] = defaultdict(list)
    for attempt in attempts_of(subject):
        if attempt.link.proxy is None:
            by_link[attempt.vantage, attempt.server].append(attempt)
    return [looks for looks in by_link.values() if all(_is_refused(look.probe) for look in looks)]


def _is_refused(probe: Probe) -> bool:
    return probe.connect is not None and probe.connect.error is Failure.REFUSED


def _is_linux(machine: Subject) -> bool:
    try:
        return machine.read(FACTS.host).os == "linux"
    except Unknown:
        return False


def slow_stages(subject: Subject) -> list[tuple[Probe, frozenset[Stage]]]:
    """Each look at a link that is told as slow, with its stages that took a second or longer."""
    return [
        (look.probe, frozenset(stage for stage, ms in _times_of(look.probe) if ms is not None and ms >= SLOW_MS))
        for looks in _slow_links(subject)
        if _busy_end(looks[0]) is None
        for look in looks
    ]


def _busy_end(attempt: Attempt) -> Unknown | None:
    """An end that was as slow to itself, where no path lies between: it is busy, and tells nothing of one."""
    return busy(attempt.link.vantage, "the path") or busy(attempt.link.end, "the path")


def busy(end: Subject | None, what: str) -> Unknown | None:
    """Why nobody knows whether something is slow (`what`, a noun), where an end was as slow to itself; else None."""
    slowest = max(_own_times(end), default=0.0)
    if end is None or slowest < SLOW_MS:
        return None
    return Unknown(
        f"{end.name} was so busy that its own port took {slowest:.0f} ms to answer itself: whether {what} is slow as "
        "well cannot be told",
        "Run again when it is less busy.",
    )


def _is_quick(probe: Probe) -> bool:
    """Whether all of it came within a second: then the way is not slow, whatever a busy end makes of other looks."""
    return probe.failed is None and all(ms is not None and ms < SLOW_MS for _, ms in _times_of(probe))


def _own_times(end: Subject | None) -> list[float]:
    """Milliseconds of the stages of the looks at its own ports that went well; none where it has no survey."""
    try:
        probes = end.own_probes() if end is not None else ()
    except Unknown:
        return []
    answered = [probe for probe in probes if probe.is_of_own_port and probe.failed is None]
    return [ms for probe in answered for _, ms in _times_of(probe) if ms is not None]


def _slow_links(subject: Subject) -> list[list[Attempt]]:
    """The looks at each link that is slow."""
    return kept(subject, "slow-links", lambda: _slow_of(attempts_of(subject)))


def _slow_of(attempts: tuple[Attempt, ...]) -> list[list[Attempt]]:
    by_link: defaultdict[tuple[str, str | None], list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.connected and attempt.link.proxy is None:
            by_link[attempt.vantage, attempt.server].append(attempt)
    return [looks for looks in by_link.values() if _is_slow(looks)]


def _is_slow(looks: Sequence[Attempt]) -> bool:
    """Each of two or more connections took a second or longer; or one did, and one more stage as well.

    One alone may be a packet that was lost, or the start of a client on a busy machine: the handshake behind it goes to
    and fro on the same way. One that times out tells of no way: whoever took the connection may be silent.
    """
    stages = [(stage, ms) for look in looks for stage, ms in _times_of(look.probe) if stage is not _silent(look.probe)]
    slow = [stage for stage, ms in stages if ms is not None and ms >= SLOW_MS]
    connections = slow.count(Stage.CONNECT)
    return connections > 0 and (1 < connections == len(looks) or connections < len(slow))


def _silent(probe: Probe) -> Stage | None:
    """The stage in which nothing came; None where none timed out."""
    later = ((Stage.TLS, probe.tls), (Stage.PAGE, probe.page))
    return next((stage for stage, record in later if record and record.error is Failure.TIMED_OUT), None)


def _times_of(probe: Probe) -> tuple[tuple[Stage, float | None], ...]:
    """Milliseconds of the stages that go to and fro on the way."""
    later = ((Stage.TLS, probe.tls), (Stage.PAGE, probe.page))
    return ((Stage.CONNECT, connecting_ms(probe)), *((stage, record.ms) for stage, record in later if record))


def connecting_ms(probe: Probe) -> float | None:
    """Of the address that answered alone, without what the looking machine may have been late; None: nobody knows.

    An address that failed later has the milliseconds of that later stage (`Tried.ms`); where it was the first of
    several, those of the whole are its own.
    """
    connected = probe.connect
    if connected is None or connected.lag_ms is None:
        return None
    ms = connected.ms
    for number, one in enumerate(connected.tried):
        if one.address == connected.address:
            known = one.stage in {None, Stage.CONNECT} and one.ms is not None
            ms = one.ms if known else None if number else ms
            break
    return None if ms is None else max(0.0, ms - connected.lag_ms)


def _stage_times(probe: Probe) -> str:
    """`connect 3021 ms, tls 1950 ms (timed-out)`."""
    parts = []
    for stage in (Stage.CONNECT, Stage.TLS, Stage.PAGE):
        record: StageRecord | None = getattr(probe, stage.value)
        if record is not None and record.ms is not None:
            parts.append(f"{stage.value} {record.ms:.0f} ms" + (f" ({record.error.value})" if record.error else ""))
    return f"{probe.host}: {', '.join(parts)}"


def _unread_rules(connecting: Subject, unknown: Unknown) -> Iterator[Unknown]:
    """Rules of Linux that were not read; what Windows lets out is not read at all, and no matter of this check."""
    try:
        is_windows = connecting.read(FACTS.firewall).engine == "windows"
    except Unknown:
        is_windows = connecting.machine.os is not None and connecting.machine.os.value == "windows"
    if not is_windows:
        yield Unknown(f"whether {connecting.name} lets the connection out: {unknown.reason}", unknown.advice)


def _unread_way(machine: Subject, other: Subject) -> Unknown:
    """Why nobody knows the way from one end of a lost link to the other."""
    question = f"whether {machine.name} has a way to {other.name}"
    try:
        machine.read(FACTS.routes)
    except Unknown as unknown:
        return Unknown(f"{question}: {unknown.reason}", unknown.advice)
    by_hand = "On that machine, look with `Find-NetRoute` (Windows) or `ip route get` (Linux)."
    return Unknown(f"{question}: it was not asked for that one", by_hand)


def _is_lost(attempt: Attempt) -> bool:
    """Whether it did not come as far as a connection."""
    return attempt.probe.connect is not None and attempt.probe.connect.error in _LOST


def _lost_links(subject: Subject) -> Iterator[tuple[Attempt, Subject]]:
    """One attempt of each of a Tentacle's links on which none came through, with the server at its other end.

    Nor did one come through that another machine answered, by its certificate.
    """
    attempts = attempts_of(subject)
    reached = {(each.server, reached_by(each)) for each in attempts if each.connected and not each.met_another}
    lost = {
        each.server: each
        for each in attempts
        if each.server is not None
        and reached.isdisjoint((each.server, way) for way in ways_of(each))
        and (_is_lost(each) or each.met_another)
    }
    for name, attempt in lost.items():
        yield attempt, subject.fleet.subject(name)


_By = tuple[str, int | None]
"""Who connects, and by which family of addresses; None: by whichever."""


def reached_by(attempt: Attempt) -> _By:
    """What one that came about proves: by name, that products come through; by an address, its family alone."""
    return attempt.vantage, None if attempt.probe.by is By.NAME else family_of(attempt.probe)


def ways_of(attempt: Attempt) -> frozenset[_By]:
    """Of which one has to be reached for a connection not to be lost: each family has ways and rules of its own."""
    family = family_of(attempt.probe)
    families = (4, 6, None) if family is None else (family, None)
    return frozenset((attempt.vantage, each) for each in families)


def family_of(probe: Probe) -> int | None:
    """Of the address that was tried; None where nobody knows it."""
    address = plain_address((probe.connect.address if probe.connect else None) or probe.host)
    return None if address is None else 6 if ":" in address else 4


def _taken_links(subject: Subject) -> Iterator[tuple[Attempt, Subject]]:
    """One attempt of each of a Tentacle's links on which something took connections, and never showed to be the end.

    An end whose own tables have no way back has not answered: something between did, and stands before a second fault.
    """
    attempts = attempts_of(subject)
    well = {each.server for each in attempts if each.met_own}
    another = {each.server for each in attempts if each.met_another}
    taken = {
        each.server: each
        for each in attempts
        if each.connected and each.server is not None and each.server not in well | another
    }
    for name, attempt in taken.items():
        yield attempt, subject.fleet.subject(name)


def _listens(attempt: Attempt, machine: Subject) -> bool:
    return attempt.listening is machine.is_tentacle


def _why(route: Route, dialled: str | None) -> str | None:
    """What is wrong with a way; None where nothing is known to be."""
    if route.error is not None:
        return _WORDS[route.error]
    if route.neighbour in _NOBODY:
        if route.via:
            return f"its router {route.via} does not answer"
        return "nobody on its own network answers for that address"
    if route.via and route.hops is not None and route.hops <= 1:
        return f"its packets live for one hop, and end at the router {route.via} (net.ipv4.ip_default_ttl)"
    if (
        dialled
        and route.source
        and route.rp_filter == 1
        and route.source != dialled
        and (":" in dialled) is (":" in route.source)
    ):
        return f"the answer would leave by {route.device}, and its reverse path filter drops what comes another way"
    return None


def _doubtful_hop(machine: Subject, other: Subject, route: Route) -> Unknown | None:
    """A next hop of which the tables alone do not tell whether it carries anything on; None for any other."""
    if route.via is None:
        return None
    question = f"whether the way from {machine.name} to {other.name} ({route.address}) holds cannot be told"
    if route.neighbour == "permanent":
        return Unknown(
            f"{question}: its entry for the router {route.via} was made by hand, and tells nothing of who answers",
            f"On {machine.name}, compare the entry with that of another machine (`ip neigh`, `Get-NetNeighbor`).",
        )
    owners = machine.fleet.machines_by_address.get(plain_address(route.via) or route.via, ())
    hop = next((name for name in owners if name not in {machine.name, other.name}), None)
    if hop is None:
        return None
    return Unknown(
        f"{question}: it leads through {hop} ({route.via}), and whether that one passes anything on was not read",
        f"On {machine.name}, see whether {route.via} is meant to be a router: `ip route get {route.address}`.",
    )


def _ends_here(route: Route) -> bool:
    """Whether what is sent there stays on the machine, as the peer's address is one of its own."""
    return route.error is None and route.device == "lo" and route.via is None


def _told(route: Route) -> str:
    if route.error:
        return f"to {route.address}: {route.detail or route.error}"
    parts = [f"to {route.address}", f"via {route.via}" if route.via else "", f"by {route.device}"]
    parts += [f"from {route.source}", f"next hop {route.neighbour}" if route.neighbour else ""]
    parts += [f"for {route.hops} hops" if route.hops is not None else ""]
    parts += [f"reverse path filter {route.rp_filter}" if route.rp_filter is not None else ""]
    return " ".join(part for part in parts if part)
