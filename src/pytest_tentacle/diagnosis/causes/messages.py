"""Why words of Halibut do not come, or break off (guide, "Other Error Messages")."""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_tentacle.diagnosis.from_problem import from_problem, told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    NEW_CERTIFICATE,
    RESTART_LINUX,
    RESTART_WINDOWS,
    STATE_WINDOWS,
    SUITES_WINDOWS,
)
from pytest_tentacle.guide.consequences import ACROSS, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.link import Certificate
from pytest_tentacle.sections.versions import parsed, version_of

_BROKEN = "broken-envelope"
_NOT_BYTES = "not-halibut-bytes"
_SAYS_WHY = {"tentacle": (7, 0), "server": (2023, 4)}
"""The first versions whose Halibut tells that a stream ended within a message (OctopusTentacle#598, Halibut#230)."""
_WEAK_HASHES = frozenset({"md5", "sha1"})
_LONG_ENOUGH = 2048
"""Bits of an RSA key."""
_REFUSED = re.compile(
    r"error occurred while processing the certificate|Fehler beim Verarbeiten des Zertifikats|80090327", re.IGNORECASE
)
"""Schannel's words where a certificate cannot be used, or the other end says that it cannot use ours."""
_SILENT = frozenset({"TT105", "TT109", "TT112", "TT952"})


def _by_web_socket(view: View, problem: Problem) -> Clue | None:
    endpoint = str(problem.facts.get("endpoint") or "")
    return told(view, problem) if endpoint.lower().startswith(("ws://", "wss://")) else None


def _not_by_web_socket(view: View, problem: Problem) -> Clue | None:
    return None if _by_web_socket(view, problem) else told(view, problem)


def _stumbles(view: View, problem: Problem) -> Clue | None:
    if problem.facts.get("signature") != _BROKEN:
        return None
    clue = told(view, problem)
    evidence = []
    for end in (view, view.vantage(problem)):
        if end is not None:
            try:
                evidence.append(Evidence(f"products of {end.name}", f"version {version_of(end.subject) or 'unknown'}"))
            except Unknown as unknown:
                evidence.append(Evidence(f"products of {end.name}", unknown.reason))
    return Clue(facts=clue.facts, evidence=tuple(dict.fromkeys(evidence)))


def _cut_short(view: View, problem: Problem) -> Clue | None:
    return told(view, problem) if problem.facts.get("signature") != _BROKEN else None


def _broke_within(view: View, problem: Problem) -> Clue | None:
    """An older Halibut reads the end of a stream on as a message, and complains of its compression."""
    if problem.facts.get("signature") != _NOT_BYTES:
        return None
    teller = view.vantage(problem) or view
    try:
        version = version_of(teller.subject)
    except Unknown:
        return None
    number = parsed(version)
    if number is None or number >= _SAYS_WHY[teller.subject.product]:
        return None
    return replace(told(view, problem), evidence=(Evidence(f"products of {teller.name}", f"version {version}"),))


def _stands_idle(view: View, problem: Problem) -> Clue | None:
    """It polls by web socket, holds a connection, and its server's requests are not fetched."""
    try:
        entries = [entry for entry in view.subject.settings.trusted if entry.polls]
    except (Unknown, Blocked):
        return None
    sockets = [entry for entry in entries if str(entry.address or "").lower().startswith("wss://")]
    connections = view.survey.connections.data if view.survey else None
    pid = view.service.pid if view.service else None
    if not entries or len(sockets) != len(entries) or pid is None:
        return None
    if not any(row.state == "established" and row.pid == pid for row in connections or ()):
        return None
    stands = Evidence(f"connections of {view.name}", "its process holds a connection")
    return replace(told(view, problem), evidence=(stands,), facts={"polled": sockets[0].address})


def _is_weak(certificate: Certificate | None) -> bool:
    """Whether a system of today may refuse it."""
    if certificate is None:
        return False
    return certificate.hash_name in _WEAK_HASHES or (certificate.rsa_bits or _LONG_ENOUGH) < _LONG_ENOUGH


