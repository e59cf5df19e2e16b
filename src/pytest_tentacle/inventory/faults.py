"""What is wrong with an inventory: every fault with its place, gathered first and raised once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pytest_tentacle.hiding.values import shown

LISTED_FAULTS = 50
"""So many faults are written out; the rest is counted."""

_COMPARED_WORDS = 50_000
"""So many words are compared with misspelt ones, all of them together: a second or two."""

_LONGEST_WORD = 100
"""Characters of a word that may be a misspelt one."""


class Place(NamedTuple):
    """Where something is written: line and column count from 1, and are 0 where the file as a whole is meant."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`file:line:column`, as editors and terminals make a link of it."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Fault:
    """One fault of an inventory.

    Attributes:
        file: the path as it was given.
        line: from 1; 0 where the file as a whole is meant.
        column: from 1; 0 where the file as a whole is meant.
        message: what is wrong.
        value: the offending value as it is written, cut where it is long; None for secrets, maps and lists.
        hint: the nearest valid word, or what to do.
    """

    file: str
    line: int
    column: int
    message: str
    value: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """One line: `file:line:column: message: 'value'; hint`."""
        text = f"{Place(self.file, self.line, self.column)}: {self.message}"
        if self.value is not None:
            text += f": {self.value!r}"
        return f"{text}; {self.hint}" if self.hint else text


class InventoryError(Exception):
    """An inventory cannot be used. `str()` of it is the finished text for the user.

    Attributes:
        faults: all faults of all files, in the order of the files and of their lines.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        """All faults, one a line, under a heading that counts them."""
        count = len(self.faults)
        lines = [f"The inventory has {count} {'fault' if count == 1 else 'faults'}:"]
        lines += [f"  {fault}" for fault in self.faults[:LISTED_FAULTS]]
        if count > LISTED_FAULTS:
            lines.append(f"  and {count - LISTED_FAULTS} more")
        return "\n".join(lines)


class Faults:
    """Gathers faults and warnings; what many machines inherit is told once, where it is written."""

    def __init__(self) -> None:
        self._faults: dict[Fault, None] = {}
        self._warnings: dict[str, None] = {}
        self._left = _COMPARED_WORDS

    def __bool__(self) -> bool:
        """Whether there is any fault."""
        return bool(self._faults)

    def add(self, place: Place, message: str, value: str | None = None, hint: str | None = None) -> None:
        """Note a fault; `value` is cut, and left out where it may be a secret."""
        told = None if value is None else shown(value)
        self._faults[Fault(place.file, place.line, place.column, message, told, hint)] = None

    def near(self, word: str, choices: Collection[str]) -> str | None:
        """`did_you_mean`, but None where so many words were compared already that it would take long."""
        self._left -= len(choices)
        if self._left < 0:
            return None
        return did_you_mean(word, sorted(choices) if isinstance(choices, set | frozenset) else choices)

    def warn(self, place: Place, message: str) -> None:
        """Note something that is accepted, and better changed."""
        self._warnings[f"{place.file}:{place.line}: {message}"] = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Each warning once, in the order in which they were noted."""
        return tuple(self._warnings)

    def error(self, files: Iterable[str]) -> InventoryError:
        """All faults as one exception, sorted by file as given, line and column."""
        order = {file: number for number, file in enumerate(files)}
        return InventoryError(
            sorted(self._faults, key=lambda fault: (order.get(fault.file, -1), fault.line, fault.column)),
        )


def did_you_mean(word: str, choices: Iterable[str]) -> str | None:
    """The hint `did you mean 'x'?` for the choice nearest to the word, case set aside; None where none is near."""
    near = nearest(word, choices, 1)
    return f"did you mean {near[0]!r}?" if near else None


def nearest(word: str, choices: Iterable[str], count: int) -> tuple[str, ...]:
    """The choices most like the word, best first."""
    return _nearest(word.casefold(), tuple(choices), count) if len(word) <= _LONGEST_WORD else ()


@lru_cache(maxsize=256)
def _nearest(word: str, choices: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Cached, since one wrong word in a long file comes up once for each machine."""
    by_folded = {choice.casefold(): choice for choice in choices}
    return tuple(by_folded[near] for near in difflib.get_close_matches(word, by_folded, n=count, cutoff=0.6))
