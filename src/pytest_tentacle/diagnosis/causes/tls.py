"""Versions of TLS, cipher suites and weak certificates (guide, "Schannel and TLS Configuration Mismatches")."""

from __future__ import annotations

import re

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, whenever
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    CERTIFICATE_WINDOWS,
    NEW_CERTIFICATE,
    NEW_CERTIFICATE_WORDS,
    SUITES_WINDOWS,
    when,
)
from pytest_tentacle.guide.consequences import (
    ACROSS,
    HANDSHAKE_IN_LOGS,
    NO_HANDSHAKE,
    POLICIES_EXCLUDE,
    UNANSWERED,
    UNCONNECTED,
)
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.link import Probe
from pytest_tentacle.sections.tls.policy import restrictions
from pytest_tentacle.sections.versions import parsed, version_of

_OWN_VERSIONS, _OWN_SUITES, _DOTNET = "TT901", "TT904", "TT906"
_WEAK = {"TT411": "a signature with SHA-1", "TT412": "a key that is too short"}
_REFUSES_ITSELF = "TT508"
_NO_PAGE = frozenset({"TT505", _REFUSES_ITSELF})
"""On the machine itself no page comes: whatever TLS policy keeps others out keeps its own probe out as well."""
_SHORT = 2048
"""Bits; with less, systems of today do not do TLS 1.2 (tentacle-facts 5, Schannel)."""

_SCHANNEL = "$ Get-ChildItem -Recurse HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols"
_TLS_12 = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\TLS 1.2\\<key_side>"
_SWITCH_ON = (
    f'$ Set-ItemProperty "{_TLS_12}" -Name Enabled -Value 1 -Type DWord',
    f'$ Set-ItemProperty "{_TLS_12}" -Name DisabledByDefault -Value 0 -Type DWord',
)
_TRY_LINUX = (
    '$ openssl s_client -tls1_2 -connect "<host>:<port>" </dev/null',
    '$ openssl s_client -tls1_3 -connect "<host>:<port>" </dev/null',
)
_INSTALLED_WINDOWS = '$ Get-Item -LiteralPath "<tentacle>" | Format-List VersionInfo'
_FIRST_WITH_TLS_12 = (3, 1)
_UNREAD = "Compare the cipher suites of {end} and {vantage}, to be sure that it is none of the two."
_MODERN = ("TLS 1.2", "TLS 1.3")


_BROKEN_SCHANNEL = frozenset({"KB5018419", "KB5018421", "KB5018411", "KB5018410"})
"""The updates of 11 October 2022 for Windows Server 2019, 2022, 2016 and Windows 10 (Azure/AKS#3278)."""
_ENDS_IT = re.compile(r"unexpected or badly formatted|SEC_E_ILLEGAL_MESSAGE|80090326", re.IGNORECASE)


def _of_an_update(view: View, problem: Problem) -> Clue | None:
    """Its Schannel ends handshakes, and the last update is the one that is known for that."""
    changes = view.survey.changes.data if view.survey else None
    updates = sorted(changes.updates, key=lambda each: each.time_utc) if changes else []
    told_of = " ".join((str(problem.facts.get("words")), *(each.text for each in problem.evidence)))
    installed = [each for each in updates if each.action == "installed"]
    if not installed or installed[-1].name not in _BROKEN_SCHANNEL or not _ENDS_IT.search(told_of):
        return None
    last = installed[-1]
    seen = Evidence(f"updates of {view.name}", f"{last.name} of {last.time_utc:%Y-%m-%d} is the last one")
    return Clue(facts={"update": last.name, "when": f"{last.time_utc:%Y-%m-%d}"}, evidence=(seen,), place=view.name)


def _own_probe(view: View | None) -> Probe | None:
    """A machine's look at its own port, where that shows its page."""
    if view is None or not view.answers_itself:
        return None
    try:
        return view.subject.local_probe
    except (Unknown, Blocked):
        return None


def _weak(view: View, problem: Problem) -> str:
    """What is weak about the certificate of the problem's other end; empty where nothing is, or nobody knows."""
    probe = _own_probe(view.end(problem))
    certificate = probe.certificate if probe else None
    if certificate is None:
        return ""
    if certificate.rsa_bits is not None and certificate.rsa_bits < _SHORT:
        return _WEAK["TT412"]
    return _WEAK["TT411"] if certificate.hash_name == "sha1" else ""


def _told_weak(view: View) -> str:
    """What its own checks say of its certificate, in words."""
    return " and ".join(words for code, words in _WEAK.items() if code in view.codes)


def _weak_certificate(view: View, problem: Problem) -> Clue | None:
    if problem.code in _WEAK:
        return Clue(facts={"end": view.name, "weakness": _told_weak(view)}, place=view.name)
    end = view.end(problem)
    weakness = _weak(view, problem) and ((_told_weak(end) if end else "") or _weak(view, problem))
    if not weakness or end is None:
        return None
    seen = Evidence(f"certificate of {end.name}", weakness)
    return Clue(facts={"end": end.name, "weakness": weakness}, evidence=(seen,), place=end.name)


