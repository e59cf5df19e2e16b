"""Which tests go to one process of a run with several (`-n`): those of a class, and those that share a lab."""

from __future__ import annotations

from typing import Any

import pytest

ONE_LAB = ("tests/hosts/test_acting.py", "tests/hosts/test_mending.py")
"""A lab of hosts takes as long to come up as its tests: these share one, which each process would build for itself."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """That of `--dist loadscope`, but for the lab; any other as it is."""
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByLab(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return ONE_LAB[0] if nodeid.startswith(ONE_LAB) else str(super()._split_scope(nodeid))

    return ByLab(config, log)
