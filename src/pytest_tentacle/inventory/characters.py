"""Characters that cannot be seen, called by name: they come with text that is copied out of windows and web pages."""

from __future__ import annotations

import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_CONTROL_NAMES = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\x00": "NULL", "\x1b": "ESCAPE"}
_POSITIONS_TOLD = 4


def invisible_in(text: str) -> str | None:
    """Names and positions of the invisible characters in a text, an ordinary space not among them; None without any."""
    found = {c for c in text if c != " " and unicodedata.category(c) in _INVISIBLE}
    return describe(text, found) if found else None


def describe(text: str, wanted: set[str]) -> str:
    """Name each wanted character of a text with its positions, from 1: `SPACE (U+0020) at positions 3, 6`."""
    told = []
    for character in dict.fromkeys(c for c in text if c in wanted):
        positions = [str(number) for number, c in enumerate(text, 1) if c == character]
        more = ", …" if len(positions) > _POSITIONS_TOLD else ""
        word = "position" if len(positions) == 1 else "positions"
        told.append(f"{name_of(character)} at {word} {', '.join(positions[:_POSITIONS_TOLD])}{more}")
    return " and ".join(told)


def name_of(character: str) -> str:
    """A character's Unicode name and number: `LEFT-TO-RIGHT MARK (U+200E)`."""
    name = _CONTROL_NAMES.get(character) or unicodedata.name(character, "UNNAMED CHARACTER")
    return f"{name} (U+{ord(character):04X})"
