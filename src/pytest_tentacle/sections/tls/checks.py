"""Guide, "Schannel and TLS Configuration Mismatches": what both ends may speak, and what the link really spoke.

A policy only explains a link that is not well: what was negotiated is stronger than any rule that we read, and so is
what each version of TLS answered where the survey tried them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.attempts import ATTEMPT_READS, Attempt, attempts_of
from pytest_tentacle.judging.away import AWAY_READS
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS, kept
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.connections.link_verdict import standing_in_the_way
from pytest_tentacle.survey.surroundings import TlsPolicy, caller_of

from .policy import (
    VERSIONS,
    WANTED,
    Side,
    common_curve_is_missing,
    excluded,
    has_a_wanted_one,
    restrictions,
    usable_suites,
)
from .versions import NOTHING_NEW_ENOUGH, TRIAL_READS, Tried, seen_from_here, trials_of

NO_VERSION = "TT901"
NO_COMMON_VERSION = "TT902"
MINIMUM_TOO_HIGH = "TT903"
NO_SUITE = "TT904"
NO_COMMON_SUITE = "TT905"
NO_COMMON_CURVE = "TT907"

_EVENTS = {
    36870: "the private key of its certificate cannot be used",
    36871: "no TLS credential could be made",
    36874: "a client offered no cipher suite that the machine has",
    36887: "the other end sent a fatal alert",
    36888: "a fatal alert was sent",
}
"""windows-shapes 5.3; those of chains that nobody checks are left out: Halibut knows its peers by thumbprint."""

_EVENTS_SHOWN = 5


@check(codes=(NO_VERSION, NO_SUITE), reads=("tls", *ATTEMPT_READS))
def own_policy_allows_what_octopus_needs(subject: Subject) -> Iterator[Finding]:
    """Each side that the machine's links need has TLS 1.2 or 1.3 and one of the cipher suites that Octopus wants."""
    for side in _sides(subject):
        yield from _own_side(subject, side)


@check(
    codes=(NO_COMMON_VERSION, MINIMUM_TOO_HIGH, NO_COMMON_SUITE, NO_COMMON_CURVE, NOTHING_NEW_ENOUGH),
    reads=(*AWAY_READS, "tls", "peer.tls", *TRIAL_READS, *(name for name in ATTEMPT_READS if name != "peer_probes")),
)
def both_ends_have_tls_in_common(subject: Subject) -> Iterator[Finding]:
    """The two ends of a Tentacle's link have a version, a cipher suite and a curve in common, and they serve."""
    if not subject.is_tentacle:
        return
    side = next(iter(_sides(subject)), None)
    if side is None:
        return
    for server in subject.peers:
        own = tuple(attempt for attempt in attempts_of(subject) if attempt.server == server.name)
        tried = tuple(each for each in trials_of(subject) if each.link.server is server)
        looks = [attempt.probe for attempt in own]
        failing = next((each for each in tried if each.shows_nothing_new_enough(looks)), None)
        spoken = _spoken(own)
        for each in tried:
            yield each.evidence
        if failing:
            yield from _nothing_new_enough(subject, server, side, failing)
        elif spoken:
            yield spoken
        elif server.can_log_on:
            here = _End(subject, subject.read(FACTS.tls), side)
            yield from _compare(here, _End(server, server.read(FACTS.tls), _other(side)))


@check(codes=(), reads=("services", "instances", "events"))
def failed_handshakes_are_told(subject: Subject) -> Iterator[Finding]:
    """What Windows' System log tells of handshakes of the service's own process: evidence, and no verdict."""
    try:
        service = subject.service
        if service is None or service.pid is None:
            return
        for event in [event for event in subject.read(FACTS.events) if caller_of(event) == service.pid][
            -_EVENTS_SHOWN:
        ]:
            if event.id in _EVENTS:
                data = ", ".join(f"{key} {value}" for key, value in sorted(event.data.items()))
                yield Evidence(
                    f"System log of {subject.name}, Schannel {event.id}",
                    f"{event.time_utc:%Y-%m-%d %H:%M:%SZ}: {_EVENTS[event.id]} ({data})",
                )
    except Unknown as unknown:
        yield Evidence(f"System log of {subject.name}", f"not read: {unknown.reason}")


