"""The manual's site: it can be built, and none of its links leads nowhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_tentacle.manual.pages import pages

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the site is made of, with the generated pages, which are not committed."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(TOP / "docs", folder / "docs", ignore=shutil.ignore_patterns("problems", "causes"))
    shutil.copy(TOP / "mkdocs.yml", folder)
    (folder / "scripts").mkdir()
    shutil.copy(TOP / "scripts" / "manual_links.py", folder / "scripts")
    for name, text in pages().items():
        page = folder / "docs" / name
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")
    return folder


def build(source: Path) -> subprocess.CompletedProcess[str]:
    """As `dev.py docs` does; strict, so that a warning is an error."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=source, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_it_is_built_and_links_lead_somewhere(source: Path) -> None:
    """Pages of codes begin with what to do; their links stay within the site."""
    done = build(source)
    assert done.returncode == 0, done.stderr[-3000:]
    page = (source / "site" / "causes" / "TC2021.html").read_text(encoding="utf-8")
    assert page.index("What to do on Windows") < page.index("How sure") < page.index("Problems that it explains")
    assert (source / "site" / "ci.html").is_file()
    outside = re.compile(r'href="(?:\.\./)+(?:src|tests|tests_infra|scripts)/')
    found = [
        str(each.name) for each in (source / "site").rglob("*.html") if outside.search(each.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_dead_link_fails(source: Path) -> None:
    """The check can fail."""
    page = source / "docs" / "network.md"
    kept = page.read_text(encoding="utf-8")
    page.write_text(kept + "\n[nowhere](nowhere.md)\n", encoding="utf-8")
    try:
        done = build(source)
    finally:
        page.write_text(kept, encoding="utf-8")
    assert done.returncode != 0
    assert "nowhere.md" in done.stdout + done.stderr
