"""A series of pings: what is counted of it, and how it comes out of probes and out of a file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pytest_tentacle.link import (
    By,
    Certificate,
    Connected,
    Failure,
    Page,
    PingAttempt,
    PingOrder,
    PingSeries,
    Probe,
    Secured,
    Stage,
)
from pytest_tentacle.link.decoding import decode
from pytest_tentacle.link.pings.series import Percentiles

ENDS = [decode(name) for name in (b"one", b"other")]


def series(pattern: str) -> PingSeries:
    """`+` for an attempt that went well."""
    failure = {"stage": Stage.TLS, "error": Failure.CLOSED}
    made = tuple(PingAttempt(tls=1.0, **({} if sign == "+" else failure)) for sign in pattern)
    return PingSeries(host="h", port=1, by=By.NAME, attempts=made)


def probe(certificate: Certificate | None, error: Failure | None = None) -> Probe:
    page = Page(ms=4, text="HTTP/1.0 200 OK", length=15) if certificate else None
    return Probe(
        host="h", port=1, by=By.NAME,
        connect=Connected(ms=2, address="192.0.2.1", error=error),
        tls=Secured(ms=3, certificate=certificate) if certificate else None,
        page=page,
    )  # fmt: skip


class TestSeries:
    @pytest.mark.parametrize(
        ("pattern", "lost", "flaps"), [("++++", 0, 0), ("----", 4, 0), ("++--", 2, 1), ("+-+-+", 2, 4), ("", 0, 0)]
    )
    def test_loss_and_flaps(self, pattern: str, lost: int, flaps: int):
        """A flap is a change; an outage from beginning to end is none."""
        assert (series(pattern).lost, series(pattern).flaps) == (lost, flaps)

    @pytest.mark.parametrize(
        ("pattern", "period"),
        [
            ("++-++-++-", 3), ("-++-++-++", 3), ("+-+-+-", 2), ("+++-+++-+++-++", 4),
            ("++-++-+++", None), ("++-++-", None), ("++++++-++-++-", None), ("--------", None), ("++-+++-++-", None),
        ],
    )  # fmt: skip
    def test_a_rhythm(self, pattern: str, period: int | None):
        """Told only where it holds from the first attempt to the last, three times at least."""
        assert series(pattern).period == period

    def test_times_are_of_what_went_well(self):
        """A failed stage's time is a time-out, and would only hide how the link is."""
        assert series("+-+").times(Stage.TLS) == [1.0, 1.0]
        assert series("---").stage_times(Stage.TLS) is None
        assert series("+").stage_times(Stage.TLS) == Percentiles(1, 1, 1)

    def test_lag_is_taken_off(self):
        """No more than there is."""
        attempts = (PingAttempt(connect=1200, tls=20, lag=300),)
        late = PingSeries(host="h", port=1, by=By.NAME, attempts=attempts)
        assert (late.times_at_least(Stage.CONNECT), late.times_at_least(Stage.TLS), late.lag) == ([900], [0], 300)

    def test_of_probes(self):
        """Certificates once each, in the order of their appearance; failures by stage."""
        probes = [probe(ENDS[0]), probe(ENDS[1]), probe(None, Failure.REFUSED), probe(ENDS[0])]
        made = PingSeries.of([(number / 2, one) for number, one in enumerate(probes)], host="h", port=1, by=By.NAME)
        assert made.certificates == tuple(ENDS)
        assert [attempt.certificate for attempt in made.attempts] == [0, 1, None, 0]
        assert made.changes == 2
        assert made.failures == {(Stage.CONNECT, Failure.REFUSED): 1}
        assert [attempt.at for attempt in made.attempts] == [0, 0.5, 1, 1.5]

    def test_there_and_back(self):
        """A file holds all of it."""
        made = series("+-+")
        assert PingSeries.model_validate_json(made.model_dump_json(exclude_none=True)) == made


class TestOrder:
    def test_is_bounded(self):
        """Neither count nor duration is no ping."""
        with pytest.raises(ValidationError, match="a count or a duration"):
            PingOrder(payload_bytes=10)

    @pytest.mark.parametrize(
        ("order", "starting"),
        [(PingOrder(count=20), 15.0), (PingOrder(seconds=30), 30.0), (PingOrder(count=20, seconds=8), 8.0)],
    )
    def test_its_time(self, order: PingOrder, starting: float):
        """Half a second for each attempt, and room for one that takes all of its five seconds."""
        assert order.starting_seconds(5.0) == starting
        assert order.all_seconds(5.0) == starting + 5.0
