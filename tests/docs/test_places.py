"""How many places CONTRIBUTING.md names for what people add, counted where words in the sources can tell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_tentacle.sections import STEPS
from pytest_tentacle.survey.model import Survey

FACTS = ("reservations", "own_names", "proxy_connects", "left_overs", "routes")
"""Those whose names are no words that stand elsewhere, too."""


@pytest.fixture(scope="module")
def sources(top: Path) -> dict[str, str]:
    """The product's files and the guide's tests, by their path."""
    found = (path for folder in ("src/pytest_tentacle", "tests_infra") for path in (top / folder).rglob("*.*"))
    return {
        path.relative_to(top).as_posix(): path.read_text(encoding="utf-8")
        for path in found
        if path.suffix in {".py", ".sh", ".ps1"}
    }


def test_a_check_is_named_in_three_files(sources: dict[str, str]) -> None:
    """Its own, the table of steps, the guide's body. Its problem, its fault and the lab's line have but its code.

    What a check is, `judging/check.py` says by an example.
    """
    told = {}
    words = {path: set(re.findall(r"\w+", text)) for path, text in sources.items()}
    for check in (check for step in STEPS for check in step.checks):
        section, _, name = check.name.partition(".")
        named = (path for path, found in words.items() if name in found)
        told[check.name] = sorted(path for path in named if not path.endswith("/judging/check.py"))
        folder = f"src/pytest_tentacle/sections/{section}/"
        table, body = "src/pytest_tentacle/sections/__init__.py", "tests_infra/"
        if [path for path in told[check.name] if path == table or path.startswith((folder, body))] == told[check.name]:
            assert len(told.pop(check.name)) == 3
    assert told == {}


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_is_wired_in_seven_files(sources: dict[str, str], fact: str) -> None:
    """Field, each system's reader and list, Windows' list of parts; at most one more that waits for it.

    Its shape has a name of its own, and the lab answers by commands: they are counted in CONTRIBUTING.md alone.
    """
    assert fact in Survey.model_fields
    wired = [
        path
        for path, text in sources.items()
        if path.startswith("src/pytest_tentacle/survey/") and re.search(rf"\b(?:section_)?{fact}\b", text)
    ]
    assert "src/pytest_tentacle/survey/model.py" in wired
    assert len(wired) <= 7
