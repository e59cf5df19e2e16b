from __future__ import annotations

from .checks import process_uses_the_proxy_of_its_settings, proxy_settings_can_be_right
from .connects import proxy_opens_a_way_to_each_server

__all__ = [
    "process_uses_the_proxy_of_its_settings",
    "proxy_opens_a_way_to_each_server",
    "proxy_settings_can_be_right",
]
