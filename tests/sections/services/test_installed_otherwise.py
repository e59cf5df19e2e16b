"""What was changed since a service was installed: event 7045 told how, and nothing tells of the change itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.sections import STEPS, applicable
from pytest_tentacle.sections.services.events import installed_otherwise
from pytest_tentacle.survey.model import Service, ServiceState
from pytest_tentacle.survey.surroundings import Event
from support import NOW
from support.faults.services import SERVICE, happened
from support.fleets.whole import wide_fleet

PROGRAM = r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe"
PATH = f'"{PROGRAM}" run --instance="Tentacle"'


def installed(path: str, account: str = "LocalSystem", ago: int = 60, name: str = SERVICE) -> Event:
    data = {"ServiceName": name, "ImagePath": path, "AccountName": account, "StartType": "Automatisch starten"}
    return Event(source="service-control-manager", id=7045, time_utc=NOW - timedelta(seconds=ago), data=data)


def changed(*events: Event, account: str = r"CORP\octopus") -> str:
    service = Service(name=SERVICE, state=ServiceState.STOPPED, executable=PROGRAM, account=account)
    found = installed_otherwise(events, service)
    return found[1].partition(": ")[2] if found else ""


@pytest.mark.parametrize(
    ("path", "account", "said"),
    [
        (PATH.upper(), "octopus@corp.example", ""),
        (PATH, r"CORP\octopus", ""),
        (r'"D:\Old\Tentacle.exe" run', r"CORP\octopus", rf"it was installed with the program D:\Old\Tentacle.exe, now {PROGRAM}"),
        (r"D:\Old Ones\Tentacle.exe run --instance x", r"CORP\octopus", rf"it was installed with the program D:\Old Ones\Tentacle.exe, now {PROGRAM}"),
        (PATH, "LocalSystem", r"it was installed with the account LocalSystem, now CORP\octopus"),
        (PATH, "", ""),
        ("%ProgramFiles%\\Octopus Deploy\\Tentacle\\Tentacle.exe run", r"CORP\octopus", ""),
        (r"C:\PROGRA~1\OCTOPU~1\Tentacle\Tentacle.exe run", r"CORP\octopus", ""),
        ("", r"CORP\octopus", ""),
    ],
    ids=["other-case", "same", "program", "program-without-quotes", "account", "no-account", "variable", "short-name", "nothing"],
)  # fmt: skip
def test_compared_with_now(path: str, account: str, said: str) -> None:
    assert changed(installed(path, account)) == said


def test_both() -> None:
    told = changed(installed(r'"D:\T.exe" run', "NT AUTHORITY\\SYSTEM"))
    assert told.count(", and with the account NT AUTHORITY\\SYSTEM, now CORP\\octopus") == 1


def test_local_system_by_its_other_name() -> None:
    assert changed(installed(PATH, "LocalSystem"), account=r"NT AUTHORITY\SYSTEM") == ""


def test_the_last_installation_counts() -> None:
    """What a former one was is an old story; another service's is none of its own."""
    former, last = installed(PATH, "LocalSystem", 9_000), installed(PATH, r"CORP\octopus", 60)
    assert changed(former, last) == changed(last, former) == ""
    assert changed(installed(PATH, "LocalSystem", name="Spooler")) == ""


@pytest.mark.parametrize("code", [2, 1069])
def test_a_cause_shows_it(code: int) -> None:
    """Of a missing program, and of an account that cannot log on."""
    world = wide_fleet()
    world.down("web-01", exit_code=code, account=r"CORP\octopus")
    happened(
        world, "web-01", 7045, ServiceName=SERVICE, ImagePath=r'"D:\Old\Tentacle.exe" run', AccountName="LocalSystem"
    )
    fleet = world.fleet()
    subject = fleet.subject("web-01")
    results = [subject.result(step.slug) for step in STEPS if applicable(step.slug, subject)]
    (cause,) = diagnose(fleet, results).causes
    assert cause.code == {2: "TC2035", 1069: "TC2033"}[code]
    assert any(r"with the program D:\Old\Tentacle.exe" in each.text for each in cause.evidence)
