"""A link on which no connection came about, and what its neighbours tell of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_tentacle.diagnosis.causes.names import dead_address
from pytest_tentacle.diagnosis.kind import Clue, Predicate
from pytest_tentacle.diagnosis.reach import Around
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import TRY_LINUX, TRY_WINDOWS
from pytest_tentacle.guide.consequences import NO_CONNECTION
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.sections.connections.filter_rules import Filtered
from pytest_tentacle.sections.connections.firewall import windows_verdict
from pytest_tentacle.sections.connections.linux_filter import FilteredWay, linux_verdict, own_addresses, stops_too_big

SEVERAL = 2
LOSSES = frozenset({"TT642", "TT643"})
"""Of many connections some failed and others did not."""
_WOULD_REFUSE = "Nobody listens there now, which the system itself would answer with a refusal."
NO_ROUTE = "TT522"

BLOCKED = NO_CONNECTION - {NO_ROUTE}
RULES_WINDOWS = '$ Get-NetFirewallPortFilter | Where-Object LocalPort -eq "<port>" | Get-NetFirewallRule'
ALLOW_WINDOWS = (
    '$ New-NetFirewallRule -DisplayName "Octopus <port>" -Direction Inbound -Protocol TCP -LocalPort "<port>" '
    '-Action Allow -RemoteAddress "<peers>"'
)
RULES_LINUX = ("$ sudo nft list ruleset", "$ sudo iptables -S")
OUTBOUND_WINDOWS = "$ Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True"
ROUTE_WINDOWS = ('$ Test-NetConnection "<host>" -TraceRoute', "$ Get-NetRoute")
ROUTE_LINUX = ('$ tracepath "<host>"', "$ ip route")
WAY_WINDOWS = (TRY_WINDOWS, *ROUTE_WINDOWS)
WAY_LINUX = (TRY_LINUX, *ROUTE_LINUX)


class Lost:
    """A link on which no TCP connection came about, and its neighbours.

    Attributes:
        listening: the server connects; else the Tentacle does.
        subnet: the Tentacle's own.
        end_is_well: whether the end that should answer takes connections from itself, whatever follows.
        would_answer: the same, or whether its system (Linux) would refuse them, and that be heard.
        near: how many Tentacles of the same subnet the server has a connection with, in the same direction.
        near_lost: how many of them it has none with.
        reached: how many of all.
        lost: how many of all it has none with.
        subnets_lost: in how many subnets these are.
    """

    def __init__(self, view: View, problem: Problem) -> None:
        scene = view.scene
        self.listening = problem.facts.get("vantage") == problem.facts.get("server")
        self.server = str(problem.facts.get("server"))
        self.subnet = scene.reach.subnet(view.name)
        self.around: Around | None = scene.reach.around(problem)
        end = view.end(problem)
        self.end = end
        self.end_is_well = bool(end and (end.answers_itself or end.connects_to_itself))
        self.would_answer = self.end_is_well or bool(problem.facts.get("lost_before"))
        self._view = view
        around = self.around
        self.near = len(around.reached.get(self.subnet, ())) if around and self.subnet else 0
        self.near_lost = len(around.failed.get(self.subnet, ())) if around and self.subnet else 1
        self.reached = around.all_reached if around else 0
        self.lost = around.all_failed if around else 1
        self.subnets_lost = around.subnets_failed if around else 1

    @property
    def own_words(self) -> str:
        """What the end that should answer tells of itself, in a sentence."""
        return "On the machine itself the port answers." if self.end_is_well else _WOULD_REFUSE

    @property
    def region(self) -> str | None:
        """The subnet, or the wider one around it of which nobody is reached."""
        return self.around.region(self.subnet) if self.around and self.subnet else None

    def unless_by_proxy(self, clue: Clue, *, near: bool) -> Clue:
        """No more than possible where it takes another poller whose settings were not read to find several cut off.

        Such a poller may go through a proxy, and then its own look at the server's port tells nothing of its way.
        """
        failed = self.around.failed if self.around else {}
        names = failed.get(self.subnet, set()) if near else set().union(*failed.values())
        unread = sorted(
            name for name in names if name != self._view.name and "instances" in self._view.scene.view(name).unread
        )
        if not unread or len(names) - len(unread) >= SEVERAL:
            return clue
        doubt = f"Not read: instances of {', '.join(unread[:SEVERAL])}. Who goes through a proxy needs no such way."
        return replace(clue, confidence=Confidence.POSSIBLE, unsure=doubt)

    @property
    def near_evidence(self) -> Evidence:
        """What the same subnet tells."""
        return Evidence(
            f"probes of {self.server}'s links", f"in {self.subnet}: {self.near} work, {self.near_lost} fail"
        )

    @property
    def far_evidence(self) -> Evidence:
        """What all links of the server in this direction tell."""
        return Evidence(f"probes of {self.server}'s links", f"of all: {self.reached} work, {self.lost} fail")


def lost_link(view: View, problem: Problem, *, listening: bool) -> Lost | None:
    """The link of a problem, where it goes in that direction; None where its name explains the failure.

    Nor is it lost where others of many connections came about.
    """
    if dead_address(view, problem) is not None or _comes_and_goes(view, problem):
        return None
    link = Lost(view, problem)
    return link if link.listening is listening and link.around is not None else None


def _comes_and_goes(view: View, problem: Problem) -> bool:
    """Whether of several connections of the same link some were lost, and not all."""
    server = problem.facts.get("server")
    pinged = any(each.code in LOSSES and each.facts.get("server") == server for each in view.problems)
    return pinged or at_times(view, problem)


def at_times(view: View, problem: Problem) -> bool:
    """Whether the same address answered another look of the same machine, a moment later, and no rule may be why.

    A rule of an end's own filter that limits how often somebody may come tells more.
    """
    return problem.facts.get("at_times") is True and unjudged_rule(view, problem) is None


def filter_verdict(view: View | None, peer: View | None, problem: Problem) -> str | None:
    """`open` or `closed`: what a machine's own packet filter does with the problem's port; None where nobody knows."""
    port = problem.facts.get("port")
    firewall = view.survey.firewall.data if view is not None and view.survey is not None else None
    if firewall is None or view is None or not isinstance(port, int):
        return None
    if firewall.engine != "windows":
        peers = own_addresses(peer.subject) if peer else frozenset()
        way = FilteredWay(inbound=True, port=port, own=own_addresses(view.subject), peers=peers)
        word = linux_verdict(firewall, [way]).word
        if word == "open" and firewall.filters is not None and firewall.filters.marks:
            return None  # a mark may lead the answers to another routing table
        return None if word == "unclear" else word
    if firewall.running:
        address = peer.subject.machine.ip if peer else None
        found = windows_verdict(view.subject, firewall, port, [address] if address else []).filtered
    else:
        return None
    if found is Filtered.UNCLEAR:
        return None
    return "open" if found is Filtered.OPEN else "closed"


@dataclass(frozen=True)
class OwnRule:
    """A rule of one end's own filter that may be what keeps a link from working: `keeper` is that end.

    `sure`: it does, by what was read. `beside`: it stands in no rule of a firewall. `leads`: it leads
    the link elsewhere.
    """

    keeper: str
    rule: str
    sure: bool = False
    beside: bool = False
    leads: bool = False


def unjudged_rule(view: View, problem: Problem) -> OwnRule | None:
    """The rule of either end's own filter (Linux) that may stop this link and could not be judged; None: there is none.

    It may ask for what the survey does not know (whose process sends, how often, what is in a packet), so it may also
    let a connection come about and drop what follows.
    """
    return _rule(view, problem, later=False)


def later_rule(view: View, problem: Problem) -> OwnRule | None:
    """The rule of either end's own filter (Linux) that stops what follows the connection, surely or perhaps."""
    return _rule(view, problem, later=True)


