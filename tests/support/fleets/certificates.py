"""Certificates of the made-up fleets: real ones, so that what reads them reads them.

They are made as base64 of DER, as scripts print them, and decoded where a look is made of them.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from pytest_tentacle.link.decoding import decode_text
from support import NOW


@cache
def _key() -> Any:
    return rsa.generate_private_key(65537, 2048)


def issued(subject: str, issuer: str) -> str:
    """A certificate as base64 of DER, with an elliptic key."""
    return _signed(subject, issuer, ec.generate_private_key(ec.SECP256R1()))


def _signed(subject: str, issuer: str, key: Any, serial: int = 7, days: int = 36_500, since: int = 3) -> str:
    name = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (subject, issuer)]
    built = (
        x509.CertificateBuilder()
        .subject_name(name[0])
        .issuer_name(name[1])
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=since))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


@cache
def authority(subject: str, bits: int) -> str:
    """A certificate of a company's authority, for two years, with an RSA key of so many bits; of none: an elliptic one."""
    key = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP384R1())
    return _signed(subject, "Corp Issuing CA 2", key, serial=4711, days=600)


@cache
def ended(subject: str) -> str:
    """A certificate of a company's authority that was for two years, and ended a month ago."""
    return _signed(subject, "Corp Issuing CA 2", _key(), serial=4712, days=-30, since=760)


_printed: dict[str, str] = {}


def printed(thumbprint: str) -> str:
    """The certificate of this thumbprint, as a script prints it."""
    return _printed[thumbprint]


@cache
def certificate(whose: str) -> str:
    """A Tentacle's or server's own, of the kind that Octopus makes; the same name, the same certificate."""
    common = "Octopus Server" if whose.startswith("octopus") else "Octopus Tentacle"
    serial = int.from_bytes(whose.encode(), "big") % 2**120 + 1
    made = _signed(common, common, _key(), serial)
    _printed[decode_text(made).thumbprint] = made
    return made


def thumbprint(whose: str) -> str:
    """The thumbprint of that certificate."""
    return decode_text(certificate(whose)).thumbprint
