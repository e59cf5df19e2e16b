"""The script's pings against real listeners: attempts by stage, losses, certificates, and its time."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading

import pytest

from pytest_tentacle.link import By, Failure, LinkRef, PingOrder, Stage, Target, wire
from pytest_tentacle.survey.request import Request


def pinging(*targets, count=4, **options):
    order = PingOrder(count=count, seconds=options.pop("seconds", None), payload_bytes=options.pop("payload", 0))
    values = {"probe_seconds": 20.0, "budget_seconds": 240.0, "gather": False} | options
    return Request(**values, ping=order, ping_targets=targets)


def at(port, host="127.0.0.1", by=By.ADDRESS, name="t"):
    return Target(link=LinkRef(tentacle=name), host=host, port=port, by=by)


def every_third_closed(tls):
    """A session like `tls`, but each third connection is closed at once."""
    turn = iter(range(1000))

    def serve(listener, connection):
        if next(turn) % 3 != 2:
            tls(listener, connection)
        else:
            connection.recv(65_536)  # what is not read would make the end a reset

    return serve


class TestPing:
    def test_each_attempt_by_stage(self, listen, tls, real, shell, certificate):
        """So many attempts, each with its times; one certificate, and on the wire what a probe sends and no more."""
        listener = listen(tls())
        (series,) = real(pinging(at(listener.port)), shell).survey.pings
        assert (series.sent, series.lost, series.flaps, series.wanted) == (4, 0, 0, 4)
        assert all(series.stage_times(stage) for stage in (Stage.CONNECT, Stage.TLS, Stage.PAGE))
        assert series.stage_times(Stage.RESOLVE) is None
        assert [attempt.certificate for attempt in series.attempts] == [0] * 4
        assert series.stage_times(Stage.TLS).max > 0
        assert series.lag >= 0
        begun = [attempt.at for attempt in series.attempts]
        assert begun == sorted(begun)
        assert begun[-1] - begun[0] >= 1.0  # three pauses of half a second; the first may have begun late
        assert series.thumbprints == (hashlib.sha1(certificate[2]).hexdigest().upper(),)
        assert listener.received == [wire.page_request("127.0.0.1", listener.port)] * 4

    def test_by_name(self, machine, listen, tls):
        """The name is resolved for each attempt."""
        listener = listen(tls(), address="127.0.0.92")
        machine.description["names"] = {"two.lab": ["127.0.0.92"]}
        (series,) = machine.survey(
            gather=False, ping=PingOrder(count=2), ping_targets=(at(listener.port, "two.lab", By.NAME),)
        ).survey.pings
        assert (series.host, series.by, series.sent, series.lost) == ("two.lab", By.NAME, 2, 0)
        assert series.stage_times(Stage.RESOLVE) is not None

    def test_every_third_is_lost(self, listen, tls, real, shell):
        """The rhythm is told, and at which stage."""
        listener = listen(every_third_closed(tls()))
        (series,) = real(pinging(at(listener.port), count=9), shell).survey.pings
        assert (series.sent, series.lost, series.flaps, series.period) == (9, 3, 5, 3)
        assert series.failures == {(Stage.TLS, Failure.CLOSED): 3}

    def test_side_by_side(self, listen, tls, real, tools):
        """A dead link does not hold up the others; the answers come in the order of the targets."""
        listener, dead = listen(tls()), listen(lambda one, _: one.stopped.wait())
        targets = [at(dead.port, name="dead"), *(at(listener.port, f"127.0.0.{n}", name=f"t{n}") for n in range(1, 2))]
        refused = at(tools.free_port(), name="refused")
        dead_one, well, gone = real(pinging(*targets, refused, count=3, probe_seconds=8.0)).survey.pings
        assert [one.link.tentacle for one in (dead_one, well, gone)] == ["dead", "t1", "refused"]
        assert well.lost == 0 < well.sent  # as many as a busy machine has time for
        assert gone.failures == {(Stage.CONNECT, Failure.REFUSED): gone.sent}
        assert dead_one.failures == {(Stage.TLS, Failure.TIMED_OUT): dead_one.sent}
        assert 1 <= dead_one.sent <= 3

    def test_payload(self, listen, tls, real, shell):
        """A line of so many bytes goes along, as our own client sends it, and only with the pings."""
        listener = listen(tls())
        target = at(listener.port)
        ran = real(pinging(target, count=2, payload=9000, targets=(target,)), shell).survey
        assert ran.probes[0].shows_page
        assert (ran.pings[0].lost, ran.pings[0].payload_bytes) == (0, 9000)
        plain, *pinged = listener.received
        assert plain == wire.page_request("127.0.0.1", listener.port)
        assert pinged == [wire.page_request("127.0.0.1", listener.port, payload_bytes=9000)] * 2

    def test_many_links(self, listen, tls, real):
        """More links than workers: each has all its attempts, in the order of the targets; one that is there twice has one."""
        listener = listen(tls(), address="0.0.0.0")
        targets = [at(listener.port, f"127.0.2.{n}", name=f"t{n}") for n in range(1, 21)]
        found = real(pinging(*targets, targets[0], count=2)).survey.pings
        assert [one.link.tentacle for one in found] == [one.link.tentacle for one in targets]
        assert {(one.sent, one.lost) for one in found} == {(2, 0)}

    def test_does_not_look_like_halibuts_attempts(self, listen, real):
        """However slow the link: the second of each two begins before the first has ended, half a second after it.

        So no row of three is a second or more apart, as those of a server that is not let in are.
        """
        arrived, alone, changed = [], [], threading.Condition()

        def two_by_two(_listener, _connection):
            with changed:
                arrived.append(len(arrived))
                number, both = arrived[-1], (arrived[-1] // 2 + 1) * 2
                changed.notify_all()
                if not changed.wait_for(lambda: len(arrived) >= both, timeout=15):
                    alone.append(number)

        slow = listen(two_by_two)
        (series,) = real(pinging(at(slow.port), count=6, seconds=100.0)).survey.pings
        assert (series.sent, len(arrived), alone) == (6, 6, [])


class TestBounds:
    def test_not_asked(self, real, listen, tls):
        """Without an order nothing is pinged, and the document says nothing of it."""
        ran = real(Request(gather=False, targets=(at(listen(tls()).port),), probe_seconds=2.0))
        assert "pings" not in ran.document

    def test_the_budget_of_the_script(self, listen, tls, real):
        """What the time does not allow for is not among the attempts."""
        (series,) = real(
            pinging(at(listen(tls()).port), count=500, budget_seconds=10.0, probe_seconds=2.0)
        ).survey.pings
        assert 1 <= series.sent <= 20
        assert series.wanted == 500

    def test_no_time_at_all(self, real, listen, tls):
        """The reason is told."""
        (series,) = real(pinging(at(listen(tls()).port), budget_seconds=4.0, probe_seconds=2.0)).survey.pings
        assert series.sent == 0
        assert "no time" in series.unavailable

    def test_a_duration(self, listen, tls, real):
        """As many as fit."""
        (series,) = real(pinging(at(listen(tls()).port), count=None, seconds=2.0)).survey.pings
        assert series.wanted is None
        assert 1 <= series.sent <= 6


class TestOwnSettings:
    @pytest.fixture
    def sections(self):
        return {"instances"}

    def test_a_polling_tentacle_pings_what_it_polls(self, whole, tools, listen, tls):
        """The address of its settings, and a declared one besides, each host and port once."""
        listener = listen(tls(), address="127.0.0.93")
        settings = tools.SETTINGS | {
            "Tentacle.Services.NoListen": "true",
            "Tentacle.Communication.TrustedOctopusServers": json.dumps(
                [tools.polling(f"https://127.0.0.93:{listener.port}/")]
            ),
        }
        whole.instance(tools.settings_file(settings), folder="default")
        declared = at(listener.port, "127.0.0.93", name="poll-01:octo-1")
        survey = whole.survey(ping=PingOrder(count=2), ping_targets=(declared,)).survey
        assert [(series.link.tentacle, series.sent, series.lost) for series in survey.pings] == [
            ("poll-01:octo-1", 2, 0)
        ]
        alone = whole.survey(ping=PingOrder(count=1)).survey
        assert [series.link.instance for series in alone.pings] == ["Tentacle"]


def test_without_openssl(listen, tls, real, tmp_path):
    """curl pings as well; a payload it cannot send, and says so."""
    for name in (
        "sh",
        "dash",
        "awk",
        "sed",
        "date",
        "od",
        "head",
        "grep",
        "cat",
        "tr",
        "ls",
        "sleep",
        "timeout",
        "getent",
        "gzip",
        "base64",
        "curl",
    ):
        (tmp_path / name).symlink_to(shutil.which(name))
    listener = listen(tls())
    environment = {"PATH": str(tmp_path)}
    (series,) = real(pinging(at(listener.port), count=2), environment=environment).survey.pings
    assert (series.sent, series.lost) == (2, 0)
    (series,) = real(pinging(at(listener.port), count=2, payload=500), environment=environment).survey.pings
    assert "curl" in series.unavailable
