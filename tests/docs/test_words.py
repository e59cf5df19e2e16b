"""The words that a user reads are those of `docs/words.md`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.diagnosis import CAUSES
from pytest_tentacle.run.options import add_options
from pytest_tentacle.sections.catalogue import KINDS

TOP = Path(__file__).parents[2]


def never() -> tuple[str, ...]:
    """The words of the table's last column."""
    rows = [line.split("|") for line in (TOP / "docs" / "words.md").read_text(encoding="utf-8").splitlines()]
    cells = [row[3] for row in rows if len(row) == 5 and not set(row[1]) <= {"-"}][1:]
    return tuple(word for cell in cells for word in (each.strip() for each in cell.split(",")) if word)


def texts() -> dict[str, str]:
    """By where it stands, what a user reads."""
    found = {}
    for kind in (*KINDS, *CAUSES):
        lines = [str(line) for line in (*kind.windows, *kind.linux) if not str(line).startswith("$ ")]
        found[kind.code] = "\n".join([kind.title, kind.sentence, getattr(kind, "meaning", ""), *lines])
    page = (TOP / "src/pytest_tentacle/report/templates/page.html.j2").read_text(encoding="utf-8")
    found["page"] = re.sub(r"\{[{%].*?[%}]\}|<[^>]*>", " ", page)
    for script in sorted((TOP / "src/pytest_tentacle/report/templates").glob("*.js")):
        found[f"the page's {script.name}"] = script.read_text(encoding="utf-8")
    found["README"] = (TOP / "README.md").read_text(encoding="utf-8").replace("pytest-tentacle mend", "")
    parser = pytest.Parser(_ispytest=True)
    add_options(parser)
    found |= {str(option.names()): str(option.attrs().get("help")) for option in _options(parser)}
    return found


def _options(parser: Any) -> list[Any]:
    return [option for group in parser._groups for option in group.options]


@pytest.mark.parametrize("word", never())
def test_a_word_of_old_stays_out(word: str) -> None:
    """Whole words, in whatever case."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)
    assert [place for place, text in texts().items() if pattern.search(text)] == []


def test_there_is_something_to_read() -> None:
    """The table has its words, and the texts are there."""
    assert len(never()) >= 15
    assert len(texts()) > 300
