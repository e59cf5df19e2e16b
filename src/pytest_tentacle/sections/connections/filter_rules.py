"""What Windows Firewall does with new connections to one port, as far as its rules tell.

Source: windows-shapes 3.3. A rule that depends on what the survey does not evaluate may hold or not, so it leaves the
verdict open; and so does a rule for an address that is given in words.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.survey.surroundings import Firewall, FirewallProfile, FirewallRule

_EVERYTHING_BLOCKED = "DoNotAllowExceptions"
"""The name that the survey gives to "Block all incoming connections"; a profile's switch, not a rule."""


class Filtered(StrEnum):
    """What becomes of a connection, and why."""

    OPEN = "open"
    NO_RULE = "no-rule"
    BLOCK_RULE = "block-rule"
    EVERYTHING = "everything"
    LOCAL_RULES_IGNORED = "local-rules-ignored"
    OTHER_SCOPE = "other-scope"
    """There is a rule for the port, but for another kind of network, other peers or another program."""
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Verdict:
    """What one profile does with the port, and the rule or profile that decides."""

    filtered: Filtered
    profile: str | None = None
    rules: tuple[FirewallRule, ...] = ()


def on_windows(firewall: Firewall, port: int, peers: Iterable[str], programs: Iterable[str]) -> Verdict:
    """The worst that an active profile does.

    Args:
        firewall: a running Windows Firewall.
        port: that the listener has.
        peers: addresses that connect, as far as they are known.
        programs: executables that may be the listener's; empty where they are not known.
    """
    active = [profile for profile in firewall.profiles if profile.active]
    if not active:
        return Verdict(Filtered.UNCLEAR)
    known, listening = _addresses(peers), frozenset(program.lower() for program in programs)
    verdicts = [_by_profile(firewall, profile, port, known, listening) for profile in active]
    closed = [found for found in verdicts if found.filtered not in (Filtered.OPEN, Filtered.UNCLEAR)]
    if len(closed) == len(verdicts):
        return closed[0]
    # Which of several networks the peers come from, nobody knows.
    every_open = all(found.filtered is Filtered.OPEN for found in verdicts)
    return verdicts[0] if every_open else Verdict(Filtered.UNCLEAR)


def _by_profile(  # noqa: PLR0911  one return for each rule of the decision
    firewall: Firewall, profile: FirewallProfile, port: int, peers: frozenset[str], programs: frozenset[str]
) -> Verdict:
    if not profile.enabled:
        return Verdict(Filtered.UNCLEAR if profile.enabled is None else Filtered.OPEN, profile.name)
    of_profile = [rule for rule in firewall.rules if _of_profile(rule, profile.name)]
    switch = tuple(rule for rule in of_profile if rule.name == _EVERYTHING_BLOCKED)
    if switch:
        return Verdict(Filtered.EVERYTHING, profile.name, switch)
    mine = [rule for rule in of_profile if _has_port(rule, port)]
    counted = [rule for rule in mine if rule.source == "policy" or profile.local_rules is not False]
    fitting = [(rule, _fits(rule, peers, programs)) for rule in counted]
    blocking = tuple(rule for rule, fits in fitting if rule.action == "block" and fits)
    if blocking:
        return Verdict(Filtered.BLOCK_RULE, profile.name, blocking)
    allowing = tuple(rule for rule, fits in fitting if rule.action == "allow" and fits)
    unclear = {rule.action for rule, fits in fitting if fits is None}
    if "block" in unclear:
        return Verdict(Filtered.UNCLEAR, profile.name)
    if allowing or profile.inbound == "allow":
        return Verdict(Filtered.OPEN, profile.name, allowing)
    if unclear or profile.inbound is None:
        return Verdict(Filtered.UNCLEAR, profile.name)
    ignored = tuple(rule for rule in mine if rule not in counted and rule.action == "allow")
    return _not_let_in(firewall, profile, port, ignored)


def _not_let_in(firewall: Firewall, profile: FirewallProfile, port: int, ignored: tuple[FirewallRule, ...]) -> Verdict:
    """Why no rule lets the port in, though the profile needs one."""
    if ignored:
        return Verdict(Filtered.LOCAL_RULES_IGNORED, profile.name, ignored)
    allowing = (rule for rule in firewall.rules if rule.action == "allow" and _has_port(rule, port))
    elsewhere = tuple(rule for rule in allowing if rule.ports)
    return Verdict(Filtered.OTHER_SCOPE if elsewhere else Filtered.NO_RULE, profile.name, elsewhere)


def _fits(rule: FirewallRule, peers: frozenset[str], programs: frozenset[str]) -> bool | None:
    """Whether a rule for the port holds for these peers and programs; None where nobody can say."""
    if rule.conditional:
        return None
    program: bool | None = True
    if rule.program is not None and rule.program.lower() != "system":
        program = None if not programs else rule.program.lower() in programs
    remote: bool | None = True
    if rule.remote:
        found = [_holds(text, peer) for text in rule.remote for peer in peers]
        remote = True if any(found) else (None if not found or None in found else False)
    if program is False or remote is False:
        return False
    return None if program is None or remote is None else True


def _holds(text: str, peer: str) -> bool | None:
    """Whether an address, a network or a range holds the peer; None for a word such as LocalSubnet."""
    own = ipaddress.ip_address(peer)
    try:
        first, dash, last = text.partition("-")
        if not dash:
            return own in ipaddress.ip_network(text, strict=False)
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    except ValueError:
        return True if text.strip().lower() in {"any", "*"} else None
    return low.version == own.version and int(low) <= int(own) <= int(high)


def _has_port(rule: FirewallRule, port: int) -> bool:
    return not rule.ports or any(_covers(text, port) for text in rule.ports)


def _covers(text: str, port: int) -> bool:
    first, _, last = text.partition("-")
    if not first.isdecimal():
        return text.lower() in {"any", "*"}
    return int(first) <= port <= int(last if last.isdecimal() else first)


def _of_profile(rule: FirewallRule, profile: str) -> bool:
    named = {name.lower() for name in rule.profiles}
    return not named or profile.lower() in named or "any" in named


def _addresses(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(address for address in map(plain_address, texts) if address)
