"""What a probe says about a link: the problem that its first failed stage stands for, in the words of the catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pytest_tentacle.judging.finding import Evidence, Unknown
from pytest_tentacle.link import Failure, Probe, Stage

NAME_NOT_RESOLVED = "TT511"
OTHER_FAILURE = "TT527"
ANOTHER_PAGE = "TT530"
ANOTHER_CERTIFICATE = "TT531"

_CONNECT = {
    Failure.REFUSED: "TT520",
    Failure.TIMED_OUT: "TT521",
    Failure.UNREACHABLE: "TT522",
    Failure.PROHIBITED: "TT523",
    Failure.RESET: "TT524",
    Failure.CLOSED: "TT524",
}
_TLS = {
    Failure.RESET: "TT524",
    Failure.CLOSED: "TT524",
    Failure.PROTOCOL_VERSION: "TT525",
    Failure.NO_COMMON_CIPHER: "TT526",
    Failure.TIMED_OUT: "TT528",
    Failure.NOT_TLS: "TT529",
}
_PAGE = {
    Failure.RESET: "TT524",
    Failure.CLOSED: "TT524",
    Failure.TIMED_OUT: "TT528",
    Failure.NOT_HTTP: "TT530",
}

LINK_CODES = (
    NAME_NOT_RESOLVED,
    *dict.fromkeys([*_CONNECT.values(), *_TLS.values()]),
    OTHER_FAILURE,
    ANOTHER_PAGE,
    ANOTHER_CERTIFICATE,
)
"""Every code that `finding_of` may give."""

WORDS = {
    Failure.NAME_NOT_FOUND: "there is no such name",
    Failure.NO_ADDRESS: "the name has no address",
    Failure.RESOLVER_FAILED: "the DNS server did not answer as it should",
    Failure.TIMED_OUT: "nothing answered in time",
    Failure.REFUSED: "the connection was refused",
    Failure.UNREACHABLE: "there is no way there",
    Failure.PROHIBITED: "this machine's own policy forbids the connection",
    Failure.RESET: "the connection was reset",
    Failure.CLOSED: "the connection was closed without an answer",
    Failure.NOT_TLS: "what answers does not speak TLS",
    Failure.PROTOCOL_VERSION: "there is no common version of TLS",
    Failure.NO_COMMON_CIPHER: "there is no common cipher suite",
    Failure.NOT_HTTP: "what answers is no page",
    Failure.UNTRUSTED: "the connection was closed without an answer",
    Failure.OTHER: "it failed in another way",
}


_WANTS_CERTIFICATE = re.compile(
    r"certificate[ _]?required|alert (?:number )?116|SEC_E_INCOMPLETE_CREDENTIALS", re.IGNORECASE
)
"""TLS 1.3's alert certificate_required (RFC 8446, 6.2), as OpenSSL, Python and Schannel say it."""

_ALERT = re.compile(r"(?:alert read:fatal:|(?:tls|ssl)v\d+ (?:alert )?)([a-z][a-z ]{3,40}[a-z])", re.IGNORECASE)
"""An alert's name (RFC 8446, 6.2), as `openssl s_client -state` and Python say it."""

_AFTER_CERTIFICATE = (Stage.TLS, Stage.PAGE)
"""Stages in which a certificate was shown before they failed: whose it is tells more than how they did."""

_ERROR_PAGE = re.compile(r"HTTP/\d\S* [45]\d\d")


@dataclass(frozen=True)
class LinkFinding:
    """What is wrong with one probed link.

    Attributes:
        code: of the catalogue.
        actual: what was seen, in one line.
        facts: stage, error, host, port, address, and of the certificate thumbprint, subject and issuer.
        evidence: the probe, stage by stage.
    """

    code: str
    actual: str
    facts: dict[str, object]
    evidence: tuple[Evidence, ...]


def finding_of(
    probe: Probe, vantage: str, product: Literal["tentacle", "server"], thumbprint: str | None
) -> LinkFinding | None:
    """What is wrong with a link; None where the product's page came back, with this thumbprint where one is known.

    Raises Unknown where the vantage point could not probe at all.
    """
    failed = probe.failed
    facts = facts_of(probe) | {"vantage": vantage}
    evidence = (Evidence(f"probe from {vantage}", describe(probe)),)
    another = thumbprint is not None and probe.thumbprint not in {None, thumbprint}
    if another and (_is_of_a_gateway(probe) or (failed is not None and failed[0] in _AFTER_CERTIFICATE)):
        actual = f"{_endpoint(probe)} presents {probe.thumbprint}{_certificate_words(probe)}, and no page"
        return LinkFinding(ANOTHER_CERTIFICATE, actual, facts | {"expected_thumbprint": thumbprint}, evidence)
    if failed is not None:
        stage, record = failed
        error = record.error or Failure.OTHER
        if error is Failure.TIMED_OUT and probe.tls is not None and probe.tls.hello_ms is not None:
            raise _own_wait(probe, vantage)
        code = _code_of(stage, error)
        facts |= {"stage": stage.value, "error": error.value} | _told_by(record.detail or "", stage, code, probe)
        return LinkFinding(code, f"{_endpoint(probe)}: {WORDS[error]} ({stage.value})", facts, evidence)
    if probe.page is None:
        raise Unknown(
            f"{vantage} could not probe {_endpoint(probe)}: {probe.unavailable or 'it came to no end'}",
            "See the survey's own notes, or browse there by hand as the guide says.",
        )
    if probe.page.product != product:
        other = {"tentacle": "a Tentacle's", "server": "an Octopus Server's"}.get(probe.page.product or "", "another")
        actual = f"{_endpoint(probe)} shows {other} page" + _certificate_words(probe)
        return LinkFinding(ANOTHER_PAGE, actual, facts | {"page": probe.page.product}, evidence)
    if thumbprint is not None and probe.thumbprint != thumbprint:
        actual = f"{_endpoint(probe)} presents {probe.thumbprint}" + _certificate_words(probe)
        return LinkFinding(ANOTHER_CERTIFICATE, actual, facts | {"expected_thumbprint": thumbprint}, evidence)
    return None


