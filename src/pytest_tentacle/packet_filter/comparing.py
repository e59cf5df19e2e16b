"""One condition of a rule against what is known of a packet: True, False, or None where that is not enough."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from .words import PORTS, TCP_FLAGS, number

_MASKED = re.compile(r"== (?:&|and) (\S+) == (\S+)")
"""A field of which some bits alone are compared, as nft prints it."""

_FEW_PORTS = 256
"""Of the some 28,000 that a client's own port is one of, which is another for each connection (ip(7))."""


def in_networks(known: frozenset[str], elements: Iterable[str]) -> bool | None:
    """Whether every known address is among the elements, or none; None where some are, or none is known."""
    networks = list(elements)
    if any(text in {"0.0.0.0/0", "::/0"} for text in networks):
        return True
    if not known:
        return None if networks else False
    found = {_any([_holds_address(text, address) for text in networks]) for address in known}
    return found.pop() if len(found) == 1 else None


def _any(held: list[bool | None]) -> bool | None:
    return True if True in held else None if None in held else False


def _holds_address(text: str, address: str) -> bool | None:
    try:
        own = ipaddress.ip_address(address)
        if masked := _MASKED.fullmatch(text):
            mask, wanted = (ipaddress.ip_address(each) for each in masked.groups())
            return own.version == mask.version and int(own) & int(mask) == int(wanted)
        first, dash, last = text.partition("-")
        if not dash:
            return own in ipaddress.ip_network(text, strict=False)
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
        return low.version == own.version and int(low) <= int(own) <= int(high)
    except ValueError:
        return None


def in_ranges(port: int | None, elements: Iterable[str]) -> bool | None:
    """Whether a port is in one of the ranges; one that is not known may be any of a client's."""
    texts = list(elements)
    found = [_range(text) for text in texts]
    if port is None:
        if (0, 65535) in found:
            return True
        known = [bounds for bounds in found if bounds is not None]
        few = len(known) == len(found) and sum(high - low + 1 for low, high in known) <= _FEW_PORTS
        return False if few else None
    if any(bounds is not None and bounds[0] <= port <= bounds[1] for bounds in found):
        return True
    return None if None in found else False


def _range(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    low = number(first, PORTS)
    high = number(last, PORTS) if dash and last else low if not dash else 65535
    return None if low is None or high is None else (low, high)


def among_numbers(own: int, elements: Iterable[str], names: dict[str, int], *, wild: int | None = None) -> bool | None:
    """Whether a number, or the one that stands for all, is among them by number or name."""
    found = [number(part, names) for text in elements for part in text.split(",")]
    if own in found or (wild is not None and wild in found):
        return True
    return None if None in found else False


def among_marks(own: int, elements: Iterable[str]) -> bool | None:
    """`0x9`; or these bits of the mark alone: `0x9/0xff`, `== & 0xff == 0x9`."""
    held: list[bool | None] = []
    for text in elements:
        masked = _MASKED.fullmatch(text)
        value, slash, mask = (masked[2], "&", masked[1]) if masked else text.partition("/")
        wanted, bits = number(value, {}), number(mask, {}) if slash else 2**32 - 1
        held.append(None if wanted is None or bits is None else own & bits == wanted)
    return _any(held)


def among_flags(own: int, elements: Iterable[str]) -> bool | None:
    """`syn`, `== syn / fin,syn,rst,ack`, `== & (fin | syn) == syn`; None for another form."""
    texts = list(elements)
    if len(texts) == 1 and (parts := texts[0].removeprefix("== ").replace("(", "").replace(")", "")):
        for mark in (" / ", "& "):
            if mark not in parts:
                continue
            first, _, rest = parts.partition(mark)
            compared, mask = (first, rest) if mark == " / " else tuple(reversed(rest.partition(" == ")[::2]))
            return None if not mask else (own & _mask(mask)) == _mask(compared)
    masks = [_mask(text) for text in texts]
    return any(own & mask for mask in masks) if len(texts) > 1 else own == masks[0] or bool(own & masks[0])


def _mask(text: str) -> int:
    return sum({number(word, TCP_FLAGS) or 0 for word in text.replace("|", ",").replace(" ", "").split(",") if word})


def among_interfaces(known: frozenset[str], elements: Iterable[str]) -> bool | None:
    """Whether all interfaces that it may be are among the names and patterns, or none is."""
    patterns = [text.strip('"') for text in elements]
    if not known:
        return False if patterns == ["lo"] else None
    found = {
        any(name == text or (text.endswith("*") and name.startswith(text[:-1])) for text in patterns) for name in known
    }
    return found.pop() if len(found) == 1 else None
