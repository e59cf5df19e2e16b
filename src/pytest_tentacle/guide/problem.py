"""What every problem of the catalogue has: a stable code, what it means, and what to do about it on either system.

A problem that can have one explanation only is its own cause: it says so in a sentence, and names what follows from it.
One that can have several is explained by the causes (`diagnosis/causes/`) that choose between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .severity import Severity, severity_of


class Confidence(StrEnum):
    """How sure a diagnosis is: it was seen; everything seen fits; it fits, and so would something else."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def weight(self) -> int:
        """More is surer."""
        return {"certain": 3, "likely": 2, "possible": 1}[self.value]


@dataclass(frozen=True)
class ProblemKind:
    """One entry of the catalogue.

    Attributes:
        code: `TT` and three digits, the first of which stands for the guide's section; never used for anything else.
        title: what is wrong, in a few words.
        step: slug of the step whose checks find it.
        meaning: what that means and how it usually comes about.
        windows: what to do there, line by line; lines that begin with `$ ` are commands. Nothing of it is run by us.
        linux: the same for Linux.
        sentence: where it is its own cause, what is wrong, in words such as `CauseKind.sentence`; else empty.
        consequences: its own cause then explains these codes on the same machine as well.
        echoes: the same, of those that are told in the log of the other end only.
        fold_by: facts by which machines with it are one line, and otherwise are two.
        place: name of the fact that names the machine on which it is to be mended; empty: the one that has it.
        rank: what must be mended first has the lower one.
        confidence: how sure the problem alone makes it.
    """

    code: str
    title: str
    step: str
    meaning: str
    windows: tuple[str, ...]
    linux: tuple[str, ...]
    sentence: str = ""
    consequences: frozenset[str] = frozenset()
    echoes: frozenset[str] = frozenset()
    fold_by: tuple[str, ...] = ()
    place: str = ""
    rank: int = 50
    confidence: Confidence = Confidence.CERTAIN

    @property
    def severity(self) -> Severity:
        """What it costs."""
        return severity_of(self.code)

    @property
    def is_cause(self) -> bool:
        """Whether it is its own cause."""
        return bool(self.sentence)
