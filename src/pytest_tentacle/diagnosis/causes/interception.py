"""Something answers in the peer's place, or opens the connection on its way (guide, "Watch out for proxy servers")."""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import CERTIFICATE_WINDOWS, HANDSHAKE, PLAIN_WINDOWS, TRY_WINDOWS
from pytest_tentacle.guide.consequences import STRANGER_IN_LOGS, STRANGER_SPEAKS
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.attempts import attempts_of
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.logs.signatures.model import OWN_SUBJECT
from pytest_tentacle.sections.connections.ways import connecting_ms
from pytest_tentacle.sections.ping.series import SLOW_MS

from .path.links import RULES_LINUX, RULES_WINDOWS, later_rule, stops_icmp, unjudged_rule

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


def _plain(view: View, problem: Problem) -> Clue | None:
    end = view.end(problem)
    known = end is not None and end.answers_itself
    name = end_name(view, problem)
    if known:
        seen = Evidence(f"probe on {name}", "there its own page is shown, by TLS")
        return Clue(facts={"end": name}, evidence=(seen,), place=vantage(problem))
    return Clue(
        facts={"end": name},
        confidence=Confidence.LIKELY,
        unsure="Log on to {end} to tell something on the path apart from a program on its own port.",
        place=vantage(problem),
    )


def _between(view: View, problem: Problem, error: str) -> Clue | None:
    if problem.facts.get("error") != error or _own_rule(view, problem) is not None:
        return None
    end, name = view.end(problem), end_name(view, problem)
    if end is not None and end.answers_itself:
        seen = Evidence(f"probe on {name}", "there its own page is shown")
        facts = {"end": name, "own": "on its own machine it shows its page"}
        return Clue(facts=facts, evidence=(seen,), place=vantage(problem))
    return Clue(
        facts={"end": name, "own": "whether it answers on its own machine is not known"},
        confidence=Confidence.POSSIBLE,
        unsure="Log on to {end} to tell something on the path apart from a process there that is ending.",
        place=vantage(problem),
    )


_THEN = {"timed-out": "then nothing comes", "reset": "are reset"}
"""What a packet filter can do to a connection that came about: it closes none in order."""
_DOES = "lets connections come about, and stops what follows"
_MAY_DO = "has a rule that may do that, which could not be judged"
_COUNTED = "(it counted "


def _own_rule(view: View, problem: Problem) -> Clue | None:
    """A rule of either end's own filter that may stop what follows the connection, rather than a device on the path."""
    then = _THEN.get(str(problem.facts.get("error")))
    found = later_rule(view, problem) or unjudged_rule(view, problem)
    if then is None or found is None or not _is_well(view, problem):
        return None
    facts = {"end": end_name(view, problem), "keeper": found.keeper, "rule": found.rule, "then": then}
    told = (Evidence(f"packet filter of {found.keeper}", found.rule),)
    if found.sure:
        return Clue(facts | {"does": _DOES}, told, confidence=Confidence.CERTAIN, place=found.keeper)
    counted = _COUNTED in found.rule and not _connected_late(view, problem)  # by which the path may just be slow
    return Clue(
        facts | {"does": _MAY_DO},
        told,
        confidence=Confidence.LIKELY if counted else Confidence.POSSIBLE,
        unsure="Look whether that rule counts packets while {vantage} connects; if not, something on the path does it.",
        place=found.keeper,
    )


def _is_well(view: View, problem: Problem) -> bool:
    """Whether the end that should answer does so to itself."""
    end = view.end(problem)
    return end is not None and end.answers_itself


def _closed(view: View, problem: Problem) -> Clue | None:
    return _between(view, problem, "closed")


def _reset(view: View, problem: Problem) -> Clue | None:
    return _between(view, problem, "reset")


def _around(view: View, problem: Problem) -> int:
    """How many machines of the same subnet meet the same silence from the same vantage point."""
    subnet = view.scene.reach.subnet(view.name)
    return view.scene.silent[subnet, str(problem.facts.get("server"))] if subnet else 0


