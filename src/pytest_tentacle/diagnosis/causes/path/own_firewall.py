"""The listening machine's own firewall (guide, "Check the Connections"): a cause for each way in which it says no."""

from __future__ import annotations

import re

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Predicate
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import STATE_WINDOWS
from pytest_tentacle.guide.consequences import ACROSS, FIREWALL, INTERCEPTED, LOST_IN_LOGS, UNCONNECTED, UNREACHED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.link import Failure
from pytest_tentacle.packet_filter.firewall import Firewall
from pytest_tentacle.packet_filter.model import FilterChain, FilterMatch
from pytest_tentacle.packet_filter.systemd import TABLE as OF_UNITS
from pytest_tentacle.sections.connections.filter_rules import Filtered, condition_words, secured_by
from pytest_tentacle.sections.connections.firewall import windows_verdict
from pytest_tentacle.sections.connections.linux_filter import FilteredWay, linux_verdict, own_addresses, route_to

from .links import ALLOW_WINDOWS, BLOCKED, NO_ROUTE, ROUTE_LINUX, ROUTE_WINDOWS, RULES_LINUX, RULES_WINDOWS

_BY_A_RULE, _ALL, _LOCAL_IGNORED = "TT542", "TT543", "TT544"
_RESTS_ON = frozenset({"instances", "firewall", "peer.instances", "peer.firewall"})
_BANS = re.compile(r"\bf2b-|fail2ban|crowdsec|sshguard|denyhosts", re.IGNORECASE)
"""Names of chains and sets of programs that ban addresses by themselves, whose rules come and go."""
_SEE_RULES = (
    '$ Get-NetFirewallRule -PolicyStore ActiveStore -DisplayName "<rule>" | Select-Object Name, Profile, Action, '
    "PolicyStoreSource"
)
_SEE_PROFILES = (
    "$ Get-NetFirewallProfile -PolicyStore ActiveStore | Select-Object Name, AllowInboundRules, AllowLocalFirewallRules"
)


_ANSWERED = INTERCEPTED | {"TT524", "TT528"}
"""What a link meets where a rule leads it to somebody else."""
_BY_THE_UNIT = "Try the connection as the unit does, in its network and its control group."
_REJECTED = "The machine's own firewall rejects the connection as well, but not even that is heard."
_LED = "The machine's own firewall leads the connection to another port, but not even that one's answer is heard."


def own_terms(view: View, problem: Problem) -> Clue | None:
    """What of a Windows end's own may keep a peer out though a rule lets it in: a condition, IPsec, its way back."""
    silent = _silent_windows(view, problem)
    if silent is None:
        return None
    return _by_condition(silent) or _by_ipsec(silent) or _by_another_card(silent, view, problem)


_Silent = tuple[View, Firewall, int, list[str]]


def _silent_windows(view: View, problem: Problem) -> _Silent | None:
    """The end that answers itself and nobody else, with its firewall, the port, and the address of who connects."""
    if problem.facts.get("error") != Failure.TIMED_OUT:
        return None
    end, port = view.end(problem), problem.facts.get("port")
    survey = end.survey if end is not None else None
    firewall = survey.firewall.data if survey is not None else None
    if end is None or firewall is None or firewall.engine != "windows" or not firewall.running:
        return None
    if not isinstance(port, int) or end.codes & FIREWALL:
        return None
    if not (end.answers_itself or end.connects_to_itself):
        return None
    vantage = view.vantage(problem)
    address = vantage.subject.machine.ip if vantage is not None else None
    return end, firewall, port, [address] if address else []


def _under_condition(view: View, problem: Problem) -> Clue | None:
    """The only rules for the port hold under conditions that no survey can judge."""
    silent = _silent_windows(view, problem)
    return None if silent is None else _by_condition(silent)


def _by_condition(silent: _Silent) -> Clue | None:
    end, firewall, port, peers = silent
    if not any(rule.conditions for rule in firewall.rules):
        return None
    verdict = windows_verdict(end.subject, firewall, port, peers)
    rule = next((each for each in verdict.rules if each.action == "allow" and each.conditions), None)
    if verdict.filtered is not Filtered.UNCLEAR or rule is None:
        return None
    words = condition_words(rule)
    return Clue(
        facts={"end": end.name, "rule": rule.name, "condition": words, "port": port},
        evidence=(Evidence(f"firewall of {end.name}", f"rule {rule.name} lets port {port} in only if {words}"),),
        place=end.name,
    )


