"""The middle boxes do what they are named for, and stop."""

from __future__ import annotations

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_tentacle.lab import network
from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate

LOOPBACK = "127.0.0.1"


def connects(port: int, seconds: float = 0.7) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=seconds).close()
    except TimeoutError:
        return False
    return True


@pytest.fixture
def tentacle():
    with HalibutListener(LOOPBACK, 0, certificate=make_certificate()) as listener:
        yield listener


class TestBlackHole:
    def test_holds_for_many(self):
        """No connection of forty gets through, at once or one after another, however long it stands."""
        with network.BlackHole(LOOPBACK) as hole, ThreadPoolExecutor(20) as pool:
            assert not any(pool.map(connects, [hole.port] * 40))
            time.sleep(1.5)  # the fillers' own retransmissions
            assert not any(pool.map(connects, [hole.port] * 20))

    def test_is_gone_when_stopped(self):
        """The port refuses then."""
        with network.BlackHole(LOOPBACK) as hole:
            pass
        with pytest.raises(ConnectionRefusedError):
            connects(hole.port)


class TestForwarder:
    def test_is_transparent(self, tentacle, probe_of):
        """Page and thumbprint are the Tentacle's own."""
        with network.Forwarder("127.0.0.2", 0, LOOPBACK, tentacle.port) as way:
            found = probe_of("127.0.0.2", way.port)
        assert found.shows_page
        assert tentacle.certificate.thumbprint == found.thumbprint
        assert way.connections == 1

    def test_nobody_behind(self, probe_of):
        """A client is reset."""
        with network.Refused(LOOPBACK) as nothing, network.Forwarder(LOOPBACK, 0, LOOPBACK, nothing.port) as way:
            assert probe_of(LOOPBACK, way.port).failed[1].error == "reset"


class TestTlsInspector:
    def test_two_certificates(self, tentacle, probe_of):
        """The page of the one, the certificate of the other."""
        own = make_certificate("Inspection CA")
        with network.TlsInspector("127.0.0.2", 0, LOOPBACK, tentacle.port, certificate=own) as box:
            found = probe_of("127.0.0.2", box.port)
        assert found.page.product == "tentacle"
        assert own.thumbprint == found.thumbprint

    def test_nobody_behind(self, probe_of):
        """TLS goes well, and no page comes."""
        with network.Refused(LOOPBACK) as nothing, network.TlsInspector(LOOPBACK, 0, LOOPBACK, nothing.port) as box:
            found = probe_of(LOOPBACK, box.port)
        assert found.tls.error is None
        assert found.page.error is not None


class TestAll:
    @pytest.mark.parametrize("name", [one for one in network.__all__ if one != "Box"])
    def test_start_port_stop(self, name):
        """Port 0 becomes a real one; a second stop does no harm; the port can be had again."""
        onwards = (LOOPBACK, 1) if name in {"Forwarder", "TlsInspector"} else ()
        box = getattr(network, name)(LOOPBACK, 0, *onwards)
        box.start()
        assert box.port
        assert box.address == LOOPBACK
        box.stop()
        box.stop()
        with network.Refused(LOOPBACK, box.port) as again:
            assert box.port == again.port

    def test_stop_ends_open_connections(self):
        """A client that hangs on is let go, at once."""
        with network.Hanger(LOOPBACK) as box:
            client = socket.create_connection((LOOPBACK, box.port), timeout=5)
            client.sendall(b"x")
            time.sleep(0.1)
        with client:
            client.settimeout(60)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""

    def test_a_taken_port_is_an_error(self):
        """OSError, and nothing is left behind."""
        with network.Hanger(LOOPBACK) as box, pytest.raises(OSError, match="in use"):
            network.Hanger(LOOPBACK, box.port).start()

    def test_many_listeners_share_one_thread(self, probe_of):
        """Two hundred of them cost one thread."""
        import threading

        before = threading.active_count()
        certificate = make_certificate()
        many = [HalibutListener(LOOPBACK, 0, certificate=certificate) for _ in range(200)]
        try:
            for one in many:
                one.start()
            assert before + 1 == threading.active_count()
            assert probe_of(LOOPBACK, many[0].port).shows_page
            assert probe_of(LOOPBACK, many[-1].port).shows_page
        finally:
            for one in many:
                one.stop()