def _told_by(words: str, stage: Stage, code: str, probe: Probe) -> dict[str, object]:
    """What the system's own words tell beyond the failure."""
    if stage is Stage.CONNECT and _no_port_left(words, probe):
        return {"no_port_left": True}
    if code == _TLS[Failure.NOT_TLS] and "unexpected message" in words:
        return {"unexpected_message": True}  # these were records of TLS
    if code == OTHER_FAILURE and _WANTS_CERTIFICATE.search(words):
        return {"wants_certificate": True}
    if code == OTHER_FAILURE and (alert := _ALERT.search(words)):
        return {"alert": alert[1]}
    return {}


def _no_port_left(words: str, probe: Probe) -> bool:
    """Whether the looking machine's own system had no port, or no memory, left: nothing was sent then.

    Linux says EADDRNOTAVAIL where all ports to that very address are taken (ip(7), ip_local_port_range), and also where
    it has no address of the family, which happens with IPv6 alone; Windows says WSAENOBUFS or WSAEADDRINUSE.
    """
    if re.search(r"10055|10048|No buffer space available|NoBufferSpaceAvailable|AddressAlreadyInUse", words):
        return True
    address = probe.connect.address if probe.connect is not None else None
    dialled = address or (probe.host if probe.resolve is None else "")
    is_four = ":" not in dialled and dialled not in {"", "0.0.0.0"}
    return is_four and re.search(r"error:80000063:|Cannot assign requested address", words) is not None


def _own_wait(probe: Probe, vantage: str) -> Unknown:
    """The other end was awake while a handshake did not end: what it waited for lies on the looking machine."""
    tls = probe.tls
    whose = f", with the certificate {tls.hello_thumbprint}" if tls and tls.hello_thumbprint else ""
    return Unknown(
        f"{vantage} came to no end of a TLS handshake with {_endpoint(probe)}, which answers a plain hello at "
        f"once{whose}: it may be Windows on {vantage} that waits for something else, such as its lists of roots",
        "See whether that machine reaches ctldl.windowsupdate.com on port 80, or may not look there by policy (TT909).",
    )


def _is_of_a_gateway(probe: Probe) -> bool:
    """Whether a certificate that an authority signed came back, and then an error page, or none.

    It is looked at before the page: what inspects TLS answers what it does not understand with 400 or not at all, while
    another program that listens there has a page.
    """
    certificate = probe.certificate
    if certificate is None or probe.page is None:
        return False
    return certificate.issuer != certificate.subject and (
        probe.page.error is not None or bool(_ERROR_PAGE.match(probe.page.text or ""))
    )


def facts_of(probe: Probe) -> dict[str, object]:
    """What a probe says, as facts to fold by."""
    facts: dict[str, object] = {"host": probe.host, "port": probe.port, "by": probe.by.value}
    if probe.resolve is not None and probe.resolve.addresses:
        facts["resolved"] = probe.resolve.addresses
    if probe.connect is not None and probe.connect.address:
        facts["address"] = probe.connect.address
    certificate = probe.certificate
    if certificate is not None:
        subject, issuer = ("?", "?") if certificate.error is not None else (certificate.subject, certificate.issuer)
        facts |= {"thumbprint": certificate.thumbprint, "subject": subject, "issuer": issuer}
    return facts


def describe(probe: Probe) -> str:
    """A probe in one line, stage by stage, with times."""
    parts = [_endpoint(probe)]
    for stage in Stage:
        record = getattr(probe, stage.value)
        if record is None:
            continue
        time = f" in {record.ms:.0f} ms" if record.ms is not None else ""
        outcome = f"{record.error.value}" + (f" ({record.detail})" if record.detail else "") if record.error else "ok"
        parts.append(f"{stage.value} {outcome}{time}{_detail(probe, stage)}")
    if probe.unavailable:
        parts.append(f"not probed: {probe.unavailable}")
    return ", ".join(parts)


def _code_of(stage: Stage, error: Failure) -> str:
    if stage is Stage.RESOLVE:
        return NAME_NOT_RESOLVED
    table = {Stage.CONNECT: _CONNECT, Stage.TLS: _TLS, Stage.PAGE: _PAGE}.get(stage, {})
    return table.get(error, OTHER_FAILURE)


def _endpoint(probe: Probe) -> str:
    host = f"[{probe.host}]" if ":" in probe.host else probe.host
    return f"https://{host}:{probe.port}"


def _certificate_words(probe: Probe) -> str:
    certificate = probe.certificate
    if certificate is None:
        return ""
    if certificate.error is not None:
        return ", a certificate that cannot be decoded"
    by = f" issued by {certificate.issuer}" if certificate.issuer != certificate.subject else ", self-signed"
    return f", certificate of {certificate.subject}{by}"


def _detail(probe: Probe, stage: Stage) -> str:
    if stage is Stage.RESOLVE and probe.resolve and probe.resolve.addresses:
        return f" -> {', '.join(probe.resolve.addresses)}"
    if stage is Stage.CONNECT and probe.connect and probe.connect.address:
        return f" to {probe.connect.address}"
    if stage is Stage.TLS and probe.tls and probe.tls.version:
        return f" {probe.tls.version} {probe.tls.cipher or ''}".rstrip() + _certificate_words(probe)
    return ""
