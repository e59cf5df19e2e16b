"""Codes that were given another number, once: files and notes from before still name the old ones."""

from __future__ import annotations

import json
from pathlib import Path


def renumbered() -> dict[str, str]:
    """By a code from before the numbers were made once and for all, the one of today."""
    package = Path(__file__).parent.parent
    for file in (package / "renumbered.json", package.parent.parent / "docs" / "renumbered.json"):
        if file.is_file():
            codes: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
            return codes
    return {}
