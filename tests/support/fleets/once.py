"""Records of machines that are made of the same: one for all fleets, since they never change."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from pytest_tentacle.survey.model import HostRecord

from .world import Draft


class _Content:
    """What a record is made of, as a key, and how it is made. What stands in the key by its identity is held."""

    def __init__(self, key: object, held: list[Any], make: Callable[[], HostRecord]) -> None:
        self._key, self._held, self.make = key, held, make

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self._key == other._key


def record_once(made_of: object, make: Callable[[], HostRecord]) -> HostRecord:
    """The record that was made of the same before, else a new one."""
    held: list[Any] = []
    return _made(_Content(_content(made_of, held), held, make))


@lru_cache(maxsize=256)
def _made(content: _Content) -> HostRecord:
    return content.make()


def _content(value: Any, held: list[Any]) -> object:
    """A value as a part of a key: 1 is neither 1.0 nor True. Models never change: the same one is equal to itself."""
    kind = type(value)
    if kind is str or value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return tuple([(key, _content(each, held)) for key, each in value.items()])
    if isinstance(value, (list, tuple)):
        return (kind, *[each if type(each) is str else _content(each, held) for each in value])
    if isinstance(value, Draft):
        return _content(vars(value), held)
    if isinstance(value, BaseModel):
        held.append(value)
        return id(value)
    return (kind, value)
