"""The listening end's own packet filter, where its rules could be read (guide, "Check the Connections")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.judging.finding import Evidence, Problem

from .path_links import ALLOW_WINDOWS, BLOCKED, FIREWALL, IN_LOGS, RULES_LINUX, RULES_WINDOWS


def _keeps_out(view: View, problem: Problem) -> Clue | None:
    """Of the rules' own problem, and of every link that ends at a machine with one."""
    end = view if problem.code in FIREWALL else view.end(problem)
    told = next((each for each in end.problems if each.code in FIREWALL), None) if end else None
    if end is None or told is None:
        return None
    return Clue(
        facts={
            "end": end.name,
            "keeper": end.name if end.is_server else None,
            "why": told.actual,
            "port": told.facts.get("port") or problem.facts.get("port"),
        },
        evidence=(Evidence(f"firewall of {end.name}", told.actual),),
        place=end.name,
    )


FIREWALLS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC550",
        "The machine's own firewall does not let the port in",
        "The own firewall of {end} does not let port {port} in: {why}.",
        FIREWALL | BLOCKED,
        (
            "On {end}, see the rules that name the port; let it in, or have group policy do so where only that counts:",
            RULES_WINDOWS,
            ALLOW_WINDOWS,
        ),
        ("On {end}, see the rules, and let the port in from the other end:", *RULES_LINUX),
        _keeps_out,
        also=IN_LOGS,
        fold_by=("keeper", "port", "why"),
        rank=12,
    ),
)
