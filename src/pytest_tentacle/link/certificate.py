"""Self-signed certificates like those that a Tentacle makes for itself."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import itertools
import secrets
import ssl
import tempfile
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from .decoding import thumbprint_of

_POOL = 4
"""Private keys that are made at most for each size; certificates differ by their serial numbers all the same."""

_SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
_SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")
_SHA1_DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


@dataclass(frozen=True)
class KeyedCertificate:
    """A certificate with its private key, which stays out of the repr."""

    subject: str
    certificate_pem: str
    der: bytes
    bits: int
    key: rsa.RSAPrivateKey

    def __repr__(self) -> str:
        return f"KeyedCertificate(subject={self.subject!r}, thumbprint={self.thumbprint!r})"

    @property
    def thumbprint(self) -> str:
        """SHA-1 over the DER, 40 upper-case hex, as .NET has it."""
        return thumbprint_of(self.der)

    @property
    def key_pem(self) -> str:
        """The private key as PKCS #8, not encrypted."""
        return self._key_pem(serialization.NoEncryption())

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let this TLS context present the certificate.

        `ssl` reads a key from files only, so it goes through a private folder for a moment, encrypted.

        Raises:
            ssl.SSLError: OpenSSL's policy refuses the key, such as RSA 1024 (`EE_KEY_TOO_SMALL`).
        """
        password = secrets.token_hex(16)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "certificate.pem"
            encrypted = self._key_pem(serialization.BestAvailableEncryption(password.encode()))
            file.write_text(self.certificate_pem + encrypted, encoding="ascii")
            context.load_cert_chain(file, password=password)

    def _key_pem(self, encryption: serialization.KeySerializationEncryption) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        ).decode()


def make_certificate(
    subject: str = "Octopus Tentacle",
    *,
    bits: int = 2048,
    sha1: bool = False,
    fresh_key: bool = False,
    authority: bool = False,
    issuer: KeyedCertificate | None = None,
    names: Collection[str] = (),
) -> KeyedCertificate:
    """A certificate as a real Tentacle's (tentacle-seen 1.1).

    X.509 v3 without any extension, RSA, sha256WithRSAEncryption, issuer = subject, valid from yesterday's midnight for
    100 years.

    Args:
        subject: the common name.
        bits: size of the RSA key; 1024 is what today's peers refuse (tentacle-seen 1.3).
        sha1: signed with SHA-1, as Tentacles before 3.x.
        fresh_key: a key of its own instead of one from the pool.
        authority: a CA's, with the extensions that make it one.
        issuer: the authority that signs it, instead of itself.
        names: DNS names and IP addresses that a verifying client may know the owner by.
    """
    key = _new_key(bits) if fresh_key or authority else _keys.next(bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    midnight = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - dt.timedelta(days=1)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer.subject)]) if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_525))
    )
    for extension, critical in _extensions(key, signer, authority=authority, names=names):
        builder = builder.add_extension(extension, critical=critical)
    certificate = builder.sign(signer, hashes.SHA256())
    der = certificate.public_bytes(serialization.Encoding.DER)
    if sha1:
        der = _signed_with_sha1(der, certificate.tbs_certificate_bytes, signer)
    return KeyedCertificate(subject=subject, certificate_pem=ssl.DER_cert_to_PEM_cert(der), der=der, bits=bits, key=key)


def _extensions(
    key: rsa.RSAPrivateKey, signer: rsa.RSAPrivateKey, *, authority: bool, names: Collection[str]
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """None at all for a Tentacle's own; what strict verifiers want for an authority and those that it signs."""
    if authority:
        yield x509.BasicConstraints(ca=True, path_length=None), True
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        yield x509.KeyUsage(**usage), True
    if names:
        yield x509.SubjectAlternativeName([_general_name(name) for name in names]), False
    if authority or signer is not key:
        yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _new_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


class _KeyPool:
    """A few keys of each size, handed out in turn: to make a key takes longer than all the rest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: defaultdict[int, list[rsa.RSAPrivateKey]] = defaultdict(list)
        self._turns: defaultdict[int, Iterator[int]] = defaultdict(lambda: itertools.cycle(range(_POOL)))

    def next(self, bits: int) -> rsa.RSAPrivateKey:
        with self._lock:
            made = self._made[bits]
            if len(made) < _POOL:
                made.append(_new_key(bits))
                return made[-1]
            return made[next(self._turns[bits])]


_keys = _KeyPool()


def _signed_with_sha1(der: bytes, body: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """The same certificate under sha1WithRSAEncryption, which `cryptography` no longer signs with.

    Both names of the algorithm are of one length, and so are both signatures: all lengths in the DER stay right.
    """
    body = body.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    digest = _SHA1_DIGEST_INFO + hashlib.sha1(body, usedforsecurity=False).digest()
    block = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest  # PKCS #1 v1.5
    signature = pow(int.from_bytes(block), numbers.d, modulus).to_bytes(size)
    whole = der.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA)
    return whole[:-size] + signature
