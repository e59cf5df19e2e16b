"""A Linux host's own packet filter: the rules as its tools print them, read, and walked for one packet.

What a rule says that is not understood here is kept as such, and leaves a verdict open; it is never taken for a match,
nor for none. Sources: nft(8) of nftables 1.0.6, iptables(8) and iptables-extensions(8) of 1.8.9, ipset(8) of 7.17.
"""

from .beside import TABLE as BESIDE
from .model import (
    FilterChain,
    FilterMatch,
    FilterRule,
    FilterSet,
    PacketFilter,
)
from .reading import as_evidence, engine_of, read_sources
from .walk import Packet, Passage, Way, walk

__all__ = [
    "BESIDE",
    "FilterChain",
    "FilterMatch",
    "FilterRule",
    "FilterSet",
    "Packet",
    "PacketFilter",
    "Passage",
    "Way",
    "as_evidence",
    "engine_of",
    "read_sources",
    "walk",
]
