"""A connection that comes about and is then closed, reset, or silent."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.causes.path.links import (
    RULES_LINUX,
    RULES_WINDOWS,
    later_rule,
    stops_icmp,
    unjudged_rule,
)
from pytest_tentacle.diagnosis.causes.path.own_firewall import told_by
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.diagnosis.wording import listed
from pytest_tentacle.guide.commands import HANDSHAKE, TRY_WINDOWS
from pytest_tentacle.guide.consequences import STRANGER_IN_LOGS
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.attempts import attempts_of
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.sections.connections.ways import connecting_ms
from pytest_tentacle.sections.ping.series import SLOW_MS

from .ends import end_name, is_well, vantage

_SEVERAL = 2


def _between(view: View, problem: Problem, error: str) -> Clue | None:
    if problem.facts.get("error") != error or _own_rule(view, problem) is not None:
        return None
    end, name = view.end(problem), end_name(view, problem)
    if end is not None and end.answers_itself:
        seen = Evidence(f"probe on {name}", "there its own page is shown")
        facts = {"end": name, "own": "on its own machine it shows its page"}
        return Clue(facts=facts, evidence=(seen,), place=vantage(problem))
    return Clue(
        facts={"end": name, "own": "whether it answers on its own machine is not known"},
        confidence=Confidence.POSSIBLE,
        unsure="Log on to {end} to tell something on the path apart from a process there that is ending.",
        place=vantage(problem),
    )


_THEN = {"timed-out": "then nothing comes", "reset": "are reset"}
"""What a packet filter can do to a connection that came about: it closes none in order."""
_DOES = "lets connections come about, and stops what follows"
_MAY_DO = "has a rule that may do that, which could not be judged"
_COUNTED = "(it counted "


def _own_rule(view: View, problem: Problem) -> Clue | None:
    """A rule of either end's own filter that may stop what follows the connection, rather than a device on the path."""
    then = _THEN.get(str(problem.facts.get("error")))
    found = later_rule(view, problem) or unjudged_rule(view, problem)
    if then is None or found is None or not is_well(view, problem) or _stops_the_first(view, problem):
        return None
    facts = {"end": end_name(view, problem), "keeper": found.keeper, "rule": found.rule, "then": then}
    told = (Evidence(f"packet filter of {found.keeper}", found.rule),)
    if found.sure:
        return Clue(facts | {"does": _DOES}, told, confidence=Confidence.CERTAIN, place=found.keeper)
    counted = _COUNTED in found.rule and not _connected_late(view, problem)  # by which the path may just be slow
    return Clue(
        facts | {"does": _MAY_DO},
        told,
        confidence=Confidence.LIKELY if counted else Confidence.POSSIBLE,
        unsure="Look whether that rule counts packets while {vantage} connects; if not, something on the path does it.",
        place=found.keeper,
    )


def _stops_the_first(view: View, problem: Problem) -> bool:
    """Whether the end's own filter surely lets none begin: then something else took it, as a SYN proxy does."""
    told = told_by(view.end(problem))
    return told is not None and told.facts.get("follows") is False


def _closed(view: View, problem: Problem) -> Clue | None:
    return None if _speaks_first(view, problem) else _between(view, problem, "closed")


def _reset(view: View, problem: Problem) -> Clue | None:
    return None if _speaks_first(view, problem) else _between(view, problem, "reset")


_NO_TLS = "visitor-without-tls"
"""The note of a listener's log that somebody spoke something else than TLS."""


def _speaks_first(view: View, problem: Problem) -> Clue | None:
    """The end that should answer heard something else than TLS, from the very address that was connected to."""
    address = plain_address(str(problem.facts.get("address")))
    if problem.facts.get("error") not in {"closed", "reset"} or address is None:
        return None
    end = view.end(problem)
    for each in (end,) if end is not None else tuple(map(view.scene.view, view.peers)):
        logs, host = (each.survey.logs.data, each.survey.host.data) if each.survey else (None, None)
        if host is None or address in host.addresses:
            continue  # what comes from there may be the machine's own; the declared address may be that device's
        for record in (record for log in logs or () for record in log.records if record.signature == _NO_TLS):
            if plain_address(record.facts.get("peer", "").rpartition(":")[0].strip("[]")) == address:
                told = Evidence(f"log of {each.name}", f"{record.time} ({record.count} times): {record.text[:200]}")
                return Clue(facts={"end": each.name}, evidence=(told,), place=vantage(problem))
    return None


