"""Log records of a run, cleaned before any handler sees them: `--log-file` and `log_cli` are sinks like the others."""

from __future__ import annotations

import logging
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