def _rule(view: View, problem: Problem, *, later: bool) -> OwnRule | None:
    end, vantage, port = view.end(problem), view.vantage(problem), problem.facts.get("port")
    dialled = plain_address(str(problem.facts.get("address") or ""))
    for own, other, inbound in ((end, vantage, True), (vantage, end, False)):
        firewall = own.survey.firewall.data if own is not None and own.survey is not None else None
        if own is None or firewall is None or firewall.filters is None or not isinstance(port, int):
            continue
        mine = own_addresses(own.subject)
        peers = own_addresses(other.subject) if other else frozenset[str]()
        if not inbound and dialled:
            peers = frozenset({dialled})  # a machine's other addresses are not meant
        elif dialled in mine:
            mine = frozenset({dialled})
        way = FilteredWay(inbound=inbound, port=port, own=mine, peers=peers)
        verdict = linux_verdict(firewall, [way], later=later)
        if (verdict.word == "unclear" and verdict.by_rule) or (later and verdict.word == "closed"):
            sure = verdict.word == "closed"
            return OwnRule(own.name, verdict.words, sure=sure, beside=verdict.beside, leads=verdict.diverted)
    return None


def stops_icmp(view: View, problem: Problem) -> OwnRule | None:
    """The end's rule, or else the other end's, by which it never hears of a packet too large for the way (Linux)."""
    family = 6 if ":" in str(problem.facts.get("address") or "") else 4
    for own in (view.end(problem), view.vantage(problem)):
        firewall = own.survey.firewall.data if own is not None and own.survey is not None else None
        rule = stops_too_big(firewall, own_addresses(own.subject), family) if own and firewall else None
        if own is not None and rule is not None:
            return OwnRule(own.name, rule)
    return None


