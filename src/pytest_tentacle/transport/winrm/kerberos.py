"""Why Kerberos did not log on: by the numbers of the library, for pywinrm hands on a bare 401 instead.

The numbers are those of MIT Kerberos (krb5.h, base -1765328384), which Heimdal shares; the words are ours.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

_BASE = -1765328384

_CLOCKS = "Set both clocks by the domain's time (w32tm /resync, chronyc makestep): Kerberos allows five minutes."
_TICKET = "Get a ticket first: kinit <user>@<REALM>, with the realm in capitals; klist shows what there is."
_NAME = (
    "Name the machine by its full DNS name, as the domain knows it, and not by an address or an alias; "
    "setspn -L <machine> shows its names (HTTP/... or HOST/...). See whether krb5.conf has it in the right realm, too."
)
_REALM = "See realm and kdc in krb5.conf, and whether DNS finds the domain's controllers."

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
    68: ("the ticket leads into another realm, to which there is no way", _REALM),
    154: ("no realm is known for the machine", _REALM),
    156: ("no controller of the realm could be reached", _REALM),
    186: ("there is no ticket that fits", _TICKET),
    195: ("there is no ticket", _TICKET),
    141: ("there is no ticket", _TICKET),
}
"""By number above the base: what it means, and what to do."""

UNKNOWN = ("Kerberos did not log on", "See klist, and the names that setspn -L <machine> shows.")


def hear(auth: Any, note: Any) -> None:
    """Has `note` called with each failure of `auth`, a requests_kerberos of pywinrm's, which keeps it to itself."""
    generate = auth.generate_request_header

    @functools.wraps(generate)
    def listened(*args: Any, **kwargs: Any) -> Any:
        try:
            return generate(*args, **kwargs)
        except Exception as error:
            note(error)
            raise

    auth.generate_request_header = listened


def reason_of(error: BaseException) -> tuple[str, str, int | None]:
    """What it means, what to do, and the library's number; None where it gave none that is known."""
    for number in _numbers(error):
        known = _REASONS.get(number - _BASE)
        if known:
            return (*known, number)
    return (*UNKNOWN, next((number for number in _numbers(error) if number), None))


def _numbers(error: BaseException | None) -> Iterator[int]:
    """The library's own errors stand behind the first: pairs of a text and a number."""
    while error is not None:
        for part in error.args:
            if isinstance(part, tuple) and len(part) == 2 and isinstance(part[1], int):  # noqa: PLR2004  text and number
                yield part[1]
        error = error.__cause__ or error.__context__
