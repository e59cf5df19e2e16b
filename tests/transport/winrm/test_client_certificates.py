"""Logging on by a client certificate, to the lab's own server over real TLS; and what people meet instead."""

from __future__ import annotations

import re
import ssl
import traceback

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form

from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError

UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def by_certificate(logged_on, certificates):
    """A transport that logs on by certificate: `by_certificate(server, certificate, key, **changes)`."""

    def make(server, certificate=None, key=None, **changes):
        certificate = certificate or certificates.client
        files = {"certificate": certificate, "certificate_key": key or certificate}
        return logged_on(server, auth="certificate", user=None, password=None, **files | changes)

    return make


def thumbprint(file):
    held = x509.load_pem_x509_certificate(file.read_bytes())
    return held.fingerprint(hashes.SHA1()).hex().upper()


def fails(transport):
    """The failure to connect: one line and one piece of advice, and nothing of the key's text in reach."""
    with pytest.raises(TransportError) as caught:
        transport.connect(Deadline(10))
    error = caught.value
    assert "\n" not in error.summary + error.advice
    assert error.advice.endswith((".", "?"))
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()) + repr(vars(error))
    try:
        lines = transport._settings.certificate_key.read_bytes().splitlines()
    except OSError:
        lines = []
    assert [line for line in lines if len(line) > 40 and line.decode("latin-1") in told] == []
    return error


class TestLoggedOn:
    """The certificate is all that it takes."""

    @pytest.mark.parametrize("at_once", [False, True], ids=["when-needed", "in-the-handshake"])
    def test_a_mapped_certificate(self, serve, by_certificate, certificates, at_once):
        """Windows asks when the request has come: TLS 1.3 allows that only with clients that agreed beforehand."""
        mapped = {thumbprint(certificates.client): "LAB\\octopus"}
        server = serve(client_ca=certificates.ca, mapped=mapped, asks_at_once=at_once)
        transport = by_certificate(server)
        transport.connect(Deadline(10))
        assert transport.execute("print(6 * 7)", b"", Deadline(10)).stdout.strip() == b"42"
        assert {one.user for one in server.seen} == {"LAB\\octopus"}

    def test_a_client_that_did_not_agree(self, serve, by_certificate, certificates):
        """The lab's server is as strict as Windows: it ends the connection."""
        server = serve(client_ca=certificates.ca)
        context = ssl.create_default_context(cafile=str(certificates.ca))
        context.load_cert_chain(certificates.client)
        transport = by_certificate(server)
        transport._tls = context
        with pytest.raises(TransportError, match="ended the connection"):
            transport.connect(Deadline(10))


class TestRefused:
    """What a machine says to a certificate that it does not take."""

    @pytest.mark.parametrize("at_once", [False, True], ids=["when-needed", "in-the-handshake"])
    def test_not_mapped_to_a_user(self, serve, by_certificate, certificates, at_once):
        """It asked for it, and knows nobody by it."""
        error = fails(by_certificate(serve(client_ca=certificates.ca, asks_at_once=at_once)))
        assert (error.stage, "refused the client certificate (HTTP 401)" in error.summary) == (
            ReachStage.AUTHENTICATE,
            True,
        )
        assert "certmapping" in error.advice
        assert "Certificate allowed" not in error.advice

    def test_not_asked_for(self, serve, by_certificate):
        """Certificate is off by default: the mapping is not to blame."""
        error = fails(by_certificate(serve()))
        assert error.stage is ReachStage.AUTHENTICATE
        assert "did not ask for the client certificate" in error.summary
        assert "winrm/config/service/auth" in error.advice
        assert "certmapping" not in error.advice

    def test_a_python_that_cannot_tell_whether_it_was_asked(self, serve, by_certificate, monkeypatch):
        """Both causes are told."""
        monkeypatch.setattr("pytest_tentacle.transport.winrm.wire.was_asked_for", lambda _: None)
        error = fails(by_certificate(serve()))
        assert "refused the client certificate (HTTP 401)" in error.summary
        assert "certmapping" in error.advice
        assert "Certificate allowed" in error.advice

    def test_expired_by_the_clock_here(self, serve, by_certificate, certificates):
        """A machine that says no more than 401."""
        mapped = {thumbprint(certificates.former_client): "LAB\\octopus"}
        error = fails(by_certificate(serve(client_ca=certificates.ca, mapped=mapped), certificates.former_client))
        assert error.stage is ReachStage.AUTHENTICATE
        assert re.search(r"which expired on \d{4}-\d\d-\d\d by the clock here", error.summary)

    @pytest.mark.parametrize(
        ("certificate", "said"),
        [("former_client", "as expired"), ("strange_client", "does not know the issuer")],
    )
    def test_refused_in_the_handshake(self, answering, by_certificate, certificates, certificate, said):
        """With TLS 1.3 the alert comes after our part of it: it is read in place of an answer."""
        port = answering(UNAUTHORIZED, certificates.good, certificates.ca)
        error = fails(by_certificate(port, getattr(certificates, certificate)))
        assert (error.stage, said in error.summary) == (ReachStage.TLS, True), error.summary

    def test_a_machine_that_wants_one_from_who_has_none(self, answering, logged_on, certificates):
        """The password is not to blame."""
        with pytest.raises(TransportError, match="asks for a client certificate") as caught:
            logged_on(answering(UNAUTHORIZED, certificates.good, certificates.ca)).connect(Deadline(10))
        assert caught.value.stage is ReachStage.TLS

    def test_over_http(self, by_certificate):
        """There is no handshake to show it in: said before anything is contacted."""
        error = fails(by_certificate(9, scheme="http"))
        assert (error.stage, "plain HTTP" in error.summary) == (ReachStage.AUTHENTICATE, True)
        assert "5986" in error.advice