def _around(view: View, problem: Problem) -> int:
    """How many machines of the same subnet meet the same silence from the same vantage point."""
    subnet = view.scene.reach.subnet(view.name)
    return view.scene.silent[subnet, str(problem.facts.get("server"))] if subnet else 0


def _silent(view: View, problem: Problem) -> Clue | None:
    explained = _too_large(view, problem) is not None or _deaf(view, problem) is not None
    clue = None if explained else _between(view, problem, "timed-out")
    if clue is not None and (unseen := _unseen_around(view, problem)):
        return replace(
            clue,
            confidence=Confidence.POSSIBLE,
            unsure=f"Nobody saw the links of {listed(unseen)}, in the same subnet: if they are as silent, large "
            "packets do not get through.",
        )
    if clue is None or not _connected_late(view, problem):
        return clue
    return replace(
        clue,
        confidence=Confidence.POSSIBLE,
        unsure="The connection itself took a second or longer, so the path may just be slow: one look alone does not "
        "tell the two apart, and --ping-count does.",
    )


def _unseen_around(view: View, problem: Problem) -> tuple[str, ...]:
    """Other machines of the same subnet, of whose links with the same server nobody knows whether they are silent."""
    subnet = view.scene.reach.subnet(view.name)
    server = str(problem.facts.get("server") or problem.facts.get("vantage"))
    found = view.scene.unlooked(server, subnet, problem.facts.get("by")) if subnet else ()
    return tuple(name for name in found if name != view.name)


def _connected_late(view: View, problem: Problem) -> bool:
    late = (
        connecting_ms(attempt.probe) for attempt in attempts_of(view.subject) if attempt.vantage == vantage(problem)
    )
    return any(ms is not None and ms >= SLOW_MS for ms in late)


def _deaf(view: View, problem: Problem) -> Clue | None:
    """An end that lets no ICMP in goes on to send what is too large for the way."""
    if problem.facts.get("error") != "timed-out" or not is_well(view, problem):
        return None
    found = stops_icmp(view, problem)
    if found is None or _own_rule(view, problem) is not None or _too_large(view, problem) is not None:
        return None
    return Clue(
        facts={"end": end_name(view, problem), "keeper": found.keeper, "rule": found.rule},
        evidence=(Evidence(f"packet filter of {found.keeper}", found.rule),),
        unsure="A device on the path that accepts connections and stays silent looks the same: send packets of both "
        "sizes from {vantage} to tell the two apart.",
        place=found.keeper,
    )


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
    return Clue(
        facts={"subnet": subnet},
        evidence=(seen,),
        unsure="A device on the path that accepts connections and stays silent, such as a load balancer without a "
        "member, looks the same: send packets of both sizes to tell the two apart.",
        place=vantage(problem),
    )


_NO_PREAMBLE = (
    "On that device, switch the PROXY protocol off for this port (AWS: the target group's proxy_protocol_v2; HAProxy: "
    "send-proxy; nginx: proxy_protocol in the stream), let it pass the port through as plain TCP, and let its health "
    "check do no more than connect (TCP). Only the client's address is then lost in the logs, and Tentacles are told "
    "by their certificate. Then try again:"
)

