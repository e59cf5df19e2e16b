"""What a test of one's own may import: the marker of a step, what a check says, and the names to annotate with.

The checks of the guide are named by their section: `from pytest_tentacle.sections import services`. Fixtures come by
themselves (`pytest --inventory FILE --fixtures`).
"""

from __future__ import annotations

import pytest

from pytest_tentacle.judging.check import Check, Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.run.items.collection import MARK
from pytest_tentacle.run.items.machine import Machine
from pytest_tentacle.survey.model import Survey

__all__ = [
    "Blocked",
    "Check",
    "Evidence",
    "Finding",
    "Machine",
    "Problem",
    "Subject",
    "Survey",
    "Unknown",
    "check",
    "step",
]


def step(slug: str) -> pytest.MarkDecorator:
    """Mark a test as a step of the guide, by its slug in `pytest_tentacle.sections.STEPS`."""
    mark: pytest.MarkDecorator = getattr(pytest.mark, MARK)(slug)
    return mark
