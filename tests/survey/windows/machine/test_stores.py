"""What a Windows machine keeps of certificates and curves: left-overs in its stores, and what Schannel may use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class TestLeftOverCertificates:
    """Certificates of the products in the machine's stores, and whose they are."""

    @pytest.fixture
    def sections(self):
        return {"left_overs"}

    STORES = "HKLM:\\SOFTWARE\\Microsoft\\SystemCertificates"
    UNUSED = "0123456789ABCDEF0123456789ABCDEF01234567"

    def keep(self, machine, store: str, thumbprint: str, name: str) -> None:
        """A certificate as Windows keeps it: a thumbprint's row before the certificate itself, each behind its length."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=9))
        der = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        blob = b"".join(
            number.to_bytes(4, "little") + b"\x01\0\0\0" + len(data).to_bytes(4, "little") + data
            for number, data in ((3, bytes.fromhex(thumbprint)), (32, der))
        )
        keys = machine.description.setdefault("registry", {})
        keys[f"{self.STORES}\\{store}\\Certificates\\{thumbprint}"] = {"Blob": {"hex": blob.hex()}}

    def found(self, machine) -> list[str]:
        return [each.where for each in machine.run().survey.left_overs.data if each.kind == "certificate"]

    def test_one_that_no_instance_uses(self, tentacle):
        """Those of the instance itself and of other programs are none."""
        self.keep(tentacle, "MY", "A" * 40, "Octopus Tentacle")
        self.keep(tentacle, "MY", "B" * 40, "www.example.com")
        self.keep(tentacle, "Octopus", self.UNUSED, "Octopus Tentacle")
        assert self.found(tentacle) == [f"LocalMachine\\Octopus: {self.UNUSED} (CN=Octopus Tentacle)"]

    def test_none_registered(self, machine):
        """What an installation that is gone left behind."""
        machine.description["services"] = []
        self.keep(machine, "MY", self.UNUSED, "Octopus Server")
        assert self.found(machine) == [f"LocalMachine\\MY: {self.UNUSED} (CN=Octopus Server)"]

    def test_where_nobody_can_tell(self, tentacle):
        """A server has its thumbprint in its database; a file that cannot be read may name any."""
        self.keep(tentacle, "MY", self.UNUSED, "Octopus Tentacle")
        tentacle.deny("configuration")
        assert self.found(tentacle) == []
        tentacle.deny()
        tentacle.add_instance("OctopusServer", {"Octopus.Home": "C:\\Octopus"}, product="OctopusServer")
        assert self.found(tentacle) == []

    def test_a_blob_of_another_form(self, tentacle):
        """Cut off, or nothing of ours: no certificate, and no failure."""
        keys = tentacle.description.setdefault("registry", {})
        for number, blob in enumerate(("", "20000000", "2000000001000000ffffff7f00", "200000000100000002000000aabb")):
            keys[f"{self.STORES}\\MY\\Certificates\\{number:040}"] = {"Blob": {"hex": blob}}
        assert tentacle.run().survey.left_overs.data == ()


class TestCurves:
    @pytest.fixture
    def sections(self):
        return {"tls"}

    @pytest.mark.parametrize(
        ("tls", "registry", "curves"),
        [
            ({"curves": ["NistP256", "curve25519"]}, {}, ("NistP256", "curve25519")),
            ({"cmdlets": False}, {"EccCurves": "NistP384,NistP256"}, ("NistP384", "NistP256")),
        ],
    )
    def test_the_cmdlet_or_a_policy(self, tentacle, tls, registry, curves):
        """What the module TLS tells; without it the policy's one text with commas."""
        tentacle.description["tls"] = tls
        key = "HKLM:\\SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002"
        tentacle.description["registry"] = {key: registry} if registry else {}
        assert tentacle.run().survey.tls.data.curves == curves

    def test_signatures(self, tentacle):
        """The system's list; a policy's before it; None where neither is there."""
        local = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010003"
        policy = "HKLM:\\SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010003"
        registry = tentacle.description["registry"] = {}
        assert tentacle.run().survey.tls.data.signatures is None
        registry[local] = {"Functions": ["RSAE-PSS/SHA256", "RSA/SHA256"]}
        assert tentacle.run().survey.tls.data.signatures == ("RSAE-PSS/SHA256", "RSA/SHA256")
        registry[policy] = {"Functions": "RSA/SHA512,RSA/SHA384"}
        assert tentacle.run().survey.tls.data.signatures == ("RSA/SHA512", "RSA/SHA384")
