"""Subnets: the neighbourhood that machines share, and the largest one of which nobody is reached."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from pytest_tentacle.link.hosts import plain_address

_PREFIX = {4: 24, 6: 64}
_WIDER = {4: 16, 6: 48}


@lru_cache(maxsize=65536)
def subnet_of(address: str | None) -> str | None:
    """The /24 or /64 of an address; None for what is no address."""
    plain = plain_address(address) if address else None
    if plain is None:
        return None
    parsed = ipaddress.ip_address(plain)
    return str(ipaddress.ip_network(f"{parsed}/{_PREFIX[parsed.version]}", strict=False))


def regions(unreached: Iterable[str], reached: Iterable[str]) -> dict[str, str]:
    """Each unreached subnet -> the /16 or /48 around it, where two or more in it are unreached and none is reached."""
    lit = {_wider(subnet) for subnet in reached}
    around: defaultdict[str, list[str]] = defaultdict(list)
    for subnet in unreached:
        around[_wider(subnet)].append(subnet)
    return {
        subnet: wide if wide not in lit and len(subnets) > 1 else subnet
        for wide, subnets in around.items()
        for subnet in subnets
    }


@lru_cache(maxsize=65536)
def _wider(subnet: str) -> str:
    network = ipaddress.ip_network(subnet)
    return str(network.supernet(new_prefix=_WIDER[network.version]))
