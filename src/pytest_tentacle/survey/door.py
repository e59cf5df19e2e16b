"""The one door: what a machine said is let in only if it is proven able to travel on, to every file and view.

Behind it nothing has to be asked again: each text is Unicode, each number finite, each time has a zone, what is packed
has been unpacked once, nothing is larger than `limits` says, and what is written is read back equal. What does not
pass is told as that machine's unknown, with the place and the reason, and never with the value.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sized
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from pytest_tentacle.files import is_unicode

from . import limits
from .answer import AnswerError
from .configuration import effective_settings, trusted_servers
from .model import Survey

M = TypeVar("M", bound=BaseModel)

_ADVICE = (
    "No honest survey holds that: see what answers there in the machine's place, or what on it rewrites the output."
)
_EVERY = 64
"""After so many values the clock is looked at again."""


class Budget:
    """What reading one answer may take: seconds of this thread's CPU, so that a busy controller changes no verdict.

    Args:
        seconds: of CPU, from now on.
        broken_off: whether the run is being ended, and nobody waits for the answer any more.
    """

    def __init__(self, seconds: float = math.inf, broken_off: Callable[[], bool] = lambda: False) -> None:
        self.seconds = seconds
        self._broken_off = broken_off
        self._start = time.thread_time()

    @classmethod
    def of(cls, machine_seconds: float, broken_off: Callable[[], bool] = lambda: False) -> Budget:
        """The share of a machine's whole budget that reading its answer has."""
        return cls(max(limits.READING_SECONDS, machine_seconds * limits.READING_SHARE), broken_off)

    def check(self) -> None:
        """Raises AnswerError where the budget is used up, or where the run is being ended."""
        if self._broken_off():
            raise AnswerError("the run was ended while the machine's answer was read", "Run again.")
        if time.thread_time() - self._start > self.seconds:
            raise AnswerError(
                f"reading the machine's answer took more than {self.seconds:g} s of computing time, and was ended",
                "An honest answer takes a tenth of that. --machine-timeout gives a larger one longer: a twentieth of "
                "it is for reading.",
            )


def let_in(survey: Survey, budget: Budget) -> Survey:
    """The survey, proven able to travel on. Raises AnswerError."""
    prove(survey, budget)
    environments = {
        (service.product, (service.instance or "").lower()): service.environment
        for service in survey.services.data or ()
    }
    for instance in survey.instances.data or ():
        budget.check()
        variables = environments.get((instance.product, instance.name.lower()), {})
        _prove_trust(effective_settings(instance.configuration.settings, variables))
    return survey


def prove(value: M, budget: Budget, *, reread: bool = True) -> M:
    """Any model of ours, proven able to travel on. Raises AnswerError.

    Args:
        value: the model.
        budget: what it may take.
        reread: also write it and read it back; needless for what was just read.
    """
    _Walk(budget).prove(value, None)
    budget.check()
    if reread:
        _prove_by_writing(value, budget)
    return value


def _prove_by_writing(value: BaseModel, budget: Budget) -> None:
    try:
        text = value.model_dump_json(exclude_none=True)
    except (PydanticSerializationError, ValueError):
        raise refused("", "it cannot be written down") from None
    if len(text) > limits.RECORD_BYTES:
        raise refused("", f"it is larger than {limits.RECORD_BYTES:,} bytes")
    budget.check()
    try:
        again = type(value).model_validate_json(text)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise refused(place, "what is written of it cannot be read again") from None
    if again != value:
        raise refused("", "what is written of it is not what is read again")


def refused(place: str, why: str) -> AnswerError:
    """The error for what is not let in; `place` is a path of field names and numbers, empty for all of it."""
    at = f" (at {place})" if place else ""
    return AnswerError(f"the machine's answer is no survey that can be used: {why}{at}", _ADVICE)


_Place: TypeAlias = "tuple[_Place, object] | None"
"""Where a value stands: what holds it, and its field, number or kind there. Spelt out only where it is told."""


class _Walk:
    """The way through every value of a model; a file of a large fleet has millions, so each costs little."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._seen = 0

    def prove(self, value: Any, place: _Place) -> None:
        """Raises AnswerError for the first value that cannot travel on."""
        if self._seen % _EVERY == 0:
            self._budget.check()
        self._seen += 1
        if value is None or (type(value) is str and value.isascii() and len(value) <= limits.TEXT):
            return
        if isinstance(value, (BaseModel, tuple, list, dict)):
            self._prove_members(value, place)
        elif why := _fault(value, place):
            raise refused(_spelt(place), why)

    def _prove_members(self, value: BaseModel | tuple[Any, ...] | list[Any] | dict[Any, Any], place: _Place) -> None:
        match value:
            case BaseModel():
                for field, member in value:
                    self.prove(member, (place, field))
            case tuple() | list():
                _require_few(value, place)
                for number, member in enumerate(value):
                    self.prove(member, (place, number))
            case dict():
                _require_few(value, place)
                for key, member in value.items():
                    self.prove(key, (place, _NAME))
                    self.prove(member, (place, _VALUE))


_NAME, _VALUE = " (a name)", " (a value)"
"""What of a map's entry is meant: its own name may be the machine's words, and is not told."""


def _spelt(place: _Place) -> str:
    """A path of field names and numbers."""
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append(str(part) if part in (_NAME, _VALUE) else f".{part}")
    return "".join(reversed(parts)).removeprefix(".")


def _require_few(entries: Sized, place: _Place) -> None:
    """Raises AnswerError for a list or map with too many entries. A section's list is called `connections.data`."""
    if len(entries) <= limits.ENTRIES:
        return
    spelt = _spelt(place)
    if len(entries) > limits.MORE_ENTRIES.get(spelt.removesuffix(".data").rpartition(".")[2], limits.ENTRIES):
        raise refused(spelt, f"{len(entries):,} entries are more than any honest machine has")


def _fault(value: Any, place: _Place) -> str | None:
    """What is wrong with a single value by itself."""
    match value:
        case str():
            return _text_fault(value, place)
        case bool():
            return None
        case int() if abs(value) >= limits.NUMBER:
            return "a number is too large for anything on a machine"
        case float() if not math.isfinite(value) or abs(value) >= limits.NUMBER:
            return "a number is none, or too large for anything on a machine"
        case datetime():
            return _time_fault(value)
    return None


def _time_fault(time: datetime) -> str | None:
    if time.tzinfo is None:
        return "a time has no zone"
    try:
        time.astimezone(UTC)
    except OverflowError:
        return "a time lies at the end of the calendar, where no clock is"
    return None


def _text_fault(text: str, place: _Place) -> str | None:
    if not is_unicode(text):
        return "a text is no Unicode: half of a surrogate pair stands alone in it"
    if len(text) <= limits.TEXT:
        return None
    words = _spelt(place).replace(" ", ".").split(".")
    longest = max((limits.MORE_TEXT[part] for part in words if part in limits.MORE_TEXT), default=limits.TEXT)
    return f"a text is longer than {longest:,} characters" if len(text) > longest else None


def _prove_trust(settings: dict[str, str]) -> None:
    """Raises AnswerError for a list of trusted servers that is longer than any; one that is no list is judged later."""
    try:
        trusted = trusted_servers(settings)
    except ValueError:
        return
    if len(trusted) > limits.TRUSTED_SERVERS:
        raise refused("TrustedOctopusServers", f"{len(trusted):,} entries are more than any honest machine has")
