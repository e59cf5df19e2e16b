from __future__ import annotations

from .checks import both_ends_have_tls_in_common, failed_handshakes_are_told, own_policy_allows_what_octopus_needs
from .dotnet import net_framework_is_new_enough
from .root_lists import no_handshake_waits_for_lists_of_roots

__all__ = [
    "both_ends_have_tls_in_common",
    "failed_handshakes_are_told",
    "net_framework_is_new_enough",
    "no_handshake_waits_for_lists_of_roots",
    "own_policy_allows_what_octopus_needs",
]
