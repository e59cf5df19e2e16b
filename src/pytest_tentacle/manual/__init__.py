"""The manual: a page for each code that a report names, made from the registries."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pytest_tentacle.sections.catalogue import CATALOGUE

from . import pages

_RELATIVE = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
_ESCAPED = re.compile(r"\\([\\`*<|_])")


def page(code: str) -> str | None:
    """One page as Markdown for the screen, without links that lead nowhere there; None for a code that there is not."""
    problem, cause = CATALOGUE.get(code), next((kind for kind in pages.CAUSES if kind.code == code), None)
    if problem is not None:
        text = pages.problem_page(problem, pages.guide_tests())
    elif cause is not None:
        text = pages.cause_page(cause)
    else:
        return None
    lines = _COMMENT.sub("", text).rstrip().split("\n")[:-1]  # the last one leads to the indexes
    return _ESCAPED.sub(r"\1", _RELATIVE.sub(r"\1", "\n".join(lines))).rstrip() + "\n"


def renumbered() -> dict[str, str]:
    """By a code from before the numbers were made once and for all, the one of today."""
    package = Path(__file__).parent.parent
    for file in (package / "renumbered.json", package.parent.parent / "docs" / "renumbered.json"):
        if file.is_file():
            codes: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
            return codes
    return {}
