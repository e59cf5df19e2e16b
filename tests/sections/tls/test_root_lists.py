"""Windows waits for its lists of trusted roots: told where it was measured, and nobody at the other end is blamed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By, Failure
from pytest_tentacle.sections import tls
from pytest_tentacle.survey.surroundings import Event, RootLists
from support import NOW
from support.fleets.looks import OWN_PORT, from_server

STEP = "schannel-and-tls"
THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


def took(around: Any, ms: float, **tls: Any) -> None:
    """The handshake of web-01 with itself took so long."""
    own = around.world["web-01"].own
    probe = own[OWN_PORT.place_in(own)]
    made = probe.tls.model_copy(update={"ms": ms, **tls})
    around.world["web-01"].replace(OWN_PORT, probe.model_copy(update={"tls": made}))


def lists(around: Any, **values: Any) -> None:
    around.change("web-01", "tls", root_lists=RootLists(**values))


class TestWaiting:
    @pytest.mark.parametrize("synced", [None, NOW - timedelta(days=90)])
    def test_as_long_as_windows_waits(self, around: Any, synced: Any) -> None:
        """With the policy, the last time that it went well, and what Windows wrote of it, as evidence."""
        took(around, 15_040)
        lists(around, synced_utc=synced)
        around.sections["web-01"]["events"] = (Event(source="capi2", id=4107, time_utc=NOW - timedelta(hours=1)),)
        assert around.codes(STEP, "web-01") == ["TT909"]
        (problem,) = around.judge(STEP, "web-01").problems
        told = " ".join(item.text for item in problem.evidence)
        assert "Windows Update" in told
        assert "could not be fetched" in told
        assert problem.facts["waited"] == "15"

    @pytest.mark.parametrize(
        ("ms", "values"),
        [
            (40, {}),
            (4000, {}),
            (15_040, {"disabled": True}),
            (15_040, {"synced_utc": NOW - timedelta(days=3)}),
            (15_040, {"seconds": 60.0}),
        ],
    )
    def test_no_such_wait(self, around: Any, ms: float, values: dict[str, Any]) -> None:
        """Quick, switched off by policy, fetched lately, or not as long as Windows would wait here."""
        took(around, ms)
        lists(around, **values)
        assert around.codes(STEP, "web-01") == []

    @pytest.mark.parametrize(("ms", "outcome"), [(15_040, Outcome.UNKNOWN), (40, Outcome.PASSED)])
    def test_not_read_is_not_all_right(self, around: Any, ms: float, outcome: Outcome) -> None:
        """The policy could not be read: where each handshake took that long, nobody can tell why."""
        took(around, ms)
        around.sections["web-01"]["tls"] = "access is denied"
        result = around.fleet().subject("web-01").result(STEP, [tls.no_handshake_waits_for_lists_of_roots])
        assert result.outcome is outcome

    def test_one_quick_handshake_is_enough(self, around: Any) -> None:
        """Who waits does so in each of them."""
        took(around, 15_040)
        own = around.world["web-01"].own[OWN_PORT.place_in(around.world["web-01"].own)]
        quick = own.model_copy(
            update={"host": "octo-1.example", "by": By.NAME, "tls": own.tls.model_copy(update={"ms": 20.0})}
        )
        around.world["web-01"].own.append(quick)
        lists(around)
        assert around.codes(STEP, "web-01") == []


class TestNobodyIsBlamed:
    """A handshake that came to no end, with a peer that answers a plain hello at once."""

    def test_here(self, around: Any) -> None:
        took(around, 20_000, error=Failure.TIMED_OUT, hello_ms=30.0, certificate=None)
        own = around.world["web-01"].own
        place = OWN_PORT.place_in(own)
        own[place] = own[place].model_copy(update={"page": None})
        result = around.judge("welcome-page-here", "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "plain hello" in result.reason

    def test_across(self, around: Any, tools: Any) -> None:
        """Its certificate is told, where the answer showed one."""
        for by in (By.NAME, By.ADDRESS):
            look = from_server("web-01", by, "octo-1")
            peer = around.world["octo-1"].peer
            old = peer[look.place_in(peer)]
            tls = old.tls.model_copy(
                update={
                    "error": Failure.TIMED_OUT,
                    "ms": 20_000.0,
                    "hello_ms": 30.0,
                    "hello_thumbprint": THUMBPRINT,
                    "certificate": None,
                }
            )
            peer[look.place_in(peer)] = old.model_copy(update={"tls": tls, "page": None})
        result = around.judge("welcome-page-across", "web-01")
        assert not result.problems
        assert THUMBPRINT in result.reason
