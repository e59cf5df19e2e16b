"""A run of 1,000 machines and 16 steps."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle import __version__
from pytest_tentacle.inventory.model import Inventory, Mode, OctopusServer, Tentacle, WinRM
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import Outcome, Run, StepResult
from pytest_tentacle.link import By, Failure
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys
from support.fleets.looks import OWN_PORT, from_server

from .parts import (
    NOW,
    STEPS,
    THUMBPRINT,
    make_probe,
    make_survey,
)


def make_large_run(machines: int = 1000, steps: int = 16, failures: int = 791) -> Run:
    slugs = [
        f"{STEPS[index % len(STEPS)].slug}" if index < len(STEPS) else f"further-step-number-{index:02d}"
        for index in range(steps)
    ]
    server = OctopusServer(
        name="octo-1", dns_name="octo-1.corp.example.com", ip="10.4.0.2", transport=WinRM(host="octo-1")
    )
    tentacles = []
    records = []
    peer = []
    results = []
    sick = failures // 2 + 1
    for number in range(machines):
        name = f"tentacle-{number:04d}"
        address = f"10.{4 + number // 250}.1.{number % 250 + 1}"
        tentacles.append(
            Tentacle(
                name=name,
                dns_name=f"{name}.corp.example.com",
                ip=address,
                mode=Mode.LISTENING,
                port=10933,
                servers=("octo-1",),
                groups=(f"site-{number % 9}",),
                transport=WinRM(host=name),
            )
        )
        fails = number < sick
        fault = ("connect", Failure.TIMED_OUT) if fails else None
        peer += [
            make_probe(from_server(name, By.NAME), f"{name}.corp.example.com", 10933, By.NAME, error=fault),
            make_probe(from_server(name, By.ADDRESS), address, 10933, By.ADDRESS, error=fault),
        ]
        survey = make_survey(name, f"{number:040X}", probes=(make_probe(OWN_PORT, "localhost", 10933, By.LOCAL),))
        records.append(
            HostRecord(
                host_key=f"winrm://{name}:5986",
                machines=(name,),
                taken_utc=NOW + timedelta(milliseconds=number * 13),
                seconds=2.0 + number % 7 / 10,
                requests=6,
                survey=survey,
            )
        )
        for position, slug in enumerate(slugs):
            broken = (
                fails and position in (4, 9) and len([1 for result in results if result.problems]) < failures
                if position in (4, 9)
                else False
            )
            if broken:
                evidence = tuple(
                    Evidence(
                        f"octo-1: look {look} at {name}", f"timed out after {5000 + number + look} ms; " + "x" * 70
                    )
                    for look in range(3)
                )
                problem = Problem(
                    f"TT5{position:02d}",
                    name,
                    f"octo-1 connects to {name}:10933",
                    f"no answer within 5 s from {address}",
                    evidence,
                )
                results.append(StepResult(name, slug, Outcome.FAILED, problems=(problem,)))
            else:
                results.append(StepResult(name, slug, Outcome.PASSED, looked_at=(f"{slug} of {name} looked at",)))
    records.append(
        HostRecord(
            host_key="winrm://octo-1:5986",
            machines=("octo-1",),
            taken_utc=NOW,
            seconds=9.0,
            survey=make_survey("octo-1", THUMBPRINT),
            peer_probes=tuple(peer),
        )
    )
    return Run(
        surveys=Surveys(
            version=__version__,
            taken_utc=NOW,
            inventory=Inventory(servers=(server,), tentacles=tuple(tentacles), files=("prod.yaml",), digest="0" * 64),
            records=tuple(records),
        ),
        results=tuple(results),
        started=NOW,
        seconds=61.0,
        options={},
    )
