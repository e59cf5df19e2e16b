"""Progress of the survey: one line that is rewritten on a terminal, plain lines now and then elsewhere."""

from __future__ import annotations

import time
from shutil import get_terminal_size

import pytest

PLAIN_SECONDS = 10.0
NAMED = 3
"""How many of the hosts that are waited for are named, those that take longest."""


class TerminalProgress:
    """Tells pytest's terminal reporter how far the survey is."""

    def __init__(self, reporter: pytest.TerminalReporter | None, names: dict[str, str]) -> None:
        self._reporter = reporter
        self._names = names
        self._live = reporter is not None and reporter.isatty
        self._last = time.monotonic()
        self._shown = False

    def update(self, what: str, done: int, total: int, waiting: list[tuple[str, float]]) -> None:
        """Rewrite the line, or write one every ten seconds; the hosts that take longest are named."""
        if self._reporter is None:
            return
        now = time.monotonic()
        if not self._live and now - self._last < PLAIN_SECONDS:
            return
        self._last = now
        line = f"{what}: {done} of {total}"
        if waiting:
            line += ", waiting for " + ", ".join(
                f"{self._names.get(key, key)} ({seconds:.0f} s)" for key, seconds in waiting[:NAMED]
            )
            if len(waiting) > NAMED:
                line += f" and {len(waiting) - NAMED} more"
        if self._live:
            self._reporter.rewrite(line[: self._width()], erase=True)
            self._shown = True
        else:
            self._reporter.write_line(line)

    def _width(self) -> int:
        """What fits into a line of the terminal as wide as it is now."""
        return max(1, get_terminal_size().columns - 1)

    def finish(self, what: str, total: int, seconds: float) -> None:
        """One line for the round."""
        if self._reporter is None:
            return
        if self._shown:
            self._reporter.rewrite("", erase=True)
            self._reporter.rewrite("")  # back to the first column
            self._shown = False
        hosts = "host" if total == 1 else "hosts"
        self._reporter.write_line(f"{what}: {total} {hosts} in {seconds:.1f} s")