def _silent(view: View, problem: Problem) -> Clue | None:
    explained = _too_large(view, problem) is not None or _deaf(view, problem) is not None
    clue = None if explained else _between(view, problem, "timed-out")
    if clue is None or not _connected_late(view, problem):
        return clue
    return replace(
        clue,
        confidence=Confidence.POSSIBLE,
        unsure="The connection itself took a second or longer, so the path may just be slow: one look alone does not "
        "tell the two apart, and --ping-count does.",
    )


def _connected_late(view: View, problem: Problem) -> bool:
    late = (
        connecting_ms(attempt.probe) for attempt in attempts_of(view.subject) if attempt.vantage == vantage(problem)
    )
    return any(ms is not None and ms >= SLOW_MS for ms in late)


def _deaf(view: View, problem: Problem) -> Clue | None:
    """An end that lets no ICMP in goes on to send what is too large for the way."""
    if problem.facts.get("error") != "timed-out" or not _is_well(view, problem):
        return None
    found = stops_icmp(view, problem)
    if found is None or _own_rule(view, problem) is not None or _too_large(view, problem) is not None:
        return None
    return Clue(
        facts={"end": end_name(view, problem), "keeper": found.keeper, "rule": found.rule},
        evidence=(Evidence(f"packet filter of {found.keeper}", found.rule),),
        unsure="A device on the path that accepts connections and stays silent looks the same: send packets of both "
        "sizes from {vantage} to tell the two apart.",
        place=found.keeper,
    )


def _others_are_well(view: View, problem: Problem) -> bool:
    """Whether the end that should answer does so to itself, or to machines of other subnets."""
    end, around = view.end(problem), view.scene.reach.around(problem)
    if end is not None and end.answers_itself:
        return True
    own = view.scene.reach.subnet(view.name)
    return around is not None and any(names for subnet, names in around.reached.items() if subnet != own)


def _too_large(view: View, problem: Problem) -> Clue | None:
    number = _around(view, problem)
    if number < _SEVERAL or problem.facts.get("error") != "timed-out" or not _others_are_well(view, problem):
        return None
    subnet = view.scene.reach.subnet(view.name)
    seen = Evidence("all links", f"{number} machines in {subnet} connect, and hear nothing afterwards")
    return Clue(
        facts={"subnet": subnet},
        evidence=(seen,),
        unsure="A device on the path that accepts connections and stays silent, such as a load balancer without a "
        "member, looks the same: send packets of both sizes to tell the two apart.",
        place=vantage(problem),
    )


def _wants_certificate(_view: View, problem: Problem) -> Clue | None:
    return Clue() if problem.facts.get("wants_certificate") else None


def _refuses_tls(view: View, problem: Problem) -> Clue | None:
    """An alert of somebody who speaks TLS, and it is not the end, which shows its page to itself."""
    alert, name = problem.facts.get("alert"), end_name(view, problem)
    if not alert or not _is_well(view, problem):
        return None
    seen = Evidence(f"probe on {name}", "there its own page is shown")
    return Clue(facts={"end": name, "alert": alert}, evidence=(seen,), place=vantage(problem))


