"""What the script on a Windows machine says of many attempts at a link, against real listeners on loopback."""

from __future__ import annotations

import itertools
import json
import socket

from pytest_tentacle.link import By, Failure, LinkRef, PingOrder, Stage, Target, wire
from pytest_tentacle.survey.request import Request


def pings(machine, *targets: Target, count: int | None = 4, seconds: float | None = None, payload: int = 0, **options):
    order = PingOrder(count=count, seconds=seconds, payload_bytes=payload)
    values = {"probe_seconds": 20.0, "budget_seconds": 240.0, "gather": False} | options
    return machine.run(Request(**values, ping=order, ping_targets=targets)).survey.pings


def to(port: int, host: str = "127.0.0.1", by: By = By.ADDRESS, name: str = "p") -> Target:
    return Target(link=LinkRef(tentacle=name), host=host, port=port, by=by)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return reserved.getsockname()[1]


class TestPing:
    def test_each_attempt_by_stage(self, machine, peer):
        """So many attempts, half a second apart, each with its times; on the wire what a probe sends and no more."""
        server = peer()
        (series,) = pings(machine, to(server.port), identity=True)
        assert (series.sent, series.lost, series.flaps, series.wanted) == (4, 0, 0, 4)
        assert all(series.stage_times(stage) for stage in (Stage.CONNECT, Stage.TLS, Stage.PAGE))
        assert series.stage_times(Stage.RESOLVE) is None
        assert [attempt.certificate for attempt in series.attempts] == [0] * 4
        assert len(series.thumbprints) == 1
        begun = [attempt.at for attempt in series.attempts]
        assert begun[-1] - begun[0] >= 1.49 - series.lag / 1000
        assert series.lag > 0
        assert server.received == [wire.page_request("127.0.0.1", server.port)] * 4

    def test_by_name(self, machine, peer):
        """The name is resolved for each attempt."""
        server = peer()
        machine.description["names"] = {"octo.lab": ["127.0.0.1"]}
        (series,) = pings(machine, to(server.port, "octo.lab", By.NAME), count=2)
        assert (series.host, series.by, series.sent, series.lost) == ("octo.lab", By.NAME, 2, 0)
        assert series.stage_times(Stage.RESOLVE) is not None

    def test_side_by_side(self, machine, peer):
        """A dead link does not hold up the others; the answers come in the order of the targets."""
        targets = to(peer("silent").port, name="dead"), to(peer().port, name="well"), to(closed_port(), name="refused")
        dead, well, gone = pings(machine, *targets, count=3, probe_seconds=8.0)
        assert [one.link.tentacle for one in (dead, well, gone)] == ["dead", "well", "refused"]
        assert well.lost == 0 < well.sent  # as many as a busy machine has time for
        assert gone.failures == {(Stage.CONNECT, Failure.REFUSED): gone.sent}
        assert dead.failures == {(Stage.TLS, Failure.TIMED_OUT): dead.sent}
        assert 1 <= dead.sent <= 3

    def test_payload(self, machine, peer):
        """A line of so many bytes goes along, as our own client sends it, and only with the pings."""
        server = peer()
        target = to(server.port)
        order = PingOrder(count=2, payload_bytes=9000)
        request = Request(
            gather=False, targets=(target,), ping=order, ping_targets=(target,), probe_seconds=20, budget_seconds=240
        )
        survey = machine.run(request).survey
        assert survey.probes[0].shows_page
        assert (survey.pings[0].lost, survey.pings[0].payload_bytes) == (0, 9000)
        plain, *pinged = server.received
        assert plain == wire.page_request("127.0.0.1", server.port)
        assert pinged == [wire.page_request("127.0.0.1", server.port, payload_bytes=9000)] * 2

    def test_does_not_look_like_halibuts_attempts(self, machine, peer):
        """However slow the links: no row of three that are a second or more apart, as a server's that is not let in."""
        silent = peer("silent")
        machine.description["names"] = {f"t{n}.lab": ["127.0.0.1"] for n in range(24)}
        every = [to(silent.port, f"t{n}.lab", By.NAME, f"t{n}") for n in range(24)]
        found = pings(machine, *every, count=20, seconds=8.0, probe_seconds=2.0)
        assert max(series.sent for series in found) >= 2
        for series in found:
            begun = [attempt.at for attempt in series.attempts]
            late = series.lag / 1000  # by which a busy machine let the script come too late: half a second and that
            apart = [later - earlier >= 0.86 + late for earlier, later in itertools.pairwise(begun)]
            assert (True, True) not in set(itertools.pairwise(apart))

    def test_many_links(self, machine, peer):
        """More links than may be under way at once: each has all its attempts."""
        server = peer()
        machine.description["names"] = {f"t{n}.lab": ["127.0.0.1"] for n in range(80)}
        every = [to(server.port, f"t{n}.lab", By.NAME, f"t{n}") for n in range(80)]
        found = pings(machine, *every, count=2)
        assert [one.link.tentacle for one in found] == [one.link.tentacle for one in every]
        assert {(one.sent, one.lost) for one in found} == {(2, 0)}


class TestBounds:
    def test_not_asked(self, machine, peer):
        """Without an order nothing is pinged, and the document says nothing of it."""
        ran = machine.run(Request(gather=False, targets=(to(peer().port),), probe_seconds=2.0))
        assert "pings" not in ran.document

    def test_the_budget_of_the_script(self, machine, peer):
        """What the time does not allow for is not among the attempts."""
        (series,) = pings(machine, to(peer().port), count=500, budget_seconds=12.0, probe_seconds=2.0)
        assert 1 <= series.sent <= 24
        assert series.wanted == 500

    def test_no_time_at_all(self, machine, peer):
        """The reason is told."""
        (series,) = pings(machine, to(peer().port), budget_seconds=4.0, probe_seconds=2.0)
        assert series.sent == 0
        assert "no time" in series.unavailable

    def test_a_duration(self, machine, peer):
        """As many as fit."""
        (series,) = pings(machine, to(peer().port), count=None, seconds=2.0)
        assert series.wanted is None
        assert 1 <= series.sent <= 5


class TestOwnSettings:
    def test_a_polling_tentacle_pings_what_it_polls(self, machine, peer):
        """The address of its settings, and a declared one besides, each host and port once."""
        machine.sections = {"instances"}
        server = peer()
        trusted = {"Thumbprint": "AB" * 20, "CommunicationStyle": 2, "Address": f"https://127.0.0.1:{server.port}/"}
        settings = {
            "Tentacle.Services.NoListen": "true",
            "Tentacle.Communication.TrustedOctopusServers": json.dumps([trusted]),
        }
        machine.add_instance("Tentacle", machine.settings | settings)
        declared = to(server.port, name="poll-01:octo-1")
        found = pings(machine, declared, count=2, gather=True)
        assert [(one.link.tentacle, one.sent, one.lost) for one in found] == [("poll-01:octo-1", 2, 0)]
        assert [one.link.instance for one in pings(machine, count=1, gather=True)] == ["Tentacle"]
