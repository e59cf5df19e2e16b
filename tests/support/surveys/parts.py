"""Surveys of some sections alone: the whole of one costs far more than a test needs that looks at one part.

What a test did not ask for is not run, and looking at it is an error: a test that looked at what was left out would
learn nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def closed(sections: Iterable[str], needs: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The sections, and whatever these read of others."""
    wanted: set[str] = set()
    left = list(sections)
    while left:
        one = left.pop()
        if one not in wanted:
            wanted.add(one)
            left += needs.get(one, ())
    return frozenset(wanted)


class Part:
    """A survey of which sections were left out: those cannot be looked at."""

    def __init__(self, survey: Any, sections: Iterable[str], needs: Mapping[str, tuple[str, ...]]) -> None:
        self._survey = survey
        self._needs = needs
        self._wanted = closed(sections, needs)

    def __getattr__(self, name: str) -> Any:
        assert name not in self._needs or name in self._wanted, (
            f"this survey left {name} out: name it among its sections"
        )
        return getattr(self._survey, name)