def unless_led(match: Predicate) -> Predicate:
    """The same cause of who answers: no more than possible where a rule of an end's own may lead the link to them."""

    def looked(view: View, problem: Problem) -> Clue | None:
        clue = match(view, problem)
        found = unjudged_rule(view, problem) if clue is not None else None
        if clue is None or found is None or not found.leads:
            return clue
        return replace(
            clue,
            facts=clue.facts | {"keeper": found.keeper, "rule": found.rule},
            evidence=(*clue.evidence, Evidence(f"packet filter of {found.keeper}", found.rule)),
            confidence=Confidence.POSSIBLE,
            unsure="A rule of {keeper} itself may lead the connection there; see that one first: {rule}.",
        )

    return looked


def unless_own_rules(match: Predicate) -> Predicate:
    """The same cause of what stands on the path: no more than possible where a rule of an end's own may do it."""

    def looked(view: View, problem: Problem) -> Clue | None:
        clue = match(view, problem)
        found = unjudged_rule(view, problem) if clue is not None and not clue.seen else None
        if clue is None or found is None:
            return clue
        doubt = "It may as well be the packet filter of {keeper} itself, of which this could not be judged: {rule}."
        return replace(
            clue,
            facts=clue.facts | {"keeper": found.keeper, "rule": found.rule},
            evidence=(*clue.evidence, Evidence(f"packet filter of {found.keeper}", found.rule)),
            confidence=Confidence.POSSIBLE,
            unsure=f"{doubt} {clue.unsure}".strip(),
        )

    return looked


def own_page(name: str, link: Lost) -> Evidence:
    """The end that should answer is well, or would refuse by itself."""
    told = "its own port takes connections from itself" if link.end_is_well else _WOULD_REFUSE
    return Evidence(f"probe on {name}", told)


def open_port_seen(vantage: View | None) -> Evidence | None:
    """What proves the looks of a machine: a port that the same code in the same script saw open; None: none was."""
    record = vantage.subject.record if vantage is not None else None
    if vantage is None or record is None:
        return None
    looks = (*(record.survey.probes if record.survey else ()), *record.peer_probes)
    seen = next((probe for probe in looks if probe.connect is not None and probe.connect.error is None), None)
    if seen is None:
        return None
    return Evidence(f"probe from {vantage.name}", f"the same script saw {seen.host}:{seen.port} open")


def filtered(name: str, problem: Problem, *, let_in: bool = False) -> Evidence:
    """What the rules of a machine say about the port."""
    port = problem.facts.get("port")
    return Evidence(f"firewall of {name}", f"it lets port {port} in" if let_in else f"no rule lets port {port} in")


def explained_by_many(link: Lost) -> bool:
    """Whether the failure is not this link's alone."""
    return link.near_lost >= SEVERAL or (not link.reached and link.subnets_lost >= SEVERAL)
