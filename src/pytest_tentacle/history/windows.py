"""What Windows' own logs tell of updates and of its firewall, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pytest_tentacle.survey.surroundings import RuleChange, UpdateChange

_ONE_RUN = timedelta(minutes=10)
_NAMED = 4
_PROFILES = {1: "Domain", 2: "Private", 4: "Public"}
_WHAT = {"added": "was added", "changed": "was changed", "removed": "was removed"}


def words_of_updates(updates: Iterable[UpdateChange]) -> Iterator[tuple[datetime, str]]:
    """When, by the machine's clock, and what: one for each run of servicing, which brings several parts at once."""
    run: list[UpdateChange] = []
    for each in sorted(updates, key=lambda one: one.time_utc):
        if run and each.time_utc - run[-1].time_utc > _ONE_RUN:
            yield run[0].time_utc, _told(run)
            run = []
        run.append(each)
    if run:
        yield run[0].time_utc, _told(run)


def _told(run: list[UpdateChange]) -> str:
    """Numbers of the knowledge base first: parts of Windows have long names that say less."""
    names = dict.fromkeys(
        f"{each.name} {each.action}" for each in sorted(run, key=lambda one: not one.name.startswith("KB"))
    )
    rest = len(names) - _NAMED
    return f"updates of Windows: {', '.join([*names][:_NAMED])}" + (f" and {rest} more" if rest > 0 else "")


def words_of_rule(change: RuleChange) -> str:
    """`the firewall's rule 'Octopus' was added: it allows TCP 10933`."""
    if change.action == "profile":
        number = int(change.name) if change.name.isdecimal() else 0
        names = [word for bit, word in _PROFILES.items() if number & bit]
        return f"a setting of the firewall's profile {' and '.join(names) or change.name} was changed"
    told = f"the firewall's rule {change.name!r} {_WHAT[change.action]}"
    if change.verdict is None:
        return told
    off = ", and is switched off" if change.active is False else ""
    return f"{told}: it {change.verdict}s TCP {', '.join(change.ports) or 'on any port'}{off}"
