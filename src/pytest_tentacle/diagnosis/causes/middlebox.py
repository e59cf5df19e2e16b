"""Something on the way that is no Octopus: proxies, load balancers, inspecting firewalls, tunnels."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import HANDSHAKE, TRY_WINDOWS
from pytest_tentacle.judging.finding import Evidence, Problem

from .interception import IN_LOGS, SPOKEN, end_name, vantage

_SEVERAL = 2


def _plain(view: View, problem: Problem) -> Clue | None:
    end = view.end(problem)
    known = end is not None and end.answers_itself
    name = end_name(view, problem)
    if known:
        seen = Evidence(f"probe on {name}", "there its own page is shown, by TLS")
        return Clue(facts={"end": name}, evidence=(seen,), place=vantage(problem))
    return Clue(
        facts={"end": name},
        confidence=Confidence.LIKELY,
        unsure="Log on to {end} to tell something on the way from a program on its own port.",
        place=vantage(problem),
    )


def _between(view: View, problem: Problem, error: str) -> Clue | None:
    if problem.facts.get("error") != error:
        return None
    end, name = view.end(problem), end_name(view, problem)
    if end is not None and end.answers_itself:
        seen = Evidence(f"probe on {name}", "there its own page is shown")
        facts = {"end": name, "own": "on its own machine it shows its page"}
        return Clue(facts=facts, evidence=(seen,), place=vantage(problem))
    return Clue(
        facts={"end": name, "own": "whether it answers on its own machine is not known"},
        confidence=Confidence.POSSIBLE,
        unsure="Log on to {end} to tell something on the way from a process there that is ending.",
        place=vantage(problem),
    )


def _closed(view: View, problem: Problem) -> Clue | None:
    return _between(view, problem, "closed")


def _reset(view: View, problem: Problem) -> Clue | None:
    return _between(view, problem, "reset")


def _around(view: View, problem: Problem) -> int:
    """How many machines of the same subnet meet the same silence from the same vantage point."""
    subnet = view.scene.reach.subnet(view.name)
    return view.scene.silent[subnet, str(problem.facts.get("server"))] if subnet else 0


def _silent(view: View, problem: Problem) -> Clue | None:
    return _between(view, problem, "timed-out") if _too_large(view, problem) is None else None


def _others_are_well(view: View, problem: Problem) -> bool:
    """Whether the end that should answer does so to itself, or to machines of other subnets."""
    end, around = view.end(problem), view.scene.reach.around(problem)
    if end is not None and end.answers_itself:
        return True
    own = view.scene.reach.subnet(view.name)
    return around is not None and any(names for subnet, names in around.reached.items() if subnet != own)


def _too_large(view: View, problem: Problem) -> Clue | None:
    number = _around(view, problem)
    if number < _SEVERAL or problem.facts.get("error") != "timed-out" or not _others_are_well(view, problem):
        return None
    subnet = view.scene.reach.subnet(view.name)
    seen = Evidence("all links", f"{number} machines in {subnet} connect, and hear nothing afterwards")
    return Clue(facts={"subnet": subnet}, evidence=(seen,), place=vantage(problem))


MIDDLEBOX: tuple[CauseKind, ...] = (
    CauseKind(
        "TC545",
        "Plain HTTP where TLS should be",
        "At {host}:{port} something answers {vantage} in plain text: a proxy, SSL offloading, or another service. "
        "Octopus needs TLS from end to end.",
        frozenset({"TT529"}),
        ("See what answers, and take it out of the way:", '$ curl.exe -v "http://<host>:<port>/"'),
        ("See what answers, and take it out of the way:", '$ curl -v "http://<host>:<port>/"'),
        _plain,
        also=IN_LOGS | SPOKEN,
        fold_by=("link",),
        rank=25,
    ),
    CauseKind(
        "TC546",
        "A load balancer or forwarder without a living member",
        "On the way from {vantage} to {end}, connections to port {port} are accepted and closed at once: so does a "
        "load balancer, a port forwarder or a proxy that has nobody to pass them on to.",
        frozenset({"TT524"}),
        ("See what {host} really is; let {vantage} connect to the machine itself:", TRY_WINDOWS),
        ("See what {host} really is; let {vantage} connect to the machine itself:", HANDSHAKE),
        _closed,
        also=IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC547",
        "Something on the way resets the connection",
        "Connections from {vantage} to {end}, port {port}, are made and then reset: by a firewall that looks into "
        "them, or an intrusion prevention system.",
        frozenset({"TT524"}),
        ("See whether it is so each time; have the port exempted from inspection:", TRY_WINDOWS),
        ("See whether it is so each time; have the port exempted from inspection:", HANDSHAKE),
        _reset,
        also=IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC548",
        "Something accepts the connection in the peer's place, and stays silent",
        "Connections from {vantage} to {end}, port {port}, are accepted, and then nothing comes; {own}. A device on "
        "the way answers for it, or swallows what comes after.",
        frozenset({"TT528"}),
        ("Try by hand, and ask the network's administrator what stands between:", TRY_WINDOWS),
        ("Try by hand, and ask the network's administrator what stands between:", HANDSHAKE),
        _silent,
        also=IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC549",
        "Large packets do not get through",
        "From {subnet} to {server}, or the other way round, connections are made and then go silent on every link: "
        "packets with a certificate in them are too large for the way (MTU), as in a VPN.",
        frozenset({"TT528"}),
        ("See how large a packet may be; correct the MTU, or let ICMP through:", '$ ping -f -l 1472 "<host>"'),
        ("See how large a packet may be; correct the MTU, or let ICMP through:", '$ tracepath "<host>"'),
        _too_large,
        also=IN_LOGS,
        fold_by=("server", "subnet"),
        rank=20,
        confidence=Confidence.POSSIBLE,
    ),
)