@dataclass(frozen=True)
class _End:
    subject: Subject
    policy: TlsPolicy
    side: Side

    @property
    def source(self) -> str:
        return f"TLS policy of {self.subject.name} ({self.policy.library})"


def _sides(subject: Subject) -> tuple[Side, ...]:
    """The sides of TLS that its links need. Raises Unknown where the mode of a Tentacle is not known."""
    if subject.is_tentacle:
        if subject.mode is None:
            raise Unknown(f"the mode of {subject.name} is not known", "Declare it: mode: listening or polling.")
        return ("client",) if subject.mode is Mode.POLLING else ("server",)
    modes = {tentacle.mode for tentacle in subject.peers}
    found: list[Side] = []
    if Mode.LISTENING in modes:
        found.append("client")
    if Mode.POLLING in modes:
        found.append("server")
    return tuple(found)


def _other(side: Side) -> Side:
    return "server" if side == "client" else "client"


def _own_side(subject: Subject, side: Side) -> tuple[Finding, ...]:
    """What one side of a machine can speak; of a server, asked for each of its Tentacles."""
    return kept(subject, f"its {side} side of TLS", lambda: tuple(_judged(subject, side)))


def _judged(subject: Subject, side: Side) -> Iterator[Finding]:
    spoken = _spoken(_on_side(subject, side)) or (_spoken_here(subject) if side == "server" else None)
    try:
        policy = subject.read(FACTS.tls)
    except Unknown:
        if spoken is None:
            raise
        yield spoken
        return
    end = _End(subject, policy, side)
    off = excluded(policy, side)
    suites = usable_suites(policy, side)
    if off.keys() >= WANTED:
        what = "; ".join(off[version] for version in sorted(WANTED))
        found: Problem | None = _problem(end, NO_VERSION, "TLS 1.2 or TLS 1.3 is enabled", what)
    elif suites is not None and not has_a_wanted_one(suites):
        shown = f"{len(suites)} cipher suites can be used, none of those that Octopus needs"
        found = _problem(end, NO_SUITE, "one of the cipher suites that Octopus needs is enabled", shown)
    else:
        found = None
        left = ", ".join(version for version in VERSIONS if version in WANTED and version not in off)
        yield Evidence(end.source, f"{left} can be spoken on the {side} side")
    if spoken is not None:
        yield spoken
        if found is not None:
            yield Evidence(end.source, f"{found.actual}, and yet the link is well")
    elif found is not None:
        yield found


def _compare(one: _End, other: _End) -> Iterator[Finding]:
    """Two policies of a link that nobody saw well. Raises Blocked where an end by itself is the reason."""
    for end in (other, one):
        own = next((found for found in _own_side(end.subject, end.side) if isinstance(found, Problem)), None)
        if own is not None:
            raise Blocked(own.code, end.subject.name, own.actual)
    off, off_there = excluded(one.policy, one.side), excluded(other.policy, other.side)
    suites, suites_there = usable_suites(one.policy, one.side), usable_suites(other.policy, other.side)
    if off.keys() >= WANTED or off_there.keys() >= WANTED:
        yield Evidence(f"{one.source}, {other.source}", "what is read there is not what is at work")
        return
    common = [version for version in VERSIONS if version not in off and version not in off_there]
    if not common:
        yield _no_common_version(one, other, off, off_there)
    elif suites and suites_there and suites.isdisjoint(suites_there):
        shown = f"{one.subject.name} has {_some(suites)}; {other.subject.name} has {_some(suites_there)}"
        yield _problem(one, NO_COMMON_SUITE, f"a cipher suite in common with {other.subject.name}", shown, other=other)
    elif suites and suites_there and common_curve_is_missing(one.policy, other.policy, suites & suites_there):
        shown = "; ".join(f"{end.subject.name} has {', '.join(end.policy.curves or ())}" for end in (one, other))
        yield _problem(one, NO_COMMON_CURVE, f"a curve in common with {other.subject.name}", shown, other=other)
    else:
        yield Evidence(f"{one.source}, {other.source}", f"{', '.join(common)} can be in common")


