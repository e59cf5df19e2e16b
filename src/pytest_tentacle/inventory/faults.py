"""What is wrong with an inventory: every fault with its place, gathered first and raised once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

LISTED_FAULTS = 50
"""So many faults are written out; the rest is counted."""

_HINTED_FAULTS = 500
"""Behind so many no near word is looked for any more: each takes a look at all words that there are."""

_LONGEST_VALUE = 60
_LONGEST_WORD = 100
"""Characters of a word that may be a misspelt one."""

_USER_INFO = re.compile(r"//[^/@\s]*@")


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

    def __bool__(self) -> bool:
        """Whether there is any fault."""
        return bool(self._faults)

    def add(self, place: Place, message: str, value: str | None = None, hint: str | None = None) -> None:
        """Note a fault; `value` is cut, and cleaned of credentials that stand in a URL."""
        shown = None if value is None else _shown(value)
        self._faults[Fault(place.file, place.line, place.column, message, shown, hint)] = None

    def near(self, word: str, choices: Iterable[str]) -> str | None:
        """`did_you_mean`, but None where there are so many faults already that nobody reads them all."""
        return None if len(self._faults) > _HINTED_FAULTS else did_you_mean(word, choices)

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


def _shown(value: str) -> str:
    text = _USER_INFO.sub("//***@", value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
