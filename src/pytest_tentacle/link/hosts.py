"""Names and addresses of hosts, compared as machines mean them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=65_536)
def plain_address(host: str) -> str | None:
    """A literal address in its shortest form, IPv4-mapped ones as IPv4 and without a zone; None for a name."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=65_536)
def plain_host(host: str) -> str:
    """A host as two are compared: lower case, without a final dot, addresses in their shortest form."""
    return plain_address(host) or host.strip().rstrip(".").lower()
