"""Every important message is known in the words, at the level and in the layout of each of its versions."""

from datetime import UTC, datetime

import pytest

from pytest_tentacle.logs.model import LogFile, LogRecord
from pytest_tentacle.logs.signatures import BY_ID
from pytest_tentacle.sections.identify.index import role_of
from support.fleets.eras import FRAMES, HARMLESS, LISTENERS, NAMED, PID, REFUSED, ROWS, THREAD, UNEXPECTED, A, B, P, Row
from support.logs import read_log

CASES = [pytest.param(row, layout, id=f"{row.meaning}, {row.versions}, {layout}") for row in ROWS for layout in row.layouts]  # fmt: skip


def read(row: Row, layout: str) -> LogFile:
    text = FRAMES[layout].format(level=row.level, text=row.text)
    return read_log(text.encode(), product="tentacle", instance="Tentacle", path="x", modified_utc=datetime.now(UTC))


def only(row: Row, layout: str) -> LogRecord:
    (record,) = read(row, layout).records
    return record


@pytest.mark.parametrize(("row", "layout"), CASES)
def test_a_meaning_is_known_in_the_words_of_each_era(row: Row, layout: str) -> None:
    assert only(row, layout).signature == row.meaning


@pytest.mark.parametrize(("row", "layout"), CASES)
def test_a_visitor_is_nobodys_failure(row: Row, layout: str) -> None:
    record = only(row, layout)
    signature = BY_ID[record.signature or ""]
    assert (signature.code is None) is (row.meaning in HARMLESS)
    if row.meaning in LISTENERS:
        assert role_of(signature, record) == "listener"


@pytest.mark.parametrize("layout", [THREAD, PID])
@pytest.mark.parametrize("level", ["INFO", "ERROR"])
def test_the_thumbprints_are_told_with_and_without_a_subject(layout: str, level: str) -> None:
    for text, subject in ((UNEXPECTED, None), (NAMED, "CN=Octopus Portal")):
        facts = only(Row("", "", level, f"{P}{text}", (layout,)), layout).facts
        assert (facts["expected"], facts["actual"], facts.get("subject")) == (A, B, subject)


def test_what_others_write_as_information_is_no_error() -> None:
    """Only Halibut told its errors as information."""
    for text in (f"A script said: {REFUSED}", "Checked: Connection refused is handled", f"Note: {NAMED}"):
        assert read(Row("", "", "INFO", text, (PID,)), PID).records == ()
