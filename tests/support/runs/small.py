"""A run like the lab: a handful of machines, each sick in its own way."""

from __future__ import annotations

from pytest_tentacle import __version__
from pytest_tentacle.inventory.model import SSH, Inventory, Mode, OctopusServer, OperatingSystem, Tentacle, WinRM
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import Outcome, Run, StepResult
from pytest_tentacle.link import By, Failure
from pytest_tentacle.survey.model import HostRecord, Unreachable
from pytest_tentacle.survey.store import Surveys
from support.fleets.looks import OWN_PORT, from_here, from_server, polled

from .parts import (
    CERTIFICATE,
    NOW,
    OTHER_CERTIFICATE,
    STEPS,
    THUMBPRINT,
    make_probe,
    make_survey,
    result_of,
)


def make_small_run() -> Run:
    servers = (
        OctopusServer(
            name="octo-1",
            dns_name="octo-1.corp.example.com",
            ip="10.4.1.2",
            os=OperatingSystem.WINDOWS,
            transport=WinRM(host="octo-1"),
            portal="https://octo-1.corp.example.com",
        ),
    )
    names = ["web-01", "web-02", "web-03", "sql-01", "sql-02", "build-01", "edge-01"]
    tentacles = tuple(
        Tentacle(
            name=name,
            dns_name=f"{name}.corp.example.com",
            ip=f"10.4.1.{10 + index}",
            os=OperatingSystem.LINUX if name.startswith("build") else OperatingSystem.WINDOWS,
            mode=Mode.POLLING if name == "edge-01" else Mode.LISTENING,
            port=10933,
            servers=("octo-1",),
            groups=("production",),
            thumbprint=THUMBPRINT if name == "web-01" else None,
            transport=SSH(host=name) if name.startswith("build") else WinRM(host=name, user=r"CORP\svc-octopus"),
        )
        for index, name in enumerate(names)
    )
    faults = {
        "web-02": ("connect", Failure.REFUSED),
        "web-03": ("resolve", Failure.NAME_NOT_FOUND),
        "sql-01": ("connect", Failure.TIMED_OUT),
    }
    peer = []
    for name in names[:-1]:
        fault = faults.get(name)
        by_ip = None if name == "web-03" else fault
        certificate = OTHER_CERTIFICATE if name == "sql-02" else CERTIFICATE
        peer.append(
            make_probe(
                from_server(name, By.NAME),
                f"{name}.corp.example.com",
                10933,
                By.NAME,
                error=fault,
                certificate=certificate,
            )
        )
        peer.append(
            make_probe(
                from_server(name, By.ADDRESS),
                f"10.4.1.{10 + names.index(name)}",
                10933,
                By.ADDRESS,
                error=by_ip,
                certificate=certificate,
            )
        )
    records = [
        HostRecord(
            host_key="winrm://octo-1:5986",
            machines=("octo-1",),
            taken_utc=NOW,
            seconds=1.8,
            requests=7,
            survey=make_survey("octo-1", THUMBPRINT),
            peer_probes=tuple(peer),
        )
    ]
    for name in names:
        if name == "build-01":
            records.append(
                HostRecord(
                    host_key="ssh://build-01:22",
                    machines=(name,),
                    taken_utc=NOW,
                    seconds=5.0,
                    unreachable=Unreachable(
                        stage="authenticate",
                        summary="build-01:22 refused every key of svc-octopus",
                        advice="Check the key with `ssh svc-octopus@build-01`.",
                    ),
                )
            )
            continue
        own = (
            make_probe(
                polled(0),
                "octo-1.corp.example.com",
                10943,
                By.NAME,
                error=("tls", Failure.NO_COMMON_CIPHER),
            )
            if name == "edge-01"
            else make_probe(
                OWN_PORT,
                "localhost",
                10933,
                By.LOCAL,
                error=("connect", Failure.REFUSED) if name == "web-02" else None,
            )
        )
        records.append(
            HostRecord(
                host_key=f"winrm://{name}:5986",
                machines=(name,),
                taken_utc=NOW,
                seconds=2.1,
                requests=6,
                survey=make_survey(
                    name, THUMBPRINT, probes=(own,), noise="Welcome to CORP" if name == "web-01" else None
                ),
                recorded=name == "sql-02",
            )
        )
    controller = {
        "web-02": (
            make_probe(
                from_here("web-02", By.NAME),
                "web-02.corp.example.com",
                10933,
                By.NAME,
                error=("connect", Failure.REFUSED),
            ),
        )
    }
    results = [result_of("octo-1", "services-running", looked_at=("service OctopusDeploy: running, pid 1234",))]
    for name in names:
        results += _steps_of(name)
    return Run(
        surveys=Surveys(
            version=__version__,
            taken_utc=NOW,
            inventory=Inventory(
                servers=servers,
                tentacles=tentacles,
                files=("inventory/prod.yaml",),
                digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            ),
            records=tuple(records),
            controller_probes=controller,
        ),
        results=tuple(results),
        started=NOW,
        seconds=12.34,
        options={"--inventory": "inventory/prod.yaml", "--limit": "production", "--workers": "32"},
        notes=("No PowerShell was found: the lab's Windows machines answered from recordings (sql-02).",),
    )


