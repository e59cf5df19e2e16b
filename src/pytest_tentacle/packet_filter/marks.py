"""What a rule sets a mark to: a formula over the packet's own mark and its connection's, in nft's words."""

from __future__ import annotations

import re

from .words import number

UNKNOWN = "?"
_WHOLE = 0xFFFFFFFF
_WORD = re.compile(r"ct mark|mark|0x[0-9a-fA-F]+|\d+|and|or|xor|[&|^?]")


def computed(formula: str, packet: int | None, connection: int | None) -> int | None:
    """The mark that comes of it, from left to right as nft(8) prints it; None where it depends on what is not known.

    `ct mark` is the connection's mark, `mark` the packet's; `&`, `|`, `^` may also be `and`, `or`, `xor`.
    """
    words = _WORD.findall(formula)
    if not words or len(words) % 2 == 0 or UNKNOWN in words:
        return None
    value = _operand(words[0], packet, connection)
    for operator, word in zip(words[1::2], words[2::2], strict=True):
        other = _operand(word, packet, connection)
        if other is None or value is None:
            return None
        if operator in {"&", "and"}:
            value &= other
        elif operator in {"|", "or"}:
            value |= other
        elif operator in {"^", "xor"}:
            value ^= other
        else:
            return None
    return value


def _operand(word: str, packet: int | None, connection: int | None) -> int | None:
    known = {"mark": packet, "ct mark": connection}
    return known[word] if word in known else number(word, {})


def of_packet(target: str | None, options: str) -> str | None:
    """What a target of iptables sets the packet's mark to; None where it leaves it as it is."""
    if target == "CONNMARK":
        return _copied("ct mark", options) if "--restore-mark" in options else None
    return _set("mark", options) if target == "MARK" else None


def of_connection(target: str | None, options: str) -> str | None:
    """The same of its connection's mark."""
    if target != "CONNMARK" or "--restore-mark" in options:
        return None
    return _copied("mark", options) if "--save-mark" in options else _set("ct mark", options)


def zone_of(target: str | None, options: str) -> str | None:
    """The zone of connection tracking that a target of iptables puts a packet into."""
    found = re.search(r"--zone(?:-orig|-reply)? (\S+)", options) if target == "CT" else None
    return None if found is None else found[1] if number(found[1], {}) is not None else UNKNOWN


def _set(own: str, options: str) -> str:
    """`--set-xmark value/mask`: the mask's bits are cleared, and the value laid over (iptables-extensions(8))."""
    found = re.search(r"--set-x?mark (0x[0-9a-fA-F]+|\d+)(?:/(0x[0-9a-fA-F]+|\d+))?", options)
    if found is None:
        return UNKNOWN
    mask = number(found[2], {}) if found[2] else _WHOLE
    if mask is None or mask == _WHOLE:
        return found[1]
    join = "^" if "--set-xmark" in options else "|"
    return f"{own} & {_WHOLE & ~mask:#x} {join} {found[1]}"


def _copied(source: str, options: str) -> str:
    """Whole marks alone: of masks, iptables knows two, which move bits."""
    masks = re.findall(r"--(?:nf|ct)?mask (\S+)", options)
    return source if all(number(mask, {}) == _WHOLE for mask in masks) else UNKNOWN
