"""Polling over web sockets: what shows that such a link is up, for our own look at a port tells nothing of it."""

from __future__ import annotations

from pytest_tentacle.judging.entries import Entry
from pytest_tentacle.judging.finding import Evidence, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject


def standing(subject: Subject, entry: Entry) -> Evidence | None:
    """The connection that the Tentacle's own process holds to a web socket's port; None where there is none.

    Whose address it is cannot be compared: a portal's name leads to balancers, now to this one, now to that.
    Raises Unknown where services or connections could not be read.
    """
    service = subject.service
    if service is None or service.pid is None:
        return None
    for row in subject.read(FACTS.connections):
        if row.state == "established" and row.remote_port == entry.port and row.pid == service.pid:
            where = f"{row.remote_address}:{row.remote_port}"
            return Evidence(
                f"connections of {subject.name}", f"{entry.address}: {service.name} is connected to {where}"
            )
    return None


def standing_or_unknown(subject: Subject, entry: Entry) -> Evidence | Unknown:
    """The same; where there is no connection, or nobody can see it, why that is no verdict."""
    why = ""
    try:
        found = standing(subject, entry)
    except Unknown as unknown:
        found, why = None, f" ({unknown.reason})"
    return found or Unknown(
        f"{subject.name} polls {entry.address} over a web socket, and no connection of its process to it was seen{why}",
        "Browse there from the Tentacle's machine: the portal's web server answers. Then see the Tentacle's log.",
    )
