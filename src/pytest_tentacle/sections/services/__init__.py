from __future__ import annotations

from .checks import instance_is_registered, service_is_installed, service_keeps_running, service_starts_by_itself

__all__ = [
    "instance_is_registered",
    "service_is_installed",
    "service_keeps_running",
    "service_starts_by_itself",
]
