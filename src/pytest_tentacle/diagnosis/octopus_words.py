"""What Octopus's API adds to causes: which thumbprint it has itself, and when what it is held against came to be.

It is evidence beside what the machines say, and never the only ground of a cause.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.history.changes import audit_of, certificate_of
from pytest_tentacle.history.moments import Clock
from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.sections.portal import portal_of, registrations_of, words_of_portal

_THUMBPRINT = "/Endpoint/Thumbprint"


def old_registration(view: View, declared: str) -> tuple[Evidence, ...]:
    """That Octopus itself has a thumbprint which the Tentacle has no more; none where Octopus was not asked."""
    return tuple(_old_registration(view, declared))


def _old_registration(view: View, declared: str) -> Iterator[Evidence]:
    for registration in registrations_of(view.subject):
        if as_thumbprint(registration.thumbprint) != declared:
            continue
        source = f"Octopus, {registration.space}, {registration.link}"
        yield Evidence(source, f"the server still has {declared}, and breaks off with any other")
        servers = view.subject.peers
        for moment in certificate_of(view.subject, view.subject):
            yield Evidence(moment.source, f"{moment.when}: {moment.brief or moment.text}")
        for moment in audit_of(view.subject, Clock(servers[0])) if servers else ():
            if _THUMBPRINT in moment.text:
                yield Evidence(moment.source, f"{moment.when}: {moment.text}")
        return


def thumbprints_screen(view: View, server: View | None) -> tuple[Evidence, ...]:
    """What Configuration > Thumbprints says, and when the certificate that the server presents was made."""
    portal = portal_of(view.subject)
    screen = as_thumbprint(portal.thumbprint) if portal else None
    if screen is None:
        return ()
    found = [Evidence(f"{words_of_portal(view.subject)}, Configuration > Thumbprints", f"the server's is {screen}")]
    if server is not None:
        tentacle = view.subject if view.subject.is_tentacle else server.subject
        found += [
            Evidence(moment.source, f"{moment.when}: {moment.brief or moment.text}")
            for moment in certificate_of(server.subject, tentacle)
        ]
    return tuple(found)
