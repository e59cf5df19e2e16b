"""What stands in a certificate that a peer presented, as far as it decides whether today's TLS libraries take it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.utils import CryptographyDeprecationWarning


@dataclass(frozen=True)
class Decoded:
    """A certificate's traits.

    Attributes:
        subject: as RFC 4514 writes it.
        rsa_bits: size of its RSA key; None for a key of another kind.
        hash_name: of its signature, such as `sha256`; None where the signature has none, or an unknown one.
        not_before: the beginning of its validity, UTC.
        not_after: the end of its validity, UTC.
    """

    subject: str
    rsa_bits: int | None
    hash_name: str | None
    not_before: datetime
    not_after: datetime


@lru_cache(maxsize=4096)
def decode(der: bytes) -> Decoded:
    """Takes a certificate apart. Raises ValueError for what is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(der)
            key = certificate.public_key()
            return Decoded(
                subject=certificate.subject.rfc4514_string(),
                rsa_bits=key.key_size if isinstance(key, rsa.RSAPublicKey) else None,
                hash_name=_hash_name(certificate),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
            )
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise ValueError(f"it cannot be decoded: {error}") from None


def _hash_name(certificate: x509.Certificate) -> str | None:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return algorithm.name if algorithm else None
