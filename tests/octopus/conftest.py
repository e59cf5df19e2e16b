from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pytest_tentacle.lab.portal import PortalData, PortalServer
from pytest_tentacle.octopus import Client, Credentials

KEY = "API-ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture
def serve() -> Iterator[Callable[..., PortalServer]]:
    """Starts portals, and holds each to it that nobody asked what must not be asked."""
    started: list[PortalServer] = []

    def start(data: PortalData | None = None, **more) -> PortalServer:
        server = PortalServer(data or PortalData(), api_key=KEY, **more).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
        assert server.faults == []


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Clients of a portal that never really wait; what they would have waited stands in `waits`."""
    made: list[Client] = []

    def client(server: PortalServer, **more) -> Client:
        waits: list[float] = []
        found = Client(server.url, Credentials(api_key=KEY), sleep=waits.append, **more)
        found.waits = waits
        made.append(found)
        return found

    yield client
    for each in made:
        each.close()
