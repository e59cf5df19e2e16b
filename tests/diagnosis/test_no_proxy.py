"""A network in NO_PROXY is named only where it is what sends the call to the proxy."""

from typing import Any

import pytest

from pytest_tentacle.survey.surroundings import Proxy
from support.faults.last_words import proxy_opens_no_tunnel
from support.fleets.whole import make_linux


@pytest.mark.parametrize(
    ("bypass", "address", "named"),
    [
        ("localhost,192.0.2.0/24", "http://proxy.example:3128", True),
        ("localhost,10.0.0.0/8", "http://proxy.example:3128", False),  # the server is in no such network
        ("localhost,192.0.2.0/24", "http://other.example:3128", False),  # it did not go through that one
        (None, "http://proxy.example:3128", False),
    ],
)
def test_a_network_that_holds_the_server(
    world: Any, diagnosed: Any, bypass: str | None, address: str, named: bool
) -> None:
    make_linux(world, "web-01")
    proxy_opens_no_tunnel(world)
    proxy = Proxy(layer="environment", enabled=True, address=address, bypass=bypass)
    world.sections["web-01"]["proxies"] = (proxy,)
    (cause,) = diagnosed(world).causes
    assert (cause.code, "NO_PROXY names the network" in str(cause.facts["why"])) == ("TC1360", named)
