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
from pytest_tentacle.packet_filter.model import FilterChain, FilterMatch
from pytest_tentacle.packet_filter.systemd import TABLE as OF_UNITS
from pytest_tentacle.sections.connections.linux_filter import FilteredWay, linux_verdict, own_addresses

from .links import ALLOW_WINDOWS, BLOCKED, NO_ROUTE, RULES_LINUX, RULES_WINDOWS

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