def _switched_off(view: View | None, side: str) -> tuple[str, ...]:
    """The modern versions that a machine's Schannel settings switch off for one side."""
    policy = view.survey.tls.data if view and view.survey else None
    if policy is None:
        return ()
    return tuple(
        protocol.name
        for protocol in policy.protocols
        if protocol.name in _MODERN and protocol.side == side and (protocol.enabled is False)
    )


def _offers(view: View | None, side: str) -> str:
    """What an end's policy says, in words; empty where it is not known."""
    policy = view.survey.tls.data if view and view.survey else None
    if view is None or policy is None:
        return ""
    parts = [policy.library]
    parts += [f"{name} is switched off" for name in _switched_off(view, side)]
    parts += [f"at least {policy.minimum}"] if policy.minimum else []
    parts += restrictions(policy)
    parts += [f"cipher suites {', '.join(policy.cipher_suites[:6])}"] if policy.cipher_suites else []
    return "; ".join(parts)


def _speaks_tls_10_alone(view: View, _problem: Problem) -> Clue | None:
    """A Tentacle before 3.1 (tentacle-history 8)."""
    try:
        version = version_of(view.subject) if not view.is_server else None
    except Unknown:
        return None
    numbers = parsed(version)
    return Clue(facts={"version": version}) if numbers is not None and numbers < _FIRST_WITH_TLS_12 else None


def _key_too_short(view: View, problem: Problem) -> Clue | None:
    """Nothing else is known to make a live listener refuse its own machine: neither its version nor its policy does."""
    if _speaks_tls_10_alone(view, problem) is not None or "TT901" in view.codes or _switched_off(view, "server"):
        return None
    return Clue(
        facts={"end": view.name},
        unsure="Read the log of {end} at level Debug: `ee key too small` stands there if it is so.",
    )


def _both_offers(view: View, problem: Problem) -> tuple[Evidence, ...]:
    ends = ((view.vantage(problem), "client"), (view.end(problem), "server"))
    return tuple(
        Evidence(f"TLS policy of {end.name}, as {side}", words)
        for end, side in ends
        if end and (words := _offers(end, side))
    )


def _disabled(view: View, problem: Problem) -> Clue | None:
    if problem.code == _OWN_VERSIONS:
        side = problem.facts.get("side") or "both sides"
        off = _switched_off(view, str(side))
        versions = " and ".join(off) if off else "TLS 1.2 and TLS 1.3"
        return Clue(facts={"end": view.name, "versions": versions, "side": side} | _key_of(side), place=view.name)
    if _weak(view, problem):
        return None
    for end, side in ((view.end(problem), "server"), (view.vantage(problem), "client")):
        off = _switched_off(end, side)
        if end is not None and "TLS 1.2" in off:
            return Clue(
                facts={"end": end.name, "versions": " and ".join(off), "side": side} | _key_of(side),
                evidence=_both_offers(view, problem),
                place=end.name,
            )
    return None


def _key_of(side: object) -> dict[str, object]:
    """The registry's key of one side of TLS."""
    one = str(side) in {"client", "server"}
    return {"of_one_side": one} | ({"key_side": str(side).capitalize()} if one else {})


def _old_between(view: View, problem: Problem) -> Clue | None:
    """The end speaks modern TLS on its own machine, so who refuses it stands between."""
    if _weak(view, problem) or _disabled(view, problem) is not None:
        return None
    probe = _own_probe(view.end(problem))
    end = view.end(problem)
    around = view.scene.reach.around(problem)
    others = around.all_reached - 1 if around else 0
    if (
        probe is None
        or end is None
        or probe.tls is None
        or probe.tls.version not in {"TLSv1.2", "TLSv1.3"}
        or not others
    ):
        return None
    return Clue(
        facts={"end": end.name, "version": probe.tls.version},
        evidence=(
            Evidence(
                f"probe on {end.name}", f"its own port speaks {probe.tls.version} {probe.tls.cipher or ''}".strip()
            ),
            *_both_offers(view, problem),
        ),
        unsure="" if _both_offers(view, problem) else _UNREAD,
        place=str(problem.facts.get("vantage")),
    )


def _no_match(view: View, problem: Problem) -> Clue | None:
    if _weak(view, problem) or _disabled(view, problem) or _old_between(view, problem):
        return None
    end = view.end(problem)
    name = end.name if end else str(problem.facts.get("server"))
    return Clue(
        facts={"end": name},
        evidence=_both_offers(view, problem),
        unsure="Compare the TLS versions and cipher suites that {vantage} and {end} enable; an appliance between them "
        "answers in the same words.",
        place=str(problem.facts.get("vantage")),
    )


