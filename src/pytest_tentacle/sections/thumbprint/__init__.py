from __future__ import annotations

from .certificate import certificate_is_strong_enough, no_other_host_has_the_subscription, private_key_is_usable
from .checks import no_other_host_has_the_certificate, port_presents_the_thumbprint, thumbprint_is_as_declared
from .octopus import octopus_thumbprints_are_told

__all__ = [
    "certificate_is_strong_enough",
    "no_other_host_has_the_certificate",
    "no_other_host_has_the_subscription",
    "octopus_thumbprints_are_told",
    "port_presents_the_thumbprint",
    "private_key_is_usable",
    "thumbprint_is_as_declared",
]
