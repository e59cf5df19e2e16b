"""Guide, "Check the Connections": "Remember to check the built-in Windows Firewall, and any other firewalls".

A rule only explains a link that is not well. Where a connection came through from a peer to the machine itself, the
rules that we read are evidence at most, whatever they seem to say. A connection that something else answers proves
nothing of them. On Windows they are evidence as well where the port is not even open on the machine itself: a closed
port is as silent from outside as a filtered one, and a service that does not run explains it. The rules of Linux are
followed for the very packets of a peer: what they keep out is kept out when the service runs again, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pytest_tentacle.guide.consequences import NO_SETTINGS, NOT_LISTENING
from pytest_tentacle.hiding import shorten
from pytest_tentacle.inventory.model import Local
from pytest_tentacle.judging.attempts import ATTEMPT_READS, Attempt, attempts_of, is_well
from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Failure
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallRule

from .filter_rules import Filtered, Verdict, condition_words, on_windows
from .link_verdict import standing_in_the_way
from .linux_filter import WAY_READS, FilteredWay, LinuxVerdict, linux_verdict, own_addresses, verdict_of_way
from .probe_verdict import describe
from .relayed import RELAY_READS, relayed
from .ways import SLOW_MS, connecting_ms, family_of, reached_by, ways_of

_CODES = {
    Filtered.NO_RULE: "TT541",
    Filtered.BLOCK_RULE: "TT542",
    Filtered.EVERYTHING: "TT543",
    Filtered.LOCAL_RULES_IGNORED: "TT544",
    Filtered.OTHER_SCOPE: "TT545",
}
_LINUX_CODE = "TT546"

_WORDS = {
    Filtered.NO_RULE: "no rule lets the port in, and what no rule names is blocked",
    Filtered.BLOCK_RULE: "a rule blocks the port",
    Filtered.EVERYTHING: "all incoming connections are blocked, whatever the rules say",
    Filtered.LOCAL_RULES_IGNORED: "only rules of the machine's own let the port in, and group policy ignores those",
    Filtered.OTHER_SCOPE: "the rules for the port are for other networks, peers or programs",
}

_OF_CONTAINERS = frozenset({"docker-proxy", "rootlessport", "conmon"})
"""What holds a container's published port on the machine itself."""

_ADVICE = "Look at the rules by hand, for the port and the network's profile."


@check(
    codes=(*_CODES.values(), _LINUX_CODE),
    reads=(
        *AWAY_READS,
        "firewall",
        "listeners",
        "controller.probes",
        *WAY_READS,
        *ATTEMPT_READS,
        *RELAY_READS,
    ),
)
def port_is_let_in(subject: Subject) -> Iterator[Finding]:
    """The listening end's own packet filter lets its peers in."""
    attempts = tuple(attempt for attempt in attempts_of(subject) if attempt.listening is subject.is_tentacle)
    port = _port(subject, attempts)
    through = is_well(attempts) or next((attempt for attempt in attempts if attempt.connected), None)
    reached = {reached_by(attempt) for attempt in attempts if attempt.connected and not attempt.met_another}
    lost = tuple(attempt for attempt in attempts if reached.isdisjoint(ways_of(attempt)))
    try:
        firewall = subject.read(FACTS.firewall)
    except Unknown:
        if through is None or lost:
            raise
        yield _let_in(through)
        return
    proof = _by_relay(subject) if through is None else None
    shut = None if proof or (through and through.met_own) else _shut_for_all_that(subject, firewall, port, attempts)
    if proof is not None:
        yield proof
    elif shut is not None:
        yield shut
    elif through is not None:
        yield _let_in(through)
        if firewall.engine != "windows" and lost:
            yield from _linux(subject, firewall, port, lost)
        elif firewall.engine != "windows" and (perhaps := _lets_some_in(subject, firewall, port, attempts)):
            yield perhaps
        else:
            yield Evidence(_source(subject, firewall), _described(subject, firewall, port, attempts))
    elif (standing := _not_open_here(subject, port)) is not None:
        yield Evidence(_source(subject, firewall), _described(subject, firewall, port, attempts))
        yield standing
    elif firewall.engine == "windows":
        yield from _windows(subject, firewall, port, attempts)
    else:
        yield from _linux(subject, firewall, port, attempts)


