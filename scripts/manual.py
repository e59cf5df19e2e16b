"""Write the manual into `docs/problems` and `docs/causes` (not committed), and the report's schema (committed).

    python3 scripts/dev.py docs

A page whose problem or cause is gone is removed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from pytest_tentacle.manual.pages import pages

TOP = Path(__file__).resolve().parent.parent
DOCS = TOP / "docs"


def main() -> int:
    """Write all pages; say what changed."""
    written = pages()
    for page in stale(written):
        page.unlink()
        print(f"removed {page.relative_to(TOP)}")
    for name, text in written.items():
        page = DOCS / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.parent.mkdir(exist_ok=True)
            page.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {page.relative_to(TOP)}")
    return int(import_module("setups_page").main())


def stale(written: Mapping[str, str]) -> list[Path]:
    """Pages that nothing generates any more."""
    present = (page for folder in ("problems", "causes") for page in (DOCS / folder).glob("*.md"))
    return sorted(page for page in present if page.relative_to(DOCS).as_posix() not in written)


if __name__ == "__main__":
    sys.exit(main())
