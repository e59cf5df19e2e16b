"""The manual's page of set-ups and versions lists just what the tests have."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from support.fleets.eras import ROWS
from support.replaying import cases
from support.setups import SETUPS

TOP = Path(__file__).resolve().parents[2]


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("setups_page", TOP / "scripts" / "setups_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_as_it_would_be_made() -> None:
    """`python3 scripts/dev.py docs` writes it."""
    script = _script()
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.page(text) == text


def test_it_lists_everything() -> None:
    """Each set-up, each meaning and each report has a row of its own."""
    text = _script().PAGE.read_text(encoding="utf-8")
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines()]
    wanted = {each.name.replace("_", " ") for each in SETUPS} | {row.meaning for row in ROWS}
    wanted |= {str(case.document["what"]) for case in cases()}
    assert {each for each in wanted if each.replace("|", "\\|") not in rows} == set()
