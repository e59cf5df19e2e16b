"""Codes of the welcome page across the link: each in both modes, where the guide draws the same conclusions."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By, Failure
from pytest_tentacle.sections.catalogue import CATALOGUE
from support.fleets.looks import from_server

STEP = "welcome-page-across"
ENDS = {"listening": "web-01", "polling": "poll-01"}

BOTH_WAYS = (
    ("TT520", {"fails": "connect", "error": Failure.REFUSED}),
    ("TT521", {"fails": "connect", "error": Failure.TIMED_OUT}),
    ("TT522", {"fails": "connect", "error": Failure.UNREACHABLE}),
    ("TT523", {"fails": "connect", "error": Failure.PROHIBITED}),
    ("TT524", {"fails": "connect", "error": Failure.RESET}),
    ("TT524", {"fails": "tls", "error": Failure.CLOSED}),
    ("TT524", {"fails": "page", "error": Failure.RESET}),
    ("TT525", {"fails": "tls", "error": Failure.PROTOCOL_VERSION}),
    ("TT526", {"fails": "tls", "error": Failure.NO_COMMON_CIPHER}),
    ("TT527", {"fails": "tls", "error": Failure.OTHER}),
    ("TT527", {"fails": "connect", "error": Failure.OTHER}),
    ("TT528", {"fails": "tls", "error": Failure.TIMED_OUT}),
    ("TT528", {"fails": "page", "error": Failure.TIMED_OUT}),
    ("TT529", {"fails": "tls", "error": Failure.NOT_TLS}),
    ("TT530", {"fails": "page", "error": Failure.NOT_HTTP}),
    ("TT530", {"page": "other", "whose": "www.example.com"}),
    ("TT531", {"whose": "Corporate TLS Inspection"}),
    ("TT512", {"addresses": ("198.51.100.9",), "fails": "connect", "error": Failure.TIMED_OUT}, {}),
    ("TT512", {"addresses": ("198.51.100.9",), "whose": "another Tentacle"}, {}),
    ("TT510", {"fails": "resolve", "error": Failure.NAME_NOT_FOUND}, {}),
)
"""Code, how it goes by name, and how by address: alike unless told otherwise."""


def ids(case: Any) -> str:
    return f"{case[0]}-" + "-".join(map(str, case[1].values()))


class TestEachCode:
    """One change, one problem."""

    @pytest.mark.parametrize("mode", ENDS)
    @pytest.mark.parametrize("case", BOTH_WAYS, ids=ids)
    def test_is_found(self, world: Any, across: Any, mode: str, case: tuple[Any, ...]) -> None:
        """The step fails with this code and no other, with words and evidence."""
        code, by_name, *by_address = case
        across(world, mode, by_name, *(by_address or [by_name]))
        self.fails_by(world, code, ENDS[mode])

    def test_name_unknown_and_no_address(self, world: Any, across: Any) -> None:
        """Then there is nothing else to try."""
        world["web-01"].declare(ip=None)
        world["octo-1"].drop(from_server("web-01", By.ADDRESS))
        across(world, "listening", {"fails": "resolve", "error": Failure.RESOLVER_FAILED})
        self.fails_by(world, "TT511", "web-01")

    def test_every_code_fails_in_both_modes(self) -> None:
        """But TT511, whose case is the one above, and what is not told by a probe's failure (`test_ways`, `test_web_sockets`)."""
        all_codes = {code for code, kind in CATALOGUE.items() if kind.step == STEP}
        assert {case[0] for case in BOTH_WAYS} == all_codes - {
            "TT511",
            "TT532",
            "TT533",
            "TT534",
            "TT535",
            "TT536",
            "TT537",
        }

    def fails_by(self, world: Any, code: str, machine: str) -> None:
        result = world.judge(STEP, machine)
        assert result.outcome is Outcome.FAILED, result
        (problem,) = result.problems
        assert (problem.code, problem.machine) == (code, machine)
        assert problem.expected
        assert problem.actual
        assert problem.evidence


class TestNotSeen:
    def test_round_two_failed(self, world: Any) -> None:
        """The server was reached, and its probes of the Tentacles gave nothing."""
        world["octo-1"].peer = []
        world["octo-1"].peer_unknown = "its time ran out"
        result = world.judge(STEP, "web-01")
        assert (result.outcome, "its time ran out" in result.reason) == (Outcome.UNKNOWN, True)