def _by_relay(subject: Subject) -> Evidence | None:
    """What shows that a server is let in by a proxy of the portal's, which alone the filter may know."""
    if not subject.is_tentacle:
        return None
    return next((proof for server in subject.peers if (proof := relayed(subject, server))), None)


def _windows(subject: Subject, firewall: Firewall, port: int, attempts: tuple[Attempt, ...]) -> Iterator[Finding]:
    if firewall.running is not True:
        state = "does not run" if firewall.running is False else "was not seen"
        raise Unknown(
            f"the service of Windows Firewall (MpsSvc) on {subject.name} {state}: what it filters then is not known",
            "Start the service MpsSvc; Windows is not supported without it.",
        )
    verdict = windows_verdict(subject, firewall, port, _peers(subject, attempts))
    if verdict.filtered is Filtered.UNCLEAR:
        raise Unknown(
            f"the rules of Windows Firewall on {subject.name} do not tell whether they let port {port} in"
            + "".join(f"; {_rule_line(rule)}" for rule in verdict.rules[:2]),
            _ADVICE,
        )
    refused = any(_error_of(attempt) is Failure.REFUSED for attempt in attempts)  # which Windows Firewall never does
    if verdict.filtered is Filtered.OPEN or refused or _others_get_through(subject, port, attempts):
        yield Evidence(_source(subject, firewall), _described(subject, firewall, port, attempts))
        return
    yield _problem(subject, firewall, port, verdict, attempts)


def _linux(subject: Subject, firewall: Firewall, port: int, attempts: tuple[Attempt, ...]) -> Iterator[Finding]:
    verdict = verdict_inbound(subject, firewall, port, attempts)
    source = _source(subject, firewall)
    if verdict.word == "open":
        yield Evidence(source, f"it lets port {port} in")
    elif verdict.word == "unclear":
        raise _cannot_tell(subject, port, verdict)
    elif _leads_where_it_should(subject, port, verdict, attempts):
        yield Evidence(source, f"it leads port {port} to another: {verdict.words}")
    elif verdict.by_source or not _others_get_through(subject, port, attempts):
        yield _linux_problem(subject, firewall, port, verdict, attempts)
    else:
        yield Evidence(source, f"by its rules it keeps port {port} out, and yet a connection came through")


def _shut_for_all_that(
    subject: Subject, firewall: Firewall, port: int, attempts: tuple[Attempt, ...]
) -> Problem | Unknown | None:
    """What the rules of a Linux host keep out, whether the port is open or closed behind them, or another answers."""
    if firewall.engine == "windows" or (not _met_no_end(attempts) and _not_open_here(subject, port) is None):
        return None
    verdict = verdict_inbound(subject, firewall, port, attempts)
    if verdict.word == "unclear" and verdict.by_rule:
        return _cannot_tell(subject, port, verdict)
    follows = verdict.word == "open" and not any(attempt.connected for attempt in attempts)
    if follows:
        verdict = verdict_inbound(subject, firewall, port, attempts, later=True)
    if verdict.word != "closed" or _leads_where_it_should(subject, port, verdict, attempts):
        return None
    problem = _linux_problem(subject, firewall, port, verdict, attempts)
    return replace(problem, facts=problem.facts | {"follows": follows})


def _leads_where_it_should(subject: Subject, port: int, verdict: LinuxVerdict, attempts: tuple[Attempt, ...]) -> bool:
    """Whether something answers where the rules lead its peers, and that may be how they reach the service.

    It is not where the service is open at its port, and they lead past it. A container's published port, or another
    port of the service's own, is where a rule should lead.
    """
    if not verdict.diverted or not any(attempt.connected for attempt in attempts):
        return False
    if verdict.own_port == subject.expected_port or not _open_here(subject, port):
        return True
    try:
        owners = [each.owner for each in subject.read(FACTS.listeners) if each.port == port]
    except Unknown:
        return True
    return not owners or any(owner is None or owner.name in _OF_CONTAINERS for owner in owners)


