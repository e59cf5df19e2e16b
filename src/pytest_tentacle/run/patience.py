"""Ctrl-C while the report is being written: the first one waits for it, the second one breaks it off."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Patience:
    """Lets the last seconds of a run come to their end: half a report is of no use, and a traceback even less."""

    def __init__(self) -> None:
        self._before: Any = None

    def start(self) -> None:
        """From now on. Signals belong to the main thread; elsewhere, nothing changes."""
        if threading.current_thread() is threading.main_thread() and self._before is None:
            self._before = signal.signal(signal.SIGINT, self._first)

    def end(self) -> None:
        """As it was before."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _first(self, *_: object) -> None:
        self.end()
