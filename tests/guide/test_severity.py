"""What each problem costs."""

from __future__ import annotations

import pytest

from pytest_tentacle.guide import severity
from pytest_tentacle.guide.severity import Severity, severity_of, worst
from pytest_tentacle.sections.catalogue import CATALOGUE


class TestTable:
    """The lists of codes."""

    def test_each_code_is_in_one_list_and_in_the_catalogue(self) -> None:
        lists = (severity._DEGRADED, severity._WILL_FAIL, severity._HYGIENE)
        listed = [code for codes in lists for code in codes]
        assert len(listed) == len(set(listed))
        assert set(listed) - set(CATALOGUE) == set()

    @pytest.mark.parametrize(
        ("code", "expected"),
        [("TT202", "outage"), ("TT521", "outage"), ("TT811", "degraded"), ("TT205", "will-fail"), ("TT403", "hygiene")],
    )
    def test_some(self, code: str, expected: str) -> None:
        """What stops work, what slows it, what the next reboot stops, and what is only untidy."""
        assert severity_of(code) == expected
        assert CATALOGUE[code].severity is severity_of(code)

    def test_what_hangs_on_its_link_is_in_the_catalogue(self) -> None:
        assert severity.OF_ONE_LINK - set(CATALOGUE) == set()
        assert all(severity_of(code) in (Severity.OUTAGE, Severity.DEGRADED) for code in severity.OF_ONE_LINK)

    def test_what_nobody_listed_is_an_outage(self) -> None:
        assert severity_of("TT999") is Severity.OUTAGE

    def test_the_worst_of_several(self) -> None:
        assert worst([severity_of("TT205"), severity_of("TT811")]) is Severity.DEGRADED
        assert [each.value for each in sorted(Severity, key=lambda each: -each.weight)] == [
            "outage", "degraded", "will-fail", "hygiene",
        ]  # fmt: skip
