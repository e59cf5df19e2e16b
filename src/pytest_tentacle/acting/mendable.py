"""The causes that `pytest-tentacle mend` mends: those whose printed commands were proven; the others are for hands.

A remedy is offered only where its commands alone mend it: none that begins with "read why, fix that", and none with a
choice that a person has to make. A test carries out each `MODEL` remedy on the model of Tentacle's commands, and mends
each `LAB` one on a real machine of the lab, by the commands that stand here and no others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pytest_tentacle.diagnosis.kind import Found
from pytest_tentacle.guide.commands import chosen
from pytest_tentacle.guide.effects import CHANGES, effect_of
from pytest_tentacle.guide.placeholders import MEANINGS, PLACEHOLDER
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.guide.since import lacks_one_of


class Proof(StrEnum):
    """How it is known that the commands mend the cause."""

    MODEL = "model"
    LAB = "lab"


MENDABLE: Mapping[str, Proof] = MappingProxyType(
    {
        "TC1014": Proof.MODEL,
        "TC1015": Proof.MODEL,
        "TC1032": Proof.MODEL,
        "TC2021": Proof.LAB,
        "TC2051": Proof.LAB,
        "TC2052": Proof.LAB,
        "TC3211": Proof.LAB,
        "TC5012": Proof.LAB,
        "TT144": Proof.MODEL,
    }
)
"""By the cause's code."""


@dataclass(frozen=True)
class Commands:
    """What is run on one machine, each with what follows from it; or why it is to be mended by hand."""

    lines: tuple[tuple[str, str], ...] = ()
    by_hand: str = ""


def _why_by_hand(found: Found) -> str:
    if found.facts.get("clustered"):
        return "a failover cluster starts and stops its service, and nothing else should"
    if found.place != found.machine:
        return f"it is to be mended on {found.place}"
    if found.confidence is Confidence.POSSIBLE:
        return "it is only possible, and what could tell it apart was not read"
    return ""


def commands_of(found: Found, *, is_windows: bool) -> Commands:
    """The commands of a cause's remedy that change something on its machine.

    Args:
        found: the cause on one machine, as a fresh survey has it.
        is_windows: whose commands.
    """
    if found.kind.code not in MENDABLE:
        return Commands(by_hand="its remedy is none that was proven on a machine: follow what the report says")
    if why := _why_by_hand(found):
        return Commands(by_hand=why)
    system = "windows" if is_windows else "linux"
    own = found.kind.windows if is_windows else found.kind.linux
    if lacks_one_of(chosen(own, found.facts), found.facts):
        return Commands(by_hand="its Tentacle is too old for one of the commands: upgrade it first")
    shown = fill(own, system, found.facts)
    lines, missing = [], set[str]()
    for line in shown:
        effect = effect_of(line[2:]) if line.startswith("$ ") else None
        if effect is not None and effect[0] == CHANGES:
            lines.append((line[2:], effect[1]))
            missing.update(PLACEHOLDER.findall(line))
    if missing:
        names = "; ".join(f"<{name}> is {MEANINGS.get(name, 'not known')}" for name in sorted(missing))
        return Commands(by_hand=f"its commands need what no survey knows: {names}")
    if not lines:
        return Commands(by_hand="its remedy has no command for this machine's system")
    return Commands(tuple(lines))
