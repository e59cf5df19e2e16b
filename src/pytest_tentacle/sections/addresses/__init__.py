from __future__ import annotations

from .checks import used_address_is_the_machines_own
from .own_names import own_names_lead_to_the_machine

__all__ = [
    "own_names_lead_to_the_machine",
    "used_address_is_the_machines_own",
]
