"""Faults of Windows machines, by the first thing that a person is told of them; they are in `support/windows_faults/`."""

from __future__ import annotations

import pytest

from support.windows_faults import TRUTHS, Truth, wrongs


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda each: each.id)
def test_the_first_cause_is_the_truth_and_nobody_else_is_accused(truth: Truth) -> None:
    assert wrongs(truth) == [], truth.what
