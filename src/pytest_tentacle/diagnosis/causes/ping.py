"""What only many attempts at a link show: a dead member of several, losses, slowness, two machines at one address."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Predicate
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import NO_ANSWER
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.sections.ping.problems import PING as PROBLEMS

from .interception.ends import end_name, vantage

_REMEDIES = {kind.code: kind for kind in PROBLEMS}
_LOSSES = frozenset({"TT642", "TT643"})
_CHANGES = frozenset({"TT645"})
"""What a single look says that happened to meet one of the bad attempts."""

_SEVERAL = 3
"""Links of one server that all lose connections; with fewer it may be chance."""


def _pinged(view: View, problem: Problem, codes: frozenset[str]) -> Problem | None:
    """What the ping says of the problem's own link."""
    if problem.code in codes:
        return problem
    link = problem.facts.get("vantage"), problem.facts.get("server")
    return next(
        (
            other
            for other in view.problems
            if other.code in codes and (other.facts.get("vantage"), other.facts.get("server")) == link
        ),
        None,
    )


def _clue(view: View, problem: Problem, told: Problem, *, place: str | None, evidence: tuple[Evidence, ...]) -> Clue:
    names = ("host", "port", "sent", "lost", "period")
    facts = {name: told.facts.get(name) for name in names} | {"end": end_name(view, problem)}
    return Clue(facts=facts, evidence=evidence, place=place)


def _all_of_server(view: View, told: Problem) -> int:
    """How many links of the server were pinged, where each of them loses connections; else 0."""
    server = told.facts.get("server")
    losing = sum(view.scene.count(code, server=server) for code in sorted(_LOSSES))
    return losing if server and losing >= _SEVERAL and losing == view.scene.pinged[str(server)] else 0


def _dead_member(view: View, problem: Problem) -> Clue | None:
    told = _pinged(view, problem, _LOSSES)
    if told is None or not told.facts.get("period"):
        return None
    return _clue(view, problem, told, place=vantage(problem), evidence=())


def _at_the_server(view: View, problem: Problem) -> Clue | None:
    told = _pinged(view, problem, _LOSSES)
    if told is None or told.facts.get("period"):
        return None
    number = _all_of_server(view, told)
    if not number:
        return None
    server = str(told.facts["server"])
    seen = Evidence("all links", f"each of the {number} links of {server} that were pinged loses connections")
    return _clue(view, problem, told, place=server, evidence=(seen,))


def _on_this_link(view: View, problem: Problem) -> Clue | None:
    told = _pinged(view, problem, _LOSSES)
    if told is None or told.facts.get("period") or _all_of_server(view, told):
        return None
    server = str(told.facts.get("server"))
    others = view.scene.pinged[server] - sum(view.scene.count(code, server=server) for code in sorted(_LOSSES))
    seen = Evidence("all links", f"{others} other links of {server} were pinged without a loss")
    return _clue(view, problem, told, place=vantage(problem), evidence=(seen,) if others > 0 else ())


def _several_at_one_address(view: View, problem: Problem) -> Clue | None:
    told = _pinged(view, problem, _CHANGES)
    return None if told is None else _clue(view, problem, told, place=vantage(problem), evidence=())


def _stage(*stages: str, at_the_end: bool = False) -> Predicate:
    """A slow link whose slowest stage is one of these."""

    def match(view: View, problem: Problem) -> Clue | None:
        if problem.facts.get("slow_stage") not in stages:
            return None
        end = view.end(problem)
        place = end.name if at_the_end and end else vantage(problem)
        return _clue(view, problem, problem, place=place, evidence=())

    return match


def _cause(
    code: str,
    problem: str,
    title: str,
    sentence: str,
    match: Predicate,
    *,
    needs: frozenset[str] = frozenset(),
    fold_by: tuple[str, ...] = ("server", "vantage"),
    confidence: Confidence = Confidence.LIKELY,
    told_apart_by: frozenset[str] = frozenset(),
) -> CauseKind:
    kind = _REMEDIES[problem]
    return CauseKind(
        code,
        title,
        sentence,
        needs | {problem},
        kind.windows,
        kind.linux,
        match,
        fold_by=fold_by,
        rank=45,
        confidence=confidence,
        told_apart_by=told_apart_by,
    )


PING: tuple[CauseKind, ...] = (
    _cause(
        "TC6421",
        "TT642",
        "One link loses connections",
        "From {vantage}, {lost} of {sent} connections to {host}:{port} failed and the others succeeded: the path "
        "between the two, or {end} itself, fails intermittently.",
        _on_this_link,
        needs=_LOSSES | NO_ANSWER,
    ),
    _cause(
        "TC6422",
        "TT643",
        "One of several machines behind an address is dead",
        "From {vantage}, one in {period} connections to {host}:{port} fails, in turn: that many machines share "
        "the address, and one of them does not answer.",
        _dead_member,
        needs=_LOSSES | NO_ANSWER,
        fold_by=("host",),
    ),
    _cause(
        "TC6423",
        "TT642",
        "All links of one server lose connections",
        "Connections between {server} and {who} fail intermittently, like those of all others that were pinged: "
        "the fault is in {server} itself or in its network.",
        _at_the_server,
        told_apart_by=frozenset({"peer.host"}),
        needs=_LOSSES | NO_ANSWER,
        fold_by=("server",),
    ),
    _cause(
        "TC6451",
        "TT645",
        "Several machines answer at one address",
        "At {host}:{port}, {vantage} sees different certificates at different times: a load balancer, a cluster, "
        "or two machines with the same address. Octopus accepts only one of them.",
        _several_at_one_address,
        needs=frozenset({"TT531"}),
        fold_by=("host",),
        confidence=Confidence.CERTAIN,
    ),
    _cause(
        "TC6441",
        "TT644",
        "The first DNS server does not answer",
        "On {vantage} it takes a second or more to resolve a name: its first DNS server does not answer, and the "
        "next one is asked only after that.",
        _stage("resolve"),
        fold_by=("vantage",),
    ),
    _cause(
        "TC6442",
        "TT644",
        "Packets are lost on the path",
        "From {vantage} to {host}:{port} it takes a second or more to connect: the first packet is lost and sent "
        "again.",
        _stage("connect"),
    ),
    _cause(
        "TC6443",
        "TT644",
        "The other end is slow to answer",
        "Connections from {vantage} to {host}:{port} are established at once, but then {end}, or a device in "
        "front of it, takes a second or more to continue: it is busy.",
        _stage("tls", "page", at_the_end=True),
    ),
)
