"""Packet filters of Linux hosts, as a survey holds them."""

from __future__ import annotations

from pytest_tentacle.packet_filter import read_sources
from pytest_tentacle.packet_filter.firewall import Firewall


def linux_rules(*rules: str, policy: str = "accept", hook: str = "input", more: str = "") -> Firewall:
    """One chain of nftables at a hook, and whatever else stands in its table."""
    lines = "\n".join(f"\t\t{rule}" for rule in rules)
    chain = f"\tchain {hook} {{\n\t\ttype filter hook {hook} priority filter; policy {policy};\n{lines}\n\t}}"
    return as_survey(f"table inet filter {{\n{more}\n{chain}\n}}\n")


def as_survey(text: str) -> Firewall:
    """What `nft list ruleset` prints."""
    return Firewall(engine="nftables", running=True, filters=read_sources([{"tool": "nft", "text": text}]), text=text)
