"""What stays for the whole run is not looked through again and again by Python's cyclic garbage collector.

Surveys and tests of a thousand machines are millions of objects that nobody gives up before the end, and each full
collection visits all of them: a quarter of a run's CPU.
"""

from __future__ import annotations

import gc


class Heap:
    """The garbage collector's view of this process, as it was found, and given back so."""

    def __init__(self) -> None:
        self._frozen = False

    def settle(self) -> None:
        """What there is now stays until `release`."""
        self._frozen = True
        gc.freeze()

    def release(self) -> None:
        """From now on all of it may be collected."""
        if self._frozen:
            self._frozen = False
            gc.unfreeze()
