"""Something answers in the peer's place, or opens the connection on its way (guide, "Watch out for proxy servers")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.judging.finding import Evidence, Problem

_CERTIFICATE = frozenset({"TT530", "TT531"})
IN_LOGS = frozenset({"TT101", "TT102", "TT104", "TT105", "TT106", "TT109", "TT112", "TT113", "TT121", "TT132"})
SPOKEN = frozenset({"TT951", "TT952", "TT953", "TT954"})
_SEVERAL = 2
_BROWSE_WINDOWS = '$ curl.exe -kv "https://<host>:<port>/"'
_BROWSE_LINUX = (
    '$ openssl s_client -connect "<host>:<port>" </dev/null | openssl x509 -noout -subject -issuer -fingerprint -sha1'
)


def _presented(problem: Problem) -> str | None:
    found = problem.facts.get("thumbprint")
    return str(found) if found else None


def vantage(problem: Problem) -> str:
    """Name of the machine that connects."""
    return str(problem.facts.get("vantage"))


def _subject(problem: Problem) -> str:
    return str(problem.facts.get("subject") or "")


def end_name(view: View, problem: Problem) -> str:
    """Name of the machine that should answer; of a polled address that is declared for none, its host."""
    end = view.end(problem)
    return end.name if end else str(problem.facts.get("server") or problem.facts.get("host"))


def _is_octopus(problem: Problem) -> bool:
    """Octopus's certificates are self-signed; an inspector copies the subject, and signs with one of its own."""
    subject, issuer = _subject(problem), str(problem.facts.get("issuer") or "")
    return "octopus" in subject.lower() and issuer in ("", subject)


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
    return Clue(facts={"end": end_name(view, problem)}, place=vantage(problem))


INTERCEPTION: tuple[CauseKind, ...] = (
    CauseKind(
        "TC540",
        "TLS is inspected on the way",
        "On the way from {vantage}, somebody opens the TLS connection of {who} and closes it again with a certificate "
        "of {inspector}. Octopus needs the connection whole, and breaks off.",
        frozenset({"TT531"}),
        ("Have port {port} between the two exempted from inspection. To see whose certificate comes:", _BROWSE_WINDOWS),
        ("Have port {port} between the two exempted from inspection. To see whose certificate comes:", _BROWSE_LINUX),
        _inspected,
        also=IN_LOGS | SPOKEN,
        fold_by=("issuer",),
        rank=15,
    ),
    CauseKind(
        "TC541",
        "The address leads to another machine",
        "{host}, by which {vantage} looks for {end}, leads to {owner}: its certificate answers.",
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
        _elsewhere,
        also=IN_LOGS,
        fold_by=("owner",),
        rank=35,
    ),
    CauseKind(
        "TC542",
        "Another Octopus machine answers, or the certificate was renewed",
        "At {host}:{port} answers an Octopus certificate that is not the one of {end}, and of no machine in the "
        "inventory: an address that was given away, a NAT to another machine, or a new certificate.",
        _CERTIFICATE,
        ("Compare the thumbprint with that of {end}; correct address or thumbprint:", _BROWSE_WINDOWS),
        ("Compare the thumbprint with that of {end}; correct address or thumbprint:", _BROWSE_LINUX),
        _other_octopus,
        also=IN_LOGS,
        fold_by=("thumbprint",),
        rank=35,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC543",
        "Another product of Octopus answers",
        "At {host}:{port}, where {end} should be, {page} answers: host or port are another machine's.",
        frozenset({"TT530"}),
        ("Correct host and port in the inventory, in the portal, or in the Tentacle's settings:", _BROWSE_WINDOWS),
        ("Correct host and port in the inventory, in the portal, or in the Tentacle's settings:", _BROWSE_LINUX),
        _wrong_product,
        also=IN_LOGS,
        fold_by=("host", "port"),
        rank=35,
    ),
    CauseKind(
        "TC544",
        "A web server answers in the peer's place",
        "At {host}:{port}, where {end} should be, a web server with the certificate of {subject} answers: the address "
        "is another machine's, or a gateway or SSL offloading stands between.",
        frozenset({"TT530"}),
        ("See whose page it is; correct the address, or take the device out of the way:", _BROWSE_WINDOWS),
        (
            "See whose page it is; correct the address, or take the device out of the way:",
            '$ curl -kv "https://<host>:<port>/"',
            _BROWSE_LINUX,
        ),
        _web_server,
        also=IN_LOGS | SPOKEN,
        fold_by=("issuer",),
        rank=35,
        confidence=Confidence.LIKELY,
    ),
)
