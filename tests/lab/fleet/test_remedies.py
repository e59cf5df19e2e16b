"""What is printed for the lab's machines, carried out on the model of Tentacle's calls: it mends, and breaks nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_tentacle.survey.store import loads
from support.remedies.tried import tried

AT_LEAST = {"real_run": 10, "guide_run": 15, "log_run": 5}
"""Causes of each lab whose remedy the model carries out."""


@pytest.mark.parametrize("run", AT_LEAST)
def test_each_remedy_of_a_lab(run: str, request: pytest.FixtureRequest) -> None:
    """Every cause of every machine, in the very situation that the run met."""
    surveys: Any = request.getfixturevalue(run).surveys
    came = tried([(run, loads(json.dumps(surveys).encode(), run))])
    assert came.wrong == {}
    assert len(came.mended) >= AT_LEAST[run]
