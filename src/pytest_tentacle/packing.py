"""Surveys of a large fleet are kept packed, and unpacked for as long as somebody reads them.

A machine's survey takes some fifteen times the room as objects that it takes as packed JSON; with its logs far more.
Who reads it, machine by machine, finds it unpacked; going through all of a fleet costs half a millisecond a machine.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

_UNPACKED = 64
"""So many are held unpacked: the machine that is judged, and the servers of its links."""

_QUICK = 1
"""zlib's level: the higher ones take longer than they are worth."""


class Packed(Generic[M]):
    """A model as packed JSON. Equal to another one with the same text."""

    __slots__ = ("_kind", "_text")

    def __init__(self, model: M) -> None:
        self._kind = type(model)
        self._text = zlib.compress(model.model_dump_json(exclude_none=True).encode("utf-8"), _QUICK)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packed) and (self._kind, self._text) == (other._kind, other._text)

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Packed({self._kind.__name__}, {len(self._text):,} bytes)"

    def unpacked(self) -> M:
        """The model; the same object as long as it is among those that were asked for last."""
        found: M = _unpacked(self)
        return found

    def read(self) -> M:
        """The model, made anew."""
        return self._kind.model_validate_json(zlib.decompress(self._text))


@lru_cache(maxsize=_UNPACKED)
def _unpacked(packed: Packed[Any]) -> Any:
    return packed.read()


def forget() -> None:
    """Let go of all that is unpacked."""
    _unpacked.cache_clear()


class PackedField:
    """A field of a model, whose value is unpacked where it is kept packed. It wins over the instance's dictionary."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, record: BaseModel | None, owner: type | None = None) -> Any:
        """The value. Raises AttributeError on the class, as a field does."""
        if record is None:
            raise AttributeError(self._name)
        value = vars(record)[self._name]
        return value.unpacked() if type(value) is Packed else value

    def __set__(self, record: BaseModel, value: Any) -> None:
        """Raises AttributeError: records do not change."""
        raise AttributeError(f"{self._name} of a record does not change")
