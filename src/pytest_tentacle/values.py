"""What every document of ours is made of: surveys, inventory, report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A record that never changes and has no other fields than those that it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_post_init(self, _context: Any, /) -> None:
        """Share the set of the fields that were given with all that were given the same.

        A fleet's surveys and its report are a hundred thousand records, and a set is larger than most of them.
        """
        given = self.__pydantic_fields_set__
        _set_given(self, _SHARED.setdefault(frozenset(given), given))


_SHARED: dict[frozenset[str], set[str]] = {}
"""Nobody adds to one: the records do not change, and a copy of one has a set of its own."""

_set_given: Callable[[BaseModel, set[str]], None] = vars(BaseModel)["__pydantic_fields_set__"].__set__
"""The slot itself: half of what `object.__setattr__` costs, which is felt with so many."""
