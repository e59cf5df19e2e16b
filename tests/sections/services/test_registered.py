"""A service as Windows has it registered: a path without quotes is at fault only where Windows starts something else by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.sections import STEPS, applicable
from support.faults.services import SERVICE, happened
from support.fleets.whole import Whole, wide_fleet


def told(world: Whole) -> list[Any]:
    fleet = world.fleet()
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    return list(diagnose(fleet, results).views())


def starts(world: Whole) -> None:
    """There is no file at the first blank, as almost everywhere."""


def runs_nowhere(world: Whole) -> None:
    """The program itself is damaged: nobody can run it."""
    loading = world.sections["web-01"]["loading"]
    failed = {"cold_ms": None, "warm_ms": None, "exit_code": None, "error": "not a valid application"}
    world.change("web-01", "loading", times=(loading.times[0].model_copy(update=failed),))
    world.down("web-01", exit_code=193)
    happened(world, "web-01", 7000, param1=SERVICE, param2="%%193", service=SERVICE)


def has_quotes(world: Whole) -> None:
    """Windows started the very file that is meant: what is wrong with it is not where its path ends."""
    world["web-01"].service["unquoted"] = False
    world.down("web-01", exit_code=193)


def is_stopped(world: Whole) -> None:
    world.down("web-01")


def cannot_log_on(world: Whole) -> None:
    world.down("web-01", exit_code=1069, account=r"CORP\octopus")
    happened(world, "web-01", 7000, param1=SERVICE, param2="%%1069", service=SERVICE)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (starts, []),
        (runs_nowhere, ["TC2035"]),
        (has_quotes, ["TC2035"]),
        (is_stopped, ["TC2021"]),
        (cannot_log_on, ["TC2033"]),
    ],
)
def test_a_path_without_quotes_is_not_why(how: Callable[[Whole], None], code: list[str]) -> None:
    world = wide_fleet()
    world["web-01"].service["unquoted"] = True
    how(world)
    found = told(world)
    assert [cause.code for cause in found] == code
    assert not any("quotes" in cause.sentence for cause in found)


@pytest.mark.parametrize(("number", "code"), [(1455, "TC2039"), (1450, "TC2039"), (1392, "TC2035"), (1067, "TC2032")])
def test_what_windows_lacked_is_told_by_its_number(number: int, code: str) -> None:
    """A process that ended by itself may have lacked memory, too: its number does not say so."""
    world = wide_fleet()
    world.down("web-01", exit_code=number)
    assert [cause.code for cause in told(world)] == [code]
