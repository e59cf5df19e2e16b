"""The page on hostile machines says what the tests say."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def test_the_page_is_written_from_the_tests(top: Path):
    """Whoever adds an attack writes it anew: `python3 scripts/dev.py docs`."""
    spec = importlib.util.spec_from_file_location("scripts_hostility", top / "scripts" / "hostility.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.page()
    assert text == (top / "docs" / "hostility.md").read_text(encoding="utf-8")
    assert text.count("held by") > 80
