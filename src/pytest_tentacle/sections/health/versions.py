"""The version of a machine's own product."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d+(?:\.\d+)+")


def parsed(version: str | None) -> tuple[int, ...] | None:
    """`8.1.61` as numbers, whatever follows them; None where there are none."""
    match = _NUMBERS.match(version or "")
    return tuple(map(int, match[0].split("."))) if match else None
