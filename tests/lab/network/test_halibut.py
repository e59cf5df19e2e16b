"""The lab's listener, row by row of tentacle-seen 1.1 and 1.2."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.link import wire

LOOPBACK = "127.0.0.1"
OWN = make_certificate()
TRUSTED = make_certificate("Octopus Server")
STRANGER = make_certificate("Octopus Server")
SERVER = b"MX-SERVER 1.0\r\n\r\n"
GET = wire.page_request("localhost", 10933)


class Listening:
    """A listener, and what it logged."""

    def __init__(self, **options) -> None:
        self.lines = []
        settings = {
            "certificate": OWN,
            "trusted": [TRUSTED],
            "known": [STRANGER],
            "receive_timeout": 30,
            "poll_wait": 30,
            "log": self.lines.append,
        }
        self.listener = HalibutListener(LOOPBACK, 0, **(settings | options))

    def __enter__(self):
        self.listener.start()
        return self

    def __exit__(self, *_):
        self.listener.stop()

    def connect(self, certificate=None, version=None, *, strict=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if version:
            context.minimum_version = context.maximum_version = version
        if strict:
            context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # older builds of Python 3.11 set it
        if certificate:
            certificate.load_into(context)
        plain = socket.create_connection((LOOPBACK, self.listener.port), timeout=10)
        return context.wrap_socket(plain, suppress_ragged_eofs=False)

    def raw(self):
        return socket.create_connection((LOOPBACK, self.listener.port), timeout=10)

    def talk(self, *pieces, certificate=None, end=False, version=None):
        """Write, and read until the listener closes or, with `end`, say at once that no more will come."""
        with self.connect(certificate, version) as stream:
            answer = b""
            try:
                for piece in pieces:
                    stream.sendall(piece)
                if end:
                    socket.socket.shutdown(stream, socket.SHUT_WR)
                while data := stream.recv(65536):
                    answer += data
            except (ssl.SSLEOFError, ConnectionError):
                pass
            return answer

    def said(self, level, start):
        """Wait for a line of that level that begins so."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if line.level == level and line.message.startswith(start):
                    return line
            time.sleep(0.01)
        pytest.fail(f"{level} {start!r} was not logged, but: {self.lines}")

    def errors(self):
        self.said("Info", "Accepted TCP client: 127.0.0.1:")
        return [line for line in self.lines if line.level == "Error"]


@pytest.fixture
def listening():
    with Listening() as made:
        yield made


@pytest.fixture
def hasty():
    """One that waits for nobody."""
    with Listening(receive_timeout=0.5) as made:
        yield made


def old_client() -> ssl.SSLContext:
    """A client of TLS 1.0 and 1.1 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def read_all(stream: ssl.SSLSocket, page: bytearray) -> None:
    """Until it raises."""
    while data := stream.recv(65536):
        page += data


class TestTls:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_versions(self, version, listening):
        """TLS 1.2 and 1.3."""
        assert listening.talk(GET, version=version).startswith(b"HTTP/1.0 200 OK\r\n")

    def test_old_version(self, listening):
        """TLS 1.1 is refused for its ciphers (alert 40), and told at Debug only."""
        context = old_client()
        with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"), listening.raw() as plain:
            context.wrap_socket(plain)
        assert "no shared cipher" in listening.said("Debug", "Client failed authentication: 127").exception
        assert listening.errors() == []

    @pytest.mark.parametrize("cipher", ["ECDHE-RSA-CHACHA20-POLY1305", "AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA"])
    def test_refused_ciphers(self, cipher, listening):
        """Alert 40."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(cipher)
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"), listening.raw() as plain:
            context.wrap_socket(plain)
        assert "no shared cipher" in listening.said("Debug", "Client failed authentication: 127").exception

    def test_ends_with_fin_and_no_close_notify(self, listening):
        """A strict client gets the whole page and then `unexpected eof`."""
        with listening.connect(strict=True) as stream:
            stream.sendall(GET)
            page = bytearray()
            with pytest.raises(ssl.SSLError, match=r"(?i)\beof\b|_EOF_"):
                read_all(stream, page)
        assert len(page) == 1216

    def test_plain_http(self, listening):
        """Closed at once without a byte; Debug only."""
        with listening.raw() as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert plain.recv(100)[:1] in {b"", b"\x15"}  # .NET closes without a byte; OpenSSL sends an alert first
        assert "Cannot determine the frame size" in listening.said("Debug", "Client failed authentication").exception
        assert listening.errors() == []

    def test_connect_and_close(self, listening):
        """A load balancer's probe leaves an Error."""
        listening.raw().close()
        assert "unexpected EOF" in listening.said("Error", "Unhandled error when handling request").exception

    def test_connect_and_reset(self, listening):
        """And another one with a RST."""
        plain = listening.raw()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.close()
        assert "(104)" in listening.said("Error", "Socket IO exception: 127.0.0.1:").exception

    def test_connect_and_wait(self, hasty):
        """Closed at the read timeout, with an Error."""
        with hasty.raw() as plain:
            assert plain.recv(1) == b""
        assert "timed out" in hasty.said("Error", "Socket IO exception: 127.0.0.1:").exception


