"""Why words of Halibut do not come, or break off (guide, "Other Error Messages")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.from_problem import from_problem, told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import ACROSS, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.sections.versions import version_of

_BROKEN = "broken-envelope"
_SILENT = frozenset({"TT105", "TT109", "TT112", "TT952"})


def _by_web_socket(view: View, problem: Problem) -> Clue | None:
    endpoint = str(problem.facts.get("endpoint") or "")
    return told(view, problem) if endpoint.lower().startswith(("ws://", "wss://")) else None


def _not_by_web_socket(view: View, problem: Problem) -> Clue | None:
    return None if _by_web_socket(view, problem) else told(view, problem)


def _stumbles(view: View, problem: Problem) -> Clue | None:
    if problem.facts.get("signature") != _BROKEN:
        return None
    clue = told(view, problem)
    evidence = []
    for end in (view, view.vantage(problem)):
        if end is not None:
            try:
                evidence.append(Evidence(f"products of {end.name}", f"version {version_of(end.subject) or 'unknown'}"))
            except Unknown as unknown:
                evidence.append(Evidence(f"products of {end.name}", unknown.reason))
    return Clue(facts=clue.facts, evidence=tuple(dict.fromkeys(evidence)))


def _cut_short(view: View, problem: Problem) -> Clue | None:
    return told(view, problem) if problem.facts.get("signature") != _BROKEN else None


_TLS_THROUGH = (
    "Let the balancer, proxy or gateway pass the connection on as TCP, without opening TLS (no HTTPS listener, no "
    "certificate of its own, no HTTP rules); then see whose certificate is presented:"
)
_UPGRADE = (
    "Upgrade the Tentacle to 5.0.15 or later, and the server if it is older than 2020; then look at what breaks the "
    "connections (idle time-outs of firewalls and NAT). Nothing has to be set up again:"
)

MESSAGES: tuple[CauseKind, ...] = (
    CauseKind(
        "TC9521",
        "Something on the path terminates the web socket's TLS",
        "According to the log, the web socket of {who} is established, but nothing from Octopus comes through "
        "it: a load balancer, proxy or gateway in between terminates TLS and HTTP (offloading).",
        _SILENT,
        (_TLS_THROUGH, '$ Test-NetConnection "<host>" -Port <port>'),
        (_TLS_THROUGH, '$ openssl s_client -connect "<host>:<port>" </dev/null'),
        _by_web_socket,
        consequences=(UNCONNECTED | ACROSS | {"TT120"}) - _SILENT,
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC9522",
        "TT952",
        "The peer does not identify itself",
        "According to the log, the other end of {who} stays silent where it should identify itself: often an old "
        "Tentacle with a weak certificate.",
        match=_not_by_web_socket,
        consequences=UNCONNECTED,
        echoes=ACROSS | {"TT105"},
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC9541",
        "A connection broke, and a known defect of Halibut hides why",
        "According to the log of {vantage}, a connection with {far_end} broke while it was being read, and Halibut "
        "failed on that (Object reference not set ...): a defect of Tentacle before 5.0.15, and of servers of that "
        "time.",
        frozenset({"TT954"}),
        (_UPGRADE, '$ Test-NetConnection "<host>" -Port <port>'),
        (_UPGRADE, '$ curl -kv "https://<host>:<port>/"'),
        _stumbles,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        rank=55,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC9542",
        "TT954",
        "Messages are cut short",
        "According to the log, messages with {who} are cut off before they are complete.",
        match=_cut_short,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
)
