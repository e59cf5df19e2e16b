"""Where on the way between server and Tentacle a connection is lost (guide, "Check the Connections").

What one link cannot tell, its neighbours do: whom the same server reaches, on that subnet and elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.causes.names import dead_address
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import TRY_LINUX, TRY_WINDOWS
from pytest_tentacle.guide.consequences import LOST_IN_LOGS
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.link import Failure
from pytest_tentacle.sections.connections.linux_filter import route_to
from pytest_tentacle.survey.surroundings import Route

from .exhausted import no_port_left
from .links import (
    ALLOW_WINDOWS,
    BLOCKED,
    NO_ROUTE,
    OUTBOUND_WINDOWS,
    ROUTE_LINUX,
    ROUTE_WINDOWS,
    RULES_LINUX,
    RULES_WINDOWS,
    SEVERAL,
    WAY_LINUX,
    WAY_WINDOWS,
    Lost,
    at_times,
    explained_by_many,
    filter_verdict,
    filtered,
    lost_link,
    open_port_seen,
    own_page,
    unjudged_rule,
    unless_own_rules,
)
from .own_firewall import keeps_out, own_terms, unheard
from .translated import translated

_REFUSES = "is up and refuses the connection: its service is stopped or listens elsewhere, or a firewall rejects it"
_SILENT = "does not answer: a firewall drops what comes, or the machine is down"

_SAY_NO_FIRST = (
    "What says no may have been lost on its way back: allow the port by the machine's own rules first ({rule}), then "
    "look again from {server}."
)

_BY_RULE = "its packet filter has a rule that may be why, which could not be judged:"
_PERHAPS_OUTBOUND = (
    "No Tentacle elsewhere is known to be reached by {server}: browse from {server} to one in another subnet to tell "
    "the way from the server's own outbound rules."
)


_NOTHING_SEEN = (
    "No look from {server} met an open port anywhere, not even on {server} itself, so the looks themselves may be kept "
    "from connecting: browse from {server} to a port that is known to be open."
)


def _host_firewall(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=True)
    if link is None or not link.end_is_well or not link.near:
        return None
    if unheard(view, problem) or own_terms(view, problem):
        return None
    evidence = (own_page(view.name, link), link.near_evidence)
    match filter_verdict(view, view.peer(problem), problem):
        case "closed":
            return Clue(evidence=(filtered(view.name, problem), *evidence), confidence=Confidence.CERTAIN)
        case "open":
            return None
    rule = unjudged_rule(view, problem)
    if rule is None or rule.beside or rule.keeper != view.name:
        return Clue(evidence=evidence) if rule is None or not rule.beside else None
    told = Evidence(f"packet filter of {view.name}", rule.rule)
    return Clue(
        facts={"rule": rule.rule}, evidence=(told, *evidence), unsure="Of its rules this could not be judged: {rule}."
    )


def _security_group(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=True)
    if link is None or not link.would_answer or not link.near or own_terms(view, problem):
        return None
    if own_rule := unheard(view, problem):
        return Clue(
            facts=own_rule,
            evidence=(Evidence(f"packet filter of {view.name}", own_rule["rule"]), link.near_evidence),
            confidence=Confidence.POSSIBLE,
            unsure=_SAY_NO_FIRST,
            place=link.server,
        )
    if filter_verdict(view, view.peer(problem), problem) != "open":
        return None
    told = filtered(view.name, problem, let_in=True)
    own = f"{link.own_words} Its own firewall allows it."
    return Clue(facts={"own": own}, evidence=(told, link.near_evidence), place=link.server)


def _path(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=True)
    if link is None or link.subnet is None or link.near or link.near_lost < SEVERAL:
        return None
    if not link.reached and link.subnets_lost >= SEVERAL:
        return None
    seen = open_port_seen(view.vantage(problem))
    sure = Confidence.LIKELY if link.reached else Confidence.POSSIBLE
    unsure = "" if link.reached else _PERHAPS_OUTBOUND if seen else _NOTHING_SEEN
    return Clue(
        facts={"subnet": link.region},
        evidence=(link.far_evidence, link.near_evidence, *((seen,) if seen else ())),
        confidence=sure,
        unsure=unsure,
        place=link.server,
    )


def _outbound(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=True)
    if link is None or link.reached or link.subnets_lost < SEVERAL:
        return None
    seen = open_port_seen(view.vantage(problem))
    if seen is None:
        return Clue(
            evidence=(link.far_evidence,), confidence=Confidence.POSSIBLE, unsure=_NOTHING_SEEN, place=link.server
        )
    return Clue(evidence=(link.far_evidence, seen), place=link.server)


def _one_alone(view: View, problem: Problem) -> Clue | None:
    """Its end is well, and no neighbour tells where the connection is lost."""
    link = lost_link(view, problem, listening=True)
    if link is None or not link.would_answer or link.near or explained_by_many(link):
        return None
    if translated(view, problem) is not None or own_terms(view, problem):
        return None
    own_rule, own = unheard(view, problem), {"own": link.own_words}
    if own_rule:
        told = Evidence(f"packet filter of {view.name}", own_rule["rule"])
        return Clue(facts=own_rule, evidence=(told, link.far_evidence), unsure=_SAY_NO_FIRST)
    if filter_verdict(view, view.peer(problem), problem) == "closed":
        return Clue(facts=own, evidence=(filtered(view.name, problem),), confidence=Confidence.CERTAIN)
    seen = open_port_seen(view.vantage(problem))
    return Clue(
        facts=own,
        evidence=(own_page(view.name, link), link.far_evidence, *((seen,) if seen else ())),
        unsure="No other Tentacle in the same subnet was tried: trace the path from {server} to tell the firewall of "
        "{who} from one on the path.",
    )


def _end_unseen(view: View, problem: Problem) -> Clue | None:
    """The end that should answer was not looked at: it may be down as well."""
    link = Lost(view, problem)
    if link.would_answer or dead_address(view, problem) is not None or at_times(view, problem) or link.around is None:
        return None
    if link.listening and (not link.near and explained_by_many(link)):
        return None
    if not link.listening and link.reached:
        return None
    name = link.end.name if link.end else link.server
    refused = problem.facts.get("error") == Failure.REFUSED  # the host is up: nobody dropped anything
    unsure = "Log on to {end} to tell a firewall from a stopped service"
    clue = Clue(
        facts={"end": name, "how": _REFUSES if refused else _SILENT},
        evidence=(link.far_evidence,),
        unsure=f"{unsure}." if refused else f"{unsure} or a machine that is down.",
        place=name,
    )
    rule = unjudged_rule(view, problem)
    if rule is None or rule.keeper != name or link.end is None or not _tells_nothing_of_itself(link.end, problem):
        return clue
    how = f"{'refuses the connection' if refused else 'does not answer'}, not even itself: {_BY_RULE} {rule.rule}"
    told = Evidence(f"packet filter of {name}", rule.rule)
    return replace(
        clue,
        facts=clue.facts | {"how": how},
        evidence=(told, *clue.evidence),
        unsure="Look on {end} whether that rule counts packets, or let loopback through and look again.",
    )


def _tells_nothing_of_itself(end: View, problem: Problem) -> bool:
    """Whether it listens on the port, and yet got no connection to itself either."""
    survey, port = end.survey, problem.facts.get("port")
    if survey is None or not any(listener.port == port for listener in survey.listeners.data or ()):
        return False
    own = end.subject.local_probe
    return own is not None and own.port == port and own.connect is not None and own.connect.error is not None


def _own_way(view: View, problem: Problem) -> Route | None:
    """The connecting end's own way to the other, where it was read."""
    connecting, end = view.vantage(problem), view.end(problem)
    return route_to(connecting.subject, end.subject) if connecting and end else None