def _only_by_ipsec(view: View, problem: Problem) -> Clue | None:
    """Its rules let the port in, and a rule for connection security wants IPsec of who comes."""
    silent = _silent_windows(view, problem)
    return None if silent is None else _by_ipsec(silent)


def _by_ipsec(silent: _Silent) -> Clue | None:
    end, firewall, port, peers = silent
    rule = secured_by(firewall, port, peers)
    if rule is None or windows_verdict(end.subject, firewall, port, peers).filtered is not Filtered.OPEN:
        return None
    told = Evidence(f"firewall of {end.name}", f"rule for connection security {rule.name} ({rule.source}): IPsec alone")
    return Clue(facts={"end": end.name, "rule": rule.name, "port": port}, evidence=(told,), place=end.name)


def _answers_by_another_card(view: View, problem: Problem) -> Clue | None:
    """Its way back to who connects leads by another of its cards, with another address than the one asked for."""
    silent = _silent_windows(view, problem)
    return None if silent is None else _by_another_card(silent, view, problem)


def _by_another_card(silent: _Silent, view: View, problem: Problem) -> Clue | None:
    end, vantage, asked = silent[0], view.vantage(problem), problem.facts.get("address")
    if vantage is None or asked is None:
        return None
    route, own = route_to(end.subject, vantage.subject), own_addresses(end.subject)
    if route is None or route.error is not None or asked not in own or route.source not in own or route.source == asked:
        return None
    if (":" in str(asked)) is not (":" in str(route.source)):
        return None
    words = f"to {route.address} it goes by {route.device}, from {route.source} (next router: {route.via or 'none'})"
    facts = {"end": end.name, "asked": asked, "source": route.source, "device": route.device, "port": silent[2]}
    return Clue(
        facts=facts, evidence=(Evidence(f"routes of {end.name}", words),), place=end.name, unsure=_TRY_FROM_THERE
    )


_TRY_FROM_THERE = (
    "Ask on {end} by which route an answer from {asked} goes (Find-NetRoute with -LocalIPAddress): a card with a "
    "gateway of its own answers by that."
)


def _could_be_by(told: Problem, problem: Problem) -> bool:
    """Whether a look that failed may have met those rules (Linux).

    What only drops says no to nobody, and what leads to another port of the machine refuses at most. What rejects a
    connection that comes in is heard of at once, and so is the answer of the port that it is led to.
    """
    if problem.code in _ANSWERED:
        return bool(told.facts.get("diverted"))
    error, rule = problem.facts.get("error"), str(told.facts.get("rule")).lower()
    if problem is not told and error == Failure.TIMED_OUT and _is_heard(told):
        return False
    if problem is told or error not in {Failure.REFUSED, Failure.UNREACHABLE, Failure.PROHIBITED}:
        return True
    if told.facts.get("rejects", True) is False:
        return False
    return error == Failure.REFUSED or "redirect" not in rule


def keeps_out(view: View, problem: Problem) -> Clue | None:
    """Of the rules' own problem, and of every link that ends at a machine with one."""
    end = view if problem.code in FIREWALL else view.end(problem)
    told = told_by(end)
    if end is None or told is None or not _could_be_by(told, problem):
        return None
    peers = {"peers": view.subject.machine.ip} if end.is_server and not view.is_server else {}
    return Clue(
        facts={
            "end": end.name,
            "keeper": end.name if end.is_server else None,
            "why": told.actual,
            "port": told.facts.get("port") or problem.facts.get("port"),
            "rule": told.facts.get("rule"),
            "profile": told.facts.get("profile"),
            **peers,
        },
        evidence=(Evidence(f"firewall of {end.name}", told.actual),),
        place=end.name,
        seen=True,
    )


