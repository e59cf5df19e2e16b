"""Something else answers in the peer's place, or opens the connection on its way: by what it presents."""

from __future__ import annotations

import re

from pytest_tentacle.diagnosis.causes.path.links import unless_led
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.diagnosis.wording import listed
from pytest_tentacle.guide.commands import CERTIFICATE_WINDOWS, PLAIN_WINDOWS, when
from pytest_tentacle.guide.consequences import STRANGER_IN_LOGS, STRANGER_SPEAKS
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.logs.signatures.model import OWN_SUBJECT

from .ends import end_name, is_well, vantage

_CERTIFICATE = frozenset({"TT530", "TT531"})
_SEVERAL = 2
_OWN_SUBJECT = re.compile(OWN_SUBJECT)
_BROWSE_WINDOWS = CERTIFICATE_WINDOWS
_BROWSE_LINUX = (
    '$ openssl s_client -connect "<host>:<port>" </dev/null | openssl x509 -noout -subject -issuer -fingerprint -sha1'
)


def _presented(problem: Problem) -> str | None:
    found = problem.facts.get("thumbprint")
    return str(found) if found else None


def _subject(problem: Problem) -> str:
    return str(problem.facts.get("subject") or "")


def _is_octopus(problem: Problem) -> bool:
    """Octopus's certificates are self-signed; an inspector copies the subject, and signs with one of its own."""
    subject, issuer = _subject(problem), str(problem.facts.get("issuer") or "")
    return _OWN_SUBJECT.fullmatch(subject) is not None and issuer in ("", subject)


def _owner(view: View, problem: Problem) -> str | None:
    thumbprint = _presented(problem)
    here = end_name(view, problem)
    owners = view.scene.owners.get(thumbprint, ()) if thumbprint else ()
    return next((name for name in owners if name != here), None) if here not in owners else None


def _elsewhere(view: View, problem: Problem) -> Clue | None:
    """The certificate is known: it is another machine's."""
    owner = _owner(view, problem)
    if owner is None:
        return None
    seen = Evidence("all surveyed machines", f"{_presented(problem)} is the certificate of {owner}")
    return Clue(facts={"owner": owner, "end": end_name(view, problem)}, evidence=(seen,), place=vantage(problem))


def _inspected(view: View, problem: Problem) -> Clue | None:
    if _owner(view, problem) is not None or _is_octopus(problem) or not _subject(problem):
        return None
    issuer = str(problem.facts.get("issuer") or "?")
    many = view.scene.count("TT531", issuer=problem.facts.get("issuer"))
    seen = (Evidence("all links", f"{issuer} is met on {many} machines' links"),) if many >= _SEVERAL else ()
    end = view.end(problem)
    well = end is not None and end.answers_itself
    unseen = [name for name in view.scene.nameless if name != end_name(view, problem)]
    if unseen and issuer == _subject(problem):
        doubt = f"The certificate is self-signed, as no inspector's is: see whether it is that of {listed(unseen)}."
        return Clue(facts={"inspector": issuer}, confidence=Confidence.POSSIBLE, unsure=doubt, place=vantage(problem))
    here = (Evidence(f"probe on {end.name}", "there its own certificate is presented"),) if end and well else ()
    return Clue(
        facts={"inspector": issuer},
        evidence=(*here, *seen),
        confidence=Confidence.CERTAIN if well else Confidence.LIKELY,
        place=vantage(problem),
    )


def _other_octopus(view: View, problem: Problem) -> Clue | None:
    """Octopus's own kind of certificate, of a machine that the inventory does not know."""
    if _owner(view, problem) is not None or not _is_octopus(problem):
        return None
    end, name = view.end(problem), end_name(view, problem)
    if end is not None and end.answers_itself:
        return Clue(facts={"end": name}, confidence=Confidence.LIKELY, place=vantage(problem))
    return Clue(
        facts={"end": name},
        unsure="Log on to {end} to tell a renewed certificate from another machine at its address.",
        place=vantage(problem),
    )