def _lets_some_in(subject: Subject, firewall: Firewall, port: int, attempts: tuple[Attempt, ...]) -> Unknown | None:
    """A rule that could not be judged, where one connection came through, and another was lost or came late."""
    missed = tuple(attempt for attempt in attempts if _missed(attempt))
    if not missed or all(_missed(attempt) and not attempt.connected for attempt in attempts):
        return None
    verdict = verdict_inbound(subject, firewall, port, missed)
    if verdict.word != "unclear" or not verdict.by_rule:
        return None
    told = "; ".join(describe(attempt.probe) for attempt in missed[:3])
    return Unknown(
        f"whether the packet filter on {subject.name} lets each connection to port {port} in cannot be told: "
        f"{verdict.words}; one came through, and another was lost or came late: {told}",
        f"{_ADVICE} Run again with --ping-count 20.",
    )


def _missed(attempt: Attempt) -> bool:
    """Whether the first packet of a connection, or all that followed in time, got no answer."""
    return _error_of(attempt) is Failure.TIMED_OUT or (connecting_ms(attempt.probe) or 0.0) >= SLOW_MS


def _cannot_tell(subject: Subject, port: int, verdict: LinuxVerdict) -> Unknown:
    return Unknown(
        f"whether the packet filter on {subject.name} lets port {port} in cannot be told: {verdict.words}", _ADVICE
    )


def _met_no_end(attempts: tuple[Attempt, ...]) -> bool:
    """Whether something took a connection that did not show itself as the end of the link."""
    return any(attempt.connected and not attempt.met_own for attempt in attempts)


def verdict_inbound(
    subject: Subject, firewall: Firewall, port: int, attempts: tuple[Attempt, ...], *, later: bool = False
) -> LinuxVerdict:
    """What the rules of a Linux host do with its peers' connections, those that they tried where they tried any.

    Of several, what keeps one out comes first, then what cannot be told. `later`: with what these would carry.
    """
    peers = {peer.name: peer for peer in subject.peers}
    tried = [attempt for attempt in attempts if attempt.probe.connect]
    names = [str(each.server) if each.listening else each.tentacle.name for each in tried]
    verdicts = [
        verdict_of_way(subject, peers.get(name), each.probe, inbound=True, later=later)
        for name, each in zip(names, tried, strict=True)
    ]
    if not verdicts:
        known = frozenset(address for peer in peers.values() for address in own_addresses(peer))
        way = FilteredWay(inbound=True, port=port, own=own_addresses(subject), peers=known)
        verdicts = [linux_verdict(firewall, [way], later=later)]
    return min(verdicts, key=lambda verdict: ("closed", "unclear", "open").index(verdict.word))


def _linux_problem(
    subject: Subject, firewall: Firewall, port: int, verdict: LinuxVerdict, attempts: tuple[Attempt, ...]
) -> Problem:
    source = _source(subject, firewall)
    port = next((attempt.probe.port for attempt in attempts if attempt.probe.connect), port)
    led = "led elsewhere" if verdict.diverted else "its answers are kept in" if verdict.answer else "kept out"
    evidence = [Evidence(source, verdict.words)]
    evidence += [Evidence(f"probe from {attempt.vantage}", describe(attempt.probe)) for attempt in attempts[:3]]
    return Problem(
        _LINUX_CODE,
        subject.name,
        expected=f"the machine's own firewall lets TCP port {port} in",
        actual=f"port {port} is {led} by {verdict.words}"
        if not verdict.answer
        else f"port {port}: {led} by {verdict.words}",
        evidence=tuple(evidence),
        facts={
            "port": port,
            "profile": None,
            "engine": firewall.engine,
            "rule": verdict.words,
            "by_source": verdict.by_source,
            "rejects": verdict.rejects or verdict.diverted or verdict.of_neighbours,
            "is_heard": verdict.rejects and not verdict.answer,
            "is_answered": _answers_elsewhere(subject, firewall, verdict),
            "names_port": verdict.names_port,
            "beside": verdict.beside,
            "diverted": verdict.diverted,
            "instance": subject.instance_name,
            **_only_peer(subject, attempts),
        },
    )


