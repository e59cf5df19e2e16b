"""Guide, "Check the Server Service Account Permissions": the account's rights on Octopus Home, recursively.

The guide asks for full control. Whoever has Modify can do a Tentacle's work: that is told, and no problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.surroundings import Access, Permissions

from .own_folders import is_tentacles_own, proof_of_work
from .rights import FULL, MODIFY, denied_by, has_rights, may_work

LOCAL_SYSTEM = "S-1-5-18"
_NAMED = 5
_BY_HAND = "Look at the folder's security by hand, with the account's groups at hand."
_SURVEY_RIGHTS = "Survey with an account that may read it (Windows: local Administrators; Linux: root or sudo)."


@check(codes=("TT801", "TT802", "TT803"), reads=("instances", "services", "permissions", "service_accounts", "logs"))
def account_has_full_control(subject: Subject) -> Iterator[Finding]:
    """The service runs as Local System or root, or its account may work in Octopus Home and all that is below."""
    rights = _own(subject)
    if rights.sid == LOCAL_SYSTEM or rights.account in ("LocalSystem", "root"):
        yield Evidence(f"service of {subject.name}", f"it runs as {rights.account}, which may do everything")
        return
    found = _sorted(subject, rights)
    home = [access for access in found.lacking if access.path == rights.home]
    if found.lacking:
        yield _problem("TT801" if home else "TT802", subject, rights, home or found.lacking)
    if found.denied:
        yield _problem("TT803", subject, rights, found.denied)
    if found.foreign:
        words = f"{found.foreign[0].path} is an application's: whom else it lets in is its own business"
        yield Evidence(f"rights below {rights.home}", words)
    wrong = found.lacking or found.denied
    proof = proof_of_work(subject) if found.doubtful and not wrong else None
    if proof is not None:
        yield proof
    yield from _unseen(subject, rights, () if proof else found.doubtful, found.unread)
    if not (wrong or found.doubtful or found.unread):
        yield _well(rights)


@dataclass
class _Found:
    """What was read, by what it says."""

    lacking: list[Access] = field(default_factory=list)
    denied: list[Access] = field(default_factory=list)
    doubtful: list[Access] = field(default_factory=list)
    unread: list[Access] = field(default_factory=list)
    foreign: list[Access] = field(default_factory=list)


def _sorted(subject: Subject, rights: Permissions) -> _Found:
    found = _Found()
    for access in rights.access:
        if subject.is_tentacle and not is_tentacles_own(access.path, rights.home):
            found.foreign.append(access)
            continue
        verdict = _may_work(access, rights)
        if access.error is not None:
            found.unread += [access] if access.error != "not-found" or access.path == rights.home else []
        elif verdict is None:
            found.doubtful.append(access)
        elif not verdict:
            (found.denied if denied_by(access, rights, MODIFY) else found.lacking).append(access)
    return found


def _own(subject: Subject) -> Permissions:
    """What was read for its own instance. Raises Blocked where no service runs it, Unknown where nothing was read."""
    wanted = subject.instance.name.lower()
    for rights in subject.read(FACTS.permissions):
        if rights.product == subject.product and rights.instance.lower() == wanted:
            return rights
    if subject.service is None:
        raise Blocked("TT201", subject.name, "there is no service, and no account whose rights could be asked for")
    raise Unknown(f"the rights on Octopus Home of {subject.name} were not read", _BY_HAND)


def _may_work(access: Access, rights: Permissions) -> bool | None:
    if access.entries is not None:
        return has_rights(access, rights, MODIFY)
    if access.mode is not None:
        return may_work(access, rights, folder=access.path == rights.home)
    return None


def _problem(code: str, subject: Subject, rights: Permissions, found: list[Access]) -> Problem:
    """One problem for all that is wrong in the same way; what is nearest to the top is named."""
    first = found[0]
    entry = denied_by(first, rights, MODIFY)
    more = f" and {len(found) - 1} more below {rights.home}" if len(found) > 1 else ""
    what = f"an entry denies it on {first.path}" if entry else f"it may not on {first.path}"
    return Problem(
        code,
        subject.name,
        expected=f"{rights.account} may read, write and delete in {rights.home} and below",
        actual=what + more,
        evidence=tuple(Evidence(f"rights on {access.path}", _line(access)) for access in found[:_NAMED]),
        facts={
            "instance": subject.instance_name,
            "account": rights.account,
            "home": rights.home,
            "path": first.path,
            "file": subject.instance.configuration.path,
            "sid": entry.sid if entry else rights.sid,
            "paths": len(found),
        },
    )


def _unseen(
    subject: Subject, rights: Permissions, doubtful: Sequence[Access], unread: Sequence[Access]
) -> Iterator[Unknown]:
    if doubtful:
        yield Unknown(
            f"whether {rights.account} may work in {doubtful[0].path} on {subject.name} depends on groups or access "
            f"lists that could not be read",
            _BY_HAND,
        )
    if unread:
        yield Unknown(
            f"the rights on {unread[0].path} on {subject.name} could not be read: {unread[0].error}", _SURVEY_RIGHTS
        )
    if not rights.access:
        yield Unknown(f"no rights below {rights.home} on {subject.name} were read", _SURVEY_RIGHTS)


def _well(rights: Permissions) -> Evidence:
    lists = [access for access in rights.access if access.entries is not None]
    full = all(has_rights(access, rights, FULL) for access in lists)
    extent = f"{rights.looked_at} folders and files looked at" + ("" if rights.complete else ", not all there are")
    words = "full control" if full else "Modify, which is enough for the work; the guide asks for full control"
    return Evidence(f"rights on {rights.home}", f"{rights.account} has {words} ({extent})")


def _line(access: Access) -> str:
    if access.entries is None:
        return f"owner {access.owner}, group {access.group}, mode {access.mode or 0:o}"
    entries = ", ".join(
        f"{'deny' if entry.deny else 'allow'} {entry.sid} 0x{entry.mask:X}"
        for entry in access.entries
        if not entry.inherit_only
    )
    return f"owner {access.owner}; {entries or 'no entry'}"
