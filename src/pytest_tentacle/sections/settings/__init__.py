from __future__ import annotations

from .checks import (
    configuration_is_readable,
    listening_address_is_the_machines_own,
    mode_is_as_declared,
    port_is_as_declared,
)
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
    "polling_entries_are_complete",
    "port_is_as_declared",
    "some_server_is_trusted",
    "trusted_thumbprints_are_well_formed",
]
