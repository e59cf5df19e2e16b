"""Ping: what is counted, and that it is bounded."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from pytest_tentacle.cli import main
from pytest_tentacle.lab.halibut.listener import HalibutListener, make_certificate
from pytest_tentacle.lab.network import BlackHole, HttpsServer, Refused
from pytest_tentacle.link import By, Connected, Failure, Page, Probe, Stage, Target
from pytest_tentacle.link.pings.ping import Attempt, Percentiles, PingResult, ping

LOOPBACK = "127.0.0.1"
TARGET = Target(host=LOOPBACK, port=10933, by=By.ADDRESS)


def attempt(number: int, *, works: bool, ms: float = 1.0) -> Attempt:
    connect = Connected(ms=ms, address=LOOPBACK, error=None if works else Failure.REFUSED)
    page = Page(ms=ms, text="HTTP/1.0 200 OK", length=15) if works else None
    probe = Probe(host=LOOPBACK, port=10933, by=By.ADDRESS, connect=connect, page=page)
    return Attempt(number, dt.datetime.now(dt.UTC), ms, probe)


def result_of(pattern: str) -> PingResult:
    """`+` for an attempt that worked, `-` for one that did not."""
    return PingResult(TARGET, tuple(attempt(n, works=sign == "+") for n, sign in enumerate(pattern, 1)))


class TestResult:
    @pytest.mark.parametrize(
        ("pattern", "lost", "flaps"),
        [("++++", 0, 0), ("----", 4, 0), ("++--", 2, 1), ("+-+-+", 2, 4), ("--++--", 4, 2), ("", 0, 0)],
    )
    def test_loss_and_flaps(self, pattern, lost, flaps):
        """A flap is a change; an outage from beginning to end is none."""
        result = result_of(pattern)
        assert (len(pattern), lost, flaps) == (result.sent, result.lost, result.flaps)
        assert (lost / len(pattern) if pattern else 0.0) == result.loss

    def test_percentiles_are_measured_times(self):
        """By nearest rank, of 1 to 100."""
        assert Percentiles(50, 95, 100) == Percentiles.of(list(range(100, 0, -1)))
        assert Percentiles(7, 7, 7) == Percentiles.of([7])
        assert Percentiles(1, 2, 2) == Percentiles.of([1, 2])
        assert Percentiles.of([]) is None

    def test_times_are_of_what_worked(self):
        """A failure's time is its time-out, and would only hide how the link is."""
        made = (attempt(1, works=True, ms=5), attempt(2, works=False, ms=5000))
        result = PingResult(TARGET, made)
        assert Percentiles(5, 5, 5) == result.times == result.stage_times(Stage.CONNECT)
        assert result.stage_times(Stage.TLS) is None

    def test_failures_are_counted_by_stage_and_word(self):
        """What failed, how often."""
        assert result_of("+-+--").failures == {(Stage.CONNECT, Failure.REFUSED): 3}

    def test_addresses_of_what_answered(self):
        """A refused address did not answer."""
        assert result_of("--").addresses == ()
        assert result_of("+-+").addresses == (LOOPBACK,)