def _wrong_product(view: View, problem: Problem) -> Clue | None:
    page = problem.facts.get("page")
    if page is None or _owner(view, problem) is not None:
        return None
    return Clue(
        facts={"end": end_name(view, problem), "page": f"an Octopus {str(page).capitalize()}"}, place=vantage(problem)
    )


def _web_server(view: View, problem: Problem) -> Clue | None:
    if problem.facts.get("page") is not None or _owner(view, problem) is not None:
        return None
    ingress = _OF_AN_INGRESS.search(_subject(problem)) is not None
    facts = {"end": end_name(view, problem), "ingress": ingress, "unknown": not ingress}
    return Clue(facts=facts | {"between": _ENDED_THERE if ingress else _BETWEEN}, place=vantage(problem))


_OF_AN_INGRESS = re.compile(r"Ingress Controller Fake Certificate|TRAEFIK DEFAULT CERT|NGINXIngressController")
"""Subjects of the certificates that ingress controllers make for names for which they were given none."""
_ENDED_THERE = (
    "an ingress controller (Kubernetes, Traefik) ends TLS there, with the certificate that it makes itself, instead of "
    "passing it through"
)
_BETWEEN = "the address belongs to another machine, or a gateway or SSL offloading sits in between"
_SEE_WHOSE = (
    *when(
        "ingress",
        "Do not let a Tentacle accept that certificate. Have the ingress pass TLS for this name through unopened, to "
        "port 10943 of the server (ingress-nginx: --enable-ssl-passthrough and the annotation ssl-passthrough; "
        "Traefik: an IngressRouteTCP with tls.passthrough), or publish that port by a Service of its own for each "
        "node. To see what answers:",
    ),
    *when("unknown", "See whose page it is; correct the address, or take the device out of the way:"),
)

_PLAIN_TEXT = "in plain text: a proxy, SSL offloading, or another service"
_NO_SERVER = "with TLS that no server would say: another service, perhaps one that says back what it hears"


def _plain(view: View, problem: Problem) -> Clue | None:
    end = view.end(problem)
    known = end is not None and end.answers_itself
    name = end_name(view, problem)
    facts = {"end": name, "how": _NO_SERVER if problem.facts.get("unexpected_message") else _PLAIN_TEXT}
    if known:
        seen = Evidence(f"probe on {name}", "there its own page is shown, by TLS")
        return Clue(facts=facts, evidence=(seen,), place=vantage(problem))
    return Clue(
        facts=facts,
        confidence=Confidence.LIKELY,
        unsure="Log on to {end} to tell something on the path apart from a program on its own port.",
        place=vantage(problem),
    )


def _wants_certificate(_view: View, problem: Problem) -> Clue | None:
    return Clue() if problem.facts.get("wants_certificate") else None


def _refuses_tls(view: View, problem: Problem) -> Clue | None:
    """An alert of somebody who speaks TLS, and it is not the end, which shows its page to itself."""
    alert, name = problem.facts.get("alert"), end_name(view, problem)
    if not alert or not is_well(view, problem):
        return None
    seen = Evidence(f"probe on {name}", "there its own page is shown")
    return Clue(facts={"end": name, "alert": alert}, evidence=(seen,), place=vantage(problem))


