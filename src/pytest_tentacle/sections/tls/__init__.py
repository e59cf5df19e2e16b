from __future__ import annotations

from .checks import both_ends_have_tls_in_common, failed_handshakes_are_told, own_policy_allows_what_octopus_needs
from .dotnet import net_framework_is_new_enough

__all__ = [
    "both_ends_have_tls_in_common",
    "failed_handshakes_are_told",
    "net_framework_is_new_enough",
    "own_policy_allows_what_octopus_needs",
]
