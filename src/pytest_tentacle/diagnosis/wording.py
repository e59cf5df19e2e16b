"""Sentences about one machine or four hundred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SHOWN = 3
"""How many values are named before the rest is counted."""


def listed(values: Iterable[object], *, shown: int = SHOWN) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 9 more`."""
    texts = list(dict.fromkeys(str(value) for value in values))
    if len(texts) > shown:
        return f"{', '.join(texts[:shown])} and {len(texts) - shown:,} more"
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def who(machines: Sequence[str]) -> str:
    """Named as long as that can be read: `web-01`, `web-01 and web-02`, `412 machines`."""
    return listed(machines) if len(machines) <= SHOWN else f"{len(machines):,} machines"


def sentence(template: str, machines: Sequence[str], facts: Mapping[str, Any]) -> str:
    """A template filled; the first letter is a capital unless a machine's name begins with it."""
    one = len(machines) == 1
    words = {
        "who": who(machines),
        "there": who(machines) if len(machines) <= SHOWN else "each of them",
        "is": "is" if one else "are",
        "has": "has" if one else "have",
        "does": "does" if one else "do",
        "its": "its" if one else "their",
        "them": "it" if one else "them",
        "s": "s" if one else "",
    }
    return template.format_map(_Facts(facts, words))


class _Facts(Mapping[str, str]):
    """Our words first; a fact that is missing reads as `?`, so that a report never fails for it."""

    def __init__(self, facts: Mapping[str, Any], words: Mapping[str, str]) -> None:
        self._facts = facts
        self._words = words

    def __getitem__(self, name: str) -> str:
        if name in self._words:
            return self._words[name]
        value = self._facts.get(name)
        if isinstance(value, (list, tuple)):
            return listed(value)
        return "?" if value is None else str(value)

    def __iter__(self) -> Any:
        return iter({**self._facts, **self._words})

    def __len__(self) -> int:
        return len({**self._facts, **self._words})
