"""When the account of a service was changed, between two times at which it is known.

Neither Windows nor systemd notes the change itself: event 7040 tells of the way a service starts alone. Known are the
account with which a service was installed (7045), those with which it tried to log on and could not (7038, 7041), whose
its process is, and what it is set to now. On Linux the unit's file has a time, which stands beside other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.services.events import plain_account
from pytest_tentacle.survey.model import Service
from pytest_tentacle.survey.surroundings import Event

from .moments import Clock, Kind, Moment

_ACCOUNT = {7045: "AccountName", 7038: "param2", 7041: "param2"}
"""The field that names the account, by event (windows-reality 7)."""


def accounts_of(subject: Subject, clock: Clock) -> Iterator[Moment]:
    """Each change of its service's account, with the time before and the time after it."""
    try:
        service = subject.service
    except (Unknown, Blocked):
        return
    if service is None or service.account is None or subject.record is None:
        return
    now = subject.record.taken_utc
    known = sorted(
        [*_by_events(subject, service, clock), (now, service.account)],
        key=lambda pair: pair[0],
    )
    told = False
    for (before, former), (after, later) in pairwise(known):
        if plain_account(former) != plain_account(later):
            told = True
            yield _moment(subject, before, after, f"the account of its service was changed from {former} to {later}")
    if not told and service.started_utc is not None and _runs_as_another(subject, service):
        text = f"the account of its service was changed to {service.account}: its process still runs as another"
        yield _moment(subject, clock.at(service.started_utc), now, text)


def _by_events(subject: Subject, service: Service, clock: Clock) -> Iterator[tuple[datetime, str]]:
    try:
        events = subject.read(FACTS.events)
    except Unknown:
        return
    for event in events:
        account = event.data.get(_ACCOUNT.get(event.id, ""), "")
        if account and event.source == "service-control-manager" and _is_about(event, service):
            yield clock.at(event.time_utc), account


def _is_about(event: Event, service: Service) -> bool:
    return any(value.casefold() == service.name.casefold() for value in event.data.values())


def _runs_as_another(subject: Subject, service: Service) -> bool:
    try:
        rows = subject.read(FACTS.service_accounts)
    except Unknown:
        return False
    row = next((row for row in rows if row.service == service.name), None)
    return bool(row and row.sid and row.process_sid and row.sid != row.process_sid)


def _moment(subject: Subject, before: datetime, after: datetime, text: str) -> Moment:
    source = f"services and System log of {subject.name}"
    return Moment(before, Kind.CHANGED, subject.name, text, source, within=max(after - before, after - after))