INTERCEPTION: tuple[CauseKind, ...] = (
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
        _wants_certificate,
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
        _refuses_tls,
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
        _inspected,
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
        _elsewhere,
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
        _other_octopus,
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
        _wrong_product,
        consequences=STRANGER_IN_LOGS,
        fold_by=("host", "port"),
        rank=35,
    ),
    CauseKind(
        "TC5302",
        "A web server answers instead of the peer",
        "At {host}:{port}, where {end} should be, a web server with the certificate of {subject} answers: the "
        "address belongs to another machine, or a gateway or SSL offloading sits in between.",
        frozenset({"TT530"}),
        ("See whose page it is; correct the address, or take the device out of the way:", _BROWSE_WINDOWS),
        (
            "See whose page it is; correct the address, or take the device out of the way:",
            '$ curl -kv "https://<host>:<port>/"',
            _BROWSE_LINUX,
        ),
        _web_server,
        consequences=STRANGER_IN_LOGS | STRANGER_SPEAKS,
        fold_by=("issuer",),
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5291",
        "Plain HTTP where TLS should be",
        "At {host}:{port} something answers {vantage} in plain text: a proxy, SSL offloading, or another service. "
        "Octopus needs TLS from end to end.",
        frozenset({"TT529"}),
        ("See what answers, and take it out of the way:", PLAIN_WINDOWS),
        ("See what answers, and take it out of the way:", '$ curl -v "http://<host>:<port>/"'),
        _plain,
        consequences=STRANGER_IN_LOGS | STRANGER_SPEAKS,
        fold_by=("link",),
        rank=25,
    ),
    CauseKind(
        "TC5241",
        "Load balancer or port forwarder with no healthy back end",
        "On the path from {vantage} to {end}, connections to port {port} are accepted and closed at once: that "
        "is what a load balancer, a port forwarder or a proxy does when it has no healthy back end.",
        frozenset({"TT524"}),
        ("See what {host} really is; let {vantage} connect to the machine itself:", TRY_WINDOWS),
        ("See what {host} really is; let {vantage} connect to the machine itself:", HANDSHAKE),
        _closed,
        consequences=STRANGER_IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5242",
        "Something on the path resets the connection",
        "Connections from {vantage} to {end}, port {port}, are established and then reset, by a firewall that "
        "inspects them or an intrusion prevention system.",
        frozenset({"TT524"}),
        ("See whether it happens every time; have the port exempted from inspection:", TRY_WINDOWS),
        ("See whether it happens every time; have the port exempted from inspection:", HANDSHAKE),
        _reset,
        consequences=STRANGER_IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5281",
        "Something accepts the connection instead of the peer, and never answers",
        "Connections from {vantage} to {end}, port {port}, are accepted, but no data follows; {own}. A device on the "
        "path answers instead of it, or drops what follows, such as packets that are too large for it (MTU).",
        frozenset({"TT528"}),
        ("Try by hand, and ask your network team what is in between:", TRY_WINDOWS),
        ("Try by hand, and ask your network team what is in between:", HANDSHAKE),
        _silent,
        consequences=STRANGER_IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5283",
        "The machine's own packet filter may stop what follows the connection",
        "Connections from {vantage} to {end}, port {port}, come about, and {then}. The packet filter of {keeper} "
        "{does}: {rule}.",
        frozenset({"TT524", "TT528"}),
        ("On {keeper}, see which rules name the port:", RULES_WINDOWS),
        ("On {keeper}, see the rules and what they count, and let the port's connections through:", *RULES_LINUX),
        _own_rule,
        consequences=STRANGER_IN_LOGS,
        fold_by=("keeper", "rule"),
        rank=25,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"firewall", "peer.firewall"}),
    ),
    CauseKind(
        "TC5284",
        "The machine lets no ICMP in, and large packets do not get through",
        "Connections from {vantage} to {end}, port {port}, come about, and then nothing comes. {keeper} lets no ICMP "
        "in ({rule}), so that it never hears that a packet is too large for the way (MTU), as in a VPN.",
        frozenset({"TT528"}),
        ("See how large a packet may be; correct the MTU, or let ICMP in:", '$ ping -f -l 1472 "<host>"'),
        ("See how large a packet may be; correct the MTU, or let ICMP in:", '$ tracepath "<host>"', *RULES_LINUX),
        _deaf,
        consequences=STRANGER_IN_LOGS,
        fold_by=("keeper", "rule"),
        rank=25,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"firewall", "peer.firewall"}),
    ),
    CauseKind(
        "TC5282",
        "Large packets do not get through",
        "From {subnet} to {server}, or the other way round, connections are established and then go silent on "
        "every link: packets that carry a certificate are too large for the path (MTU), as in a VPN.",
        frozenset({"TT528"}),
        ("See how large a packet may be; correct the MTU, or let ICMP through:", '$ ping -f -l 1472 "<host>"'),
        ("See how large a packet may be; correct the MTU, or let ICMP through:", '$ tracepath "<host>"'),
        _too_large,
        consequences=STRANGER_IN_LOGS,
        fold_by=("server", "subnet"),
        rank=20,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"fleet.probes"}),
    ),
)
