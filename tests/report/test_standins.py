"""Certificates under false names: what decides a verdict stays, what names somebody does not."""

from __future__ import annotations

import base64
import ipaddress
import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pytest_tentacle.link import PingSeries, Secured
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.report.redaction.standins import stand_in, with_stand_ins

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
UNTIL = datetime(2099, 1, 1, tzinfo=UTC)


def certificate(name: str) -> str:
    """One with a name wherever there is room for it."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Örtlich"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    names = [
        x509.DNSName(name),
        x509.IPAddress(ipaddress.ip_address("10.4.1.7")),
        x509.UniformResourceIdentifier(f"https://{name}/"),
        x509.RFC822Name(f"alice@{name}"),
        x509.DirectoryName(subject),
    ]
    crl = x509.DistributionPoint([x509.UniformResourceIdentifier(f"http://{name}/a.crl")], None, None, None)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(0x1234567890)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(UNTIL)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), critical=False)
        .add_extension(x509.CRLDistributionPoints([crl]), critical=False)
        .sign(KEY, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor(pseudonyms=True, key=b"k" * 32)
    redactor.learn(["web-01.corp.example.com"], ["alice"])
    return redactor


def decoded(text: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(text))


class TestStandIn:
    """One certificate."""

    def test_no_name_is_left(self, redactor):
        """Neither in names nor in extensions; accents and lengths stay right, so that it can be decoded."""
        made = stand_in(certificate("web-01.corp.example.com"), redactor.text)
        raw = base64.b64decode(made)
        for word in (b"web-01", b"corp", b"alice", bytes([10, 4, 1, 7])):
            assert word not in raw
        found = decoded(made)
        assert found.subject.rfc4514_string() == "CN=host-001.domain-1.example,OU=Örtlich"
        others = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert others.get_values_for_type(x509.DNSName) == ["host-001.domain-1.example"]
        assert others.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(redactor.text("10.4.1.7"))]

    def test_what_decides_stays(self, redactor):
        """Key, signature's algorithm, validity."""
        found = decoded(stand_in(certificate("web-01.corp.example.com"), redactor.text))
        assert found.public_key().key_size == 2048
        assert found.signature_hash_algorithm.name == "sha256"
        assert found.not_valid_after_utc == UNTIL

    def test_nobody_can_try_names_until_they_fit(self, redactor):
        """Serial number, signature and the key's identifier are blank."""
        found = decoded(stand_in(certificate("web-01.corp.example.com"), redactor.text))
        assert found.serial_number == 1
        assert set(found.signature) == {0}
        assert set(found.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest) == {0}

    def test_one_that_names_nobody_stays_itself(self):
        """Octopus's own certificates all have one name."""
        assert stand_in(certificate("Octopus"), Redactor().text) is None

    def test_a_secret_in_a_name_goes_too(self):
        """Also where no false names are asked for."""
        made = stand_in(certificate("API-ABCDEFGHIJKLMNOP"), Redactor().text)
        assert b"ABCDEFGHIJKLMNOP" not in base64.b64decode(made)

    @pytest.mark.parametrize(
        "raw", [b"web-01", b"\x30\x82", b"\x30\x06web-01", b"\x30\x80" + b"web-01", b"\x30\x84\xff"]
    )
    def test_what_is_no_certificate(self, redactor, raw):
        """Becomes nothing where it names somebody, and stays itself where it does not."""
        made = stand_in(base64.b64encode(raw).decode(), redactor.text)
        assert made == (base64.b64encode(b"\x30\x00").decode() if b"web-01" in raw else None)

    def test_nesting_has_an_end(self, redactor):
        """Bytes of a stranger do not exhaust the stack."""
        raw = b"web-01"
        for _ in range(60):
            raw = bytes([0x30, len(raw)]) + raw if len(raw) < 128 else raw
        assert stand_in(base64.b64encode(raw).decode(), redactor.text) == base64.b64encode(b"\x30\x00").decode()


class TestDocument:
    """All certificates of a survey file."""

    def test_thumbprints_stay(self, redactor):
        """They name nobody, and every comparison rests on them: beside each stand-in stands the real one's."""
        named, plain = certificate("web-01.corp.example.com"), certificate("octopus")
        real = Secured(certificate=named).thumbprint
        series = PingSeries(host="h", port=1, by="name", certificates=(named, plain))
        document = {
            "tls": json.loads(Secured(certificate=named).model_dump_json(exclude_none=True)),
            "other": {"certificate": plain},
            "pings": [json.loads(series.model_dump_json(exclude_none=True))],
        }
        made = with_stand_ins(document, lambda text: text if "octopus" in text else redactor.text(text))
        assert Secured.model_validate(made["tls"]).thumbprint == real
        assert made["tls"]["certificate"] != named
        assert PingSeries.model_validate(made["pings"][0]).thumbprints == series.thumbprints
        assert made["pings"][0]["certificates"][0] == made["tls"]["certificate"]

    def test_twice_changes_nothing_more(self, redactor):
        """A replay of what was made false, made false again, still has the real thumbprint."""
        first = with_stand_ins({"certificate": certificate("web-01.corp.example.com")}, redactor.text)
        again = Redactor(pseudonyms=True)
        again.learn(["host-001.domain-1.example"])
        assert with_stand_ins(first, again.text)["stands_for"] == first["stands_for"]