def _answers_elsewhere(subject: Subject, firewall: Firewall, verdict: LinuxVerdict) -> bool:
    """Whether it is led to another port of the machine that its rules let in: there its system says yes, or no."""
    if verdict.own_port is None:
        return False
    peers = frozenset(address for peer in subject.peers for address in own_addresses(peer))
    way = FilteredWay(inbound=True, port=verdict.own_port, own=own_addresses(subject), peers=peers)
    return linux_verdict(firewall, [way]).word == "open"


def _only_peer(subject: Subject, attempts: tuple[Attempt, ...]) -> dict[str, str]:
    """Whom a command lets in, where there is one."""
    peers = _peers_of(subject, attempts)
    address = peers[0].machine.ip if len(peers) == 1 else None
    return {"peers": address} if address else {}


def _port(subject: Subject, attempts: tuple[Attempt, ...]) -> int:
    """The port that it listens on; where no settings say which, the one that its peers try.

    Raises Blocked or Unknown where it has none.
    """
    if subject.is_tentacle:
        try:
            settings = subject.settings
        except Blocked as blocked:
            tried = [attempt.probe.port for attempt in attempts if attempt.probe.connect]
            if blocked.code in NO_SETTINGS and tried:
                return tried[0]
            raise
        if settings.no_listen:
            standing = subject.first_problem(NOT_LISTENING, "communication-settings")
            if standing:
                raise Blocked(standing.code, subject.name, "it listens on no port")
            raise Unknown(f"{subject.name} listens on no port, and nobody says that it polls", "Declare its mode.")
    port = subject.expected_port
    if port is None:
        raise Blocked("TT311" if subject.is_tentacle else "TT317", subject.name, "there is no port number to look at")
    return port


def _peers_of(subject: Subject, attempts: tuple[Attempt, ...]) -> tuple[Subject, ...]:
    """The other ends that tried; all of them where nobody did."""
    names = {attempt.vantage for attempt in attempts} or {peer.name for peer in subject.peers}
    return tuple(peer for peer in subject.peers if peer.name in names)


def _peers(subject: Subject, attempts: tuple[Attempt, ...]) -> frozenset[str]:
    """The addresses that its peers are known to connect from: declared ones. What translates them, nobody knows."""
    machines = (peer.machine for peer in _peers_of(subject, attempts))
    return frozenset(machine.ip for machine in machines if machine.ip)


def windows_verdict(subject: Subject, firewall: Firewall, port: int, peers: Iterable[str]) -> Verdict:
    """What the rules of a Windows machine do with its peers' connections to the port."""
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    address = subject.machine.ip
    own = address if address in own_addresses(subject) else None  # else something translates it, nobody knows to which
    services = (service.name,) if service else ()
    return on_windows(
        firewall, port, peers, _programs(subject, port), services=services, addresses=(own,) if own else ()
    )


def _programs(subject: Subject, port: int) -> frozenset[str]:
    """The executables that listen, or would."""
    found: set[str | None] = set()
    try:
        for listener in subject.read(FACTS.listeners):
            if listener.port == port and listener.owner is not None:
                found.add(listener.owner.executable)
    except Unknown:
        return frozenset()
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    found.add(service.executable if service else None)
    return frozenset(program for program in found if program)


def _open_here(subject: Subject, port: int) -> bool:
    """Whether the machine itself can connect to its port: then what keeps others out stands between."""
    probe = subject.local_probe
    return probe is not None and probe.port == port and probe.connect is not None and probe.connect.error is None


def _not_open_here(subject: Subject, port: int) -> Blocked | None:
    """What on the machine itself keeps the port closed; None where it is open, or nobody knows why it is not."""
    return None if _open_here(subject, port) else standing_in_the_way(subject)


def _error_of(attempt: Attempt) -> Failure | None:
    """Why there is no TCP connection; None where there is one, or nobody came as far."""
    return attempt.probe.connect.error if attempt.probe.connect else None


