"""Guide: Tentacle Ping."""

from pytest_tentacle.sections import ping
from pytest_tentacle.testing import step


@step("tentacle-ping")
def test_tentacle_ping(machine):
    """Test the communications protocol between two servers: only where --ping-count or --ping-duration asks for it.

    For listening Tentacles the Octopus Server is the client, for polling ones the Tentacle is: from there the link is
    opened again and again. No attempt is lost, none is slow, and the same certificate answers each time.
    """
    machine.must_pass(ping.every_attempt_goes_well)
