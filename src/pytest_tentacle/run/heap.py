"""What stays for the whole run is not looked through again and again by Python's cyclic garbage collector.

Surveys and tests of a thousand machines are millions of objects that nobody gives up before the end, and each full
collection visits all of them: a quarter of a run's CPU.
"""

from __future__ import annotations

import gc

_SELDOM = (20_000, 20, 100)
"""Objects made between two looks at the youngest; what is left in cycles is a failed test's traceback, now and then."""


class Heap:
    """The garbage collector's view of this process, as it was found, and given back so."""

    def __init__(self) -> None:
        self._found = gc.get_threshold()
        self._frozen = False
        self._was_frozen = bool(gc.get_freeze_count())
        if self._found[0]:  # whoever switched it off meant it
            gc.set_threshold(*_SELDOM)

    def settle(self, *, tidied: bool = False) -> None:
        """What there is now stays until `release`; with `tidied`, what ended in cycles goes first: a session, say."""
        if tidied and self._found[0]:
            gc.collect()
        self._frozen = True
        gc.freeze()

    def release(self) -> None:
        """From now on all of it may be collected.

        Where something was frozen before, Python cannot tell ours from it, and all stays: a process forked from one
        that has frozen what they share would visit, and so copy, all of that.
        """
        gc.set_threshold(*self._found)
        if self._frozen and not self._was_frozen:
            gc.unfreeze()
        self._frozen = False
