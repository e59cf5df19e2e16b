"""What every document of ours is made of: surveys, inventory, report."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A record that never changes and has no other fields than those that it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_post_init(self, _context: Any, /) -> None:
        """Share the set of the fields that were given with all that were given the same.

        A fleet's surveys and its report are a hundred thousand records, and a set is larger than most of them.
        """
        given = self.model_fields_set
        object.__setattr__(self, "__pydantic_fields_set__", _SHARED.setdefault(frozenset(given), given))


_SHARED: dict[frozenset[str], set[str]] = {}
"""Nobody adds to one: the records do not change, and a copy of one has a set of its own."""
