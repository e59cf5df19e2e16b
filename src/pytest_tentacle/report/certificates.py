"""Certificates that peers presented, in words."""

from __future__ import annotations

import warnings
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.utils import CryptographyDeprecationWarning

from pytest_tentacle.link import Secured

from .document import CertificateView


def describe(secured: Secured, whose: str, seen_from: str) -> CertificateView:
    """A presented certificate decoded; what is no certificate says so, and keeps its thumbprint."""
    thumbprint = secured.thumbprint or ""
    decoded = _decode(secured.der or b"")
    return decoded.model_copy(update={"whose": whose, "seen_from": seen_from, "thumbprint": thumbprint})


@lru_cache(maxsize=4096)
def _decode(der: bytes) -> CertificateView:
    blank = CertificateView(whose="", seen_from="")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(der)
            return blank.model_copy(
                update={
                    "subject": certificate.subject.rfc4514_string(),
                    "issuer": certificate.issuer.rfc4514_string(),
                    "valid_from": f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M:%SZ}",
                    "valid_to": f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M:%SZ}",
                    "key": _key(certificate),
                    "signature": _signature(certificate),
                }
            )
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        return blank.model_copy(update={"error": f"cannot be decoded: {error}"})


def _key(certificate: x509.Certificate) -> str:
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() as key:
            return f"EC {key.curve.name}"
        case other:
            return type(other).__name__.strip("_").removesuffix("PublicKey")


def _signature(certificate: x509.Certificate) -> str:
    oid = certificate.signature_algorithm_oid
    return oid._name if oid._name != "Unknown OID" else oid.dotted_string  # noqa: SLF001  the library's only name for it
