"""The page of a report outside of pytest-html, and who may read it, for tests that open it in a browser."""

from __future__ import annotations

from typing import Any


def document(summary: str) -> str:
    """A whole document around what the report adds to pytest-html's."""
    return f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>t</title></head><body><h1>t</h1>{summary}</body></html>'


def hard_to_read(page: Any) -> list[str]:
    """What axe finds serious or critical in a page. Of what is well it lists no elements: thousands, two thirds of its time."""
    from axe_core_python.sync_playwright import Axe

    violations = Axe().run(page, options={"resultTypes": ["violations"]})["violations"]
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:200]}"
        for found in violations
        if found["impact"] in ("serious", "critical")
    ]