class TestPage:
    @pytest.mark.parametrize("product", ["tentacle", "server"])
    def test_welcome(self, product, probe_of):
        """Status, headers, 842 characters, two line ends; a title of its own for each product."""
        with Listening(product=product) as made:
            found = probe_of(LOOPBACK, made.listener.port)
        head, _, body = found.page.text.partition("\r\n\r\n")
        assert product == found.page.product
        assert head.startswith("HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 842\r\n")
        assert len(head.splitlines()) == 9
        assert (len(body), body.endswith("\r\n\r\n")) == (846, True)

    @pytest.mark.parametrize(
        "sent",
        [
            GET,
            b"POST /handshake HTTP/1.1\r\n\r\n",
            b"HELLO\r\n\r\n",
            b"HELLO\n\n",
            b"A" * 30_000,
            b"\r\n\r\n",
            b"X\n\n",
        ],
    )
    def test_whatever_is_not_mx(self, sent, listening):
        """Gets the page, and leaves an Info and a Trace."""
        assert len(listening.talk(sent)) == 1216
        listening.said("Trace", "Appears to be a web browser")
        assert listening.errors() == []

    def test_a_trusted_browser_gets_it_too(self, listening):
        """A certificate makes no difference to a GET."""
        assert len(listening.talk(GET, certificate=TRUSTED)) == 1216

    def test_our_probe_leaves_one_info_line(self, listening, probe_of):
        """At the level of a Tentacle's log: nothing but `Accepted TCP client`."""
        probe_of(LOOPBACK, listening.listener.port)
        listening.said("Trace", "Appears to be")
        told = [line for line in listening.lines if line.level != "Trace" and "Listener" not in line.message]
        assert [(line.level, line.message.startswith("Accepted TCP client: ")) for line in told] == [("Info", True)]

    def test_nothing_then_the_end(self, listening):
        """An empty request is ignored."""
        assert listening.talk(end=True) == b""
        listening.said("Trace", "Ignoring empty request")
        assert listening.errors() == []

    def test_one_character_then_the_end(self, listening):
        """Halibut's own slip."""
        assert listening.talk(b"X", end=True) == b""
        line = listening.said("Error", "Unhandled error when handling request from client: 127.0.0.1:")
        assert "ArgumentOutOfRangeException" in line.exception

    def test_an_answer_that_nobody_reads(self, listening):
        """As Octopus's own discovery leaves it, now and then; never a text without words."""
        for _ in range(20):
            with listening.connect(None) as stream:
                stream.sendall(b"HELLO\r\n\r\n")
        for line in listening.errors():
            assert line.message.startswith("Socket IO exception: 127.0.0.1:")
            assert "None" not in line.exception

    def test_nothing_and_kept_open(self, hasty):
        """Closed at the read timeout, with an Error."""
        assert hasty.talk() == b""
        assert "(110)" in hasty.said("Error", "Socket IO exception: 127.0.0.1:").exception


