"""Each failure word that the client can give, from a real cause."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.lab.network import (
    BlackHole,
    Closer,
    Hanger,
    HttpResponder,
    HttpsServer,
    NoCommonCipher,
    OldTls,
    Refused,
    Resetter,
    SilentAfterTls,
    TlsInspector,
    Trickler,
    TricklingPage,
)
from pytest_tentacle.lab.network.tls_boxes import TlsBox
from pytest_tentacle.link import By, Failure, LinkRef, Stage, Target, probe_all, system_resolver

LOOPBACK = "127.0.0.1"


@pytest.fixture
def tentacle():
    with HalibutListener(LOOPBACK, 0, certificate=make_certificate()) as listener:
        yield listener


class Saying(TlsBox):
    """A TLS server that answers the request with given bytes and closes, or resets."""

    def __init__(self, answer: bytes, *, abort: bool = False) -> None:
        super().__init__(LOOPBACK)
        self.answer = answer
        self.abort = abort

    def talk(self, stream: ssl.SSLSocket) -> None:
        stream.recv(65536)
        if self.answer:
            stream.sendall(self.answer)
        if self.abort:
            time.sleep(0.1)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            stream.close()
            raise ConnectionAbortedError


class TestHealthyTentacle:
    def test_goes_through_all_stages(self, tentacle, probe_of):
        """Every stage is timed and none has failed; the page is the Tentacle's."""
        found = probe_of(LOOPBACK, tentacle.port)
        assert (found.failed, found.shows_page, found.page.product) == (None, True, "tentacle")
        assert found.resolve is None
        assert found.connect.address == LOOPBACK
        assert all(record.ms >= 0 for record in (found.connect, found.tls, found.page))

    def test_page_is_read_to_its_end(self, tentacle, probe_of):
        """All 1,216 bytes of a real Tentacle's answer, with what follows beyond Content-Length."""
        found = probe_of(LOOPBACK, tentacle.port)
        assert (found.page.length, len(found.page.text)) == (1216, 1216)

    def test_thumbprint_is_openssls(self, tentacle, probe_of, tmp_path):
        """The same 40 digits as `openssl x509 -fingerprint -sha1` prints."""
        openssl = shutil.which("openssl")
        assert openssl, "the test needs the openssl command"
        found = probe_of(LOOPBACK, tentacle.port)
        (tmp_path / "certificate.der").write_bytes(tentacle.certificate.der)
        told = subprocess.run(
            [openssl, "x509", "-inform", "DER", "-in", tmp_path / "certificate.der", "-noout", "-fingerprint", "-sha1"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert told.strip().partition("=")[2].replace(":", "") == found.thumbprint == tentacle.certificate.thumbprint

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_names_version_and_cipher(self, version, probe_of):
        """TLS 1.2 and 1.3 are both spoken, and told as OpenSSL writes them."""
        with HalibutListener(
            LOOPBACK, 0, certificate=make_certificate(), minimum_version=version, maximum_version=version
        ) as listener:
            found = probe_of(LOOPBACK, listener.port)
        assert version.name.replace("_", ".") == found.tls.version
        assert "AES256GCMSHA384" in found.tls.cipher.replace("_", "").replace("-", "")
        assert found.shows_page

    def test_ipv6(self, probe_of):
        """A literal IPv6 address goes through, and is told as it was given."""
        with HalibutListener("::1", 0, certificate=make_certificate()) as listener:
            found = probe_of("::1", listener.port)
        assert found.shows_page
        assert found.connect.address == "::1"

    def test_weak_and_sha1_certificates_are_seen(self, probe_of):
        """A SHA-1 certificate is no failure of the link: its thumbprint is told for the steps to judge."""
        certificate = make_certificate(sha1=True)
        with HalibutListener(LOOPBACK, 0, certificate=certificate) as listener:
            found = probe_of(LOOPBACK, listener.port)
        assert found.shows_page
        assert certificate.thumbprint == found.thumbprint

    def test_a_key_of_1024_bits_shows_only_to_openssl_at_level_0(self, probe_of):
        """A foreign server with such a key is still read."""
        box = HttpsServer(LOOPBACK)
        box.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        small = make_certificate(bits=1024)
        small.load_into(box.context)
        with box:
            found = probe_of(LOOPBACK, box.port)
        assert small.thumbprint == found.thumbprint


class TestResolve:
    def test_name(self, tentacle, probe_of):
        """A name is resolved, its addresses are told, and the one that answered."""
        found = probe_of("localhost", tentacle.port)
        assert found.shows_page
        assert LOOPBACK in found.resolve.addresses
        assert found.resolve.ms >= 0
        assert found.connect.address == LOOPBACK

    @pytest.mark.parametrize(
        ("error", "word"),
        [
            (socket.gaierror(socket.EAI_NONAME, "x"), Failure.NAME_NOT_FOUND),
            (socket.gaierror(socket.EAI_NODATA, "x"), Failure.NO_ADDRESS),
            (socket.gaierror(socket.EAI_AGAIN, "x"), Failure.RESOLVER_FAILED),
            (socket.gaierror(socket.EAI_FAIL, "x"), Failure.RESOLVER_FAILED),
            (socket.gaierror(socket.EAI_SYSTEM, "x"), Failure.OTHER),
        ],
    )
    def test_failures_of_the_resolver(self, error, word, probe_of):
        """Every number has its word, and no later stage is reached."""

        def resolve(*_):
            raise error

        found = probe_of("x.invalid", 1, resolve=resolve)
        assert (Stage.RESOLVE, word) == (found.failed[0], found.failed[1].error)
        assert found.connect is None

    @pytest.mark.parametrize("name", ["a..b", "x" * 70 + ".example"])
    def test_a_name_that_cannot_exist(self, name, probe_of):
        """Empty and too long labels are refused before any question is asked."""
        assert Failure.NAME_NOT_FOUND is probe_of(name, 1).resolve.error

    def test_a_resolver_that_hangs_costs_the_budget_only(self, monkeypatch, probe_of):
        """`getaddrinfo` has no time limit; the probe has."""
        release = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait() and [])
        found = probe_of("slow.example", 1, seconds=0.5)
        release.set()
        assert Failure.TIMED_OUT is found.resolve.error

    def test_no_addresses_at_all(self, probe_of):
        """An empty answer is `no-address`."""
        assert Failure.NO_ADDRESS is probe_of("x.invalid", 1, resolve=lambda *_: ()).resolve.error

    def test_addresses_have_no_doubles(self):
        """Each address once, in the resolver's order."""
        addresses = system_resolver("localhost", 80, 5)
        assert len(set(addresses)) == len(addresses) > 0


class TestConnect:
    def test_refused(self, probe_of):
        """A RST to the SYN."""
        with Refused(LOOPBACK) as nothing:
            found = probe_of(LOOPBACK, nothing.port)
        assert (found.failed[0], found.connect.error) == (Stage.CONNECT, Failure.REFUSED)
        assert found.tls is None

    def test_timed_out(self, probe_of):
        """A SYN that nobody answers."""
        with BlackHole(LOOPBACK) as hole:
            found = probe_of(LOOPBACK, hole.port, seconds=1)
        assert Failure.TIMED_OUT is found.connect.error
        assert found.connect.ms > 900

    def test_second_address_answers(self, tentacle, probe_of):
        """A dead first address is told in the detail, and the one behind it is used."""
        found = probe_of("x.lab", tentacle.port, resolve=lambda *_: ("127.0.0.2", LOOPBACK))
        assert found.shows_page
        assert found.connect.address == LOOPBACK
        assert "127.0.0.2: refused" in found.connect.detail

    def test_each_address(self, tentacle):
        """Those behind the one that answers are looked at as well, if all are asked for; each with its outcome."""
        target = Target(host="x.lab", port=tentacle.port, by=By.NAME)
        addresses = ("127.0.0.2", LOOPBACK, "127.0.0.3", LOOPBACK)
        (found,) = probe_all([target], seconds=20, resolve=lambda *_: addresses)
        tried = [(one.address, one.stage, one.error, one.thumbprint) for one in found.connect.tried]
        dead, well = (Stage.CONNECT, Failure.REFUSED, None), (None, None, tentacle.certificate.thumbprint)
        assert tried == [
            ("127.0.0.2", *dead), (LOOPBACK, *well), ("127.0.0.3", *dead), (LOOPBACK, *well),
        ]  # fmt: skip
        assert found.shows_page

    def test_silent_first_address_leaves_time_for_the_second(self, probe_of):
        """It may use its share of the budget and no more."""
        with BlackHole("127.0.0.2") as hole, HalibutListener(LOOPBACK, hole.port, certificate=make_certificate()):
            found = probe_of("x.lab", hole.port, seconds=3, resolve=lambda *_: ("127.0.0.2", LOOPBACK))
        assert found.shows_page
        assert "127.0.0.2: timed-out" in found.connect.detail

    def test_the_most_telling_of_several_failures(self, probe_of):
        """A refusal says more than a silence before or behind it; all attempts stand in the detail."""
        with BlackHole("127.0.0.2") as hole:
            found = probe_of("x.lab", hole.port, seconds=1, resolve=lambda *_: (LOOPBACK, "127.0.0.2"))
        assert (found.connect.error, found.connect.address) == (Failure.REFUSED, LOOPBACK)
        assert "127.0.0.2: timed-out" in found.connect.detail


class TestTls:
    @pytest.mark.parametrize(
        ("box", "word"),
        [
            (HttpResponder, Failure.NOT_TLS),
            (Closer, Failure.CLOSED),
            (Resetter, Failure.RESET),
            (Hanger, Failure.TIMED_OUT),
            (OldTls, Failure.PROTOCOL_VERSION),
            (NoCommonCipher, Failure.NO_COMMON_CIPHER),
            (Trickler, Failure.TIMED_OUT),
        ],
    )
    def test_failures(self, box, word, probe_of):
        """Each cause has its word; the page is not asked for; the budget is kept."""
        with box(LOOPBACK) as middle:
            found = probe_of(LOOPBACK, middle.port, seconds=1)
        assert (Stage.TLS, word) == (found.failed[0], found.tls.error), found
        assert found.connect.error is None
        assert found.page is None

    def test_what_answered_instead_is_told(self, probe_of):
        """The bytes that were no TLS, without a second connection."""
        with HttpResponder(LOOPBACK) as proxy:
            found = probe_of(LOOPBACK, proxy.port)
        assert "HTTP/1.1 403 Forbidden" in found.tls.detail

    def test_ssh(self, probe_of):
        """Another protocol's banner is not TLS either."""
        with HttpResponder(LOOPBACK, answer=b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n") as sshd:
            found = probe_of(LOOPBACK, sshd.port)
        assert Failure.NOT_TLS is found.tls.error
        assert "SSH-2.0" in found.tls.detail

    def test_real_openssl_without_common_version(self, probe_of):
        """A listener whose key is too small answers alert 70, as a real Tentacle does."""
        with HalibutListener(LOOPBACK, 0, certificate=make_certificate(bits=1024)) as listener:
            found = probe_of(LOOPBACK, listener.port)
        assert Failure.PROTOCOL_VERSION is found.tls.error

    def test_another_alert_is_other(self, probe_of):
        """An alert without a word of its own keeps OpenSSL's words as the detail."""
        with HttpResponder(LOOPBACK, answer=bytes.fromhex("15030300020250")) as middle:  # 80 internal_error
            found = probe_of(LOOPBACK, middle.port)
        assert Failure.OTHER is found.tls.error
        assert "INTERNAL_ERROR" in found.tls.detail


class TestPage:
    def test_foreign_server(self, probe_of):
        """No failure of the link, and no page of Octopus's."""
        with HttpsServer(LOOPBACK) as server:
            found = probe_of(LOOPBACK, server.port)
        assert (found.failed, found.shows_page, found.page.product) == (None, False, None)
        assert "It works!" in found.page.text

    def test_server_that_keeps_the_connection(self, probe_of):
        """A whole answer is an answer: the wait for the end is bounded."""
        with HttpsServer(LOOPBACK, keeps_open=True) as server:
            found = probe_of(LOOPBACK, server.port, seconds=20)
        assert found.failed is None

    def test_inspector_shows_the_page_under_another_thumbprint(self, tentacle, probe_of):
        """Only the certificate tells that somebody stands between."""
        with TlsInspector(LOOPBACK, 0, LOOPBACK, tentacle.port) as middle:
            found = probe_of(LOOPBACK, middle.port)
        assert found.shows_page
        assert middle.certificate.thumbprint == found.thumbprint != tentacle.certificate.thumbprint

    @pytest.mark.parametrize(
        ("box", "word"),
        [
            (SilentAfterTls(LOOPBACK), Failure.TIMED_OUT),
            (TricklingPage(LOOPBACK), Failure.TIMED_OUT),
            (Saying(b""), Failure.CLOSED),
            (Saying(b"", abort=True), Failure.RESET),
            (Saying(b"HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhalf", abort=True), Failure.RESET),
            (Saying(b"HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhalf"), Failure.OTHER),
            (Saying(b"220 mail.example ESMTP\r\n"), Failure.NOT_HTTP),
        ],
        ids=["silent", "trickle", "closed", "reset", "half-reset", "half", "smtp"],
    )
    def test_failures(self, box, word, probe_of):
        """Each cause has its word; the certificate is known all the same; the budget is kept."""
        with box:
            found = probe_of(LOOPBACK, box.port, seconds=1.5)
        assert (Stage.PAGE, word) == (found.failed[0], found.page.error), found
        assert box.certificate.thumbprint == found.thumbprint

    def test_half_a_page_is_kept(self, probe_of):
        """What came before the end is evidence."""
        with Saying(b"HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\nhalf") as box:
            found = probe_of(LOOPBACK, box.port)
        assert found.page.text.endswith("half")
        assert "46 bytes too early" in found.page.detail

    def test_reset_behind_a_whole_page_is_no_failure(self, probe_of):
        """The page was read to its end; how the connection ended is the server's business."""
        with Saying(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", abort=True) as box:
            found = probe_of(LOOPBACK, box.port)
        assert found.failed is None

    def test_a_flood_is_cut(self, probe_of):
        """64 kB are read, 2,000 characters kept."""
        with Saying(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 3_000_000) as box:
            found = probe_of(LOOPBACK, box.port)
        assert found.failed is None
        assert 65_536 <= found.page.length < 150_000
        assert len(found.page.text) == 2_000


class TestIdentity:
    def test_is_not_spoken_unasked(self, tentacle, probe_of):
        """No record without a request for it."""
        assert probe_of(LOOPBACK, tentacle.port).identity is None

    def test_a_tentacle_that_does_not_know_us(self, tentacle, probe_of):
        """Closed without an answer; the page came all the same, on the connection before."""
        found = probe_of(LOOPBACK, tentacle.port, identity=True)
        assert found.shows_page
        assert (found.failed, found.identity.error) == (None, Failure.UNTRUSTED)
        assert found.identity.ms >= 0

    def test_a_web_server(self, probe_of):
        """Whatever line comes is recorded."""
        with HttpsServer(LOOPBACK) as server:
            found = probe_of(LOOPBACK, server.port, identity=True)
        assert Failure.OTHER is found.identity.error
        assert found.identity.line == "HTTP/1.1 200 OK"

    def test_silence(self, probe_of):
        """A page that never came leaves no time; the record says timed out and the budget is kept."""
        with SilentAfterTls(LOOPBACK) as box:
            found = probe_of(LOOPBACK, box.port, seconds=1, identity=True)
        assert Failure.TIMED_OUT is found.identity.error


class TestProbeAll:
    def test_keeps_the_order_and_runs_at_once(self, tentacle):
        """Forty looks, each of which waits for all the others; each answer stands where its target stood."""
        together = threading.Barrier(40)

        def resolve(*_):
            together.wait(60)
            return (LOOPBACK,)

        with Refused(LOOPBACK) as nobody:
            targets = [
                Target(
                    link=LinkRef(tentacle=str(n)),
                    host=f"t{n}.lab",
                    port=tentacle.port if n % 2 else nobody.port,
                    by=By.NAME,
                )
                for n in range(40)
            ]
            found = probe_all(targets, workers=40, seconds=120, resolve=resolve)
        assert [str(n) for n in range(40)] == [one.link.tentacle for one in found]
        assert all(one.shows_page for one in found[1::2])
        assert all(one.connect.error is Failure.REFUSED for one in found[::2])

    def test_no_targets(self):
        """Nothing to do is done."""
        assert probe_all([], seconds=1) == ()

    def test_an_error_of_our_own_is_raised(self, tentacle):
        """A bug in a callback does not vanish in a thread."""

        def explode(_):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            probe_all([Target(host=LOOPBACK, port=tentacle.port, by=By.ADDRESS)], seconds=2, on_probe=explode)
