"""What a host's TLS library can certainly not do, by its policy: what is merely not its default stays possible.

Schannel: windows-shapes 5.1 and 5.2; OpenSSL: the system's own configuration; the suites that Octopus wants:
tentacle-facts 5, "Minimum TLS requirements"; those that a listener of today takes besides: tentacle-seen 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pytest_tentacle.survey.surroundings import TlsPolicy

Side = Literal["client", "server"]

VERSIONS = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
WANTED = frozenset({"TLS 1.2", "TLS 1.3"})
"""One of these has to be there (tentacle-facts 5)."""

_FIRST_BUILD_WITH_1_3 = 20348
_OPENSSL = re.compile(r"OpenSSL (\d+)\.(\d+)\.(\d+)")
_FIRST_OPENSSL_WITH_1_3 = (1, 1, 1)
_CURVE_AT_THE_END = re.compile(r"_P(256|384|521)$")

SUITES_OF_1_2 = frozenset(
    {
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    }
)
"""At least one of these (tentacle-facts 5)."""

_TAKEN_BESIDES = frozenset({"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"})
_SUITES_OF_1_3 = frozenset(
    {
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    }
)


_PARTS = {
    "Ciphers\\AES 128/128": re.compile(r"_AES_128_"),
    "Ciphers\\AES 256/256": re.compile(r"_AES_256_"),
    "Ciphers\\Triple DES 168": re.compile(r"_3DES_"),
    "Ciphers\\RC4 128/128": re.compile(r"_RC4_128_"),
    "Hashes\\SHA": re.compile(r"_SHA$"),
    "Hashes\\SHA256": re.compile(r"_SHA256$"),
    "Hashes\\SHA384": re.compile(r"_SHA384$"),
    "KeyExchangeAlgorithms\\ECDH": re.compile(r"_ECDHE_"),
    "KeyExchangeAlgorithms\\Diffie-Hellman": re.compile(r"_DHE_"),
    "KeyExchangeAlgorithms\\PKCS": re.compile(r"^TLS_RSA_"),
}
"""Names below SCHANNEL's keys of algorithms, and what they take away (windows-reality 8g; Microsoft, "Restrict
cryptographic algorithms"). Suites of TLS 1.3 name neither key exchange nor signature."""


_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""What a suite may be called, by IANA, Schannel or OpenSSL."""

_CURVES = {
    "curve25519": "x25519",
    "nistp256": "secp256r1",
    "prime256v1": "secp256r1",
    "p-256": "secp256r1",
    "nistp384": "secp384r1",
    "p-384": "secp384r1",
    "nistp521": "secp521r1",
    "p-521": "secp521r1",
}
"""Other names of the same curves: Schannel's, OpenSSL's and NIST's."""
_SIGNATURES = ("RSA/SHA256", "RSA/SHA384", "RSA/SHA512", "RSA/SHA1")
"""Schannel's for certificates like Octopus's: Windows Server 2016 and 2022 list them unless somebody took one out."""


def excluded(policy: TlsPolicy, side: Side) -> dict[str, str]:
    """Version -> why this side of the host certainly does not speak it."""
    reasons: dict[str, str] = {}
    for version in VERSIONS:
        reason = _schannel(policy, version, side) if policy.library == "Schannel" else _openssl(policy, version)
        if reason:
            reasons[version] = reason
    return reasons


def usable_suites(policy: TlsPolicy, side: Side) -> frozenset[str] | None:
    """The suites that may be used; those of TLS 1.3 only where it may be spoken. None where they are not known."""
    if policy.cipher_suites is None:
        return None
    off = excluded(policy, side)
    found = {plain_suite(suite) for suite in policy.cipher_suites}
    found = {suite for suite in found if not _needs_what_is_off(suite, policy.disabled)}
    if "TLS 1.3" in off:
        found -= _SUITES_OF_1_3
    if "TLS 1.2" in off:
        found &= _SUITES_OF_1_3
    return frozenset(found)


