"""Remedies with their facts filled in: what a machine said is one word of a command, never more."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER = re.compile(r"<([a-z][a-z_]*)>")
_WORD = re.compile(r'"([^"]*<[a-z][a-z_]*>[^"]*)"')
_LONGEST = 200
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}|[0-9]{1,10}")
_SINGLE_QUOTES = re.compile(
    "(['\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{SINGLE LOW-9 QUOTATION MARK}\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}])"
)
"""PowerShell takes each of these for the end of a quoted word, unless it stands twice."""


def fill(lines: tuple[str, ...], system: str, facts: Mapping[str, object]) -> tuple[str, ...]:
    """The lines for `windows` or `linux` with the facts filled in, commands quoted for that system's shell.

    A placeholder such as `<service>` stays where the fact is missing, differs between machines, or holds what has no
    place in a command.
    """
    return tuple(_line(line, system, facts) for line in lines)


def _line(line: str, system: str, facts: Mapping[str, object]) -> str:
    if line.startswith("$ "):
        quoted = _WORD.sub(lambda match: _word(match[1], system, facts), line)
        return PLACEHOLDER.sub(lambda match: _number(match, facts) or match[0], quoted)
    return PLACEHOLDER.sub(lambda match: _value(match, facts) or match[0], line)


def _word(word: str, system: str, facts: Mapping[str, object]) -> str:
    filled = PLACEHOLDER.sub(lambda match: _value(match, facts) or match[0], word)
    if PLACEHOLDER.search(filled):
        return f'"{filled}"' if filled == word else f'"{word}"'
    return _for_powershell(filled) if system == "windows" else shlex.quote(filled)


def _for_powershell(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    return "'" + _SINGLE_QUOTES.sub(r"\1\1", text) + "'"


def _value(match: re.Match[str], facts: Mapping[str, object]) -> str:
    """A fact as text; empty where it may not stand in a command: nothing invisible, no option, no double quote.

    Windows PowerShell 5.1 loses double quotes on their way to a program.
    """
    value = facts.get(match[1])
    text = "" if value is None else str(value)
    fit = text.isprintable() and len(text) <= _LONGEST and not text.startswith("-") and '"' not in text
    return text if fit and not PLACEHOLDER.search(text) else ""


def _number(match: re.Match[str], facts: Mapping[str, object]) -> str:
    """A fact that stands outside of quotes: digits alone."""
    text = str(facts.get(match[1]))
    return text if text.isascii() and text.isdecimal() else ""
