from __future__ import annotations

from .checks import (
    configuration_is_readable,
    listening_address_is_the_machines_own,
    mode_is_as_declared,
    port_is_as_declared,
)
from .octopus import octopus_waits_for_its_subscription, registration_in_octopus_can_be_used
from .trust import (
    declared_servers_are_polled,
    declared_servers_are_trusted,
    polling_entries_are_complete,
    some_server_is_trusted,
    trusted_thumbprints_are_well_formed,
)

__all__ = [
    "configuration_is_readable",
    "declared_servers_are_polled",
    "declared_servers_are_trusted",
    "listening_address_is_the_machines_own",
    "mode_is_as_declared",
    "octopus_waits_for_its_subscription",
    "polling_entries_are_complete",
    "port_is_as_declared",
    "registration_in_octopus_can_be_used",
    "some_server_is_trusted",
    "trusted_thumbprints_are_well_formed",
]
