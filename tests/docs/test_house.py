"""How the house is built: no circle of files, no folder of more rooms than a person overlooks.

Who may import whom between folders is `lint-imports`' (pyproject.toml); this is within them, file by file.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

MOST = 14
FOLDERS = ("src/pytest_tentacle", "tests", "tests_infra", "benchmarks", "scripts")


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """By module, those that it imports when it runs: what stands under TYPE_CHECKING is for readers and mypy."""
    graph = grimp.build_graph("pytest_tentacle", exclude_type_checking_imports=True, cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


class TestImports:
    def test_there_is_no_circle_of_files(self, imports: dict[str, set[str]]) -> None:
        """A package and what is in it count as one step each: importing a module runs its package's `__init__` first."""
        try:
            order = tuple(TopologicalSorter(imports).static_order())
        except CycleError as error:
            pytest.fail(" -> ".join(error.args[1]))
        assert len(order) > 300

    def test_a_circle_is_found(self, imports: dict[str, set[str]]) -> None:
        """The look itself works: one import back is enough."""
        one = "pytest_tentacle.judging.check"
        back = imports | {"pytest_tentacle.judging.finding": {*imports["pytest_tentacle.judging.finding"], one}}
        with pytest.raises(CycleError):
            tuple(TopologicalSorter(back).static_order())


class TestFolders:
    def test_none_has_too_many_modules(self, top: Path) -> None:
        folders: dict[str, int] = {}
        for file in _modules(top):
            if file.name not in {"__init__.py", "conftest.py"}:
                name = file.parent.relative_to(top).as_posix()
                folders[name] = folders.get(name, 0) + 1
        assert {name: count for name, count in folders.items() if count > MOST} == {}

    def test_none_is_too_long(self, top: Path) -> None:
        """500 lines are the hard end."""
        long = {
            file.relative_to(top).as_posix(): lines
            for file in _modules(top)
            if (lines := len(file.read_text(encoding="utf-8").splitlines())) > 500
        }
        assert long == {}


def _modules(top: Path) -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((top / folder).rglob("*.py"))]


def names_of(text: str) -> Iterator[str]:
    """What a module gives names to, but for what a decorator hands on, and hooks."""
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name, decorator_list=[]) | ast.ClassDef(name=name, decorator_list=[]):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                pass


def unused(texts: list[str]) -> list[str]:
    """Names that stand nowhere but where they are given."""
    words = Counter(word for text in texts for word in re.findall(r"\w+", text))
    named = (name for text in texts for name in names_of(text) if not name.startswith(("__", "pytest_")))
    return [name for name in named if words[name] == 1]


class TestNames:
    def test_none_of_the_product_is_for_tests_alone(self, top: Path) -> None:
        """What production never reaches goes."""
        paths = [*(top / "src").rglob("*.py"), *(top / "tests_infra").rglob("*.py"), top / "conftest.py"]
        texts = [path.read_text(encoding="utf-8") for path in paths]
        assert unused([*texts, f"_ = {(top / 'pyproject.toml').read_text(encoding='utf-8')!r}"]) == []

    def test_one_is_found(self) -> None:
        assert unused(["USED = 1\nLEFT = USED\n", "def also_left() -> None: ...\n"]) == ["LEFT", "also_left"]
