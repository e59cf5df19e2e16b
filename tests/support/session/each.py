"""One test over many things of a kind, which names all that are wrong and not only the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def wrong_with(things: Iterable[Any], look: Callable[[Any], None]) -> dict[str, str]:
    """What `look` asserts and does not find, by each thing's code (or the thing itself where it has none)."""
    found = {}
    count = 0
    for count, thing in enumerate(things, 1):  # noqa: B007  counted, so that nothing is not taken for all right
        try:
            look(thing)
        except AssertionError as error:
            found[str(getattr(thing, "code", thing))] = str(error)
    assert count, "there is nothing to look at"
    return found
