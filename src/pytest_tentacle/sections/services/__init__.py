from __future__ import annotations

from .checks import instance_is_registered, service_is_installed, service_keeps_running, service_starts_by_itself
from .octopus import octopus_says_that_it_operates

__all__ = [
    "instance_is_registered",
    "octopus_says_that_it_operates",
    "service_is_installed",
    "service_keeps_running",
    "service_starts_by_itself",
]
