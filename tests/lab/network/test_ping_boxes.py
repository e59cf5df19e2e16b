"""The boxes whose fault shows only over many connections, pinged by our own client."""

from __future__ import annotations

import pytest

from pytest_tentacle.lab import network
from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.link import By, Failure, PingOrder, Stage, Target
from pytest_tentacle.link.pings.ping import ping, ping_series
from support.lab.ping_boxes import LoadBalancer, SlowStart, SmallOnly

LOOPBACK = "127.0.0.1"


@pytest.fixture
def tentacle():
    with HalibutListener(LOOPBACK, 0, certificate=make_certificate()) as listener:
        yield listener


def target(port: int) -> Target:
    return Target(host=LOOPBACK, port=port, by=By.ADDRESS)


def pinged(port: int, count: int, **options):
    return ping(target(port), count=count, interval=0.01, **options)


class TestLoadBalancer:
    def test_one_dead_member_of_three(self, tentacle):
        """Each third connection is closed, from the one on that comes after the steady ones."""
        well = network.Forwarder(LOOPBACK, 0, LOOPBACK, tentacle.port)
        with LoadBalancer(LOOPBACK, 0, (well, well, network.Closer(LOOPBACK)), steady=3) as box:
            result = pinged(box.port, 12)
        assert [attempt.succeeded for attempt in result.attempts] == [True] * 3 + [True, True, False] * 3

    def test_two_certificates(self, tentacle):
        """They alternate."""
        other = make_certificate("Octopus Tentacle")
        members = (
            network.Forwarder(LOOPBACK, 0, LOOPBACK, tentacle.port),
            network.TlsInspector(LOOPBACK, 0, LOOPBACK, tentacle.port, certificate=other),
        )
        with LoadBalancer(LOOPBACK, 0, members) as box:
            result = ping_series(target(box.port), PingOrder(count=4), seconds=5)
        assert result.thumbprints == (tentacle.certificate.thumbprint, other.thumbprint)
        assert [attempt.certificate for attempt in result.attempts] == [0, 1, 0, 1]
        assert result.changes == 3


class TestSlowStart:
    def test_the_handshake_waits(self, tentacle):
        """The connection is made at once."""
        with SlowStart(LOOPBACK, 0, LOOPBACK, tentacle.port, seconds=0.4) as box:
            result = pinged(box.port, 1)
        assert result.stage_times(Stage.CONNECT).max < 400
        assert result.stage_times(Stage.TLS).max >= 400


class TestSmallOnly:
    def test_a_large_request_is_lost(self, tentacle):
        """A small one is answered."""
        with SmallOnly(LOOPBACK, 0, LOOPBACK, tentacle.port) as box:
            assert pinged(box.port, 1).lost == 0
            assert pinged(box.port, 1, payload_bytes=9000, seconds=1.0).failures == {(Stage.PAGE, Failure.TIMED_OUT): 1}
            assert pinged(tentacle.port, 1, payload_bytes=9000).lost == 0
