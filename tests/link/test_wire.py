"""All that our code sends, recorded by a TLS server and held against the list of what it may send."""

from __future__ import annotations

import ssl
import threading

import pytest

from pytest_tentacle.lab.network import HttpsServer
from pytest_tentacle.lab.network.tls_boxes import TlsBox
from pytest_tentacle.link import By, Target, wire
from pytest_tentacle.link.pings.ping import ping

LOOPBACK = "127.0.0.1"


class Recorder(TlsBox):
    """Answers every connection with a page, and keeps what was sent on each, up to its end, and the SNI."""

    def __init__(self) -> None:
        super().__init__(LOOPBACK)
        self.connections: list[bytearray] = []
        self.names: list[str | None] = []
        self.certificates: list[bytes | None] = []
        self.ended = threading.Semaphore(0)
        self.context.verify_mode = ssl.CERT_OPTIONAL
        self.context.sni_callback = lambda _, name, __: self.names.append(name)

    def talk(self, stream: ssl.SSLSocket) -> None:
        sent = bytearray()
        self.connections.append(sent)
        self.certificates.append(stream.getpeercert(binary_form=True))
        answered = False
        try:
            while piece := stream.recv(65536):
                sent += piece
                if not answered and sent.endswith(b"\n\r\n"):
                    stream.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
                    answered = True
        except ssl.SSLError:
            pass
        self.ended.release()

    def sent(self, connections: int) -> list[bytes]:
        for _ in range(connections):
            assert self.ended.acquire(timeout=10), "the client did not end its connection"
        return [bytes(one) for one in self.connections]


@pytest.fixture
def recorder():
    with Recorder() as box:
        yield box


class TestWhatIsSent:
    def test_a_probe_is_one_get(self, recorder, probe_of):
        """One connection, one whole request, not a byte more."""
        probe_of(LOOPBACK, recorder.port)
        assert [wire.page_request(LOOPBACK, recorder.port)] == recorder.sent(1)

    def test_identity_is_a_second_connection(self, recorder, probe_of):
        """Asked for, the two Halibut lines go out alone."""
        probe_of(LOOPBACK, recorder.port, identity=True)
        assert [wire.page_request(LOOPBACK, recorder.port), wire.PREAMBLE + wire.CLIENT_IDENTITY] == recorder.sent(2)

    def test_a_ping_is_one_get_each(self, recorder):
        """The payload is the only difference."""
        target = Target(host=LOOPBACK, port=recorder.port, by=By.ADDRESS)
        ping(target, count=2, interval=0.01, payload_bytes=100_000)
        assert [wire.page_request(LOOPBACK, recorder.port, payload_bytes=100_000)] * 2 == recorder.sent(2)

    def test_no_client_certificate(self, recorder, probe_of):
        """Not even where the server asks for one."""
        probe_of(LOOPBACK, recorder.port, identity=True)
        recorder.sent(2)
        assert recorder.certificates == [None, None]

    def test_sni_is_the_host(self, recorder, probe_of):
        """The name as it was given; none for an address."""
        probe_of("tentacle-1.lab.", recorder.port, resolve=lambda *_: (LOOPBACK,))
        probe_of(LOOPBACK, recorder.port)
        recorder.sent(2)
        assert recorder.names == ["tentacle-1.lab", None]

    def test_one_connection_even_where_tls_fails(self):
        """What is no TLS is not asked a second time."""
        from pytest_tentacle.lab.network import Forwarder, HttpResponder
        from pytest_tentacle.link import probe

        with HttpResponder(LOOPBACK) as proxy, Forwarder(LOOPBACK, 0, LOOPBACK, proxy.port) as counter:
            target = Target(host=LOOPBACK, port=counter.port, by=By.ADDRESS)
            probe(target, seconds=3, identity=True)
            assert counter.connections == 1


class TestRequest:
    def test_is_a_whole_request(self):
        """Method line, Host, blank line."""
        request = wire.page_request("t-1.lab", 10933)
        assert request.startswith(b"GET / HTTP/1.1\r\nHost: t-1.lab:10933\r\n")
        assert request.endswith(b"\r\n\r\n")
        assert request.count(b"\r\n\r\n") == 1

    def test_ipv6_in_brackets_without_zone(self):
        """As RFC 3986 writes it."""
        assert b"Host: [fe80::1]:10933\r\n" in wire.page_request("fe80::1%eth0", 10933)

    def test_payload_is_one_line_before_the_blank_one(self):
        """TentaclePing's layout."""
        assert wire.page_request("h", 1, payload_bytes=3).endswith(b"\r\nAAA\r\n\r\n")

    def test_a_strange_name_cannot_break_the_request(self):
        """No line break from the name; nothing but ASCII."""
        assert b"\xfc" not in wire.page_request("tür.example", 1)

    def test_a_real_web_server_understands_it(self, probe_of):
        """It is answered and closed at once."""
        with HttpsServer(LOOPBACK) as server:
            found = probe_of(LOOPBACK, server.port)
        assert found.failed is None
