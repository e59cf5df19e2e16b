"""What Windows Firewall does with new connections to one port, as far as its rules tell.

Source: windows-shapes 3.3. A rule that depends on what the survey does not evaluate may hold or not, so it leaves the
verdict open; and so does a rule for an address that is given in words. Of a rule's further conditions a few can be
judged: for which service it is, for which address of the machine's own, from which port its peers would have to come.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallProfile, FirewallRule

_KINDS = {"LA4": "LA", "LA6": "LA", "RPort2_10": "RPort"}
"""Fields of a rule that mean one thing: one of their values has to hold."""

_FIRST_GIVEN = 32768
"""Linux gives ports to who connects from here on, Windows from 49152 on."""

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
    """Where it is unclear: those that would let the port in if their conditions hold."""


@dataclass(frozen=True)
class _Asked:
    """What rules are held against; empty where it is not known."""

    peers: frozenset[str]
    programs: frozenset[str]
    services: frozenset[str]
    addresses: frozenset[str]


def on_windows(
    firewall: Firewall,
    port: int,
    peers: Iterable[str],
    programs: Iterable[str],
    *,
    services: Iterable[str] = (),
    addresses: Iterable[str] = (),
) -> Verdict:
    """The worst that an active profile does.

    Args:
        firewall: a running Windows Firewall.
        port: that the listener has.
        peers: addresses that connect, as far as they are known.
        programs: executables that may be the listener's; empty where they are not known.
        services: names of the service that listens, likewise.
        addresses: the machine's own to which its peers connect, likewise.
    """
    active = [profile for profile in firewall.profiles if profile.active]
    if not active:
        return Verdict(Filtered.UNCLEAR)
    listening = frozenset(program.lower() for program in programs)
    named = frozenset(service.lower() for service in services)
    asked = _Asked(_addresses(peers), listening, named, _addresses(addresses))
    verdicts = [_by_profile(firewall, profile, port, asked) for profile in active]
    closed = [found for found in verdicts if found.filtered not in (Filtered.OPEN, Filtered.UNCLEAR)]
    if len(closed) == len(verdicts):
        return closed[0]
    # Which of several networks the peers come from, nobody knows.
    every_open = all(found.filtered is Filtered.OPEN for found in verdicts)
    unclear = next((found for found in verdicts if found.rules and found.filtered is Filtered.UNCLEAR), None)
    return verdicts[0] if every_open else unclear or Verdict(Filtered.UNCLEAR)


def secured_by(firewall: Firewall, port: int, peers: Iterable[str]) -> FirewallRule | None:
    """The rule for connection security, by which these peers get in by IPsec alone; None where there is none."""
    if not firewall.secured:
        return None
    asked = _Asked(_addresses(peers), frozenset(), frozenset(), frozenset())
    active = [profile.name for profile in firewall.profiles if profile.active]
    for rule in firewall.secured:
        if (
            any(_of_profile(rule, name) for name in active)
            and _has_port(rule, port)
            and _fits(rule, asked) is not False
        ):
            return rule
    return None


def _by_profile(  # noqa: PLR0911  one return for each rule of the decision
    firewall: Firewall, profile: FirewallProfile, port: int, asked: _Asked
) -> Verdict:
    if not profile.enabled:
        return Verdict(Filtered.UNCLEAR if profile.enabled is None else Filtered.OPEN, profile.name)
    of_profile = [rule for rule in firewall.rules if _of_profile(rule, profile.name)]
    switch = tuple(rule for rule in of_profile if rule.name == _EVERYTHING_BLOCKED)
    if switch:
        return Verdict(Filtered.EVERYTHING, profile.name, switch)
    mine = [rule for rule in of_profile if _has_port(rule, port)]
    counted = [rule for rule in mine if rule.source == "policy" or profile.local_rules is not False]
    fitting = [(rule, _fits(rule, asked)) for rule in counted]
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
        return Verdict(Filtered.UNCLEAR, profile.name, tuple(rule for rule, fits in fitting if fits is None))
    ignored = tuple(rule for rule in mine if rule not in counted and rule.action == "allow")
    return _not_let_in(firewall, profile, port, ignored)


def _not_let_in(firewall: Firewall, profile: FirewallProfile, port: int, ignored: tuple[FirewallRule, ...]) -> Verdict:
    """Why no rule lets the port in, though the profile needs one."""
    if ignored:
        return Verdict(Filtered.LOCAL_RULES_IGNORED, profile.name, ignored)
    allowing = (rule for rule in firewall.rules if rule.action == "allow" and _has_port(rule, port))
    elsewhere = tuple(rule for rule in allowing if rule.ports or rule.conditions)
    return Verdict(Filtered.OTHER_SCOPE if elsewhere else Filtered.NO_RULE, profile.name, elsewhere)


def _fits(rule: FirewallRule, asked: _Asked) -> bool | None:
    """Whether a rule for the port holds for these peers and programs; None where nobody can say."""
    further = _conditions_hold(rule, asked)
    program: bool | None = True
    if rule.program is not None and rule.program.lower() != "system":
        program = None if not asked.programs else rule.program.lower() in asked.programs
    remote = _any_holds(rule.remote, asked.peers) if rule.remote else True
    if False in (program, remote, further):
        return False
    return None if None in (program, remote, further) else True


def _any_holds(texts: Iterable[str], addresses: frozenset[str]) -> bool | None:
    found = [_holds(text, address) for text in texts for address in addresses]
    return True if any(found) else (None if not found or None in found else False)


def _conditions_hold(rule: FirewallRule, asked: _Asked) -> bool | None:
    """Whether what else a rule asks for holds; None where that is not judged here, or nobody told what it is."""
    if not rule.conditional:
        return True
    by_kind: dict[str, list[str]] = {}
    for condition in rule.conditions:
        kind, _, value = condition.partition("=")
        by_kind.setdefault(_KINDS.get(kind, kind), []).append(value)
    found = [_condition_holds(kind, values, asked) for kind, values in by_kind.items()]
    if False in found:
        return False
    return None if None in found or not found else True


def _condition_holds(kind: str, values: list[str], asked: _Asked) -> bool | None:
    match kind:
        case "Svc" if "*" in values or asked.services:
            return "*" in values or bool(asked.services & {value.lower() for value in values})
        case "LA" if asked.addresses:
            return _any_holds(values, asked.addresses)
        case "RPort":
            return None if any(_may_come_from(value) for value in values) else False
        case _:
            return None


def _may_come_from(text: str) -> bool:
    """Whether somebody who connects may have such a port: systems give ports from 1024 on, and mostly from 32768 on."""
    first, dash, last = text.partition("-")
    if not first.isdecimal():
        return True
    return bool(dash) and int(last if last.isdecimal() else first) >= _FIRST_GIVEN


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


_CONDITION_WORDS = {
    "Svc": "service {} listens",
    "LA": "the peer connects to its address {}",
    "RPort": "the peer comes from its own port {} (the remote port of the rule)",
    "IFType": "it comes by an interface of the kind {}",
    "IF": "it comes by the interface {}",
    "Security": "it is secured by IPsec ({})",
    "Security2": "it is secured by IPsec ({})",
    "Security2_9": "it is secured by IPsec ({})",
    "RMauth": "IPsec shows which machine it comes from",
    "RUAuth": "IPsec shows which user it comes from",
    "Action": "it is secured by IPsec ({})",
}


def condition_words(rule: FirewallRule) -> str:
    """What a rule asks for besides port, network, peer and program, in words."""
    told = []
    for condition in rule.conditions:
        kind, _, value = condition.partition("=")
        kind = _KINDS.get(kind, kind)
        told.append(_CONDITION_WORDS[kind].format(value) if kind in _CONDITION_WORDS else condition)
    return " and ".join(dict.fromkeys(told))