def _nothing_new_enough(subject: Subject, server: Subject, side: Side, tried: Tried) -> Iterator[Finding]:
    """Neither TLS 1.2 nor 1.3 got through: why, by what stands in the way or by the policies, where they tell it."""
    standing = standing_in_the_way(server if side == "client" else subject)
    if standing:
        yield standing
        return
    compared: tuple[Finding, ...] = ()
    if server.can_log_on:
        try:
            here = _End(subject, subject.read(FACTS.tls), side)
            compared = tuple(_compare(here, _End(server, server.read(FACTS.tls), _other(side))))
        except Unknown as unknown:
            compared = (Evidence("TLS policies", f"not read: {unknown.reason}"),)
    here_too = seen_from_here(subject, server)
    explained = [finding for finding in compared if isinstance(finding, Problem)]
    if explained:
        for problem in explained:
            yield replace(problem, evidence=(tried.evidence, *here_too, *problem.evidence))
    else:
        yield tried.problem((*here_too, *(finding for finding in compared if isinstance(finding, Evidence))))


def _no_common_version(one: _End, other: _End, off: dict[str, str], off_there: dict[str, str]) -> Problem:
    each = ((one, off), (other, off_there))
    told = "; ".join(f"{end.subject.name}: {', '.join(dict.fromkeys(its.values())) or 'no limit'}" for end, its in each)
    for end, its, others in ((one, off, off_there), (other, off_there, off)):
        without = {version for version in WANTED if version not in others and "MinProtocol" in its.get(version, "")}
        if without:
            return _problem(
                one, MINIMUM_TOO_HIGH, "a minimum that the other end offers", told, other=other, culprit=end
            )
    return _problem(one, NO_COMMON_VERSION, f"a version of TLS in common with {other.subject.name}", told, other=other)


def _on_side(subject: Subject, side: Side) -> tuple[Attempt, ...]:
    """The attempts in which this machine took this side."""
    listens = (side == "server") == subject.is_tentacle
    return tuple(attempt for attempt in attempts_of(subject) if attempt.listening is listens)


def _spoken(attempts: tuple[Attempt, ...]) -> Evidence | None:
    """What a link negotiated, where one of the attempts got that far."""
    for attempt in attempts:
        tls = attempt.probe.tls
        if attempt.secured and tls is not None and tls.version:
            where = f"{attempt.probe.host}:{attempt.probe.port}"
            return Evidence(
                f"probe of {where} from {attempt.vantage}", f"negotiated {tls.version} {tls.cipher or ''}".rstrip()
            )
    return None


def _spoken_here(subject: Subject) -> Evidence | None:
    """The running process's server side speaks TLS with its own machine."""
    try:
        probe = subject.local_probe
    except Unknown:
        return None
    if probe is None or not probe.shows_page or probe.tls is None or not probe.tls.version:
        return None
    return Evidence(f"probe of {probe.host}:{probe.port} on {subject.name}", f"negotiated {probe.tls.version}")


def _some(suites: frozenset[str]) -> str:
    shown = sorted(suites)[:3]
    return ", ".join(shown) + (f" and {len(suites) - len(shown)} more" if len(suites) > len(shown) else "")


def _problem(
    end: _End, code: str, expected: str, actual: str, *, other: _End | None = None, culprit: _End | None = None
) -> Problem:
    ends = (end,) if other is None else (end, other)
    facts: dict[str, object] = {
        "side": end.side,
        "key_side": end.side.capitalize(),
        "library": end.policy.library,
        "minimum": end.policy.minimum,
    }
    if other is not None:
        facts |= {"server": other.subject.name, "end": (culprit or end).subject.name}
    if culprit is not None:
        facts |= {"minimum": culprit.policy.minimum, "library": culprit.policy.library}
    return Problem(
        code,
        end.subject.name,
        expected=expected,
        actual=actual,
        evidence=tuple(Evidence(each.source, _told(each)) for each in ends),
        facts=facts,
    )


def _told(end: _End) -> str:
    off = excluded(end.policy, end.side)
    versions = "; ".join(dict.fromkeys(off.values())) or "no version is excluded"
    suites = usable_suites(end.policy, end.side)
    narrowed = "".join(f"; {words}" for words in restrictions(end.policy))
    return (
        f"{end.side} side: {versions}; cipher suites: {_some(suites) if suites is not None else 'not known'}{narrowed}"
    )
