"""What takes a link's packets at one of its ends, and stands in no rule there (guide, "Check the Connections")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import FIREWALL, LOST_IN_LOGS
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.packet_filter import BESIDE as BESIDE_RULES

from .links import BLOCKED, NO_ROUTE, Lost, lost_link, unjudged_rule
from .own_firewall import keeps_out, told_by

_UNSEEN = (
    "What a program of the kernel, or a limit, does with a packet nobody sees: take it away for a moment, and look "
    "again."
)


def _takes_packets(view: View, problem: Problem) -> Clue | None:
    """Surely, by a policy or filter that was read; or perhaps, by a program of which nobody sees what it does."""
    surely = told_by(view if problem.code in FIREWALL else view.end(problem))
    if surely is not None:
        return keeps_out(view, problem) if surely.facts.get("beside") else None
    listening = problem.facts.get("vantage") == problem.facts.get("server")
    link = lost_link(view, problem, listening=listening)
    rule = unjudged_rule(view, problem) if link is not None and link.would_answer else None
    if link is None or rule is None or not rule.beside:
        return None
    told = rule.rule.removeprefix("whether it holds is not known: ")
    alone = rule.keeper == view.name and _neighbours_lack_it(view, link)
    return Clue(
        facts={"keeper": rule.keeper, "end": rule.keeper, "rule": told, "why": f"perhaps it is {told}"},
        evidence=(Evidence(f"beside the rules of {rule.keeper}", told), link.near_evidence, link.far_evidence),
        confidence=Confidence.LIKELY if alone else Confidence.POSSIBLE,
        unsure=_UNSEEN,
        place=rule.keeper,
    )


def _neighbours_lack_it(view: View, link: Lost) -> bool:
    """Whether those of the subnet that are reached have nothing of the kind: what all have seldom stops but one."""
    names = link.around.reached.get(link.subnet, set()) if link.around and link.subnet else set()
    for name in names:
        survey = view.scene.view(name).survey
        firewall = survey.firewall.data if survey is not None else None
        if firewall is None or (firewall.filters is None and firewall.engine != "windows"):
            return False
        if firewall.filters is not None and any(each.table == BESIDE_RULES for each in firewall.filters.chains):
            return False
    return bool(names)


BESIDE: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5413",
        "Something of the machine's own, beside its firewall, takes the packets",
        "On {end} something that stands in no rule of its firewall takes the packets of port {port}: {why}.",
        FIREWALL | BLOCKED | {NO_ROUTE},
        ("This concerns Linux only. On {end}:", "$ Get-NetIPsecRule -PolicyStore ActiveStore"),
        (
            (
                "On {end}, see whose it is: a network of containers, an agent of security, a mirror of its traffic, "
                "IPsec. Have that let the port through, or negotiate; a rule of the firewall that allows the port "
                "would change nothing. Where its table of tracked connections is full, see whose they are, and raise "
                "net.netfilter.nf_conntrack_max:"
            ),
            "$ ip link show",
            "$ tc qdisc show",
            "$ sudo ip xfrm policy",
            "$ sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max",
        ),
        _takes_packets,
        consequences=LOST_IN_LOGS,
        fold_by=("end", "port", "why"),
        rank=12,
        told_apart_by=frozenset({"firewall", "peer.firewall"}),
    ),
)
