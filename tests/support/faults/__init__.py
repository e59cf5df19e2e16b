"""Faults, each injected into a healthy fleet that was surveyed as a whole: what a cause is found by, and it alone.

A fault changes what a survey or an inventory holds, or both ends of a link: never a problem. The real checks judge it.
A module for each area of causes; `tests/diagnosis/test_causes.py` injects them all, and fails where a cause has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from support.fleets.whole import Whole


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        code: the cause that it gives.
        machines: just those that have it.
        change: injects the fault.
        besides: more causes, where the fault really is several; in the order of their codes.
        confidence: that of the cause; None where the test does not care.
        unsure: a part of the sentence that says what could have told it apart; empty: nothing is left to tell.
    """

    code: str
    machines: tuple[str, ...]
    change: Callable[[Whole], None]
    besides: tuple[str, ...] = ()
    confidence: str | None = None
    unsure: str | None = None

    @property
    def id(self) -> str:
        return f"{self.code}-{self.change.__name__}"


CASES: list[Case] = []


def case(code: str, *machines: str, **more: Any) -> Callable[[Any], Any]:
    """Registers a fault; of web-01 where no machine is named."""

    def register(change: Any) -> Any:
        CASES.append(Case(code, machines or ("web-01",), change, **more))
        return change

    return register


for module in sorted(Path(__file__).parent.glob("[!_]*.py")):
    import_module(f"{__name__}.{module.stem}")
