"""A pytest plugin for CI: a skipped test is a failed one, for nobody would notice what is no longer tested there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Says why it was skipped. An expected failure (xfail) is no skip."""
    report: Any = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"in CI nothing may be skipped: {item.nodeid}: {reason}"
    return report
