"""What a machine's package manager did, one moment for each run: an update brings many packages at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pytest_tentacle.survey.surroundings import Changes, PackageChange

_ONE_RUN = timedelta(minutes=10)
_NAMED = 4
_TELLING = re.compile(
    r"openssl|libssl|gnutls|tentacle|octopus|systemd|nftables|iptables|firewalld|ufw|crypto-policies|ca-certificates|"
    r"linux-image|kernel|resolv|network|dotnet|sssd|krb5",
    re.IGNORECASE,
)
"""Packages that a link may have to do with: they are named first."""

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def runs_of(changes: Changes) -> Iterator[tuple[datetime, str]]:
    """When, in UTC by the machine's clock, and what; what has no time that can be placed is left out."""
    placed = [(time, each) for each in changes.packages if (time := _utc(each.time, changes)) is not None]
    placed.sort(key=lambda pair: pair[0])
    run: list[tuple[datetime, PackageChange]] = []
    for pair in placed:
        if run and pair[0] - run[-1][0] > _ONE_RUN:
            yield run[0][0], _told(each for _, each in run)
            run = []
        run.append(pair)
    if run:
        yield run[0][0], _told(each for _, each in run)


def _told(changes: Iterable[PackageChange]) -> str:
    every = sorted(changes, key=lambda each: not _TELLING.search(each.name))
    shown = ", ".join(map(_one, every[:_NAMED]))
    return f"packages: {shown}" + (f" and {len(every) - _NAMED} more" if len(every) > _NAMED else "")


def _one(change: PackageChange) -> str:
    versions = " to ".join(filter(None, (change.before, change.version if change.action != "removed" else None)))
    return " ".join(filter(None, (change.name, versions, change.action)))


def _utc(text: str, changes: Changes) -> datetime | None:
    """By its own offset, else by the machine's zone, else by the offset of the survey's time."""
    zone = _zone(changes)
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
        return time.replace(tzinfo=zone).astimezone(UTC) if zone is not None else None
    except (ValueError, OverflowError):  # no time, or one at the end of the calendar
        return None


def _zone(changes: Changes) -> ZoneInfo | timezone | None:
    if changes.zone:
        try:
            return ZoneInfo(changes.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    match = _OFFSET.fullmatch(changes.offset or "")
    if match is None:
        return None
    ahead = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(ahead if match[1] == "+" else -ahead) if ahead < timedelta(days=1) else None
