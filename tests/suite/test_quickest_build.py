"""`.venv` is made by the build of this version of Python that does the tests' work in clearly less time."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"
UNABLE = {"says nothing": "#!/bin/sh\nexit 1\n", "is no program": "#!/no/such/shell\n"}
QUICK = "#!/bin/sh\necho 0.000001\n"
"""What a build answers that needs next to nothing for the work."""


@pytest.fixture
def dev(top: Path) -> ModuleType:
    """`scripts/dev.py`."""
    spec = importlib.util.spec_from_file_location("dev", top / "scripts" / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another build of the same version, alone on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / NAME
    program.write_text(QUICK, encoding="utf-8")
    program.chmod(0o755)
    return program


def paces(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, other: Path, seconds: float) -> None:
    """Another build's pace; those that there are take 0.010 s each."""
    monkeypatch.setattr(dev, "pace", lambda python: seconds if python == str(other) else 0.010)


def test_a_clearly_quicker_build_is_taken(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, other: Path) -> None:
    paces(dev, monkeypatch, other, 0.007)
    assert dev.quickest_build() == str(other)


@pytest.mark.parametrize("seconds", [0.009, 0.020])
def test_any_other_leaves_the_one_that_was_called(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, other: Path, seconds: float
) -> None:
    paces(dev, monkeypatch, other, seconds)
    assert dev.quickest_build() == sys.executable


@pytest.mark.parametrize("program", UNABLE.values(), ids=UNABLE)
def test_one_that_cannot_make_an_environment_is_not_taken(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, other: Path, program: str
) -> None:
    real = dev.pace
    other.write_text(program, encoding="utf-8")
    monkeypatch.setattr(dev, "pace", lambda python: real(python) if python == str(other) else 0.010)
    assert dev.quickest_build() == sys.executable


def test_where_ours_cannot_make_one_it_stays_ours(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, other: Path
) -> None:
    """So that the user is told of the package that is missing."""
    monkeypatch.setattr(dev, "pace", lambda python: 0.010 if python == str(other) else None)
    assert dev.quickest_build() == sys.executable


def test_the_pace_is_measured(dev: ModuleType, other: Path) -> None:
    assert dev.pace(sys.executable) > 0
    assert dev.pace(str(other)) == pytest.approx(0.000001)
