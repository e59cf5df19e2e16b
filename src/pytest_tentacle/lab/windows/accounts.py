r"""Accounts of a Windows lab machine and their SIDs: machine.json's `accounts`, and one for each service's account."""

from __future__ import annotations

import hashlib
import re
import struct
from typing import Any

BUILT_IN = (
    (r"(\.\\)?LocalSystem", "S-1-5-18"),
    (r".*\\(Local ?Service|LOKALER DIENST)", "S-1-5-19"),
    (r".*\\(Network ?Service|NETZWERKDIENST)", "S-1-5-20"),
)
_FIRST = 1105


def services_of(description: dict[str, Any]) -> list[dict[str, Any]]:
    """The machine's services."""
    return [each for each in description.get("services") or [] if each]


def table(description: dict[str, Any]) -> dict[str, str]:
    """Users that are neither Windows' own nor a service's virtual account: name to SID, "" for whom nobody knows."""
    named: dict[str, tuple[str, str]] = {}
    number = _FIRST
    for service in services_of(description):
        account = str(service.get("account") or "")
        if "\\" in account and not account.upper().startswith("NT "):
            named[account.lower()] = (account, f"S-1-5-21-1111-2222-3333-{number}")
            number += 1
    for account, sid in (description.get("accounts") or {}).items():
        named[account.lower()] = (account, str(sid or ""))
    return dict(named.values())


def run_as_virtual(description: dict[str, Any]) -> dict[str, str]:
    r"""Accounts `NT SERVICE\<name>` under which a service runs."""
    used = [str(each.get("account") or "") for each in services_of(description)]
    return {each: _virtual_sid(each.partition("\\")[2]) for each in used if each.upper().startswith("NT SERVICE\\")}


def virtual(description: dict[str, Any]) -> dict[str, str]:
    r"""Accounts `NT SERVICE\<name>`: of each service, and those under which one runs."""
    own = [str(each.get("name") or "") for each in services_of(description)]
    return {f"NT SERVICE\\{name}": _virtual_sid(name) for name in own} | run_as_virtual(description)


def sid_of(description: dict[str, Any], account: str) -> str:
    """The SID that a service runs under; "" where nobody knows the account."""
    if not account:
        return "S-1-5-18"
    for pattern, sid in BUILT_IN:
        if re.fullmatch(pattern, account, re.IGNORECASE):
            return sid
    known = table(description) | virtual(description)
    return next((sid for name, sid in known.items() if name.lower() == account.lower()), "")


def _virtual_sid(service: str) -> str:
    digest = hashlib.sha1(service.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(map(str, struct.unpack("<5I", digest)))
