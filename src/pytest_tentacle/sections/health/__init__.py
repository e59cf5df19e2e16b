from __future__ import annotations

from .checks import clocks_agree, disks_have_room, left_overs_are_told
from .last_resort import last_resort_is_told
from .versions import both_ends_are_of_one_generation, no_known_defect_shows

__all__ = [
    "both_ends_are_of_one_generation",
    "clocks_agree",
    "disks_have_room",
    "last_resort_is_told",
    "left_overs_are_told",
    "no_known_defect_shows",
]
