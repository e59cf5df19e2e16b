"""Certificates that peers presented: taken apart once, where they arrive. Nobody behind it sees their bytes."""

from __future__ import annotations

import base64
import hashlib
import warnings
from collections.abc import Iterator
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.utils import CryptographyDeprecationWarning

from .model import CERTIFICATE_BYTES, TOO_LONG, Certificate, HashName, KeyKind

_HASHES: dict[str, HashName] = {
    "md5": "md5",
    "sha1": "sha1",
    "sha224": "sha224",
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
}
_KEYS: dict[type, KeyKind] = {
    rsa.RSAPublicKey: "RSA",
    ec.EllipticCurvePublicKey: "EC",
    dsa.DSAPublicKey: "DSA",
    ed25519.Ed25519PublicKey: "Ed25519",
    ed448.Ed448PublicKey: "Ed448",
}


def thumbprint_of(der: bytes) -> str:
    """SHA-1 over a certificate's DER, 40 upper-case hex, as .NET's `X509Certificate2.Thumbprint`."""
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()


def decode_text(text: str) -> Certificate:
    """A certificate given as base64 of DER. Raises ValueError for what is no base64."""
    return decode(base64.b64decode(text, validate=True))


@lru_cache(maxsize=4096)
def decode(der: bytes) -> Certificate:
    """Takes a certificate apart. What is none says so in `error`, and keeps its thumbprint.

    Both ends of a link and the server see one and the same certificate: it is decoded, and kept, once.
    """
    thumbprint = thumbprint_of(der)
    if len(der) > CERTIFICATE_BYTES:
        return Certificate(thumbprint=thumbprint, error=TOO_LONG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return _decoded(x509.load_der_x509_certificate(der), thumbprint)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        return Certificate(thumbprint=thumbprint, error=f"it cannot be decoded: {error}")


def _decoded(certificate: x509.Certificate, thumbprint: str) -> Certificate:
    kind, bits, curve = _key(certificate)
    oid = certificate.signature_algorithm_oid
    return Certificate(
        thumbprint=thumbprint,
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=tuple(_names(certificate)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=kind,
        key_bits=bits,
        curve=curve,
        signature=oid._name if oid._name != "Unknown OID" else oid.dotted_string,  # noqa: SLF001  the library's only name for it
        hash_name=_hash_name(certificate),
    )


def _key(certificate: x509.Certificate) -> tuple[KeyKind, int | None, str | None]:
    """Kind, size in bits and curve of its public key; a key that the library does not know is `other`."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "other", None, None
    kind: KeyKind = next((name for each, name in _KEYS.items() if isinstance(key, each)), "other")
    curve = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else None
    return kind, getattr(key, "key_size", None), curve


def _hash_name(certificate: x509.Certificate) -> HashName | None:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return _HASHES.get(algorithm.name, "other") if algorithm else None


def _names(certificate: x509.Certificate) -> Iterator[str]:
    """The owner's other names, as text; none where what should hold them is damaged: no verdict rests on them."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return
    for name in found:
        if isinstance(name, x509.DirectoryName):
            yield name.value.rfc4514_string()
        elif isinstance(name, x509.IPAddress):
            yield str(name.value)
        elif isinstance(name, x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier):
            yield name.value
