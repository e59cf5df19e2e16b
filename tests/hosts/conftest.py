"""The lab of hosts in which commands are run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.hosts.acting import Place, place


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A lab that is up, for several modules (`support.session.sharing`): each has a folder of its own, `hosts.at(folder)`."""
    with place(tmp_path_factory.mktemp("hosts")) as up:
        yield up
