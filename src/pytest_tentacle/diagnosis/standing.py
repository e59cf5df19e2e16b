"""Certain is a word with a rule: what would interrupt a link is not certain on a machine whose links all stand."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.guide.severity import Severity, worst
from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.sections.cost import all_stand

from .kind import Found
from .view import View

_NOT_OF_LINKS = frozenset({"TT117", "TT125", "TT413", "TT971", "TT975", "TT331", "TT332"})
"""Outages that no link shows: work that reaches another machine or none, or finds no room."""

_KEPT_BY_THE_SYSTEM = frozenset({"TT213"})
"""A process that is stopped or frozen: its system keeps the connections, and nothing goes over them."""

_OF_THE_INVENTORY = frozenset({"TC3142", "TC4041"})
"""Causes in the inventory alone: that every link stands speaks for them."""


def toned(view: View, found: Found) -> Found:
    """The cause, no more than likely where it interrupts, and every link of the machine stands, or may stand."""
    if found.confidence is not Confidence.CERTAIN or not _interrupts(found):
        return found
    stand = all_stand(view.subject)
    if stand is False:
        return found
    stands = (
        "a connection with each server stands now, which this would break: it may come to bear at a restart"
        if stand
        else "nobody could see whether a connection stands now, which this would break"
    )
    return replace(
        found, confidence=Confidence.LIKELY, evidence=(*found.evidence, Evidence(f"connections of {view.name}", stands))
    )


def _interrupts(found: Found) -> bool:
    silent = _NOT_OF_LINKS | _KEPT_BY_THE_SYSTEM
    of_links = [problem.severity for problem in found.problems if problem.code not in silent]
    return found.kind.code not in _OF_THE_INVENTORY and bool(of_links) and worst(of_links) is Severity.OUTAGE
