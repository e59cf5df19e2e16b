"""The addresses that a unit of systemd lets its processes speak with: IPAddressAllow= and IPAddressDeny=.

No tool for rules shows them: systemd gives them to the kernel as a program of the unit's control group. What stands in
the list of allowed addresses is let through, then what stands in that of denied ones is dropped, both ways, without a
word; all else passes. Source: systemd.resource-control(5) of systemd 252.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .model import FilterChain, FilterMatch, FilterRule

TABLE = "systemd"
_LAST = 1_000_000
"""Where its chains stand: the socket's own are met behind all hooks, or before them, and the order is of no account."""

_UNREAD = FilterMatch(field="unread", values=("which of several units has the port",))


def units(text: str) -> Iterator[FilterChain]:
    """What the script tells: `Ports=<port> ...`, `Polled=` likewise, then `Id=` and the two lists of each unit.

    With several units that deny something nobody knows whose port it is, so that nothing is certain.
    """
    ports: dict[str, tuple[str, ...]] = {}
    found: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key in {"Ports", "Polled"}:
            ports[key] = tuple(value.split())
        elif key:
            found[-1][key] = value.strip()
        else:
            found.append({})
    denying = [each for each in found if each.get("IPAddressDeny") and each.get("Id")]
    for each in denying:
        yield from _of(each, ports.get("Ports", ()), ports.get("Polled", ()), alone=len(denying) == 1)


def _of(unit: dict[str, str], own: tuple[str, ...], polled: tuple[str, ...], *, alone: bool) -> Iterator[FilterChain]:
    allowed, denied = unit.get("IPAddressAllow", "").split(), unit["IPAddressDeny"].split()
    words = f"IPAddressDeny={unit['IPAddressDeny']}" + (f" but IPAddressAllow={' '.join(allowed)}" if allowed else "")
    hooks: tuple[tuple[Literal["input", "output"], str, tuple[str, ...], str], ...] = (
        ("input", "dport", own, "saddr"),
        ("output", "sport", own, "daddr"),
        ("input", "sport", polled, "saddr"),
        ("output", "dport", polled, "daddr"),
    )
    for hook, port, values, address in hooks:
        if not values:
            continue
        whose = FilterMatch(field=f"tcp {port}", values=values)
        rules = [
            FilterRule(
                text=words if verdict == "drop" else f"IPAddressAllow={' '.join(networks)}",
                matches=(
                    whose,
                    FilterMatch(field=f"{family} {address}", values=networks),
                    *(() if alone else (_UNREAD,)),
                ),
                verdict=verdict,
            )
            for verdict, listed in (("accept", allowed), ("drop", denied))
            for family in ("ip", "ip6")
            if (networks := tuple(each for each in listed if (":" in each) is (family == "ip6")))
        ]
        yield FilterChain(
            name=f"{hook} of the unit {unit['Id']}", table=TABLE, hook=hook, priority=_LAST, rules=tuple(rules)
        )