def _servers_is_weak(view: View, problem: Problem) -> Clue | None:
    """Its own library refuses a certificate, its own is well, and the one that its server shows is weak."""
    endpoint = str(problem.facts.get("endpoint") or "")
    server = view.server_of(problem)
    if (
        problem.facts.get("vantage")
        or not endpoint.startswith(("https://", "wss://"))
        or view.codes & {"TT411", "TT412"}
    ):
        return None
    try:
        probes = [each for each in view.subject.own_probes() if each.link.server == server]
    except (Unknown, Blocked):
        return None
    shown = next((each.certificate for each in probes if _is_weak(each.certificate)), None)
    if server is None or shown is None:
        return None
    seen = Evidence(f"certificate of {server}", f"{shown.signature or shown.hash_name}, {shown.key_bits} bits")
    facts = told(view, problem).facts | {"end": server, "is_tentacle": False, "is_server": True}
    return Clue(facts=facts, evidence=(seen,), place=server)


def _not_accepted(view: View, problem: Problem) -> Clue | None:
    return told(view, problem) if _REFUSED.search(str(problem.facts.get("words"))) else None


_TLS_THROUGH = (
    "Let the balancer, proxy or gateway pass the connection on as TCP, without opening TLS (no HTTPS listener, no "
    "certificate of its own, no HTTP rules); then see whose certificate is presented:"
)
_UPGRADE = (
    "Upgrade the Tentacle to 5.0.15 or later, and the server if it is older than 2020; then look at what breaks the "
    "connections (idle time-outs of firewalls and NAT). Nothing has to be set up again:"
)

_UPGRADE_7 = (
    "Look at what breaks the connections: a busy server or machine, a slow network, idle time-outs of firewalls and "
    "NAT. Upgrade the end whose log it is (Tentacle 7.0, server 2023.4), which says what happened then. Nothing has to "
    "be set up again:"
)

_RENEW_SERVER = "The server's certificate is the weak one, not this Tentacle's:"
_RENEW_OLD = (
    "Find the old one of the two: in the portal, Configuration, Thumbprints shows the server's signature algorithm, "
    "and the step on thumbprints of this run the Tentacle's. A Tentacle's with sha1, or a key below 2048 bits: make a "
    "new one (new-certificate), restart its service, and enter the new thumbprint in the machine's settings. The "
    "server's: first let every Tentacle trust the new one (update-trust), then replace it, as Octopus's page on "
    "regenerating certificates says. If neither is old, the two systems have no signature algorithm or curve in "
    "common; what this one can do:"
)

_RESTART_IDLE = (
    "Restart the Tentacle's service when no deployment runs on it: it opens a new web socket. Octopus Servers before "
    "2023.4 and Tentacles before 7.0 leave such web sockets open after an error: upgrade both, or poll by TCP:"
)

_MEND_CNF = (
    "Most often the file is of a newer OpenSSL than the Tentacle's: those up to 6.2 load OpenSSL 1.1, those from 6.3 "
    "on OpenSSL 3 as well, so upgrade it. Otherwise correct the section that the log names, in the file that is used "
    "(OPENSSL_CONF of the unit, or the system's). To do without the whole file (OPENSSL_CONF=/dev/null) would do "
    "without the system's TLS policy as well. Then restart it:"
)


def _stops_at_its_configuration(view: View, problem: Problem) -> Clue | None:
    return told(view, problem) if problem.facts.get("signature") == "openssl-configuration" else None


