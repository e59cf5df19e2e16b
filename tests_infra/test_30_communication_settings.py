"""Guide: Communication Settings."""

from pytest_tentacle.sections import settings
from pytest_tentacle.testing import step


@step("communication-settings")
def test_communication_settings(machine):
    """Three pieces of information to verify.

    1. Its mode, listening or polling, is the one that was meant.
    2. So is the port: its own where it listens, the server's where it polls.
    3. The thumbprint that it trusts is the server's, as Octopus shows it under Configuration, Thumbprints.
    """
    machine.must_pass(
        settings.configuration_is_readable,
        settings.mode_is_as_declared,  # 1. listening, or polling
        settings.port_is_as_declared,  # 2. the port that it listens on ...
        settings.listening_address_is_the_machines_own,
        settings.polling_entries_are_complete,  # ... or polls the Octopus Server on
        settings.declared_servers_are_polled,
        settings.some_server_is_trusted,  # 3. the Octopus Server's thumbprint
        settings.declared_servers_are_trusted,
        settings.trusted_thumbprints_are_well_formed,
        settings.registration_in_octopus_can_be_used,  # what the portal has, where its API was asked
        settings.octopus_waits_for_its_subscription,
    )
