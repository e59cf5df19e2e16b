"""What the guide leaves where no cause is found: a restart, then a clean slate. Advised only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tentacle.guide.outcome import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .view import View

_WORDS = (
    "No cause is known for this. As a last resort, restart the services at both ends; if that does not help either, "
    "remove the Tentacle with all that it leaves behind, and set it up anew (guide, Uninstall Tentacles):"
)

RESTART_WINDOWS = (_WORDS, '$ Restart-Service -Name "<service>"')
RESTART_LINUX = (_WORDS, '$ sudo systemctl restart "<service>"')


def left_overs(views: Iterable[View]) -> tuple[Evidence, ...]:
    """What earlier installations left behind on these machines, as far as their surveys tell."""
    return tuple(
        Evidence(f"left-overs on {view.name}", f"{found.kind}: {found.where}")
        for view in views
        if view.survey is not None
        for found in view.survey.left_overs.data or ()
    )
