"""Why Kerberos did not log on, and what to do: by the library's numbers, or its texts where those alone are told.

The numbers are those of MIT Kerberos (krb5.h, base -1765328384), which Heimdal shares; the texts are MIT's own in
English, as they stand in its libraries; the words are ours.
"""

from __future__ import annotations

import re

_BASE = -1765328384

_CLOCKS = "Set both clocks by the domain's time (w32tm /resync, chronyc makestep): Kerberos allows five minutes."
_TICKET = "Get a ticket first: kinit <user>@<REALM>, with the realm in capitals; klist shows what there is."
_NAME = (
    "Name the machine by its full DNS name, as the domain knows it, and not by an address or an alias; "
    "setspn -L <machine> shows its names (WinRM's are HTTP/... or HOST/..., that of SSH is host/...). See whether "
    "krb5.conf has it in the right realm, too."
)
_REALM = "See realm and kdc in krb5.conf, and whether DNS finds the domain's controllers."

_NO_TICKET = 195
_NO_WAY = 68

_REASONS: dict[int, tuple[str, str]] = {
    6: ("the domain knows no such user", _TICKET),
    7: ("the domain knows no service of the machine's name", _NAME),
    18: ("the account is disabled, locked or expired", "See the account in the domain."),
    23: ("the password has expired", "Set a new one, then kinit again."),
    24: ("the domain refused the password", _TICKET),
    32: ("the ticket has expired", _TICKET),
    33: ("the ticket is not valid yet", _CLOCKS),
    37: ("the clocks of this machine and of the domain are too far apart", _CLOCKS),
    41: ("the machine cannot read the ticket, which was made for another account's key", _NAME),
    _NO_WAY: ("the ticket leads into another realm, to which there is no way", _REALM),
    154: ("no realm is known for the machine, or no controller of it", _REALM),
    156: ("no controller of the realm could be reached", _REALM),
    186: ("there is no ticket that fits", _TICKET),
    _NO_TICKET: ("there is no ticket", _TICKET),
    141: ("there is no ticket", _TICKET),
}
"""By number above the base: what it means, and what to do."""

_TEXTS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"Server krbtgt/\S+ not found in Kerberos database|Realm not local to KDC"), _NO_WAY),
    (re.compile(r"Server (?:\S+ )?not found in Kerberos database"), 7),
    (re.compile(r"Client (?:\S+ )?not found in Kerberos database"), 6),
    (re.compile(r"Client'?s credentials have been revoked"), 18),
    (re.compile(r"Ticket expired|credential has expired"), 32),
    (re.compile(r"Ticket not yet valid"), 33),
    (re.compile(r"Clock skew too great"), 37),
    (re.compile(r"Cannot find KDC for|Cannot determine realm for"), 154),
    (re.compile(r"Cannot contact any KDC for"), 156),
    (re.compile(r"Matching credential not found"), 186),
    (re.compile(r"No Kerberos credentials available|Credentials cache .* not found|No credentials cache"), _NO_TICKET),
)
"""Texts that the library tells a program that logs on by a ticket, each with the number that it stands for."""

UNKNOWN = ("Kerberos did not log on", "See klist, and the names that setspn -L <machine> shows.")


def reason_of_number(number: int) -> tuple[str, str] | None:
    """What the library's number means, and what to do; None for one that is not known."""
    return _REASONS.get(number - _BASE)


def reason_of_text(text: str) -> tuple[str, str] | None:
    """What the library's text means, and what to do; None for one that is not known."""
    return next((_REASONS[number] for pattern, number in _TEXTS if pattern.search(text)), None)
