"""Which machines of an inventory are looked at: `--limit` and `--mode`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .faults import nearest
from .model import Inventory, Mode, OctopusServer, Tentacle

_GLOB_SIGNS = frozenset("*?[")


class SelectionError(Exception):
    """Nothing is selected, or a term of `--limit` selects nothing. `str()` is the text for the user.

    Attributes:
        term: the term that matches nothing; None where all terms match and yet nothing is left.
    """

    def __init__(self, message: str, term: str | None = None) -> None:
        super().__init__(message)
        self.term = term


@dataclass(frozen=True)
class Selection:
    """Names of machines, each in the order of the inventory.

    Attributes:
        machines: those that get tests.
        peers: servers of selected Tentacles that are not selected: contacted as the other end of the link, not tested.
    """

    machines: tuple[str, ...]
    peers: tuple[str, ...]


def select(inventory: Inventory, limits: Sequence[str], mode: Mode | None) -> Selection:
    """The machines that all limits together and the mode leave.

    A limit is a name, a glob over names, or a group's name; `!` before it excludes, and excluding wins whatever the
    order; several stand in one text with commas, or in several texts. Exclusions alone start from all machines. Case
    is set aside.

    Args:
        inventory: all there is.
        limits: the values of `--limit`; none select everything.
        mode: keeps Tentacles of that mode and those whose mode is not declared. A server stays if it has one of them,
            or if there are no limits.

    Raises:
        SelectionError: a term matches nothing, or nothing is left.
    """
    included, excluded = _matches(inventory, limits)
    chosen = [
        machine
        for machine in inventory.machines
        if machine.name in included and machine.name not in excluded and _fits(inventory, machine, mode, limits)
    ]
    if not chosen:
        raise SelectionError(_nothing_left(limits, mode))
    if mode is not None and not limits and not any(isinstance(machine, Tentacle) for machine in chosen):
        raise SelectionError(f"No Tentacle of the inventory is {mode}.")
    names = {machine.name for machine in chosen}
    wanted = {server for machine in chosen if isinstance(machine, Tentacle) for server in machine.servers}
    return Selection(
        machines=tuple(machine.name for machine in chosen),
        peers=tuple(s.name for s in inventory.servers if s.name in wanted - names and s.name not in excluded),
    )


def _fits(inventory: Inventory, machine: OctopusServer | Tentacle, mode: Mode | None, limits: Sequence[str]) -> bool:
    if mode is None:
        return True
    if isinstance(machine, Tentacle):
        return machine.mode in {None, mode}
    return not limits or any(tentacle.mode in {None, mode} for tentacle in inventory.tentacles_of(machine))


def _matches(inventory: Inventory, limits: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that the limits include, and those that they exclude."""
    everything = frozenset(machine.name for machine in inventory.machines)
    included: set[str] = set()
    excluded: set[str] = set()
    only_excluding = True
    for limit in limits:
        terms = [term.strip() for term in limit.split(",") if term.strip()]
        if not terms:
            raise SelectionError("--limit is empty: leave it out to select all machines.", limit)
        for term in terms:
            found = _names_of(inventory, term)
            if term.startswith("!"):
                excluded |= found
            else:
                included |= found
                only_excluding = False
    return everything if only_excluding else frozenset(included), frozenset(excluded)


def _names_of(inventory: Inventory, term: str) -> set[str]:
    word = term.removeprefix("!").strip().casefold()
    if _GLOB_SIGNS & set(word):
        found = {m.name for m in inventory.machines if fnmatchcase(m.name.casefold(), word)}
    else:
        found = {
            m.name
            for m in inventory.machines
            if m.name.casefold() == word or word in {group.casefold() for group in m.groups}
        }
    if not found and word in {name.casefold() for name in inventory.disabled}:
        raise SelectionError(f"{term} is disabled in Octopus: --include-disabled looks at it all the same.", term)
    if not found:
        choices = dict.fromkeys(name for m in inventory.machines for name in (m.name, *m.groups))
        near = nearest(word, choices, 3)
        advice = f" Nearest: {', '.join(near)}." if near else ""
        raise SelectionError(f"--limit {term!r} matches no machine and no group.{advice}", term)
    return found


def _nothing_left(limits: Sequence[str], mode: Mode | None) -> str:
    asked = [f"--limit {limit!r}" for limit in limits]
    if mode is not None:
        asked.append(f"--mode {mode}")
    return f"No machine is left by {' and '.join(asked)}." if asked else "The inventory has no machine."
