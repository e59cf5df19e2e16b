"""Polling over web sockets: by the portal's web server, whose certificate the Tentacle trusts (tentacle-facts 1.9).

Our own look at that port tells where the way ends and whose certificate is shown; that a web socket is served behind it
a standing connection tells, or http.sys of the server. What is bound there is no proof of what a Tentacle meets, since
a balancer may open TLS before it: only a look is.
"""

from __future__ import annotations

from pytest_tentacle.guide.consequences import NO_PROCESS
from pytest_tentacle.judging.entries import Entry
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.links import Link
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.link import Stage
from pytest_tentacle.survey.model import ServiceState
from pytest_tentacle.survey.surroundings import Reservations

from .probe_verdict import describe, finding_of
from .reserved import HTTP_SYS_PID, MOST_URLS, Prefix, bindings_of, prefix_of, served_prefixes

_ON_THE_WAY = frozenset({Stage.RESOLVE, Stage.CONNECT, Stage.TLS})
"""What comes before a page, of which a web server has its own."""

_WITHOUT_SERVER = frozenset({"TT209", "TT212"}) | NO_PROCESS
_WITHOUT_CERTIFICATE = frozenset({"TT210", "TT211"})
"""What is wrong at the server itself, so that what its clients see is no news."""


def judged(link: Link, entry: Entry) -> Evidence | Problem | Unknown | Blocked:
    """A web socket's link: up, broken at the server or on its way, or of another certificate than the trusted one.

    Raises Unknown where the Tentacle's machine could not look.
    """
    found = standing_or_unknown(link.tentacle, entry)
    if isinstance(found, Evidence) or link.proxy is not None:
        return found
    return _at_the_server(link, entry) or _on_its_way(link, entry) or found


def _on_its_way(link: Link, entry: Entry) -> Problem | None:
    """What our own look at the port shows; None where it shows nothing wrong, or nobody looked."""
    probe = link.entry_probe
    if probe is None:
        return None
    presented, trusted = probe.thumbprint, as_thumbprint(entry.thumbprint)
    if presented is not None:
        if trusted in (None, presented):
            return None
        return _renewed(link, entry, presented, Evidence(f"probe from {link.vantage.name}", describe(probe)))
    if probe.failed is None or probe.failed[0] not in _ON_THE_WAY:
        return None
    broken = finding_of(probe, link.vantage.name, link.product, None)
    if broken is None:
        return None
    facts = broken.facts | {"vantage": link.vantage.name, "server": link.server_name, "declared_ip": link.declared_ip}
    expected = f"from {link.vantage.name}, the web server of {entry.address} answers"
    return Problem(broken.code, link.tentacle.name, expected, broken.actual, broken.evidence, facts)


def _at_the_server(link: Link, entry: Entry) -> Problem | Blocked | None:
    """What the server's own machine tells; None where nothing is wrong there, or nobody knows.

    A name that leads to several nodes says nothing about one of them; a balancer may have another port than the node.
    """
    nodes = [node for node in link.tentacle.peers if entry.names(node)]
    polled = prefix_of(entry.address)
    if len(nodes) != 1 or polled is None or nodes[0].system != "windows":
        return None
    node = nodes[0]
    broken = _broken_at(node, link, polled)
    if broken is not None:
        return Blocked(broken.code, node.name, broken.actual)
    reservations = _reservations_of(node)
    service = node.known_service
    # Without bindings the survey is one of before, which asked for nothing of a web server.
    if reservations is None or reservations.http_sys is None or reservations.bindings is None or service is None:
        return None
    served = served_prefixes(reservations)
    if service.state is not ServiceState.RUNNING or len(reservations.http_sys) >= MOST_URLS:
        return None
    if any(polled.is_within(each) for each in served) or _is_for_every_path(node) or _is_held(node, entry.port):
        return None
    return _not_served(link, entry, polled, node, served)


def _broken_at(node: Subject, link: Link, polled: Prefix) -> Problem | None:
    """What keeps the node from serving the web socket: a prefix of its own without a certificate, or no server at all.

    Where our look was shown a certificate, something opens TLS there after all.
    """
    probe = link.entry_probe
    for problem in node.problems_of("services-running"):
        if problem.code in _WITHOUT_SERVER:
            return problem
        if problem.code in _WITHOUT_CERTIFICATE and (probe is None or probe.thumbprint is None):
            prefix = prefix_of(str(problem.facts.get("url")))
            if prefix is not None and prefix.path == polled.path:
                return problem
    return None


def _configured(node: Subject) -> Prefix | None:
    """The web socket of the server's settings."""
    try:
        return prefix_of(node.server_settings.web_socket_prefix or "")
    except (Unknown, Blocked):
        return None


def _is_for_every_path(node: Subject) -> bool:
    """Whether the server's web socket has no path of its own, so that no prefix shows it."""
    configured = _configured(node)
    return configured is not None and not configured.path


def _is_held(node: Subject, port: int) -> bool:
    """Whether a program of the server's machine, and not http.sys, listens there, and may lead to other paths."""
    try:
        return any(each.port == port and each.pid != HTTP_SYS_PID for each in node.read(FACTS.listeners))
    except Unknown:
        return True


def _reservations_of(node: Subject) -> Reservations | None:
    try:
        return node.read(FACTS.reservations)
    except Unknown:
        return None


def _not_served(link: Link, entry: Entry, polled: Prefix, node: Subject, served: tuple[Prefix, ...]) -> Problem:
    listed = ", ".join(each.text for each in served) or "nothing"
    configured = _configured(node)
    if configured is None:
        words = ""
    elif polled.is_within(configured):
        words = f", though its settings have {configured.text}: it was not started since, or could not open it"
    else:
        words = f"; its settings have {configured.text}"
    return Problem(
        "TT537",
        link.tentacle.name,
        expected=f"{node.name} serves a web socket at {entry.address}",
        actual=f"its http.sys serves no prefix of the path /{polled.path}{words}",
        evidence=(Evidence(f"http.sys of {node.name}", f"it serves {listed}"),),
        facts={
            "instance": node.instance_name,
            "polled": entry.address,
            "prefix": f"https://+:{entry.port}/{entry.address.partition('://')[2].partition('/')[2].strip('/')}",
            "server": node.name,
        },
    )


def _renewed(link: Link, entry: Entry, presented: str, seen: Evidence) -> Problem:
    tentacle = link.tentacle
    bound = _bound_words(link, entry, presented)
    return Problem(
        "TT534",
        tentacle.name,
        expected=f"{entry.address} presents the certificate that the Tentacle trusts there, {entry.thumbprint}",
        actual=f"it presents {presented}" + (f", {bound}" if bound else ""),
        evidence=(seen,),
        facts={
            "instance": tentacle.instance_name,
            "host": entry.host,
            "port": entry.port,
            "polled": entry.address,
            "presented": presented,
            "configured": entry.thumbprint,
            "vantage": link.vantage.name,
            "server": link.server_name,
        },
    )


def _bound_words(link: Link, entry: Entry, presented: str) -> str:
    """Whether the certificate is the server's own, where http.sys of the one node of that name tells."""
    nodes = [node for node in link.tentacle.peers if entry.names(node)]
    reservations = _reservations_of(nodes[0]) if len(nodes) == 1 else None
    bound = bindings_of((reservations.bindings if reservations else None) or (), entry.host, entry.port)
    known = {each.thumbprint for each in bound if each.thumbprint}
    if not known:
        return ""
    if presented in known:
        return f"which is bound at http.sys of {nodes[0].name}: it is the portal's own"
    return f"which is not bound at http.sys of {nodes[0].name}: it seems that something in between opens TLS"


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
