"""To which machines a step applies.

A polling Tentacle has no port of its own; where the mode is not known the step stays, and is unknown. A server is
looked at as far as we can log on to it: its TLS only if it has links, its polling port only if somebody polls it; links
are judged at their Tentacles. Of a host where the product does not run (`judging.away`) it is looked at that all is
well all the same, and at the host; of a Tentacle in a container, which does not stand by, at its links as well.
"""

from __future__ import annotations

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.away import away, stands_by
from pytest_tentacle.judging.subject import Subject


def to_each_host(subject: Subject) -> bool:
    """Tentacles, and servers that we can log on to, wherever the product runs."""
    return away(subject) is not None or subject.is_tentacle or subject.can_log_on


def to_each_machine(subject: Subject) -> bool:
    """The same, where the product runs on the machine itself."""
    return away(subject) is None and (subject.is_tentacle or subject.can_log_on)


def to_each_end(subject: Subject) -> bool:
    """The same, of servers those that have links."""
    return to_each_machine(subject) and (subject.is_tentacle or bool(subject.peers))


def to_tentacles(subject: Subject) -> bool:
    """Tentacles that run on the machine itself."""
    return subject.is_tentacle and away(subject) is None


def to_links(subject: Subject) -> bool:
    """Tentacles, where links are judged; not one that stands by."""
    return subject.is_tentacle and (away(subject) is None or stands_by(subject) is None)


def where_pings_were_asked_for(subject: Subject) -> bool:
    """The same, in a survey with pings."""
    return subject.fleet.surveys.ping is not None and to_links(subject)


def to_tentacles_and_polled_servers(subject: Subject) -> bool:
    """Tentacles, and servers that somebody polls, that run on the machine itself."""
    return away(subject) is None and (subject.is_tentacle or _is_polled(subject))


def to_whoever_listens(subject: Subject) -> bool:
    """The same, of Tentacles those that do not poll."""
    return to_tentacles_and_polled_servers(subject) and subject.mode is not Mode.POLLING


def _is_polled(subject: Subject) -> bool:
    return subject.can_log_on and subject.name in subject.fleet.polled_servers
