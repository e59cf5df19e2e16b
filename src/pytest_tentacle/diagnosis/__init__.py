"""Why things fail: one cause for many symptoms, seen from both ends and over the whole fleet.

`diagnose` takes a fleet and its results, and gives a `Diagnosis`; `Diagnosis.views()` is what a report shows.
"""

from __future__ import annotations

from pytest_tentacle.guide.problem import Confidence

from .causes import CAUSES, STAND_ALONE
from .engine import Diagnosis, Doubt, MachineDiagnosis, diagnose
from .folding import FoldedCause
from .kind import CauseKind, Clue, Found

__all__ = [
    "CAUSES",
    "STAND_ALONE",
    "CauseKind",
    "Clue",
    "Confidence",
    "Diagnosis",
    "Doubt",
    "FoldedCause",
    "Found",
    "MachineDiagnosis",
    "diagnose",
]
