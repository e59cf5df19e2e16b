"""What the tests of the inventory share: writing a file and loading it."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.inventory import InventoryError, load
from pytest_tentacle.inventory.model import Inventory


class Files:
    """Inventory files in a folder of the test's own; faults are told with the file's bare name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text: str | bytes, name: str = "prod.yaml") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).lstrip("\n").encode())
        return path

    def load(self, text: str | bytes, **environment: str) -> Inventory:
        return load([self.write(text)], environment)

    def error(self, *texts: str | bytes, environment: Mapping[str, str] | None = None) -> InventoryError:
        """What loading these files raises; the second and later ones are called b.yaml, c.yaml, ..."""
        names = ["prod.yaml", *(f"{letter}.yaml" for letter in "bcdef")]
        paths = [self.write(text, name) for text, name in zip(texts, names, strict=False)]
        with pytest.raises(InventoryError) as caught:
            load(paths, environment or {})
        return caught.value

    def faults(self, *texts: str | bytes, environment: Mapping[str, str] | None = None) -> list[str]:
        """The faults' lines, with paths cut to the file's name."""
        error = self.error(*texts, environment=environment)
        prefix = f"{self.folder}{os.sep}"
        return [str(fault).replace(prefix, "") for fault in error.faults]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def without_module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes importing a module fail as if it were not installed."""

    def hide(name: str) -> None:
        modules: dict[str, Any] = sys.modules
        monkeypatch.setitem(modules, name, None)

    return hide
