"""Thumbprints as people paste them."""

from __future__ import annotations

import pytest

from pytest_tentacle.judging.thumbprints import as_thumbprint, fault_in

GOOD = "0123456789ABCDEF0123456789ABCDEF01234567"


class TestFault:
    """What keeps a text from being a thumbprint is called by name."""

    @pytest.mark.parametrize("text", [GOOD, GOOD.lower()])
    def test_forty_digits_of_either_case_are_well(self, text: str) -> None:
        """Case is another question."""
        assert fault_in(text) is None

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("\u200e" + GOOD, "LEFT-TO-RIGHT MARK (U+200E)"),
            (GOOD[:2] + " " + GOOD[2:], "SPACE (U+0020)"),
            (GOOD + "\t", "TAB (U+0009)"),
            ("\ufeff" + GOOD, "ZERO WIDTH NO-BREAK SPACE (U+FEFF)"),
            ("O" + GOOD[1:], "LATIN CAPITAL LETTER O (U+004F)"),
            (":".join((GOOD[:20], GOOD[20:])), "COLON (U+003A)"),
            (GOOD[1:], "39 digits"),
            ("", "empty"),
            (None, "empty"),
        ],
    )
    def test_faults(self, text: str | None, fault: str) -> None:
        """By Unicode name and number, or by length."""
        assert fault in str(fault_in(text))


class TestMeaning:
    """What a text means is compared, so that one fault gives one problem."""

    @pytest.mark.parametrize("text", [GOOD, GOOD.lower(), "\u200e" + GOOD, " ".join((GOOD[:4], GOOD[4:]))])
    def test_without_what_is_no_digit(self, text: str) -> None:
        """Upper case and digits alone."""
        assert as_thumbprint(text) == GOOD

    @pytest.mark.parametrize("text", [None, "", GOOD[1:], GOOD + "A"])
    def test_nothing_without_forty_digits(self, text: str | None) -> None:
        """Then nobody can tell which one is meant."""
        assert as_thumbprint(text) is None
