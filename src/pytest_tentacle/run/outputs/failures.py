"""What could not be shown or written: each view is made on its own, one that fails says so, and the others stand."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_PACKAGE = str(Path(__file__).parent.parent.parent)


class Failures:
    """What could not be made or written, by what it is: each is told, and makes the exit code 1."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether anything failed."""
        return bool(self._told)

    def __iter__(self) -> Iterator[str]:
        """One sentence for each."""
        return iter(self._told.values())

    def attempt(self, what: str, make: Callable[..., T], *arguments: Any) -> T | None:
        """What `make` gives; None where it fails, which is noted. What failed before and works now is forgotten."""
        self._told.pop(what, None)
        try:
            return make(*arguments)
        except Exception as error:  # noqa: BLE001  whatever one view raises, the others are written
            self.note(what, error)
            return None

    def note(self, what: str, error: BaseException) -> None:
        """Note a failure. A fault of ours is told with its place, and without its words: they may quote a machine."""
        if isinstance(error, OSError):
            self._told[what] = f"{what} could not be written: {error.strerror or type(error).__name__}"
        elif isinstance(error, MemoryError):
            self._told[what] = f"{what} could not be written: this machine has not enough memory for it"
        else:
            self._told[what] = (
                f"{what} could not be made: {type(error).__name__} at {_place(error)}. This is a fault of "
                "pytest-tentacle: please report it, with the bundle."
            )


def _place(error: BaseException) -> str:
    """The last place of ours that an exception came by."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_PACKAGE)]
    last = (ours or frames)[-1] if frames else None
    return f"{Path(last.filename).name}:{last.lineno}" if last else "an unknown place"
