"""The catalogue of problems as the report shows it; a code that is not in it, such as a user's, stands for itself."""

from __future__ import annotations

from pytest_tentacle.guide.sections import GUIDE
from pytest_tentacle.sections import step_of
from pytest_tentacle.sections.catalogue import CATALOGUE


def title_of(code: str) -> str:
    """What is wrong, in a few words."""
    return CATALOGUE[code].title if code in CATALOGUE else code


def meaning_of(code: str) -> str:
    """What a problem means and how it usually comes about; empty for a code that is not in the catalogue."""
    return CATALOGUE[code].meaning if code in CATALOGUE else ""


def link_of(code: str) -> str:
    """Where the guide tells more."""
    step = step_of(code)
    return step.section.link if step else GUIDE