class TestTrust:
    @pytest.mark.parametrize("sent", [(b"MX\r\n\r\n",), (b"MX\r\n\r\n", b"MX-CLIENT 1.0\r\n\r\n")])
    def test_no_certificate(self, sent, listening):
        """Closed without a byte; Debug."""
        assert listening.talk(*sent) == b""
        assert listening.said("Debug", "A client at 127.0.0.1:").message.endswith(
            "did not present a client certificate"
        )

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_untrusted(self, version, listening):
        """TLS goes well, then closed without a byte; Debug with the thumbprint."""
        assert listening.talk(b"MX\r\n\r\n", certificate=STRANGER, version=version) == b""
        assert f"'{STRANGER.thumbprint}' which is not in the list" in listening.said("Debug", "A client at ").message
        assert listening.errors() == []

    @pytest.mark.parametrize("preamble", [b"MX\r\n\r\n", b"MX\n\n"])
    @pytest.mark.parametrize("word", [b"MX-CLIENT 1.0", b"MX-CLIENT 9.9"])
    def test_trusted(self, preamble, word, listening):
        """`MX-SERVER` with CRLF; an Error when the client leaves."""
        assert listening.talk(preamble, word + b"\r\n\r\n", certificate=TRUSTED, end=True) == SERVER
        assert listening.said("Info", "Client at ").message.endswith(f"authenticated as {TRUSTED.thumbprint}")
        assert "past the end of the stream" in listening.said("Error", "Unhandled error when").exception

    def test_all_in_one_write(self, listening):
        """How the bytes are cut makes no difference."""
        assert listening.talk(b"MX\r\n\r\nMX-CLIENT 1.0\r\n\r\n", certificate=TRUSTED, end=True) == SERVER

    @pytest.mark.parametrize("sent", [(b"MX\n\n", b"MX-CLIENT 1.0\n\n"), (b"MX-CLIENT 1.0\r\n\r\n",)])
    def test_waits_for_crlf_and_for_the_preamble(self, sent, hasty):
        """Nothing until the read timeout, and two Errors."""
        assert hasty.talk(*sent, certificate=TRUSTED) == b""
        assert "ReadAsync" in hasty.said("Error", "Remote failed to identify itself.").exception
        assert "ReadAsync" in hasty.said("Error", "Unhandled error when handling").exception

    def test_next_without_a_request_before(self, listening):
        """Bytes that are no message."""
        sent = (b"MX\r\n\r\n", b"MX-CLIENT 1.0\r\n\r\n", b"NEXT\r\n")
        assert listening.talk(*sent, certificate=TRUSTED) == SERVER
        assert "unsupported compression" in listening.said("Error", "Unhandled error when").exception

    def test_another_server(self, listening):
        """Answered, then closed."""
        assert listening.talk(b"MX\r\n\r\n", b"MX-SERVER 1.0\r\n\r\n", certificate=TRUSTED) == SERVER
        listening.said("Error", "Remote with identify  identified itself with an unknown identity type Server")

    @pytest.mark.parametrize(
        ("first", "second", "words"),
        [
            (b"HTTP/1.1 200\r\n", b"\r\n", "unknown identity type: 'HTTP/1.1'"),
            (b"MX-CLIENT 1.0\r\n", b"Server: x\r\n", "the following line was not empty"),
        ],
    )
    def test_words_that_are_no_identity(self, first, second, words, listening):
        """No answer; what came stands in the log, and the reason twice."""
        assert listening.talk(b"MX\r\n\r\n", first + second, certificate=TRUSTED) == b""
        listening.said("Error", "Response:")
        assert words in listening.said("Error", "Remote failed to identify itself.").exception
        assert words in listening.said("Error", "Unhandled error when handling request from client: 127").exception

    def test_many_trusted_with_one_name(self):
        """All Tentacles' certificates have one subject; each is known by its own bytes, and doubles do no harm."""
        fleet = [make_certificate() for _ in range(12)]
        with Listening(trusted=[*fleet, *fleet]) as made:
            for one in fleet:
                assert made.talk(b"MX\r\n\r\n", b"MX-CLIENT 1.0\r\n\r\n", certificate=one, end=True) == SERVER