MESSAGES: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1152",
        "The web socket stands, and no work comes through it",
        "On {who} the web socket to {polled} stands, and no requests are fetched: it was left open after an error, as "
        "servers before 2023.4 do, or all polling connections are busy.",
        frozenset({"TT115"}),
        (_RESTART_IDLE, RESTART_WINDOWS),
        (_RESTART_IDLE, RESTART_LINUX),
        _stands_idle,
        consequences=frozenset({"TT116"}),
        fold_by=("polled",),
        rank=55,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC9531",
        "A connection broke within a message, and an old Halibut hides why",
        "According to the log of {vantage}, connections with {far_end} break while a message is read. Its Halibut "
        "takes the end for a message and complains of its compression: a defect of Tentacles before 7.0, and of "
        "servers before 2023.4.",
        frozenset({"TT953"}),
        (_UPGRADE_7, '$ Test-NetConnection "<host>" -Port <port>'),
        (_UPGRADE_7, '$ curl -kv "https://<host>:<port>/"'),
        _broke_within,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("link",),
        rank=55,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1141",
        "The server's certificate is too weak for the Tentacle's system",
        "According to the log of {who}, its TLS library refuses the certificate of {end}: its signature (SHA-1) or its "
        "key is too weak for this system.",
        frozenset({"TT114"}),
        (_RENEW_SERVER, *NEW_CERTIFICATE[0]),
        (_RENEW_SERVER, *NEW_CERTIFICATE[1]),
        _servers_is_weak,
        consequences=UNCONNECTED | {"TT113", "TT112"},
        echoes=ACROSS,
        fold_by=("end",),
        rank=44,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1131",
        "One end does not accept the other's certificate in the TLS handshake",
        "According to the log of {vantage}, the TLS handshake ends at a certificate: the server's or the Tentacle's is "
        "one that the other end's system does not accept, as it is with old ones (SHA-1, or a short key).",
        frozenset({"TT113"}),
        (_RENEW_OLD, *SUITES_WINDOWS),
        (_RENEW_OLD, "$ openssl ciphers -v"),
        _not_accepted,
        consequences=UNCONNECTED,
        echoes=ACROSS | {"TT112"},
        fold_by=("link",),
        rank=59,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC1132",
        "OpenSSL's configuration does not fit the OpenSSL that the program loads",
        "According to the log of {vantage}, OpenSSL stops at its own configuration (openssl.cnf) before a handshake "
        "begins, whoever is at the other end: the file has what this OpenSSL does not know. Other programs of the "
        "machine may load another OpenSSL, and be well.",
        frozenset({"TT113"}),
        ("This concerns Linux only. See its state:", STATE_WINDOWS),
        (_MEND_CNF, "$ openssl version -d", "$ grep -n '=' /etc/ssl/openssl.cnf", RESTART_LINUX),
        _stops_at_its_configuration,
        consequences=UNCONNECTED,
        echoes=ACROSS | {"TT112"},
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC9521",
        "Something on the path terminates the web socket's TLS",
        "According to the log, the web socket of {who} is established, but nothing from Octopus comes through "
        "it: a load balancer, proxy or gateway in between terminates TLS and HTTP (offloading).",
        _SILENT,
        (_TLS_THROUGH, '$ Test-NetConnection "<host>" -Port <port>'),
        (_TLS_THROUGH, '$ openssl s_client -connect "<host>:<port>" </dev/null'),
        _by_web_socket,
        consequences=(UNCONNECTED | ACROSS | {"TT120"}) - _SILENT,
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC9522",
        "TT952",
        "The peer does not identify itself",
        "According to the log, the other end of {who} stays silent where it should identify itself: often an old "
        "Tentacle with a weak certificate.",
        match=_not_by_web_socket,
        consequences=UNCONNECTED,
        echoes=ACROSS | {"TT105"},
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC9541",
        "A connection broke, and a known defect of Halibut hides why",
        "According to the log of {vantage}, a connection with {far_end} broke while it was being read, and Halibut "
        "failed on that (Object reference not set ...): a defect of Tentacle before 5.0.15, and of servers of that "
        "time.",
        frozenset({"TT954"}),
        (_UPGRADE, '$ Test-NetConnection "<host>" -Port <port>'),
        (_UPGRADE, '$ curl -kv "https://<host>:<port>/"'),
        _stumbles,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        rank=55,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC9542",
        "TT954",
        "Messages are cut short",
        "According to the log, messages with {who} are cut off before they are complete.",
        match=_cut_short,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
)