def _needs_what_is_off(suite: str, disabled: Iterable[str]) -> bool:
    """Whether Schannel's own switches take away an algorithm of a suite, which its list of suites does not show."""
    return any(name in _PARTS and _PARTS[name].search(suite) for name in disabled)


def restrictions(policy: TlsPolicy) -> tuple[str, ...]:
    """What narrows the choice beside versions and suites, in words: for whoever compares two ends."""
    found = [f"{name} is switched off" if " below " not in name else f"keys: {name}" for name in policy.disabled]
    by_request = [
        f"{each.name} ({each.side}) only by request"
        for each in policy.protocols
        if each.disabled_by_default and each.enabled is not False and each.name in WANTED
    ]
    off = [f".NET Framework: {switch}" for switch in policy.dotnet if switch.endswith("=0")]
    if policy.signatures is not None:
        found += [f"the signature {name} is not listed" for name in _SIGNATURES if name not in policy.signatures]
    return (*by_request, *found, *off, *(("FIPS mode",) if policy.fips else ()))


def has_a_wanted_one(suites: Iterable[str]) -> bool:
    """Whether a peer of today takes one of these suites."""
    return not (SUITES_OF_1_2 | _TAKEN_BESIDES | _SUITES_OF_1_3).isdisjoint(suites)


def common_curve_is_missing(one: TlsPolicy, other: TlsPolicy, suites: Iterable[str]) -> bool:
    """Whether the two have no curve in common, and every one of the suites that both have needs one.

    False wherever a list is not known, or names a group that is no curve and may do as well.
    """
    curves = [frozenset(map(plain_curve, policy.curves or ())) for policy in (one, other)]
    if not all(curves) or any(name.startswith("ffdhe") for each in curves for name in each):
        return False
    found = frozenset(suites)
    needy = bool(found) and all(suite in _SUITES_OF_1_3 or "_ECDHE_" in suite for suite in found)
    return needy and curves[0].isdisjoint(curves[1])


def plain_curve(name: str) -> str:
    """One name for a curve: Schannel's `NistP256` is OpenSSL's `prime256v1`, `P-256` and `secp256r1`."""
    plain = name.strip().lower()
    return _CURVES.get(plain, plain)


def plain_suite(suite: str) -> str:
    """The IANA name: Windows before 10 adds the curve. What is no name stays as it is, so that redaction knows it."""
    name = suite.strip()
    return _CURVE_AT_THE_END.sub("", name.upper()) if _NAME.fullmatch(name) else name


def _schannel(policy: TlsPolicy, version: str, side: Side) -> str | None:
    if version == "TLS 1.3" and policy.build is not None and policy.build < _FIRST_BUILD_WITH_1_3:
        return f"Windows build {policy.build} has no TLS 1.3"
    for protocol in policy.protocols:
        if protocol.name == version and protocol.side == side and protocol.enabled is False:
            return f"{version} is disabled for the {side} side in the Schannel registry"
    return None


def _openssl(policy: TlsPolicy, version: str) -> str | None:
    parsed = _OPENSSL.match(policy.library)
    if version == "TLS 1.3" and parsed and tuple(map(int, parsed.groups())) < _FIRST_OPENSSL_WITH_1_3:
        return f"{policy.library} has no TLS 1.3"
    minimum = _minimum(policy)
    if minimum is not None and VERSIONS.index(version) < VERSIONS.index(minimum):
        return f"MinProtocol is {policy.minimum}"
    return None


def _minimum(policy: TlsPolicy) -> str | None:
    """`TLSv1.2` as `TLS 1.2`; None for whatever sets no lower limit."""
    words = {"tlsv1": "TLS 1.0"} | {version.replace("TLS ", "TLSv").lower(): version for version in VERSIONS}
    return words.get((policy.minimum or "").strip().lower())