class TestFiles:
    """What is wrong with the files is said before anything is contacted: port 9 answers nobody."""

    @pytest.fixture
    def files(self, certificates, tmp_path):
        """Where a certificate and its key lie, each in a file of its own."""
        text = certificates.client.read_bytes()
        start = text.index(b"-----BEGIN CERTIFICATE")
        (tmp_path / "c.pem").write_bytes(text[start:])
        (tmp_path / "k.pem").write_bytes(text[:start])
        return tmp_path / "c.pem", tmp_path / "k.pem"

    @pytest.mark.parametrize("which", [0, 1], ids=["certificate", "key"])
    @pytest.mark.parametrize(
        ("harm", "said"),
        [
            (lambda file: file.unlink(), "cannot be read (No such file"),
            (lambda file: (file.unlink(), file.mkdir()), "cannot be read (Is a directory"),
            (lambda file: file.write_bytes(b""), "is not a PEM file"),
            (lambda file: file.write_bytes(b"\x30\x82\x0a\x00pfx"), "is not a PEM file"),
        ],
        ids=["missing", "a-folder", "empty", "a-pfx"],
    )
    def test_the_file_at_fault_is_named(self, by_certificate, files, which, harm, said):
        """And not the other of the two."""
        harm(files[which])
        error = fails(by_certificate(9, *files))
        assert (error.stage, said in error.summary) == (ReachStage.TLS, True), error.summary
        assert str(files[which]) in error.summary
        assert str(files[1 - which]) not in error.summary

    @pytest.mark.parametrize("kind", [form.PrivateFormat.PKCS8, form.PrivateFormat.TraditionalOpenSSL])
    def test_a_key_with_a_passphrase_asks_nobody(self, by_certificate, files, kind):
        """OpenSSL would ask on the terminal, and a run in CI would hang."""
        key = form.load_pem_private_key(files[1].read_bytes(), None)
        files[1].write_bytes(key.private_bytes(form.Encoding.PEM, kind, form.BestAvailableEncryption(b"passphrase")))
        error = fails(by_certificate(9, *files))
        assert f"{files[1]} is encrypted with a passphrase" in error.summary
        assert "openssl pkey" in error.advice

    def test_a_key_of_another_certificate(self, by_certificate, files, certificates):
        """Both are right by themselves."""
        error = fails(by_certificate(9, files[0], certificates.former_client))
        assert "does not belong to the client certificate" in error.summary

    def test_the_two_swapped(self, by_certificate, files):
        """The first is looked at first."""
        assert "holds no certificate" in fails(by_certificate(9, *reversed(files))).summary

    def test_the_certificate_given_twice(self, by_certificate, files):
        """There is no key in it."""
        assert f"{files[0]} holds no private key" in fails(by_certificate(9, files[0], files[0])).summary

    def test_a_key_that_is_cut_or_spoilt(self, by_certificate, files):
        """Half of it is none."""
        text = files[1].read_bytes()
        files[1].write_bytes(text[: len(text) // 2])
        assert "holds no private key" in fails(by_certificate(9, *files)).summary
        lines = text.splitlines(keepends=True)
        files[1].write_bytes(b"".join([*lines[:1], *lines[2:]]))
        assert "cannot be read as a key" in fails(by_certificate(9, *files)).summary
