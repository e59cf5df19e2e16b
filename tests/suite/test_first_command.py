"""The README's first command has what the product needs, and nothing of what the tests need: `dev.py lab` installs no more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OF_THE_TESTS = ("hypothesis", "xdist", "playwright", "filelock", "pytest_timeout")
WITHOUT_THEM = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OF_THE_TESTS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""
PLUGINS = ("pytest_metadata.plugin", "pytest_html.plugin", "testinfra.plugin", "pytest_tentacle.plugin")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python in which only the product is installed."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_THEM, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.mark.parametrize("name", OF_THE_TESTS)
def test_is_really_missing(bare: dict[str, str], name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"], env=bare, capture_output=True, text=True, check=False
    )
    assert "ModuleNotFoundError" in done.stderr


def test_collects_the_guide(bare: dict[str, str], top: Path) -> None:
    """From the top of a checkout, where pytest reads the tests' conftest.py before anybody can tell it not to."""
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--inventory", "inventory/lab.yaml", "--collect-only", "-q"],
        cwd=top, env=bare, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "web-01-services-running" in done.stdout