def _others_get_through(subject: Subject, port: int, attempts: tuple[Attempt, ...]) -> bool:
    """Whether the machine that runs pytest could connect: then the rules do not say what we read in them.

    Where all that its peers tried is of one family of addresses, by that one: each has rules of its own.
    """
    if isinstance(subject.machine.transport, Local):
        return False
    tried = {family_of(attempt.probe) for attempt in attempts}
    return any(
        probe.port == port
        and probe.connect is not None
        and probe.connect.error is None
        and (None in tried or len(tried) != 1 or family_of(probe) in {None, *tried})
        for probe in subject.seen_from_here()
    )


def _let_in(attempt: Attempt) -> Evidence:
    return Evidence(f"probe from {attempt.vantage}", f"a connection comes through: {describe(attempt.probe)}")


def _source(subject: Subject, firewall: Firewall) -> str:
    name = "Windows Firewall" if firewall.engine == "windows" else f"packet filter ({firewall.engine})"
    return f"{name} of {subject.name}"


def _described(subject: Subject, firewall: Firewall, port: int, attempts: tuple[Attempt, ...]) -> str:
    """What the rules say, for the record."""
    if firewall.engine != "windows":
        told = verdict_inbound(subject, firewall, port, attempts)
        words = {"open": f"it lets port {port} in", "closed": f"by its rules port {port} is kept out: {told.words}"}
        return shorten(words.get(told.word, f"whether it lets port {port} in cannot be told: {told.words}"), 400)
    if firewall.running is not True:
        return "its service does not run"
    verdict = windows_verdict(subject, firewall, port, _peers(subject, attempts))
    if verdict.filtered is Filtered.OPEN:
        by = ", ".join(rule.name for rule in verdict.rules[:3])
        return f"port {port} is let in" + (f" by {by}" if by else "")
    return f"port {port}: {_WORDS.get(verdict.filtered, 'the rules do not tell')}"


def _problem(
    subject: Subject, firewall: Firewall, port: int, verdict: Verdict, attempts: tuple[Attempt, ...]
) -> Problem:
    source = _source(subject, firewall)
    where = f" ({verdict.profile})" if verdict.profile else ""
    evidence = [Evidence(source, _rule_line(rule)) for rule in verdict.rules[:5]]
    evidence += [Evidence(source, profile) for profile in _profile_lines(firewall)]
    evidence += [Evidence(f"probe from {attempt.vantage}", describe(attempt.probe)) for attempt in attempts[:3]]
    return Problem(
        _CODES[verdict.filtered],
        subject.name,
        expected=f"the machine's own firewall lets TCP port {port} in",
        actual=_WORDS[verdict.filtered] + where + _by_condition(verdict),
        evidence=tuple(evidence),
        facts={
            "port": port,
            "profile": verdict.profile,
            "engine": firewall.engine,
            "rule": verdict.rules[0].name if verdict.rules else None,
            "instance": subject.instance_name,
            **_only_peer(subject, attempts),
        },
    )


def _by_condition(verdict: Verdict) -> str:
    """The rule that holds under a condition which is not met here."""
    rule = next((each for each in verdict.rules if each.conditions), None)
    if verdict.filtered is not Filtered.OTHER_SCOPE or rule is None:
        return ""
    return f": rule {rule.name} holds only if {condition_words(rule)}"


def _profile_lines(firewall: Firewall) -> Iterator[str]:
    for profile in firewall.profiles:
        if profile.active is not False:
            state = "off" if profile.enabled is False else f"inbound {profile.inbound or 'not known'}"
            ignored = ", local rules ignored" if profile.local_rules is False else ""
            yield f"{profile.name}: {state}{ignored}"


def _rule_line(rule: FirewallRule) -> str:
    parts = [f"rule {rule.name}: {rule.action}", f"ports {', '.join(rule.ports) or 'any'}"]
    parts.append(f"profiles {', '.join(rule.profiles) or 'any'}")
    if rule.remote:
        parts.append(f"from {', '.join(rule.remote)}")
    if rule.program:
        parts.append(f"program {rule.program}")
    if rule.conditions:
        parts.append(f"only if {', '.join(rule.conditions)}")
    return ", ".join([*parts, rule.source])