def _answered_on_the_way(view: View, problem: Problem) -> Clue | None:
    """The machine's own tables have a way: then it was a router, or a firewall, that said no."""
    route = _own_way(view, problem)
    if no_port_left(problem):
        return None
    if route is None or route.error is not None or route.neighbour in {"failed", "incomplete"}:
        return None
    dialled = problem.facts.get("address")
    if dialled and (":" in str(dialled)) is not (":" in route.address):
        return None  # what was asked for is the way of the other family
    if dead_address(view, problem) is not None or keeps_out(view, problem) is not None:
        return None
    link = Lost(view, problem)
    told = Evidence(f"routes of {problem.facts.get('vantage')}", f"it has a way to {route.address} by {route.device}")
    whole = not link.near and link.near_lost >= SEVERAL
    tentacles = link.region if whole and link.region else view.name
    facts = {"tentacles": tentacles, "way_to": tentacles if link.listening else problem.facts.get("host")}
    return Clue(facts=facts, evidence=(told, link.near_evidence), place=str(problem.facts.get("vantage")))


def _no_route(view: View, problem: Problem) -> Clue | None:
    if _answered_on_the_way(view, problem) is not None:
        return None
    if dead_address(view, problem) is not None or keeps_out(view, problem) or no_port_left(problem):
        return None
    subnet = view.scene.reach.subnet(view.name)
    return Clue(facts={"subnet": subnet}, place=str(problem.facts.get("vantage")))


