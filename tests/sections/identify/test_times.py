"""A log is in local time; the file's own time tells the zone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.sections.identify.index import age_of, offset_of, utc_of
from support import NOW

HOUR = timedelta(hours=1)


class TestTimes:
    """A log is in local time; the file's own time tells the zone."""

    def log(self, last: str, modified: datetime | None = NOW) -> LogFile:
        return LogFile(product="tentacle", instance="Tentacle", path="/x", last_time=last, modified_utc=modified)

    @pytest.mark.parametrize(
        ("last", "hours"),
        [
            ("2026-11-22 03:04:05.1", 0),
            ("2026-11-22 04:03:59", 1),
            ("2026-11-22 08:34:05", 5.5),
            ("2026-11-21 19:04:00", -8),
        ],
    )
    def test_the_zone_is_told_by_the_last_line(self, last: str, hours: float) -> None:
        assert offset_of(self.log(last)) == timedelta(hours=hours)

    def test_an_unclear_zone_is_none(self) -> None:
        assert offset_of(self.log("2026-11-22 03:11:35")) is None
        assert offset_of(self.log("2026-11-22 03:04:05", None)) is None
        assert offset_of(self.log("")) is None

    def test_ages_are_by_the_machines_clock_or_at_least_by_the_logs_end(self) -> None:
        local = self.log("2026-11-22 04:04:05")
        assert utc_of(local, "2026-11-22 04:00:05") == NOW - timedelta(minutes=4)
        assert age_of(local, "2026-11-22 04:00:05", NOW + HOUR) == HOUR + timedelta(minutes=4)
        assert age_of(self.log("2026-11-22 04:04:05", None), "2026-11-22 04:00:05", NOW) == timedelta(minutes=4)