STRANGERS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5271",
        "A gateway demands a client certificate",
        "What answers {vantage} at {host}:{port} ends the handshake because it gets no "
        "client certificate. No Octopus product does that: there is a gateway with mutual TLS in between.",
        frozenset({"TT527"}),
        (
            "Let the gateway pass the port through as TCP; see whose certificate it presents:",
            CERTIFICATE_WINDOWS,
        ),
        ("Let the gateway pass the port through as TCP; see whose certificate it presents:", _BROWSE_LINUX),
        unless_led(_wants_certificate),
        consequences=STRANGER_IN_LOGS,
        fold_by=("vantage", "host", "port"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5272",
        "Something on the path refuses the TLS handshake",
        "What answers {vantage} at {host}:{port} ends the TLS handshake (alert: {alert}), while {end} shows its page "
        "to itself: a gateway or a load balancer that opens TLS stands in between. Octopus needs TLS from end to end.",
        frozenset({"TT527"}),
        ("Let the device pass the port through as TCP; see what it presents:", CERTIFICATE_WINDOWS),
        ("Let the device pass the port through as TCP; see what it presents:", _BROWSE_LINUX),
        unless_led(_refuses_tls),
        consequences=STRANGER_IN_LOGS,
        fold_by=("vantage", "host", "port"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5311",
        "TLS is inspected on the path",
        "On the path from {vantage}, a device decrypts the TLS connection of {who} and re-encrypts it with a "
        "certificate of {inspector}. Octopus needs TLS from end to end, and refuses.",
        frozenset({"TT531"}),
        (
            "Have port {port} between the two exempted from inspection. To see whose certificate is presented:",
            _BROWSE_WINDOWS,
        ),
        (
            "Have port {port} between the two exempted from inspection. To see whose certificate is presented:",
            _BROWSE_LINUX,
        ),
        unless_led(_inspected),
        consequences=STRANGER_IN_LOGS | STRANGER_SPEAKS,
        fold_by=("issuer",),
        rank=15,
    ),
    CauseKind(
        "TC5312",
        "The address leads to another machine",
        "{host}, which {vantage} uses for {end}, leads to {owner}, whose certificate is presented.",
        _CERTIFICATE | {"TT512"},
        (
            "Correct the name's record or the address in the inventory and in the portal; to see where it leads:",
            '$ Resolve-DnsName "<host>"',
            _BROWSE_WINDOWS,
        ),
        (
            "Correct the name's record or the address in the inventory and in the portal; to see where it leads:",
            '$ getent ahosts "<host>"',
            _BROWSE_LINUX,
        ),
        unless_led(_elsewhere),
        consequences=STRANGER_IN_LOGS,
        fold_by=("owner",),
        rank=35,
    ),
    CauseKind(
        "TC5303",
        "Another Octopus machine answers, or the certificate was renewed",
        "At {host}:{port} an Octopus certificate answers that belongs neither to "
        "{end} nor to any other machine in the inventory: an address that was reassigned, a NAT to another machine, "
        "or a new certificate.",
        _CERTIFICATE,
        ("Compare the thumbprint with that of {end}; correct address or thumbprint:", _BROWSE_WINDOWS),
        ("Compare the thumbprint with that of {end}; correct address or thumbprint:", _BROWSE_LINUX),
        unless_led(_other_octopus),
        consequences=STRANGER_IN_LOGS,
        fold_by=("thumbprint",),
        rank=35,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC5301",
        "A different Octopus product answers",
        "At {host}:{port}, where {end} should be, {page} answers: the host or port belongs to something else.",
        frozenset({"TT530"}),
        ("Correct host and port in the inventory, in the portal, or in the Tentacle's settings:", _BROWSE_WINDOWS),
        ("Correct host and port in the inventory, in the portal, or in the Tentacle's settings:", _BROWSE_LINUX),
        unless_led(_wrong_product),
        consequences=STRANGER_IN_LOGS,
        fold_by=("host", "port"),
        rank=35,
    ),
    CauseKind(
        "TC5302",
        "A web server answers instead of the peer",
        "At {host}:{port}, where {end} should be, a web server with the certificate of {subject} answers: {between}.",
        frozenset({"TT530"}),
        (*_SEE_WHOSE, _BROWSE_WINDOWS),
        (*_SEE_WHOSE, '$ curl -kv "https://<host>:<port>/"', _BROWSE_LINUX),
        unless_led(_web_server),
        consequences=STRANGER_IN_LOGS | STRANGER_SPEAKS,
        fold_by=("issuer",),
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5291",
        "Something that speaks no TLS answers",
        "At {host}:{port} something answers {vantage} {how}. Octopus needs TLS from end to end.",
        frozenset({"TT529"}),
        ("See what answers, and take it out of the way:", PLAIN_WINDOWS),
        ("See what answers, and take it out of the way:", '$ curl -v "http://<host>:<port>/"'),
        unless_led(_plain),
        consequences=STRANGER_IN_LOGS | STRANGER_SPEAKS,
        fold_by=("link",),
        rank=25,
    ),
)
