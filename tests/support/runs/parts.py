"""What the made-up runs are made of: certificates, probes, surveys, results."""

from __future__ import annotations

import base64
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import By, Certificate, Connected, Failure, Page, Probe, Resolved, Secured
from pytest_tentacle.link.decoding import decode_text
from pytest_tentacle.sections import STEPS as ALL_STEPS
from pytest_tentacle.survey.model import (
    ConfigurationFile,
    Host,
    Instance,
    Listener,
    Process,
    Section,
    Service,
    ServiceState,
    Shell,
    Survey,
)
from support import NOW
from support.fleets.looks import Look

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


CERTIFICATE = decode_text(certificate_of())
OTHER_CERTIFICATE = decode_text(certificate_of("Corporate TLS Inspection"))


def make_probe(
    look: Look,
    host: str,
    port: int,
    by: By,
    *,
    error: tuple[str, Failure] | None = None,
    certificate: Certificate = CERTIFICATE,
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
    return Probe(link=look.link, host=host, port=port, by=by, **{name: record[name] for name in reached})


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


THUMBPRINT = CERTIFICATE.thumbprint


def result_of(machine: str, step: str, outcome: Outcome = Outcome.PASSED, **more) -> StepResult:
    return StepResult(machine, step, outcome, **more)
