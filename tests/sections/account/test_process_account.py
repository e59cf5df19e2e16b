"""Whom a service's process runs as: the account that the service is set to, or the one before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.model import NOT_SURVEYED
from pytest_tentacle.survey.surroundings import Access, AccessEntry, Changes, Permissions, ServiceAccount, WrittenFile
from support import NOW
from support.fleets.whole import Whole, wide_fleet

NEW, OLD = "S-1-5-21-1-2-3-1105", "S-1-5-21-1-2-3-1104"


@pytest.fixture
def world() -> Whole:
    return wide_fleet()


def account(world: Whole, name: str, **ids: Any) -> None:
    row = ServiceAccount(service=world[name].service["name"], account="ACME\\svc", **ids)
    world[name].service |= {"account": "ACME\\svc"}
    world.sections[name]["service_accounts"] = (row,)


def judge(world: Whole, name: str = "web-01", step: str = "services-running") -> Any:
    return world.fleet().subject(name).result(step)


def said(result: Any) -> str:
    return " / ".join(result.looked_at)


def test_of_a_former_account(world: Whole) -> None:
    account(world, "web-01", sid=NEW, process_sid=OLD)
    (problem,) = judge(world).problems
    assert problem.code == "TT208"
    assert problem.facts["process_sid"] == OLD


def test_as_it_is_set(world: Whole) -> None:
    account(world, "web-01", sid=NEW, process_sid=NEW)
    result = judge(world)
    assert result.outcome is Outcome.PASSED
    assert "it runs as ACME\\svc" in said(result)


@pytest.mark.parametrize("ids", [{"sid": NEW}, {"process_sid": OLD}, {}])
def test_nobody_tells(world: Whole, ids: dict[str, str]) -> None:
    """Then it is said to be unknown, and never to be as it is set."""
    account(world, "web-01", **ids)
    result = judge(world)
    assert not result.problems
    assert "is not known" in said(result)


def test_not_read(world: Whole) -> None:
    """What the script could not read is unknown, and passes nowhere."""
    world.sections["web-01"]["service_accounts"] = "no time was left for it"
    result = judge(world)
    assert result.outcome is Outcome.UNKNOWN
    assert "service_accounts of web-01: no time was left for it" in str(result.reason)


def test_not_asked_for(world: Whole) -> None:
    """A script of cmdlets alone, or a recording of before: the evidence says so."""
    world.sections["web-01"]["service_accounts"] = NOT_SURVEYED
    result = judge(world)
    assert result.outcome is Outcome.PASSED
    assert "was not read: service_accounts of web-01: not surveyed" in said(result)


@pytest.mark.parametrize("minutes", [5, 60 * 24 * 30, None])
def test_another_user_by_the_unit(world: Whole, minutes: int | None) -> None:
    """A unit may ask for both, by a + before its program: only one that was written since shows a change."""
    account(world, "poll-01", sid="990", process_sid="0")
    path = f"/etc/systemd/system/{world['poll-01'].service['name']}"
    files = (WrittenFile(path=path, modified_utc=NOW - timedelta(minutes=minutes)),) if minutes else ()
    world.sections["poll-01"]["changes"] = Changes(files=files)
    result = judge(world, "poll-01")
    assert [problem.code for problem in result.problems] == (["TT208"] if minutes == 5 else [])
    assert result.problems or "a drop-in may say so" in said(result)


@pytest.mark.parametrize("process_sid", [OLD, NEW, None])
def test_what_a_former_account_wrote_proves_nothing(world: Whole, process_sid: str | None) -> None:
    """A log that was written since the start shows that the account may work there: but only its own."""
    account(world, "web-01", sid=NEW, process_sid=process_sid)
    world["web-01"].service |= {"started_utc": NOW - timedelta(days=3, minutes=1)}
    granted = Access(path="C:\\Octopus", entries=(AccessEntry(sid="S-1-5-21-1-2-3-1200", mask=0x1F01FF),))
    rights = Permissions(
        instance="Tentacle", product="tentacle", account="ACME\\svc", sid=NEW, groups_complete=False,
        home="C:\\Octopus", access=(granted,), looked_at=1,
    )  # fmt: skip
    world.sections["web-01"]["permissions"] = (rights,)
    result = judge(world, step="service-account-permissions")
    assert result.outcome is (Outcome.UNKNOWN if process_sid == OLD else Outcome.PASSED)
