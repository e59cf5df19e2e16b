"""Log records of a run, cleaned before any handler sees them: `--log-file` and `log_cli` are sinks like the others."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any


class CleanRecords:
    """Makes log records, from whatever library and thread, through a redactor while it is installed."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._before: Callable[..., logging.LogRecord] | None = None

    def install(self) -> None:
        """From now on."""
        self._before = logging.getLogRecordFactory()
        logging.setLogRecordFactory(self._make)

    def remove(self) -> None:
        """As it was before."""
        if self._before is not None:
            logging.setLogRecordFactory(self._before)
            self._before = None

    def _make(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        before = self._before or logging.LogRecord
        record = before(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # arguments that do not fit: logging tells it, with all of them
            message = "a log message whose arguments do not fit it"
        record.msg, record.args = self._clean(message), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = self._clean(logging.Formatter().formatException(record.exc_info))
        return record


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
