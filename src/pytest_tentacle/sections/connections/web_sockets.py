"""Polling over web sockets: by the portal's web server, whose certificate the Tentacle trusts (tentacle-facts 1.9).

Our own look at that port tells where the way ends and whose certificate is shown; that a web socket is served behind it
only a standing connection tells.
"""

from __future__ import annotations

from pytest_tentacle.judging.entries import Entry
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.links import Link
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Probe, Stage

from .probe_verdict import describe, finding_of

_ON_THE_WAY = frozenset({Stage.RESOLVE, Stage.CONNECT, Stage.TLS})
"""What comes before a page, of which a web server has its own."""


def judged(link: Link, entry: Entry) -> Evidence | Problem | Unknown:
    """A web socket's link: up, broken on its way, or of a web server whose certificate is not the trusted one.

    Raises Unknown where the Tentacle's machine could not look.
    """
    found = standing_or_unknown(link.tentacle, entry)
    probe = link.entry_probe
    if isinstance(found, Evidence) or probe is None or link.proxy is not None:
        return found
    presented, trusted = probe.thumbprint, as_thumbprint(entry.thumbprint)
    if presented is not None:
        return found if trusted in (None, presented) else _renewed(link, entry, probe, presented)
    if probe.failed is None or probe.failed[0] not in _ON_THE_WAY:
        return found
    broken = finding_of(probe, link.vantage.name, link.product, None)
    if broken is None:
        return found
    facts = broken.facts | {"vantage": link.vantage.name, "server": link.server_name, "declared_ip": link.declared_ip}
    expected = f"from {link.vantage.name}, the web server of {entry.address} answers"
    return Problem(broken.code, link.tentacle.name, expected, broken.actual, broken.evidence, facts)


def _renewed(link: Link, entry: Entry, probe: Probe, presented: str) -> Problem:
    tentacle = link.tentacle
    return Problem(
        "TT534",
        tentacle.name,
        expected=f"{entry.address} presents the certificate that the Tentacle trusts there, {entry.thumbprint}",
        actual=f"it presents {presented}",
        evidence=(Evidence(f"probe from {link.vantage.name}", describe(probe)),),
        facts={
            "instance": tentacle.instance_name,
            "host": probe.host,
            "port": probe.port,
            "polled": entry.address,
            "presented": presented,
            "configured": entry.thumbprint,
            "vantage": link.vantage.name,
            "server": link.server_name,
        },
    )


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
