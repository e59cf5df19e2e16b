from __future__ import annotations

from .across import page_is_shown_by_name_or_else_by_address
from .firewall import port_is_let_in
from .here import page_is_shown_here, port_is_held_by_the_service, port_is_not_excluded_from_use
from .octopus import octopus_way_to_the_machine_is_told
from .sockets import (
    half_closed_connections_do_not_pile_up,
    no_address_holds_too_many_connections,
    polled_servers_are_connected,
)
from .ways import both_ends_have_a_way, connection_is_let_out

__all__ = [
    "both_ends_have_a_way",
    "connection_is_let_out",
    "half_closed_connections_do_not_pile_up",
    "no_address_holds_too_many_connections",
    "octopus_way_to_the_machine_is_told",
    "page_is_shown_by_name_or_else_by_address",
    "page_is_shown_here",
    "polled_servers_are_connected",
    "port_is_held_by_the_service",
    "port_is_let_in",
    "port_is_not_excluded_from_use",
]