PATH: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5201",
        "The Tentacle's own firewall blocks its server",
        "{who} answer{s} locally, and {server} reaches others in the same subnet but not {them}: the machine's "
        "own firewall, or a security group of its own, blocks port {port}.",
        BLOCKED,
        ("On {there}, see which rules name the port, and allow it from the server:", RULES_WINDOWS, ALLOW_WINDOWS),
        ("On {there}, see which rules there are, and allow the port from the server:", *RULES_LINUX),
        _host_firewall,
        consequences=LOST_IN_LOGS,
        fold_by=("port",),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5202",
        "The Tentacle's security group blocks its server",
        "{server} reaches others in the same subnet, but not {who} on port {port}. {own} A security group (cloud) or a "
        "port filter in front of the machine blocks it.",
        BLOCKED,
        (
            "In the cloud console, or on the switch, allow the port from the server; then try from there:",
            TRY_WINDOWS,
        ),
        ("In the cloud console, or on the switch, allow the port from the server; then try from there:", TRY_LINUX),
        unless_own_rules(_security_group),
        consequences=LOST_IN_LOGS,
        fold_by=("port",),
        rank=40,
        told_apart_by=frozenset({"firewall"}),
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5203",
        "The path from a server to a subnet is blocked",
        "{server} reaches no Tentacle in {subnet} on port {port}: a firewall or security group between them, or the "
        "routing.",
        BLOCKED,
        (
            "From {server}, see how far packets get; ask your network team to open the port:",
            *WAY_WINDOWS,
        ),
        (
            "From {server}, see how far packets get; ask your network team to open the port:",
            *WAY_LINUX,
        ),
        unless_own_rules(_path),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "subnet", "port"),
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5204",
        "A server cannot reach any of its Tentacles",
        "{server} reaches none of its listening Tentacles, in any subnet: its own firewall blocks outgoing "
        "connections, or its network is cut off.",
        BLOCKED,
        (
            "On {server}, look at its network and at outbound rules:",
            TRY_WINDOWS,
            OUTBOUND_WINDOWS,
            "$ Get-NetIPConfiguration",
        ),
        ("On {server}, look at its network and at outbound rules:", TRY_LINUX, *RULES_LINUX, "$ ip route"),
        _outbound,
        consequences=LOST_IN_LOGS,
        fold_by=("server",),
        rank=8,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5221",
        "The network has no route",
        "From {vantage} there is no route to {host} ({address}), or a router on the path reports that there is none.",
        frozenset({NO_ROUTE}),
        ("On {vantage}, look at the route, and ask your network team:", *ROUTE_WINDOWS),
        ("On {vantage}, look at the route, and ask your network team:", *ROUTE_LINUX),
        _no_route,
        consequences=LOST_IN_LOGS,
        fold_by=("server", "subnet"),
        rank=15,
    ),
    CauseKind(
        "TC5222",
        "A router or firewall on the path rejects the connection",
        "{vantage} has a route to {way_to}, but a router or firewall on it reports that it blocks port {port}, "
        "or has no route onward.",
        frozenset({NO_ROUTE}),
        ("From {vantage}, see how far packets get; ask your network team to open the port:", *WAY_WINDOWS),
        ("From {vantage}, see how far packets get; ask your network team to open the port:", *WAY_LINUX),
        unless_own_rules(_answered_on_the_way),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "tentacles"),
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5205",
        "The other end accepts no connections, and could not be checked",
        "{end} {how} (port {port}, seen from {vantage}). Whether it answers on its own machine could not be checked.",
        BLOCKED,
        (
            "On {end}, check that the service runs, on which port it listens, and that its firewall allows the port:",
            TRY_WINDOWS,
            RULES_WINDOWS,
        ),
        (
            "On {end}, check that the service runs, on which port it listens, and that its firewall allows the port:",
            TRY_LINUX,
            *RULES_LINUX,
        ),
        _end_unseen,
        consequences=LOST_IN_LOGS,
        fold_by=("end", "port"),
        rank=40,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC5206",
        "A firewall between server and Tentacle",
        "{server} does not reach {who} on port {port}. {own} The machine's firewall, a security group or a firewall on "
        "the path blocks it.",
        BLOCKED,
        ("Look at the firewalls on the path, beginning at the Tentacle's own:", TRY_WINDOWS, RULES_WINDOWS),
        ("Look at the firewalls on the path, beginning at the Tentacle's own:", TRY_LINUX, *RULES_LINUX),
        unless_own_rules(_one_alone),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "port"),
        rank=40,
        confidence=Confidence.POSSIBLE,
    ),
)
