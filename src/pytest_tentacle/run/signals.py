"""Signals, and a terminal that goes away: the run ends with its report, and with the exit code that was asked for.

SIGTERM and SIGHUP (a cancelled job, a closed terminal) end a run as Ctrl-C does. Who presses Ctrl-C again because it
is not over yet does not lose the report; who still does so after `PATIENCE_SECONDS` is let go, without a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

PATIENCE_SECONDS = 5.0
"""So long after the first signal others change nothing."""

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Signals:
    """What ends this run from outside, while it is installed; of the main thread, which gets all signals."""

    def __init__(self) -> None:
        self.first: int | None = None
        """The signal that ends the run; None: none came."""
        self._since = 0.0
        self._finishing = False
        self._before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int | None:
        """128 and the signal's number, as a shell tells it; None for Ctrl-C, which has pytest's own, and for none."""
        return None if self.first in (None, signal.SIGINT) else 128 + int(self.first or 0)

    def install(self) -> None:
        """From now on. What the caller ignores (`nohup`) stays ignored."""
        if threading.current_thread() is not threading.main_thread() or self._before:
            return
        for number in _ENDING:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._arrived)

    def finishing(self) -> None:
        """The report is being written: from now on a first signal waits for it, too."""
        self._finishing = True

    def remove(self) -> None:
        """As it was before; but whoever ended a run may press again, and finds the command on its way out already.

        Python gives back what it handles before it has quite ended, and the next signal would take the exit code away.
        """
        is_over = self.first is not None and _is_a_command()
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_IGN if is_over else before)
        self._before.clear()

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first, self._since = number, now
            if not self._finishing:
                raise KeyboardInterrupt
        elif now - self._since > PATIENCE_SECONDS:
            os.write(2, b"\npytest-tentacle: told to end once more, before the report was whole\n")
            os._exit(128 + number)


def _is_a_command() -> bool:
    """Whether the process is pytest's command, and ends with the run: a program may go on behind `pytest.main`."""
    called = Path(sys.argv[0])
    return (called.parent.name if called.stem == "__main__" else called.stem) in {"pytest", "py.test"}


class Undying:
    """A terminal's stream that goes silent when its reader has gone or its disk is full, and lets the run end well."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or do as if. A line is shown as soon as it is whole: whoever waits reads it in a pipe, too."""
        if not self._gone:
            try:
                self._stream.write(text)
                if text.endswith("\n"):
                    self._stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush, or do as if."""
        if not self._gone:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """What is in the stream's buffer must not raise again when Python flushes it in the end."""
        if isinstance(error, UnicodeError):  # a letter that the terminal lacks is no reader that is gone
            raise error
        self._gone = True
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            self._stream.flush()  # at once: pytest's capture may put the old file back
        except (OSError, ValueError):  # a stream without a file, or a closed one
            sys.stdout = sys.stderr if self._stream is sys.stdout else sys.stdout