class TestPolling:
    def test_keep_alive(self):
        """MX-SERVER, a null request after the wait, NEXT is answered by PROCEED, and again."""
        with Listening(product="server", poll_wait=0.3) as made, made.connect(TRUSTED) as stream:
            stream.sendall(b"MX\n\nMX-SUBSCRIBER 1.0 poll://abc/\r\n\r\n")
            expected = SERVER + wire.NULL_REQUEST
            for follows in (b"", wire.PROCEED + wire.NULL_REQUEST):
                expected = follows or expected
                got = b""
                while len(got) < len(expected):
                    got += stream.recv(65536)
                assert expected == got
                stream.sendall(wire.NEXT)

    def test_without_subscription(self, listening):
        """Nothing, closed, Errors."""
        assert listening.talk(b"MX\r\n\r\n", b"MX-SUBSCRIBER 1.0\r\n\r\n", certificate=TRUSTED) == b""
        listening.said("Error", "Response:")
        assert "but did not supply a subscription ID." in listening.said("Error", "Remote failed").exception
        listening.said("Error", "Unhandled error when handling request from client: 127.0.0.1:")

    def test_one_that_leaves_is_not_noticed_before_the_wait_is_over(self):
        """Nobody reads until then (source: MessageExchangeProtocol)."""
        with Listening(product="server") as made:
            with made.connect(TRUSTED) as stream:
                stream.sendall(b"MX\n\nMX-SUBSCRIBER 1.0 poll://abc/\r\n\r\n")
                assert stream.recv(17) == SERVER
            time.sleep(0.1)
            assert made.errors() == []


class TestCertificate:
    def test_like_a_real_one(self):
        """v3, no extension, RSA 2048, SHA-256, issuer = subject, a hundred years from yesterday's midnight."""
        made = x509.load_der_x509_certificate(OWN.der)
        assert (x509.Version.v3, 0) == (made.version, len(made.extensions))
        assert "CN=Octopus Tentacle" == made.subject.rfc4514_string() == made.issuer.rfc4514_string()
        assert (made.signature_hash_algorithm.name, made.public_key().key_size) == ("sha256", 2048)
        assert 99 < (made.not_valid_after_utc - made.not_valid_before_utc).days / 365.25 <= 101

    def test_variants(self):
        """SHA-1 and 1024 bits; the signature is valid."""
        sha1 = x509.load_der_x509_certificate(make_certificate(sha1=True).der)
        assert sha1.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.5"
        key = sha1.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        signature = pow(int.from_bytes(sha1.signature), key.public_numbers().e, key.public_numbers().n)
        import hashlib

        assert signature.to_bytes(256).endswith(hashlib.sha1(sha1.tbs_certificate_bytes).digest())
        assert x509.load_der_x509_certificate(make_certificate(bits=1024).der).public_key().key_size == 1024

    def test_every_one_is_another(self):
        """Keys are shared, thumbprints are not."""
        assert len({make_certificate().thumbprint for _ in range(20)}) == 20

    def test_the_key_stays_out_of_the_repr(self):
        """Neither PEM nor numbers."""
        assert "PRIVATE" not in repr(OWN)
        assert "RSAPrivateKey" not in repr(OWN)

    def test_weak_key(self):
        """The port is open, every handshake fails with alert 70, and Debug knows why."""
        with Listening(certificate=make_certificate(bits=1024)) as made:
            with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
                made.connect()
            assert "ee key too small" in made.said("Debug", "Client failed authentication").exception

    def test_authority(self):
        """What it signs is verified under its names, and under no other."""
        authority = make_certificate("lab authority", authority=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        make_certificate("m-1", issuer=authority, names=["m-1.lab", "127.0.0.1"]).load_into(context)
        client = ssl.create_default_context(cadata=authority.certificate_pem)
        for name, good in (("m-1.lab", True), ("127.0.0.1", True), ("m-2.lab", False)):
            here, there = socket.socketpair()
            with here, there:
                from threading import Thread

                serving = Thread(target=_shake, args=(context, there))
                serving.start()
                expectation = contextlib.nullcontext() if good else pytest.raises(ssl.SSLCertVerificationError)
                with expectation:
                    client.wrap_socket(here, server_hostname=name).close()
                serving.join(5)


def _shake(context, connection):
    with contextlib.suppress(OSError):
        context.wrap_socket(connection, server_side=True).close()
