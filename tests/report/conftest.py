"""Runs made by hand: one like the lab, one of 1,000 machines and 16 steps, and a real browser to look at what comes out."""

from __future__ import annotations

import base64
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pytest_tentacle import __version__
from pytest_tentacle.checks.result import Outcome, Run, StepResult
from pytest_tentacle.guide.outcome import Evidence, Problem
from pytest_tentacle.guide.sections import STEPS as ALL_STEPS
from pytest_tentacle.inventory.model import SSH, Inventory, Mode, OctopusServer, OperatingSystem, Tentacle, WinRM
from pytest_tentacle.link import By, Connected, Failure, Page, Probe, Resolved, Secured
from pytest_tentacle.report.causes import Cause
from pytest_tentacle.survey.model import (
    ConfigurationFile,
    Host,
    HostRecord,
    Instance,
    Listener,
    Process,
    Section,
    Service,
    ServiceState,
    Shell,
    Survey,
    Unreachable,
)
from pytest_tentacle.survey.store import Surveys

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
PAGE = "HTTP/1.0 200 OK\r\n\r\n<html><body>Octopus Tentacle configured successfully</body></html>"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

SHOWN = (
    "services-running",
    "communication-settings",
    "tentacle-thumbprint",
    "welcome-page-here",
    "welcome-page-across",
)
STEPS = tuple(step for step in ALL_STEPS if step.slug in SHOWN)
"""The steps that the made-up runs have; the guide's other sections would only make them longer."""