TLS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1133",
        "An update of Windows is known to break TLS",
        "The last update of Windows on {who} is {update} ({when}), whose Schannel ends some handshakes for no fault of "
        "the other end's (SEC_E_ILLEGAL_MESSAGE).",
        frozenset({"TT113", "TT527"}),
        (
            (
                "Install the current cumulative update of Windows (those from 17 October 2022 on have it fixed, such "
                "as KB5020438 and KB5020436), and restart Windows. Versions of TLS and certificates are not what is "
                "wrong:"
            ),
            "$ Get-HotFix | Sort-Object InstalledOn",
        ),
        ("This concerns Windows only. What the system has:", "$ openssl version"),
        _of_an_update,
        consequences=UNCONNECTED | {"TT112"},
        echoes=ACROSS,
        fold_by=("update",),
        rank=20,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"changes"}),
    ),
    CauseKind(
        "TC5081",
        "The certificate's key is too short for the system's TLS",
        "The port of {who} refuses TLS from its own machine and complains about versions, although TLS 1.2 and 1.3 "
        "were offered and neither is switched off: most often its certificate's key is too short (RSA below 2048 "
        "bits).",
        frozenset({_REFUSES_ITSELF}),
        (NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[0]),
        (NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[1]),
        _key_too_short,
        consequences=UNANSWERED | HANDSHAKE_IN_LOGS | NO_HANDSHAKE | {"TT114", "TT104", "TT105"},
        echoes=ACROSS,
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5082",
        "The Tentacle is so old that it speaks only TLS 1.0",
        "{who} {has} version {version}: Tentacles before 3.1 speak only TLS 1.0, which today's systems and servers no "
        "longer speak.",
        frozenset({_REFUSES_ITSELF}),
        ("Upgrade it, from the portal or with the installer; to see the installed version:", _INSTALLED_WINDOWS),
        ("Upgrade it:", '$ sudo "<tentacle>" version'),
        _speaks_tls_10_alone,
        consequences=UNANSWERED | HANDSHAKE_IN_LOGS | NO_HANDSHAKE,
        echoes=ACROSS,
        rank=18,
        told_apart_by=frozenset({"products"}),
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC9011",
        "TLS 1.2 is switched off",
        "{end} has {versions} switched off (as {side}), so it has no TLS version in common with its peers.",
        NO_HANDSHAKE | {_OWN_VERSIONS},
        (
            "On {end}, see what is set; switch TLS 1.2 on for that side, then reboot, which ends what runs there:",
            _SCHANNEL,
            *when("of_one_side", *_SWITCH_ON),
        ),
        (
            "On {end}, allow TLS 1.2 in the system's TLS policy:",
            "$ update-crypto-policies --show",
            "$ grep -i MinProtocol /etc/ssl/openssl.cnf",
        ),
        _disabled,
        consequences=HANDSHAKE_IN_LOGS | POLICIES_EXCLUDE | _NO_PAGE | {_OWN_SUITES},
        fold_by=("end",),
        rank=15,
    ),
    CauseKind(
        "TC4111",
        "A certificate is too weak",
        "The certificate of {end} has {weakness}, which the other end's system refuses; its error message names "
        "TLS versions or cipher suites, which is misleading.",
        NO_HANDSHAKE | frozenset(_WEAK),
        ("Make a new certificate on {end}, then enter its thumbprint at the other end:", *NEW_CERTIFICATE[0]),
        ("Make a new certificate on {end}, then enter its thumbprint at the other end:", *NEW_CERTIFICATE[1]),
        _weak_certificate,
        consequences=HANDSHAKE_IN_LOGS | {"TT104", "TT105", "TT114", "TT952", "TT954"},
        fold_by=("weakness",),
        rank=25,
    ),
    CauseKind(
        "TC5251",
        "Something on the path terminates TLS with old versions",
        "{end} speaks {version} on its own machine, and {vantage} has no TLS version or cipher suite in common with "
        "what answers at {host}: an appliance between them terminates TLS with old versions or suites.",
        NO_HANDSHAKE,
        (
            "Exempt port {port}; see what it offers from {vantage}:",
            CERTIFICATE_WINDOWS,
            *SUITES_WINDOWS,
        ),
        ("Exempt port {port}; see what it offers from {vantage}:", *_TRY_LINUX),
        _old_between,
        consequences=HANDSHAKE_IN_LOGS | {"TT102"},
        fold_by=("link",),
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5252",
        "The two ends share no TLS version or cipher suite",
        "Between {vantage} and {end} the two ends have no TLS version, or no cipher suite, in common.",
        NO_HANDSHAKE,
        ("Compare what both ends enable (guide, Schannel and TLS):", _SCHANNEL, *SUITES_WINDOWS),
        ("Compare what both ends enable:", *_TRY_LINUX, "$ openssl ciphers -v"),
        _no_match,
        consequences=HANDSHAKE_IN_LOGS,
        fold_by=("link",),
        rank=30,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC9021",
        "The TLS policies of the two ends exclude each other",
        "The TLS settings of {who} and of {its} peer have no version or cipher suite in common.",
        POLICIES_EXCLUDE,
        ("Compare what both ends enable, and enable TLS 1.2 with a common suite on both:", _SCHANNEL, *SUITES_WINDOWS),
        ("Compare what both ends enable, and allow TLS 1.2 with a common suite on both:", "$ openssl ciphers -v"),
        whenever,
        consequences=HANDSHAKE_IN_LOGS | NO_HANDSHAKE,
        rank=20,
    ),
)
