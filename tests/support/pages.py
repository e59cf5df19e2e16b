"""The page of a report outside of pytest-html, for tests that open it in a browser."""

from __future__ import annotations


def document(summary: str) -> str:
    """A whole document around what the report adds to pytest-html's."""
    return f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>t</title></head><body><h1>t</h1>{summary}</body></html>'