def _steps_of(name: str) -> list[StepResult]:  # noqa: C901  one case for each fault
    slugs = [step.slug for step in STEPS]
    results = {slug: result_of(name, slug, looked_at=("as it should be",)) for slug in slugs}

    def fail(slug: str, code: str, expected: str, actual: str, *evidence: Evidence) -> None:
        results[slug] = result_of(
            name, slug, Outcome.FAILED, problems=(Problem(code, name, expected, actual, evidence),)
        )

    def block(code: str, *slugs_after: str) -> None:
        for slug in slugs_after:
            results[slug] = result_of(name, slug, Outcome.BLOCKED, blocked_by=(code, name))

    match name:
        case "web-02":
            fail(
                "services-running",
                "TT101",
                "service OctopusDeploy Tentacle running",
                "service OctopusDeploy Tentacle stopped",
                Evidence("web-02: Get-Service", "OctopusDeploy Tentacle  Stopped  exit code 1067"),
                Evidence("web-02: Application log 03:01:12Z", "The process was terminated unexpectedly"),
            )
            block("TT101", "welcome-page-here", "welcome-page-across")
        case "web-03":
            fail(
                "welcome-page-across",
                "TT501",
                "web-03.corp.example.com resolves on octo-1",
                "name not found",
                Evidence("octo-1: resolve web-03.corp.example.com", "No such host is known (11001)"),
                Evidence("octo-1: https://10.4.1.12:10933", "Tentacle's welcome page, 1,216 bytes"),
            )
        case "sql-01":
            fail(
                "welcome-page-across",
                "TT503",
                "octo-1 connects to sql-01:10933",
                "no answer within 5 s, by name and by IP",
                Evidence("octo-1: connect 10.4.1.13:10933", "timed out after 5,003 ms"),
                Evidence("sql-01: https://localhost:10933", "Tentacle's welcome page"),
            )
        case "sql-02":
            fail(
                "tentacle-thumbprint",
                "TT301",
                THUMBPRINT,
                THUMBPRINT[:12] + "A1B2" + THUMBPRINT[16:],
                Evidence(r"sql-02: C:\Octopus\Tentacle.config", "Tentacle.CertificateThumbprint"),
            )
            fail(
                "welcome-page-across",
                "TT505",
                f"certificate {THUMBPRINT}",
                f"certificate {OTHER_CERTIFICATE.thumbprint}",
                Evidence("octo-1: TLS to 10.4.1.14:10933", "issuer CN=Corporate TLS Inspection"),
            )
        case "build-01":
            for slug in slugs:
                results[slug] = result_of(
                    name,
                    slug,
                    Outcome.UNKNOWN,
                    reason="build-01:22 refused every key of svc-octopus",
                    advice="Check the key with `ssh svc-octopus@build-01`.",
                )
        case "edge-01":
            fail(
                "communication-settings",
                "TT204",
                "TLS with octo-1:10943",
                "no common cipher",
                Evidence("edge-01: TLS to octo-1:10943", "alert 40 handshake_failure"),
            )
            results["services-running"] = result_of(
                name, "services-running", Outcome.WAIVED, reason="waived until 2026-12-01 by ops"
            )
    return list(results.values())
