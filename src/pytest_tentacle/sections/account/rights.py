"""Effective rights on a folder or file, by its access list (Windows) or owner, group and mode (Linux).

What depends on a group of which nobody knows whether the account is in it comes out as None: not shown either way.
Source: windows-shapes 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from pytest_tentacle.survey.surroundings import Access, AccessEntry, Permissions

READ = 0x120089
FULL = 0x1F01FF
MODIFY = 0x1301BF
"""Read, write and delete, without the right to change rights or owner: enough for a Tentacle's work."""

_GENERIC = ((0x10000000, FULL), (0x80000000, 0x120089), (0x40000000, 0x120116), (0x20000000, 0x1200A0))
_OWNERS_OWN = 0x60000
_OWNER_RIGHTS = "S-1-3-4"
_SERVICE_SIDS = "S-1-5-80-"
"""Services' own SIDs, and the group of all services: whether a token has them depends on the service."""

_NEVER = frozenset({"S-1-3-0", "S-1-3-1", "S-1-5-2", "S-1-5-4", "S-1-5-7", "S-1-5-18", "S-1-5-19", "S-1-5-20"})
"""No group of a service under an account of its own: other accounts, placeholders, kinds of log-on."""

_READ_WRITE = 6
_ALL = 7


class Whose(Protocol):
    """An account, with its groups as far as they are known."""

    @property
    def sid(self) -> str | None:
        """Of the account; None: nobody told."""

    @property
    def groups(self) -> tuple[str, ...]:
        """SIDs of groups that it is in."""

    @property
    def groups_complete(self) -> bool:
        """Whether these are all that count."""


def has_rights(access: Access, whose: Whose, mask: int) -> bool | None:
    """Whether the account has all rights of a mask on what an access list is of; None where nobody can tell."""
    known = _known(whose)
    if _granted(access, known.__contains__, known.__contains__) & mask == mask:
        may_be_denied = _granted(access, known.__contains__, lambda sid: sid in known or _possible(sid, whose))
        return True if may_be_denied & mask == mask else None
    at_best = _granted(access, lambda sid: sid in known or _possible(sid, whose), known.__contains__)
    return None if at_best & mask == mask else False


def denied_by(access: Access, whose: Whose, mask: int) -> AccessEntry | None:
    """The entry that takes rights of the mask away which others give; None where no entry is to blame."""
    known = _known(whose)
    allowing = access.model_copy(update={"entries": tuple(entry for entry in access.entries or () if not entry.deny)})
    if _granted(allowing, lambda sid: sid in known or _possible(sid, whose), known.__contains__) & mask != mask:
        return None
    counted = (entry for entry in access.entries or () if not entry.inherit_only and entry.sid in known)
    return next((entry for entry in counted if entry.deny and _mapped(entry.mask) & mask), None)


def may_work(access: Access, whose: Permissions, *, folder: bool) -> bool | None:
    """Linux: whether the account may read and write, and enter a folder; None where nobody can tell.

    A service may name its user by number, which the owner's name does not tell. An access list, which the mode does
    not show, may give more to others than the owner, but never more than the group's bits: they are its mask.
    """
    needed = _ALL if folder else _READ_WRITE
    owner, group, others = ((access.mode or 0) >> shift & _ALL for shift in (6, 3, 0))
    if access.owner == whose.account:
        return owner & needed == needed
    if whose.account.isdecimal():
        return None
    if access.group in whose.groups:
        return group & needed == needed
    if not whose.groups and not whose.groups_complete:
        return None  # each account has a group: this one's name is known to nobody
    if (group | others) & needed != needed:
        return False
    return True if whose.groups_complete and others & needed == needed else None


def _known(whose: Whose) -> frozenset[str]:
    return frozenset((*whose.groups, *((whose.sid,) if whose.sid else ())))


def _possible(sid: str, whose: Whose) -> bool:
    """Whether the account may be, or may be in, what a SID stands for, for all that is known."""
    if sid in _NEVER:
        return False
    return sid.startswith(_SERVICE_SIDS) or whose.sid is None or not whose.groups_complete


def _granted(access: Access, allows: Callable[[str], bool], denies: Callable[[str], bool]) -> int:
    """The rights that come of the entries in stored order: the first entry about a right decides on it."""
    entries = access.entries or ()
    is_owner = access.owner is not None and allows(access.owner)
    by_entry = any(entry.sid == _OWNER_RIGHTS and not entry.inherit_only for entry in entries)
    allow = _OWNERS_OWN if is_owner and not by_entry else 0
    deny = 0
    for entry in _effective(entries):
        mask = _mapped(entry.mask)
        if entry.deny and (denies(entry.sid) or (is_owner and entry.sid == _OWNER_RIGHTS)):
            deny |= mask & ~allow
        elif not entry.deny and (allows(entry.sid) or (is_owner and entry.sid == _OWNER_RIGHTS)):
            allow |= mask & ~deny
    return allow


def _effective(entries: Iterable[AccessEntry]) -> Iterable[AccessEntry]:
    """Without those that count for what is below alone."""
    return (entry for entry in entries if not entry.inherit_only)


def _mapped(mask: int) -> int:
    for generic, rights in _GENERIC:
        if mask & generic:
            mask |= rights
    return mask & FULL