def certificate_of(common_name: str = "Octopus Tentacle") -> str:
    """A self-signed certificate as a Tentacle has it: base64 of DER."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=36525))
        .sign(_KEY, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


CERTIFICATE = certificate_of()
OTHER_CERTIFICATE = certificate_of("Corporate TLS Inspection")


def make_probe(
    probe_id: str,
    host: str,
    port: int,
    by: By,
    *,
    error: tuple[str, Failure] | None = None,
    certificate: str = CERTIFICATE,
    page: str = PAGE,
) -> Probe:
    """One look at a link that ends at the stage named in `error`."""
    at, why = error or ("", None)
    order = ["resolve", "connect", "tls", "page"]
    reached = order if not at else order[: order.index(at) + 1]
    record = {
        "resolve": Resolved(ms=1.4, addresses=("10.4.1.7",), error=why if at == "resolve" else None)
        if by is By.NAME
        else None,
        "connect": Connected(
            ms=3.2,
            address="10.4.1.7",
            error=why if at == "connect" else None,
            detail="Connection refused" if at == "connect" else None,
        ),
        "tls": Secured(ms=11.0, version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", certificate=certificate)
        if at != "tls"
        else Secured(ms=11.0, error=why, detail="alert 40"),
        "page": Page(ms=2.0, text=page, length=1216, error=why if at == "page" else None),
    }
    return Probe(id=probe_id, host=host, port=port, by=by, **{name: record[name] for name in reached})


def make_survey(
    name: str, thumbprint: str, *, windows: bool = True, probes: tuple[Probe, ...] = (), noise: str | None = None
) -> Survey:
    """What a script reads from a healthy host."""
    return Survey(
        host=Section(
            data=Host(
                hostname=name,
                fqdn=f"{name}.corp.example.com",
                os="windows" if windows else "linux",
                os_name="Microsoft Windows Server 2022 Standard" if windows else "Debian GNU/Linux 12 (bookworm)",
                os_version="10.0.20348" if windows else "12.5",
                clock_utc=NOW + timedelta(seconds=1),
                boot_utc=NOW - timedelta(days=9),
                user=r"CORP\svc-octopus" if windows else "root",
                elevated=True,
                shell=Shell(name="powershell", version="5.1.20348.2227", language_mode="FullLanguage")
                if windows
                else Shell(name="sh"),
                addresses=("10.4.1.7",),
            )
        ),
        services=Section(
            data=(
                Service(
                    name="OctopusDeploy Tentacle",
                    product="tentacle",
                    state=ServiceState.RUNNING,
                    start_mode="auto",
                    account="LocalSystem",
                    pid=1234,
                    started_utc=NOW - timedelta(days=2),
                ),
            )
        ),
        instances=Section(
            data=(
                Instance(
                    product="tentacle",
                    name="Tentacle",
                    configuration=ConfigurationFile(
                        path=r"C:\Octopus\Tentacle.config" if windows else "/etc/octopus/Tentacle/tentacle.config",
                        modified_utc=NOW - timedelta(days=30),
                        settings={
                            "Tentacle.Services.PortNumber": "10933",
                            "Tentacle.Services.NoListen": "false",
                            "Tentacle.CertificateThumbprint": thumbprint,
                        },
                    ),
                ),
            )
        ),
        listeners=Section(
            data=(Listener(address="0.0.0.0", port=10933, pid=1234, owner=Process(pid=1234, name="Tentacle.exe")),)
        ),
        probes=probes,
        noise=noise,
    )


THUMBPRINT = Secured(certificate=CERTIFICATE).thumbprint or ""


def _result(machine: str, step: str, outcome: Outcome = Outcome.PASSED, **more) -> StepResult:
    return StepResult(machine, step, outcome, **more)


@pytest.fixture(scope="session")
def small_run() -> Run:
    """Eight machines, like the lab: healthy ones, and most kinds of what can be wrong."""
    return make_small_run()


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
            make_probe(f"{name}:name", f"{name}.corp.example.com", 10933, By.NAME, error=fault, certificate=certificate)
        )
        peer.append(
            make_probe(
                f"{name}:address",
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
                "configured:Tentacle:0",
                "octo-1.corp.example.com",
                10943,
                By.NAME,
                error=("tls", Failure.NO_COMMON_CIPHER),
            )
            if name == "edge-01"
            else make_probe(
                "local:Tentacle",
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
            make_probe("web-02:here", "web-02.corp.example.com", 10933, By.NAME, error=("connect", Failure.REFUSED)),
        )
    }
    results = [_result("octo-1", "services-running", looked_at=("service OctopusDeploy: running, pid 1234",))]
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
    results = {slug: _result(name, slug, looked_at=("as it should be",)) for slug in slugs}

    def fail(slug: str, code: str, expected: str, actual: str, *evidence: Evidence) -> None:
        results[slug] = _result(name, slug, Outcome.FAILED, problems=(Problem(code, name, expected, actual, evidence),))

    def block(code: str, *slugs_after: str) -> None:
        for slug in slugs_after:
            results[slug] = _result(name, slug, Outcome.BLOCKED, blocked_by=(code, name))

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
                f"certificate {Secured(certificate=OTHER_CERTIFICATE).thumbprint}",
                Evidence("octo-1: TLS to 10.4.1.14:10933", "issuer CN=Corporate TLS Inspection"),
            )
        case "build-01":
            for slug in slugs:
                results[slug] = _result(
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
            results["services-running"] = _result(
                name, "services-running", Outcome.WAIVED, reason="waived until 2026-12-01 by ops"
            )
    return list(results.values())


@pytest.fixture(scope="session")
def small_causes() -> tuple[Cause, ...]:
    """A diagnosis of the small run."""
    return make_small_causes()


def make_small_causes() -> tuple[Cause, ...]:
    guide = "https://octopus.com/docs/infrastructure/deployment-targets/tentacle/troubleshooting-tentacles#check-the-connections"
    return (
        Cause(
            "TC011",
            "TLS inspection between octo-1 and the Tentacle",
            "octo-1 is shown another certificate than the Tentacle's own: “Corporate TLS Inspection” stands in between.",
            ("sql-02",),
            "certain",
            (
                Evidence("octo-1: TLS to sql-02:10933", "issuer CN=Corporate TLS Inspection"),
                Evidence("sql-02 itself", f"thumbprint {THUMBPRINT}"),
            ),
            ("Take port 10933 out of inspection between octo-1 and 10.4.1.14.",),
            (),
            guide,
        ),
        Cause(
            "TC004",
            "A firewall on the host drops the server's connections",
            "octo-1 reaches others of 10.4.1.0/24 but not sql-01:10933, which answers itself.",
            ("sql-01",),
            "likely",
            (Evidence("octo-1: connect 10.4.1.13:10933", "timed out"),),
            (
                "Allow the port in Windows Firewall:",
                '$ New-NetFirewallRule -DisplayName "Octopus Tentacle" -Direction Inbound -Protocol TCP -LocalPort 10933 -RemoteAddress 10.4.1.2 -Action Allow',
            ),
            ("$ sudo ufw allow from 10.4.1.2 to any port 10933 proto tcp",),
            guide,
            "Log on to the router of 10.4.1.0/24 to tell a host firewall from a path that drops.",
        ),
        Cause(
            "TC001",
            "The Tentacle's service is stopped",
            "The service OctopusDeploy Tentacle is stopped and starts by itself only at boot; exit code 1067.",
            ("web-02",),
            "certain",
            (Evidence("web-02: Get-Service", "Stopped, exit code 1067"),),
            ("$ Start-Service 'OctopusDeploy Tentacle'", "$ Get-WinEvent -LogName Application -MaxEvents 20"),
            ("$ sudo systemctl start Tentacle", "$ journalctl -u Tentacle -n 50"),
            guide,
        ),
        Cause(
            "TC002",
            "DNS on octo-1 does not know the Tentacle",
            "octo-1 reaches web-03 by IP and not by name.",
            ("web-03",),
            "certain",
            (),
            ("$ Resolve-DnsName web-03.corp.example.com",),
            ("$ getent hosts web-03.corp.example.com",),
            guide,
        ),
        Cause(
            "TC020",
            "No common cipher",
            "edge-01 and octo-1 agree on no cipher.",
            ("edge-01",),
            "certain",
            (),
            (),
            (),
            guide,
        ),
    )


@pytest.fixture(scope="session")
def large_run() -> Run:
    """1,000 machines x 16 steps, 791 of them failed, each with some 300 bytes of evidence."""
    return make_large_run()


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
            make_probe(f"{name}:name", f"{name}.corp.example.com", 10933, By.NAME, error=fault),
            make_probe(f"{name}:address", address, 10933, By.ADDRESS, error=fault),
        ]
        survey = make_survey(
            name, f"{number:040X}", probes=(make_probe("local:Tentacle", "localhost", 10933, By.LOCAL),)
        )
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


@pytest.fixture(scope="session")
def browser():
    """A real headless Chromium that asks nobody for anything."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "chromium is missing: install Debian's package `chromium`"
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()


@pytest.fixture
def make_certificate():
    """Makes a certificate of a common name: base64 of DER."""
    return certificate_of
