"""The column that Halibut puts before its messages, in all versions: whom a message concerns, and a thread's number."""

from __future__ import annotations

import re

_HALIBUT = re.compile(r"\A(?P<endpoint>(?:listen|https?|poll|wss?|local)://\S+)\s+[0-9]+  ")
_FARTHEST = 400


def endpoint_of(text: str) -> str | None:
    """Whom a record concerns, by that column; None for what is not Halibut's."""
    found = _HALIBUT.match(text[:_FARTHEST])
    return found["endpoint"] if found else None


def without_column(text: str) -> str:
    """A record's message without that column."""
    found = _HALIBUT.match(text[:_FARTHEST])
    return text[found.end() :] if found else text


def is_halibuts(text: str) -> bool:
    """Whether Halibut wrote a record."""
    return _HALIBUT.match(text[:_FARTHEST]) is not None
