"""The manual: a page for each code that a report names, made from the registries."""

from __future__ import annotations

import re

from pytest_tentacle.guide.renumbered import renumbered
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


__all__ = ["page", "pages", "renumbered"]
