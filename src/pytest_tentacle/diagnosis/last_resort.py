"""What the guide leaves where no cause is found: a restart, then a clean slate. Advised only there."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tentacle.guide import commands as guide
from pytest_tentacle.judging.finding import Evidence

from .view import View

_FIRST = f"No cause is known for this. As a last resort: {guide.RESTART.lower()}:"
_THEN = f"If that does not help, {guide.CLEAN_SLATE}:"

WINDOWS = (_FIRST, guide.RESTART_WINDOWS, _THEN, *guide.CLEAN_WINDOWS)
LINUX = (_FIRST, guide.RESTART_LINUX, _THEN, *guide.CLEAN_LINUX)


def left_overs(views: Iterable[View]) -> tuple[Evidence, ...]:
    """What earlier installations left behind on these machines, as far as their surveys tell."""
    return tuple(
        Evidence(f"left-overs on {view.name}", f"{found.kind}: {found.where}")
        for view in views
        if view.survey is not None
        for found in view.survey.left_overs.data or ()
    )
