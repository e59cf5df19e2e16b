"""What a problem costs: beside how sure we are of it, how bad it is. `--fail-on` says from which on a run fails."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Severity(StrEnum):
    """How bad a problem is, the worst first."""

    OUTAGE = "outage"
    """Nothing can be deployed to the machine, or what is deployed may reach another one."""
    DEGRADED = "degraded"
    """It works in part, slowly or not always; or a person would be misled."""
    WILL_FAIL = "will-fail"
    """All works now, and will not after something that is sure to come: a reboot, an upgrade, a restart."""
    HYGIENE = "hygiene"
    """Nothing fails of it; somebody should put it in order."""

    @property
    def weight(self) -> int:
        """More is worse."""
        return {"outage": 4, "degraded": 3, "will-fail": 2, "hygiene": 1}[self.value]


DEFAULT_GATE = Severity.DEGRADED
"""What lies below it is told and fails no run, unless `--fail-on` says otherwise."""

_DEGRADED = frozenset(
    {
        "TT114",
        "TT116",
        "TT118",
        "TT119",
        "TT120",
        "TT128",
        "TT136",
        "TT146",
        "TT153",
        "TT154",
        "TT208",
        "TT210",
        "TT211",
        "TT313",
        "TT401",
        "TT402",
        "TT404",
        "TT510",
        "TT512",
        "TT535",
        "TT552",
        "TT554",
        "TT605",
        "TT642",
        "TT643",
        "TT644",
        "TT645",
        "TT646",
        "TT714",
        "TT715",
        "TT717",
        "TT801",
        "TT802",
        "TT803",
        "TT806",
        "TT807",
        "TT811",
        "TT812",
        "TT813",
        "TT909",
        "TT951",
        "TT952",
        "TT953",
        "TT954",
        "TT955",
        "TT972",
        "TT973",
    }
)
_WILL_FAIL = frozenset({"TT144", "TT205", "TT214", "TT411", "TT412", "TT721", "TT976"})
_HYGIENE = frozenset({"TT151", "TT403", "TT603"})


OF_ONE_LINK = frozenset(
    {
        *("TT101", "TT102", "TT105", "TT106", "TT107", "TT108", "TT109", "TT110", "TT112", "TT113", "TT114", "TT115"),
        *("TT116", "TT118", "TT119", "TT121", "TT131", "TT133", "TT135", "TT145", "TT158", "TT315", "TT322", "TT323"),
        *("TT510", "TT511", "TT512", "TT520", "TT521", "TT522", "TT523", "TT524", "TT525", "TT526", "TT527", "TT528"),
        *("TT529", "TT530", "TT531", "TT533", "TT534", "TT535", "TT536", "TT537", "TT551", "TT553", "TT606", "TT609"),
        *("TT641", "TT642", "TT643", "TT644", "TT645", "TT646", "TT715", "TT716", "TT717"),
        *("TT951", "TT952", "TT953", "TT954", "TT955"),
    }
)
"""Codes that cost what the link costs that they stand in the way of, and nothing where nobody needs that link.

Whether somebody does is `sections.cost`'s to say.
"""


AT_THE_NEXT_START = frozenset(
    {"TT207", "TT301", "TT302", "TT303", "TT312", "TT316", "TT320", "TT321", "TT322", "TT323"}
)
"""Codes of what a process reads at its start alone: one that goes on with what it read before will fail (likewise)."""


def severity_of(code: str) -> Severity:
    """A problem's by its code alone, which is the most that it may cost; `Problem.severity` is what it does cost.

    What is in no list is an outage: nobody is told less than it may be.
    """
    if code in _HYGIENE:
        return Severity.HYGIENE
    if code in _WILL_FAIL:
        return Severity.WILL_FAIL
    return Severity.DEGRADED if code in _DEGRADED else Severity.OUTAGE


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of several. Of none at all: an outage, as of a code in no list."""
    return max(severities, key=lambda each: each.weight, default=Severity.OUTAGE)
