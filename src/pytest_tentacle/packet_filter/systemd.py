"""Whom a unit of systemd lets its processes speak with: IPAddressAllow=, IPAddressDeny=, families, its own network.

No tool for rules shows them: systemd gives them to the kernel as a program of the unit's control group. What stands in
the list of allowed addresses is let through, then what stands in that of denied ones is dropped, both ways, without a
word; all else passes. Source: systemd.resource-control(5) of systemd 252.

RestrictNetworkInterfaces= does the same by the card that a packet comes or goes by, where systemd was built with BPF's
framework (`Features=`); otherwise it heeds no such line.

RestrictAddressFamilies= and PrivateNetwork= stop whoever polls: its process gets no socket, or one of a network
that has no way out (systemd.exec(5)). NetworkNamespacePath= may: its network is another one, which nobody looked at. A
process that listens ends at once, or listens elsewhere: its port tells that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .model import FilterChain, FilterMatch, FilterRule

TABLE = "systemd"
_LAST = 1_000_000
"""Where its chains stand: the socket's own are met behind all hooks, or before them, and the order is of no account."""

_BARS = ("IPAddressDeny", "RestrictNetworkInterfaces")
_NO_FRAMEWORK = "-BPF_FRAMEWORK"
_FAMILIES = {"ip": "AF_INET", "ip6": "AF_INET6"}
_UNREAD = FilterMatch(field="unread", values=("which of several units has the port",))
_ELSEWHERE = FilterMatch(field="unread", values=("whether that network has a way out",))


def units(text: str) -> Iterator[FilterChain]:
    """What the script tells: `Ports=<port> ...`, `Polled=` and `Features=` likewise, then each unit's properties.

    With several units that deny something nobody knows whose port it is, so that nothing is certain.
    """
    ports: dict[str, tuple[str, ...]] = {}
    found: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key in {"Ports", "Polled", "Features"}:
            ports[key] = tuple(value.split())
        elif key:
            found[-1][key] = value.strip()
        else:
            found.append({})
    if _NO_FRAMEWORK in ports.get("Features", ()):
        for each in found:
            each.pop("RestrictNetworkInterfaces", None)
    barring = [each for each in found if each.get("Id") and (any(map(each.get, _BARS)) or _barred(each))]
    for each in barring:
        alone = len(barring) == 1
        if each.get("RestrictNetworkInterfaces"):
            yield from _by_card(each, ports.get("Ports", ()), ports.get("Polled", ()), alone=alone)
        if each.get("IPAddressDeny"):
            yield from _of(each, ports.get("Ports", ()), ports.get("Polled", ()), alone=alone)
        if ports.get("Polled"):
            yield from _without_sockets(each, ports["Polled"], alone=alone)


def _barred(unit: dict[str, str]) -> dict[str, str]:
    """The families, `ip` and `ip6`, of which its processes get no socket that leads out, and the words that say so."""
    if unit.get("PrivateNetwork") == "yes":
        return dict.fromkeys(_FAMILIES, "PrivateNetwork=yes")
    if elsewhere := unit.get("NetworkNamespacePath"):
        return dict.fromkeys(_FAMILIES, f"NetworkNamespacePath={elsewhere}")
    listed = unit.get("RestrictAddressFamilies", "~")
    denies, names = listed.startswith("~"), listed.removeprefix("~").split()
    words = f"RestrictAddressFamilies={listed}"
    return {family: words for family, name in _FAMILIES.items() if (name in names) is denies}


def _without_sockets(unit: dict[str, str], polled: tuple[str, ...], *, alone: bool) -> Iterator[FilterChain]:
    """No address is let through by a list where its family has no socket: so these stand in a chain of their own."""
    rules = tuple(
        FilterRule(
            text=words,
            matches=(
                FilterMatch(field="tcp dport", values=polled),
                FilterMatch(field=f"{family} daddr", values=("0.0.0.0/0" if family == "ip" else "::/0",)),
                *(() if alone else (_UNREAD,)),
                *((_ELSEWHERE,) if words.startswith("NetworkNamespacePath=") else ()),
            ),
            verdict="drop",
        )
        for family, words in _barred(unit).items()
    )
    if rules:
        yield FilterChain(
            name=f"sockets of the unit {unit['Id']}", table=TABLE, hook="output", priority=_LAST, rules=rules
        )


def _by_card(
    unit: dict[str, str], own: tuple[str, ...], polled: tuple[str, ...], *, alone: bool
) -> Iterator[FilterChain]:
    """What comes or goes by another interface than the listed ones is dropped; with `~`, what does by these."""
    listed = unit["RestrictNetworkInterfaces"]
    denies, names = listed.startswith("~"), tuple(listed.removeprefix("~").split())
    for hook, port, values in _packets(own, polled):
        card = "iifname" if hook == "input" else "oifname"
        matches = (
            FilterMatch(field=f"tcp {port}", values=values),
            FilterMatch(field=card, values=names, negated=not denies),
            *(() if alone else (_UNREAD,)),
        )
        rule = FilterRule(text=f"RestrictNetworkInterfaces={listed}", matches=matches, verdict="drop")
        name = f"{hook} of the unit {unit['Id']} by interface"
        yield FilterChain(name=name, table=TABLE, hook=hook, priority=_LAST, rules=(rule,))


def _packets(
    own: tuple[str, ...], polled: tuple[str, ...]
) -> Iterator[tuple[Literal["input", "output"], str, tuple[str, ...]]]:
    """The hook, the port's name and its numbers of all packets of a link, where there is any such port."""
    if own:
        yield from (("input", "dport", own), ("output", "sport", own))
    if polled:
        yield from (("input", "sport", polled), ("output", "dport", polled))


def _of(unit: dict[str, str], own: tuple[str, ...], polled: tuple[str, ...], *, alone: bool) -> Iterator[FilterChain]:
    allowed, denied = unit.get("IPAddressAllow", "").split(), unit["IPAddressDeny"].split()
    words = f"IPAddressDeny={unit['IPAddressDeny']}" + (f" but IPAddressAllow={' '.join(allowed)}" if allowed else "")
    for hook, port, values in _packets(own, polled):
        address = "saddr" if hook == "input" else "daddr"
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