CUT_OFF: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5241",
        "Load balancer or port forwarder with no healthy back end",
        "On the path from {vantage} to {end}, connections to port {port} are accepted and closed at once: that "
        "is what a load balancer, a port forwarder or a proxy does when it has no healthy back end.",
        frozenset({"TT524"}),
        ("See what {host} really is; let {vantage} connect to the machine itself:", TRY_WINDOWS),
        ("See what {host} really is; let {vantage} connect to the machine itself:", HANDSHAKE),
        _closed,
        consequences=STRANGER_IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5243",
        "What stands in front sends something of its own before TLS",
        "Connections from {vantage} to {host}:{port} end in the handshake, and {end} hears something else than TLS "
        "from that very address ({address}): a load balancer or reverse proxy there sends a line of its own first, as "
        "the PROXY protocol has it, which Octopus does not read; or its health check speaks no TLS, and so fails.",
        frozenset({"TT524"}),
        (_NO_PREAMBLE, TRY_WINDOWS),
        (_NO_PREAMBLE, HANDSHAKE),
        _speaks_first,
        consequences=STRANGER_IN_LOGS,
        fold_by=("host", "port"),
        rank=29,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"peer.logs", "logs"}),
    ),
    CauseKind(
        "TC5242",
        "Something on the path resets the connection",
        "Connections from {vantage} to {end}, port {port}, are established and then reset, by a firewall that "
        "inspects them or an intrusion prevention system.",
        frozenset({"TT524"}),
        ("See whether it happens every time; have the port exempted from inspection:", TRY_WINDOWS),
        ("See whether it happens every time; have the port exempted from inspection:", HANDSHAKE),
        _reset,
        consequences=STRANGER_IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5281",
        "Something accepts the connection instead of the peer, and never answers",
        "Connections from {vantage} to {end}, port {port}, are accepted, but no data follows; {own}. A device on the "
        "path answers instead of it, or drops what follows, such as packets that are too large for it (MTU).",
        frozenset({"TT528"}),
        ("Try by hand, and ask your network team what is in between:", TRY_WINDOWS),
        ("Try by hand, and ask your network team what is in between:", HANDSHAKE),
        _silent,
        consequences=STRANGER_IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5283",
        "The machine's own packet filter may stop what follows the connection",
        "Connections from {vantage} to {end}, port {port}, come about, and {then}. The packet filter of {keeper} "
        "{does}: {rule}.",
        frozenset({"TT524", "TT528"}),
        ("On {keeper}, see which rules name the port:", RULES_WINDOWS),
        ("On {keeper}, see the rules and what they count, and let the port's connections through:", *RULES_LINUX),
        _own_rule,
        consequences=STRANGER_IN_LOGS,
        fold_by=("keeper", "rule"),
        rank=25,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"firewall", "peer.firewall"}),
    ),
    CauseKind(
        "TC5284",
        "The machine lets no ICMP in, and large packets do not get through",
        "Connections from {vantage} to {end}, port {port}, come about, and then nothing comes. {keeper} lets no ICMP "
        "in ({rule}), so that it never hears that a packet is too large for the way (MTU), as in a VPN.",
        frozenset({"TT528"}),
        ("See how large a packet may be; correct the MTU, or let ICMP in:", '$ ping -f -l 1472 "<host>"'),
        ("See how large a packet may be; correct the MTU, or let ICMP in:", '$ tracepath "<host>"', *RULES_LINUX),
        _deaf,
        consequences=STRANGER_IN_LOGS,
        fold_by=("keeper", "rule"),
        rank=25,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"firewall", "peer.firewall"}),
    ),
    CauseKind(
        "TC5282",
        "Large packets do not get through",
        "From {subnet} to {server}, or the other way round, connections are established and then go silent on "
        "every link: packets that carry a certificate are too large for the path (MTU), as in a VPN.",
        frozenset({"TT528"}),
        ("See how large a packet may be; correct the MTU, or let ICMP through:", '$ ping -f -l 1472 "<host>"'),
        ("See how large a packet may be; correct the MTU, or let ICMP through:", '$ tracepath "<host>"'),
        _too_large,
        consequences=STRANGER_IN_LOGS,
        fold_by=("server", "subnet"),
        rank=20,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"fleet.probes"}),
    ),
)
