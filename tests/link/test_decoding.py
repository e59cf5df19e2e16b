"""Certificates taken apart: what is kept of them, and what is told of those that are none."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from pytest_tentacle.link import Certificate
from pytest_tentacle.link.certificate import make_certificate
from pytest_tentacle.link.decoding import decode, decode_text, thumbprint_of
from pytest_tentacle.report.redaction.redactor import Redactor

BEGINS, ENDS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
NAME = "web-01.corp.example.com"


def made(key: Any, algorithm: Any, *extensions: x509.ExtensionType) -> Certificate:
    """One whose names are spelt with what RFC 4514 escapes."""
    parts = [(NameOID.ORGANIZATIONAL_UNIT_NAME, "Örtlich, Süd"), (NameOID.COMMON_NAME, NAME)]
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Corp CA")]))
        .public_key(key.public_key())
        .serial_number(0x1234567890)
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return decode(builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER))


KEYS = {
    "rsa": (lambda: rsa.generate_private_key(65537, 2048), hashes.SHA512(), ("RSA", 2048, None, "sha512")),
    "ec": (lambda: ec.generate_private_key(ec.SECP384R1()), hashes.SHA384(), ("EC", 384, "secp384r1", "sha384")),
    "dsa": (lambda: dsa.generate_private_key(1024), hashes.SHA256(), ("DSA", 1024, None, "sha256")),
    "ed25519": (ed25519.Ed25519PrivateKey.generate, None, ("Ed25519", None, None, None)),
    "ed448": (ed448.Ed448PrivateKey.generate, None, ("Ed448", None, None, None)),
    "another hash": (lambda: ec.generate_private_key(ec.SECP256R1()), hashes.SHA3_256(), ("EC", 256, "secp256r1", "other")),
}  # fmt: skip


class TestTraits:
    @pytest.mark.parametrize(("key", "algorithm", "expected"), KEYS.values(), ids=KEYS)
    def test_key_and_signature(self, key: Any, algorithm: Any, expected: tuple[Any, ...]) -> None:
        found = made(key(), algorithm)
        assert (found.key, found.key_bits, found.curve, found.hash_name) == expected
        assert found.rsa_bits == (found.key_bits if found.key == "RSA" else None)
        assert found.error is None

    def test_names_and_validity(self) -> None:
        other = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Alice")])
        names = x509.SubjectAlternativeName(
            [
                x509.DNSName(NAME),
                x509.IPAddress(ipaddress.ip_address("10.4.1.7")),
                x509.UniformResourceIdentifier("https://web-01/"),
                x509.RFC822Name("alice@example.com"),
                x509.DirectoryName(other),
            ]
        )
        found = made(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256(), names)
        assert (found.subject, found.issuer) == (f"CN={NAME},OU=Örtlich\\, Süd", "CN=Corp CA")
        assert found.names == (NAME, "10.4.1.7", "https://web-01/", "alice@example.com", "CN=Alice")
        assert (found.not_before, found.not_after) == (BEGINS, ENDS)
        assert found.whose == f"CN={NAME},OU=Örtlich\\, Süd by CN=Corp CA"

    def test_octopus_own(self) -> None:
        """A weak one, signed with SHA-1, is decoded like any other."""
        weak = make_certificate(bits=1024, sha1=True)
        found = decode(weak.der)
        assert (found.thumbprint, found.subject, found.whose) == (weak.thumbprint, *["CN=Octopus Tentacle"] * 2)
        assert (found.rsa_bits, found.hash_name, found.names) == (1024, "sha1", ())

    @pytest.mark.parametrize("der", [b"", b"no certificate", b"\x30\x80" * 50])
    def test_what_is_none(self, der: bytes) -> None:
        """It keeps its thumbprint, and says why nothing else is known."""
        found = decode(der)
        assert found.thumbprint == thumbprint_of(der)
        assert "cannot be decoded" in str(found.error)
        assert found.rsa_bits is None

    def test_damaged_names_do_not_cost_the_rest(self) -> None:
        broken = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x05web")
        found = made(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256(), broken)
        assert (found.error, found.names, found.issuer) == (None, (), "CN=Corp CA")

    @pytest.mark.parametrize("text", ["!!!", "é", "QUJ"])
    def test_what_is_no_base64(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  the kind is all that is promised
            decode_text(text)


class TestUnderFalseNames:
    """What decides a verdict stays, what names somebody does not."""

    def test_no_name_is_left(self) -> None:
        names = x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("10.4.1.7"))])
        found = made(rsa.generate_private_key(65537, 2048), hashes.SHA256(), names)
        redactor = Redactor(pseudonyms=True, key=b"k" * 32)
        redactor.learn([NAME])
        clean = Certificate.model_validate(redactor.value(found.model_dump(mode="json")))
        assert clean.subject == "CN=host-001.domain-1.example,OU=unit-001"
        assert clean.names == ("host-001.domain-1.example", redactor.text("10.4.1.7"))
        assert clean.names[1] != "10.4.1.7"
        kept = {"thumbprint", "not_before", "not_after", "key", "key_bits", "curve", "signature", "hash_name", "error"}
        assert clean.model_dump(include=kept) == found.model_dump(include=kept)

    def test_a_secret_in_a_name_goes_too(self) -> None:
        """Also where no false names are asked for."""
        found = decode(make_certificate("API-ABCDEFGHIJKLMNOP").der)
        assert "ABCDEFGHIJKLMNOP" not in str(Redactor().value(found.model_dump(mode="json")))
