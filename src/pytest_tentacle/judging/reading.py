"""Keeps count of what is read while a check runs, also through values that were worked out before and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, cast

from pytest_tentacle.survey.model import Survey

from .finding import Blocked, Unknown

T = TypeVar("T")

Read = tuple[str, str]
"""Name of the machine, and the section of its survey."""


class _Watch:
    """Puts a set on top of a ledger's for as long as it lasts: every step and every kept value has one."""

    __slots__ = ("_watches",)

    def __init__(self, watches: list[set[Read]]) -> None:
        self._watches = watches

    def __enter__(self) -> set[Read]:
        seen: set[Read] = set()
        self._watches.append(seen)
        return seen

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watches.pop()


class Ledger:
    """What was read, by the innermost watch."""

    def __init__(self) -> None:
        self._watches: list[set[Read]] = []

    def watch(self) -> _Watch:
        """Everything read inside; an outer watch does not see it."""
        return _Watch(self._watches)

    def begin(self) -> set[Read]:
        """A watch by hand, until `end`."""
        seen: set[Read] = set()
        self._watches.append(seen)
        return seen

    def end(self) -> None:
        """The innermost watch that was begun by hand is over."""
        self._watches.pop()

    def note(self, reads: Iterable[Read]) -> None:
        """These sections were read."""
        if self._watches:
            self._watches[-1].update(reads)

    def note_one(self, read: Read) -> None:
        """This section was read."""
        if self._watches:
            self._watches[-1].add(read)


class _Owner(Protocol):
    ledger: Ledger
    kept: dict[str, Any]


def kept(owner: _Owner, name: str, work_out: Callable[[], T]) -> T:
    """What is worked out once and kept by that name; whoever asks again has read the same sections.

    Unknown and Blocked are kept and raised again likewise.
    """
    value: Any
    known = owner.kept.get(name)
    if known is None:
        seen = owner.ledger.begin()  # as `watch` does, without three calls: hundreds of times a machine
        try:
            value, error = work_out(), None
        except (Unknown, Blocked) as raised:
            value, error = None, raised
        finally:
            owner.ledger.end()
        known = owner.kept[name] = (value, error, tuple(seen))  # a set of one is four times as large
    value, error, reads = known
    if reads:
        owner.ledger.note(reads)
    if error is not None:
        raise error.with_traceback(None)
    result: T = value  # as a cast, without a call
    return result


class derived(Generic[T]):  # noqa: N801  a decorator, like functools.cached_property
    """A property that is `kept`."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    def __get__(self, owner: _Owner, _: type | None = None) -> T:
        """The value, or the Unknown or Blocked that came instead."""
        known = owner.kept.get(self._name)
        if known is None:
            return kept(owner, self._name, partial(self._work_out, owner))
        value, error, reads = known  # as `kept` does, without a call: a thousand times a machine
        if reads:
            owner.ledger.note(reads)
        if error is not None:
            raise error.with_traceback(None)
        result: T = value
        return result


class _Name(str):
    """A section's name, which the type checker takes for the section."""

    __slots__ = ()


class _Facts:
    """Looks like a survey to the type checker; each section is but its name."""

    def __getattr__(self, name: str) -> _Name:
        """The name of a section. Raises AttributeError where a survey has no such section."""
        if name not in Survey.model_fields:
            raise AttributeError(f"a survey has no section {name}")
        named = vars(self)[name] = _Name(name)  # from now on it is found without asking here
        return named


FACTS = cast("Survey", _Facts())
"""The facts of a survey by name, each with the type of its field: `subject.read(FACTS.own_names)`.

A fact is declared once, as a field of `Survey`; whoever reads it through a `Subject` has it noted in the ledger.
"""
