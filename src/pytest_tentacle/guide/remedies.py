"""Remedies with their facts filled in: what a machine said is one word of a command, never more."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from .commands import fitting
from .placeholders import MEANINGS, PLACEHOLDER

_WORD = re.compile(r'"([^"]*)"')
_LONGEST = 200
_SHOWN = 5
"""Machines whose values are named, and values of one machine."""

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}|[0-9]{1,10}")
_BY_PATTERN = re.compile(
    r"(?:(?:Get|Start|Stop|Restart|Resume)-Service .*-Name|(?:Get|Disable)-NetFirewallRule .*-DisplayName) $"
)
"""What stands before a name that PowerShell takes for a pattern: `Web[12]` would be Web1 and Web2."""
_WILD = re.compile(r"([`*?\[\]])")
_SINGLE_QUOTES = re.compile(
    "(['\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{SINGLE LOW-9 QUOTATION MARK}\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}])"
)
"""PowerShell takes each of these for the end of a quoted word, unless it stands twice."""


def fill(lines: tuple[str, ...], system: str, facts: Mapping[str, object]) -> tuple[str, ...]:
    """The lines for `windows` or `linux` with the facts filled in, commands quoted for that system's shell.

    A placeholder such as `<service>` stays where the fact is missing, differs between machines, or holds what has no
    place in a command; `with_own_values` tells what to put there. Lines for another kind of machine are left out.
    """
    return tuple(_line(line, system, facts) for line in fitting(lines, facts))


def with_own_values(lines: Sequence[str], machines: Mapping[str, Sequence[Mapping[str, object]]]) -> tuple[str, ...]:
    """The lines, and before the first command with a placeholder left in it, in words, what to put there.

    `machines` are the facts that are known of each machine: its own values are told, or what the placeholder stands
    for where nobody's is known. A value that has no place in a command is not told either.
    """
    at = next((at for at, line in enumerate(lines) if line.startswith("$ ") and PLACEHOLDER.search(line)), len(lines))
    left = tuple(
        dict.fromkeys(name for line in lines[at:] if line.startswith("$ ") for name in PLACEHOLDER.findall(line))
    )
    own = {machine: {name: _own_values(name, facts) for name in left} for machine, facts in machines.items()}
    known = tuple(name for name in left if any(values[name] for values in own.values()))
    strange = (
        f"<{name}> stands for {MEANINGS.get(name, 'what the evidence tells')}{_whose(name, machines)}."
        for name in left
        if name not in known
    )
    return (*lines[:at], *_each_own(known, own), *strange, *lines[at:])


def _whose(name: str, machines: Mapping[str, Sequence[Mapping[str, object]]]) -> str:
    """Which of several Octopus Servers it is to be of, where the facts tell."""
    found = {
        machine: next((str(each[fact]) for each in facts if each.get(fact)), "")
        for machine, facts in machines.items()
        if (fact := f"whose_{name}")
    }
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    told = [f"{machine}{whose}" for machine, whose in found.items() if whose][:_SHOWN]
    return f" ({'; '.join(told)})" if told else ""


def _each_own(names: Sequence[str], own: Mapping[str, Mapping[str, Sequence[str]]]) -> tuple[str, ...]:
    if not names:
        return ()
    told = [
        f"{machine}: {', '.join(' or '.join(values[name]) or 'not known' for name in names)}"
        for machine, values in own.items()
        if any(values[name] for name in names)
    ]
    more = f"; and {len(told) - _SHOWN:,} more" if len(told) > _SHOWN else ""
    places = ", ".join(f"<{name}>" for name in names)
    return (f"Replace {places} with each machine's own: {'; '.join(told[:_SHOWN])}{more}.",)


def _own_values(name: str, facts: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (_text(each.get(name)) for each in facts))))[:_SHOWN]


def _line(line: str, system: str, facts: Mapping[str, object]) -> str:
    if line.startswith("$ "):
        quoted = _WORD.sub(lambda match: _word(match[1], system, facts, line[: match.start()]), line)
        return PLACEHOLDER.sub(lambda match: _number(match, facts) or match[0], quoted)
    return PLACEHOLDER.sub(lambda match: _value(match, facts) or match[0], line)


def _word(word: str, system: str, facts: Mapping[str, object], before: str) -> str:
    """A quoted word with its facts, behind what stands before it; in a method's call PowerShell takes no bare one."""
    if not PLACEHOLDER.search(word):
        return f'"{word}"'
    filled = PLACEHOLDER.sub(lambda match: _value(match, facts) or match[0], word)
    if PLACEHOLDER.search(filled):
        return f'"{filled}"' if filled == word else f'"{word}"'
    if system != "windows":
        return shlex.quote(filled)
    if " " in filled:  # before a quote, Windows PowerShell 5.1 lets the last backslash take the quote away
        filled = filled.rstrip("\\")
    text = _WILD.sub(r"`\1", filled) if _BY_PATTERN.search(before) else filled
    return _for_powershell(text, bare=not before.endswith("("))


def _for_powershell(text: str, *, bare: bool) -> str:
    if bare and _BARE.fullmatch(text):
        return text
    return "'" + _SINGLE_QUOTES.sub(r"\1\1", text) + "'"


def _value(match: re.Match[str], facts: Mapping[str, object]) -> str:
    """A fact as text; empty where it may not stand in a command: nothing invisible, no option, no double quote.

    Windows PowerShell 5.1 loses double quotes on their way to a program.
    """
    return _text(facts.get(match[1]))


def _text(value: object) -> str:
    text = "" if value is None else str(value)
    fit = text.isprintable() and len(text) <= _LONGEST and not text.startswith("-") and '"' not in text
    return text if fit and not PLACEHOLDER.search(text) else ""


def _number(match: re.Match[str], facts: Mapping[str, object]) -> str:
    """A fact that stands outside of quotes: digits alone."""
    text = str(facts.get(match[1]))
    return text if text.isascii() and text.isdecimal() else ""