def unheard(view: View, problem: Problem) -> dict[str, str]:
    """The end's own `rule` whose rejection, or the answer of the port that it leads to, was not heard; else nothing.

    With the words for it, `own`.
    """
    told = told_by(view.end(problem))
    if told is None or problem.facts.get("error") != Failure.TIMED_OUT or not _is_heard(told):
        return {}
    return {"rule": str(told.facts.get("rule")), "own": _LED if told.facts.get("is_answered") else _REJECTED}


def _is_heard(told: Problem) -> bool:
    return bool(told.facts.get("is_heard") or told.facts.get("is_answered"))


def told_by(end: View | None) -> Problem | None:
    """What its own check says of its rules."""
    return next((each for each in end.problems if each.code in FIREWALL), None) if end else None


def _by(code: str) -> Predicate:
    """Of the machines whose rules keep peers out in this way."""

    def found(view: View, problem: Problem) -> Clue | None:
        told = told_by(view if problem.code in FIREWALL else view.end(problem))
        return keeps_out(view, problem) if told is not None and told.code == code else None

    return found


def _lets_nobody_in(view: View, problem: Problem) -> Clue | None:
    told = told_by(view if problem.code in FIREWALL else view.end(problem))
    others = {_BY_A_RULE, _ALL, _LOCAL_IGNORED}
    if told is None or told.code in others or _is_ban(told) or told.facts.get("beside"):
        return None
    return keeps_out(view, problem)


def _is_ban(told: Problem) -> bool:
    return _BANS.search(f"{told.facts.get('rule')} {told.actual}") is not None


def _banned(view: View, problem: Problem) -> Clue | None:
    told = told_by(view if problem.code in FIREWALL else view.end(problem))
    return keeps_out(view, problem) if told is not None and _is_ban(told) else None


def of_units(chain: FilterChain, units: set[str]) -> FilterChain | None:
    """What a chain does with the processes of these units alone, by their control group; None where it asks for none.

    nftables names a group by `socket cgroupv2 level`, iptables by `-m cgroup --path`; a path ends with the unit's name.
    """
    if chain.table == OF_UNITS:
        return chain
    rules = []
    for rule in chain.rules:
        theirs = [each for each in rule.matches if not each.negated and _names_group_of(each, units)]
        if theirs:
            matches = tuple(each for each in rule.matches if each not in theirs and each.values != ("-m cgroup",))
            rules.append(rule.model_copy(update={"matches": matches}))
    return chain.model_copy(update={"rules": tuple(rules), "policy": "accept"}) if rules else None


def _names_group_of(match: FilterMatch, units: set[str]) -> bool:
    is_group = match.field.startswith("socket cgroupv2 ") or (
        match.field == "unread" and match.values[0].startswith("--path ")
    )
    return is_group and any(value.rpartition("/")[2].strip('"') in units for value in match.values)


def _unit_keeps_in(view: View, problem: Problem) -> Clue | None:
    """A poller whose unit may not speak with its server: a look from the machine is no process of the unit's."""
    firewall = view.survey.firewall.data if view.survey is not None else None
    server, port = view.server_of(problem), problem.facts.get("port")
    if firewall is None or firewall.filters is None or server is None or not isinstance(port, int):
        return None
    machine = view.scene.view(server).subject
    peers = frozenset({machine.machine.ip}) if machine.machine.ip else own_addresses(machine)
    units = {each.name for each in (view.survey.services.data or ()) if each.name} if view.survey else set()
    chains = tuple(own for chain in firewall.filters.chains if (own := of_units(chain, units)) is not None)
    filters = firewall.filters.model_copy(update={"chains": chains, "trouble": None})
    way = FilteredWay(inbound=False, port=port, own=own_addresses(view.subject), peers=peers)
    verdict = linux_verdict(firewall.model_copy(update={"filters": filters}), [way])
    told = (Evidence(f"units of {view.name}", verdict.words),)
    if verdict.word == "unclear" and verdict.by_rule:
        return Clue(facts={"rule": verdict.words}, evidence=told, unsure=_BY_THE_UNIT, confidence=Confidence.LIKELY)
    if verdict.word != "closed":
        return None
    return Clue(facts={"rule": verdict.words}, evidence=told, seen=True)


