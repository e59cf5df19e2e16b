"""Writes docs/hostility.md from the tests in tests/hostility: what was tried, what must hold, and which test shows it.

    python scripts/hostility.py

The page says nothing that no test says: an attack is a test's name or case, a promise its docstring.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
TESTS = TOP / "tests"
FOLDER = TESTS / "hostility"
PAGE = TOP / "docs" / "hostility.md"
CASES = {
    "test_one_machine_alone_is_unknown": ("hostility.attacks", "ATTACKS"),
    "test_what_is_let_in_can_be_shown": ("hostility.attacks", "MISLEADING"),
    "test_a_file_that_is_too_large_is_not_read": ("hostility.attacks", "TOO_LARGE"),
    "test_each_look_is_true": ("support.ports", "PORTS"),
}
"""Tests that are made for each entry of a table: its module and name."""

HEAD = """# Hostile machines, files, signals and circumstances

<!-- written by scripts/hostility.py from tests/hostility -->

A machine that is surveyed, a port that is looked at, a file that is replayed and whoever ends the run may be broken or
hostile. Each line is an attack, the promise that holds all the same, and the test that shows it in each run of the
project's tests: the result is *held* for as long as they pass. How much a machine may say at most stands in
`survey/limits.py`, in one place. `python3 scripts/dev.py fuzz` looks for more, and `python benchmarks/doubling.py`
shows that no work grows with the square of what a machine says.
"""


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


def page() -> str:
    """The page's text."""
    parts = [HEAD]
    for path in sorted(FOLDER.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        parts.append(f"\n## {_sentence(ast.get_docstring(tree) or path.stem)}\n")
        parts.append("| attack | promise | result |\n|---|---|---|")
        parts += [f"| {attack} | {promise} | {result} |" for attack, promise, result in _rows(tree, path)]
    return "\n".join(parts) + "\n"


def _rows(tree: ast.Module, path: Path) -> Iterator[tuple[str, str, str]]:
    for group in tree.body:
        if not isinstance(group, ast.ClassDef):
            continue
        for test in group.body:
            if not isinstance(test, ast.FunctionDef) or not test.name.startswith("test_"):
                continue
            promise = _cell(ast.get_docstring(test) or "")
            result = f"held by `{path.stem}::{group.name}::{test.name}`"
            names = [attack.name for attack in _table(*CASES[test.name])] if test.name in CASES else []
            for attack in names or [test.name.removeprefix("test_").replace("_", " ")]:
                yield _cell(attack), promise, result


def _table(module: str, name: str) -> Iterable[Any]:
    for folder in (str(TOP), str(TESTS)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    table: Iterable[Any] = getattr(importlib.import_module(module), name)
    return table


def _sentence(text: str) -> str:
    return " ".join(text.split("\n\n", maxsplit=1)[0].split()).rstrip(".")


def _cell(text: str) -> str:
    return _sentence(text).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main())
