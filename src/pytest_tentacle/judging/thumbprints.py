"""Thumbprints: 40 hexadecimal digits, upper case, compared letter by letter (tentacle-facts 1.2)."""

from __future__ import annotations

import re
import unicodedata

LENGTH = 40
_HEX = re.compile(r"[0-9A-Fa-f]")
_WHOLE = re.compile(rf"[0-9A-Fa-f]{{{LENGTH}}}")
_CONTROL_NAMES = {"\t": "TAB", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\x00": "NULL"}


def as_thumbprint(text: str | None) -> str | None:
    """The thumbprint that a text means, upper case, digits alone; None where there are not 40 of them."""
    if not text:
        return None
    if _WHOLE.fullmatch(text):  # nearly all
        return text.upper()
    digits = "".join(_HEX.findall(text)).upper()
    return digits if len(digits) == LENGTH else None


def fault_in(text: str | None) -> str | None:
    """What keeps a text from being a thumbprint, in words; None for 40 hexadecimal digits of either case."""
    if not text:
        return "it is empty"
    strange = [character for character in text if not _HEX.fullmatch(character)]
    if strange:
        kinds = ", ".join(dict.fromkeys(_named(character) for character in strange))
        return f"it holds {kinds}"
    if len(text) != LENGTH:
        return f"it has {len(text)} digits, not {LENGTH}"
    return None


def _named(character: str) -> str:
    name = _CONTROL_NAMES.get(character) or unicodedata.name(character, "an unnamed character")
    return f"{name} (U+{ord(character):04X})"
