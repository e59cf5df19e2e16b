"""The lines of hosts in survey file and bundle, which are written up to four times, and made and cleaned once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from pytest_tentacle.survey import store
from pytest_tentacle.survey.model import HostRecord

_TEXT = "utf-8", "surrogatepass"


class Lines:
    """Keeps clean lines in a file without a name, not in memory; where there is no room for it, each is made anew."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._file: IO[bytes] | None = None
        self._end = 0
        self._places: dict[str, tuple[HostRecord, int, int]] = {}

    def of(self, record: HostRecord) -> str:
        """A host's line, as `store.host_line` makes it."""
        known, start, size = self._places.get(record.host_key, (None, 0, 0))
        if known is record and self._file is not None:
            with suppress(OSError):
                self._file.seek(start)
                found = self._file.read(size)
                if len(found) == size:
                    return found.decode(*_TEXT)
        line = store.host_line(record, self._clean)
        with suppress(OSError):
            self._keep(record, line.encode(*_TEXT))
        return line

    def close(self) -> None:
        """Give the file up."""
        self._places.clear()
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _keep(self, record: HostRecord, data: bytes) -> None:
        """Raises OSError where there is no room."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  open as long as the run
            self._end = 0
        self._file.seek(self._end)
        if self._file.write(data) == len(data):
            self._places[record.host_key] = (record, self._end, len(data))
            self._end += len(data)
