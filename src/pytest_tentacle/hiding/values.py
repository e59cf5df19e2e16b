"""What of a value that somebody typed a fault may show: never what could be a password in the wrong field.

A fault gives file, line and column, so that the value itself is there for the reader's convenience alone.
"""

from __future__ import annotations

import re

from .secrets import hide

_LONGEST = 60
_LIKE_A_PASSWORD = 8
"""From so many characters on a word of all four kinds of them is taken for a password."""

_LOOKED_AT = 1_000
"""Characters of a value; what is shown of it is far shorter."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_KINDS = tuple(re.compile(kind) for kind in ("[a-z]", "[A-Z]", "[0-9]", r"[^\w\s./\\:-]"))


def has_password(text: str) -> bool:
    """Whether a text is of the form `user:password@...`, or names a password and gives it."""
    _, log_on = _apart(text)
    return ":" in log_on.rpartition("@")[0] or hide(text) != text


def shown(value: str) -> str | None:
    """A value as a fault may show it: without a log-on before `@`, cut where it is long; None where it is a secret."""
    scheme, rest = _apart(value)
    text = f"{scheme}***@{rest.rpartition('@')[2]}" if "@" in rest else value
    text = text[:_LOOKED_AT]
    if hide(text) != text or _is_password(text):
        return None
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _apart(text: str) -> tuple[str, str]:
    """A URL's scheme, empty where there is none, and the rest."""
    match = _SCHEME.match(text)
    end = match.end() if match else 0
    return text[:end], text[end:]


def _is_password(text: str) -> bool:
    return any(len(word) >= _LIKE_A_PASSWORD and all(kind.search(word) for kind in _KINDS) for word in text.split())