class TestPing:
    def test_counts(self):
        """As many attempts as asked, each timed by stage."""
        with HalibutListener(LOOPBACK, 0, certificate=make_certificate()) as listener:
            target = Target(host=LOOPBACK, port=listener.port, by=By.ADDRESS)
            result = ping(target, count=5, interval=0.01)
        assert (result.sent, result.lost, result.flaps) == (5, 0, 0)
        assert [one.number for one in result.attempts] == [1, 2, 3, 4, 5]
        for stage in (Stage.CONNECT, Stage.TLS, Stage.PAGE):
            times = result.stage_times(stage)
            assert 0 <= times.p50 <= times.p95 <= times.max < 5000
        assert (listener.certificate.thumbprint,) == result.thumbprints

    def test_a_link_that_goes_down_and_comes_back(self):
        """Two flaps and the loss between them, really measured."""
        listener = HalibutListener(LOOPBACK, 0, certificate=make_certificate())
        listener.start()
        target = Target(host=LOOPBACK, port=listener.port, by=By.ADDRESS)
        made = list(ping(target, count=2, interval=0.01).attempts)
        listener.stop()
        with Refused(LOOPBACK, listener.port):
            made += ping(target, count=3, interval=0.01).attempts
        with HalibutListener(LOOPBACK, listener.port, certificate=make_certificate()):
            made += ping(target, count=1, interval=0.01).attempts
        result = PingResult(target, tuple(made))
        assert (result.sent, result.lost, result.flaps) == (6, 3, 2)
        assert result.failures == {(Stage.CONNECT, Failure.REFUSED): 3}
        assert len(result.thumbprints) == 2

    def test_duration_bounds_a_silent_peer(self):
        """It ends soon behind its time, though no attempt ever does by itself."""
        with BlackHole(LOOPBACK) as hole:
            target = Target(host=LOOPBACK, port=hole.port, by=By.ADDRESS)
            result = ping(target, duration=1.5, interval=0.1, seconds=30)
        assert 1 <= result.sent == result.lost

    def test_interval_is_kept(self, monkeypatch):
        """From start to start, by a clock that only the attempts and the pauses move: what an attempt took is no pause."""
        module = importlib.import_module("pytest_tentacle.link.pings.ping")
        now, pauses, took = [0.0], [], iter((0.1, 0.4, 0.2))

        def pause(seconds):
            pauses.append(round(seconds, 3))
            now[0] += seconds

        def attempt(*_arguments, **_options):
            now[0] += next(took)
            return Probe(host=LOOPBACK, port=1, by=By.ADDRESS)

        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=pause))
        monkeypatch.setattr(module, "probe", attempt)
        assert ping(TARGET, count=3, interval=0.3).sent == 3
        assert pauses == [0.2, 0.0]

    def test_must_be_bounded(self):
        """Without count and duration it would never end."""
        with pytest.raises(ValueError, match="count or a duration"):
            ping(TARGET)


class TestCommand:
    def test_healthy(self, capsys):
        """Exit code 0, a line for each attempt, and the sum."""
        with HttpsServer(LOOPBACK) as server:
            code = main(["ping", LOOPBACK, "--port", str(server.port), "--count", "2", "--interval", "0.01"])
        out = capsys.readouterr().out
        assert code == 0
        assert "#1 ok TLSv1.3" in out
        assert "2 sent, 0 lost (0.0%), 0 flaps" in out
        assert f"thumbprint {server.certificate.thumbprint}" in out

    def test_loss(self, capsys):
        """Exit code 1, and where it failed."""
        with Refused(LOOPBACK) as nothing:
            code = main(["ping", LOOPBACK, "--port", str(nothing.port), "--count", "2", "--interval", "0.01"])
        assert code == 1
        assert "2 x connect: refused" in capsys.readouterr().out

    def test_json(self, capsys):
        """One document a line; the probe in it reads back."""
        with HttpsServer(LOOPBACK) as server:
            main(["ping", LOOPBACK, "--port", str(server.port), "--count", "2", "--interval", "0.01", "--json"])
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["number"] for line in lines] == [1, 2]
        assert server.certificate.thumbprint == Probe.model_validate(lines[0]["probe"]).thumbprint

    @pytest.mark.parametrize(
        "wrong", [["--count", "0"], ["--port", "0"], ["--port", "70000"], ["--duration", "-1"], ["--interval", "nan"]]
    )
    def test_wrong_arguments(self, wrong, capsys):
        """Exit code 2, before anything is sent."""
        with pytest.raises(SystemExit) as caught:
            main(["ping", LOOPBACK, *wrong])
        assert caught.value.code == 2
        assert wrong[0] in capsys.readouterr().err

    def test_a_payload_that_octopus_would_not_read(self, capsys):
        """Nothing is sent; a pong takes it."""
        with Refused(LOOPBACK) as nothing:
            large = ["ping", LOOPBACK, "--port", str(nothing.port), "--count", "1", "--payload-bytes", "19001"]
            assert main(large) == 2
            assert "19,000" in capsys.readouterr().err
            assert main([*large, "--pong"]) == 1
        assert "1 sent" in capsys.readouterr().out

    def test_ctrl_c_still_tells(self):
        """What came so far is summed up, at once."""
        with HttpsServer(LOOPBACK) as server:
            command = [sys.executable, "-m", "pytest_tentacle.cli", "ping", LOOPBACK, "--port", str(server.port)]
            running = subprocess.Popen(
                [*command, "--count", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            first = running.stdout.readline()
            os.kill(running.pid, signal.SIGINT)
            out, err = running.communicate(timeout=30)
        assert "#1 ok" in first
        assert "interrupted" in err
        assert "lost" in out
        assert "Traceback" not in err
