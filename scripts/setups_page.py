"""The lists in `docs/set-ups.md`, made from the tests: what is healthy, each version's words, and what people reported.

python3 scripts/dev.py docs
"""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
PAGE = TOP / "docs" / "set-ups.md"
BEGIN = "<!-- what follows is written by dev.py docs -->"


def page(text: str) -> str:
    """The page, with its written part as it is and its lists made anew."""
    return text.partition(BEGIN)[0].rstrip() + f"\n\n{BEGIN}\n\n" + "\n".join(_lists()) + "\n"


def _of_the_tests(name: str) -> Any:
    tests = str(TOP / "tests")
    if tests not in sys.path:
        sys.path.insert(0, tests)
    return importlib.import_module(f"support.{name}")


def _lists() -> list[str]:
    return [*_setups(), "", *_eras(), "", *_reports()]


def _setups() -> list[str]:
    setups = _of_the_tests("setups")
    lines = [
        f"## All {len(setups.SETUPS)} healthy set-ups",
        "",
        f"With each two that go together, these are {sum(1 for _ in setups.trials()):,} trials: the tests make all.",
        "",
        "| set-up | what it is | modes | systems | told all the same |",
        "|---|---|---|---|---|",
    ]
    for each in setups.SETUPS:
        what = " ".join((each.change.__doc__ or "").split("\n\n")[0].split())
        told = " ".join(sorted(each.told))
        words = each.name.replace("_", " ")
        lines.append(f"| {words} | {_cell(what)} | {_all(each.modes)} | {_all(each.systems)} | {told} |")
    return lines


def _all(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _eras() -> list[str]:
    rows: defaultdict[str, list[Any]] = defaultdict(list)
    for row in _of_the_tests("fleets.eras").ROWS:
        rows[row.meaning].append(row)
    lines = ["## What logs mean, by version", "", "| meaning | versions of Tentacle, each in its own words | levels |"]
    lines.append("|---|---|---|")
    for meaning, wordings in rows.items():
        versions = "; ".join(dict.fromkeys(row.versions for row in wordings))
        levels = ", ".join(dict.fromkeys(row.level for row in wordings))
        lines.append(f"| {_cell(meaning)} | {_cell(versions)} | {levels} |")
    return lines


def _reports() -> list[str]:
    lines = ["## Reported problems that are answered rightly", "", "| what | source |", "|---|---|"]
    for case in _of_the_tests("replaying").cases():
        source = case.document.get("source", "of the same kind")
        lines.append(f"| {_cell(case.document['what'])} | {_cell(str(source))} |")
    return lines


def main() -> int:
    """Write the page anew; say whether it changed."""
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if new != old:
        PAGE.write_text(new, encoding="utf-8", newline="\n")
        print(f"wrote {PAGE.relative_to(TOP)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