OWN_FIREWALL: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5531",
        "The unit may not speak with its server",
        "The unit of {who}, or a rule for it alone, keeps the service from speaking with {server}: {rule}. "
        "Whoever tries the connection by hand is no process of the unit's, and gets through.",
        frozenset({"TT551", "TT553"}),
        ("This concerns Linux only. See the service's state:", STATE_WINDOWS),
        (
            (
                "See the unit with the files that change it. Add the server's address to its IPAddressAllow=, or the "
                "address's family to RestrictAddressFamilies=, or the card to RestrictNetworkInterfaces=, or take "
                "PrivateNetwork= away (systemctl edit), then "
                "restart it. Where the packet filter has a rule for the unit's control group, change that:"
            ),
            '$ systemctl cat "<service>"',
        ),
        _unit_keeps_in,
        consequences=UNREACHED - UNCONNECTED,
        echoes=ACROSS - UNCONNECTED,
        fold_by=("rule",),
        rank=20,
        told_apart_by=frozenset({"firewall"}),
    ),
    CauseKind(
        "TC5411",
        "The machine's own firewall blocks the port",
        "The firewall of {end} blocks port {port}: {why}.",
        FIREWALL | BLOCKED | {NO_ROUTE} | _ANSWERED,
        (
            ("On {end}, see the rules that name the port, then allow it for its peers, and nobody else:"),
            RULES_WINDOWS,
            ALLOW_WINDOWS,
        ),
        (
            (
                "On {end}, see the rules, and allow the port from the other end. Where the unit's own IPAddressDeny= "
                "keeps it out, add its address to IPAddressAllow=, or its card to RestrictNetworkInterfaces= "
                "(systemctl edit), and restart the unit:"
            ),
            *RULES_LINUX,
        ),
        _lets_nobody_in,
        consequences=LOST_IN_LOGS,
        fold_by=("keeper", "port", "why"),
        rank=12,
        told_apart_by=_RESTS_ON,
    ),
    CauseKind(
        "TC5412",
        "A program on the machine has banned the other end's address",
        "A program of {end} that bans addresses (fail2ban, CrowdSec and their kin) blocks port {port}: {why}.",
        FIREWALL | BLOCKED | {NO_ROUTE},
        ("This concerns Linux only. On {end}, see the rules:", RULES_WINDOWS),
        (
            (
                "A rule that allows the port would come after the ban. On {end}, see what was banned and why; take the "
                "address of the other end out (fail2ban-client unban, cscli decisions delete), and exempt it (ignoreip "
                "of the jail, a whitelist of CrowdSec): it connects again and again by its nature."
            ),
            "$ sudo fail2ban-client status",
            *RULES_LINUX,
        ),
        _banned,
        consequences=LOST_IN_LOGS,
        fold_by=("keeper", "port", "why"),
        rank=12,
        told_apart_by=_RESTS_ON,
    ),
    CauseKind(
        "TC5218",
        "A rule of the machine's own firewall may not hold for the other end",
        "Of the rules of {end}'s firewall only {rule} would let port {port} in, and it holds only if {condition}. "
        "{vantage} gets no answer, while {end} answers itself: it seems that this is not so.",
        BLOCKED,
        (
            (
                "On {end}, see the rule. Where that condition is not meant, take it out of the rule (in a group policy "
                "where that made it); where it is, make a second rule for the peers:"
            ),
            _SEE_RULES,
            ALLOW_WINDOWS,
        ),
        ("This concerns Windows Firewall only. On {end}, see the rules:", *RULES_LINUX),
        _under_condition,
        consequences=LOST_IN_LOGS,
        fold_by=("end", "port", "rule"),
        rank=12,
        confidence=Confidence.LIKELY,
        told_apart_by=_RESTS_ON,
    ),
    CauseKind(
        "TC5209",
        "The machine lets in only what is secured by IPsec",
        "The rule for connection security {rule} of {end} lets in only what is secured by IPsec. {vantage} gets no "
        "answer on port {port}, while {end} answers itself: it seems that the two do not come to terms by IPsec.",
        BLOCKED,
        (
            (
                "A rule of the firewall that allows the port would change nothing. Have those who manage that rule "
                "give the other end the same policy, or exempt this port or that end from it; what there is, and with "
                "whom the machine has come to terms:"
            ),
            "$ Get-NetIPsecRule -PolicyStore ActiveStore",
            "$ Get-NetIPsecMainModeSA",
        ),
        ("This concerns Windows only. On {end}, see the rules:", *RULES_LINUX),
        _only_by_ipsec,
        consequences=LOST_IN_LOGS,
        fold_by=("end", "port", "rule"),
        rank=12,
        confidence=Confidence.LIKELY,
        told_apart_by=_RESTS_ON,
    ),
    CauseKind(
        "TC5219",
        "The machine's way back leads by another of its cards",
        "{vantage} asks for {end} at {asked} and gets no answer, while {end} answers itself. Its way to {vantage} "
        "leads by another card ({device}, address {source}): Windows sends no answer by that, or a firewall on the "
        "path does not know the connection.",
        BLOCKED,
        (
            (
                "On {end}, see the cards and their gateways. Let the card that is asked have the way to {vantage}: a "
                "static route for its network, or the one default gateway of the machine:"
            ),
            "$ Get-NetIPConfiguration",
            "$ Get-NetRoute",
            ROUTE_WINDOWS[0],
        ),
        ("Windows reports this. On {end}, see the routes:", *ROUTE_LINUX),
        _answers_by_another_card,
        consequences=LOST_IN_LOGS,
        fold_by=("end", "source"),
        rank=38,
        confidence=Confidence.POSSIBLE,
        told_apart_by=_RESTS_ON | {"routes", "peer.routes"},
    ),
    CauseKind(
        "TC5421",
        "A rule of the machine's own firewall blocks the port",
        "The firewall of {end} blocks port {port}: {why}.",
        FIREWALL | BLOCKED | {NO_ROUTE},
        (
            (
                "A rule that blocks beats every rule that allows: one more that allows would change nothing. On "
                "{end}, see what the rule {rule} is for and where it comes from (PolicyStoreSource), and have it "
                "narrowed or disabled there, in its group policy where that made it:"
            ),
            _SEE_RULES,
        ),
        ("This concerns Windows Firewall only. On {end}, see the rules:", *RULES_LINUX),
        _by(_BY_A_RULE),
        consequences=LOST_IN_LOGS,
        fold_by=("keeper", "port", "why"),
        rank=12,
        told_apart_by=_RESTS_ON,
    ),
    CauseKind(
        "TC5431",
        "The machine's own firewall blocks all incoming connections",
        "The firewall of {end} blocks port {port}: {why}.",
        FIREWALL | BLOCKED | {NO_ROUTE},
        (
            (
                "No rule counts as long as all incoming connections are blocked. On {end}, switch that off for the "
                "profile {profile}, in the group policy where one sets it:"
            ),
            _SEE_PROFILES,
            '$ Set-NetFirewallProfile -Name "<profile>" -AllowInboundRules True',
        ),
        ("This concerns Windows Firewall only. On {end}, see the rules:", *RULES_LINUX),
        _by(_ALL),
        consequences=LOST_IN_LOGS,
        fold_by=("keeper", "port", "why"),
        rank=12,
        told_apart_by=_RESTS_ON,
    ),
    CauseKind(
        "TC5441",
        "Group policy lets no local rule of the firewall count",
        "The firewall of {end} blocks port {port}: {why}.",
        FIREWALL | BLOCKED | {NO_ROUTE},
        (
            (
                "A rule that is made on the machine is ignored. Have the rule made in the group policy (port {port}, "
                "for its peers only), or have that let local rules count:"
            ),
            _SEE_PROFILES,
            "$ gpresult.exe /scope computer /r",
        ),
        ("This concerns Windows Firewall only. On {end}, see the rules:", *RULES_LINUX),
        _by(_LOCAL_IGNORED),
        consequences=LOST_IN_LOGS,
        fold_by=("keeper", "port", "why"),
        rank=12,
        told_apart_by=_RESTS_ON,
    ),
)
