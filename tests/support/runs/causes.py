"""Diagnoses of the made-up runs."""

from __future__ import annotations

from pytest_tentacle.diagnosis import FoldedCause
from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.judging.result import Run

from .parts import (
    THUMBPRINT,
)


def make_small_causes() -> tuple[FoldedCause, ...]:
    guide = "https://octopus.com/docs/infrastructure/deployment-targets/tentacle/troubleshooting-tentacles#check-the-connections"
    return (
        FoldedCause(
            "TC011",
            "TLS inspection between octo-1 and the Tentacle",
            "octo-1 is shown a different certificate from the Tentacle's own: “Corporate TLS Inspection” stands in between.",
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
        FoldedCause(
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
        FoldedCause(
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
        FoldedCause(
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
        FoldedCause(
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


def make_large_causes(run: Run) -> tuple[FoldedCause, ...]:
    """What a diagnosis leaves unexplained: each problem code with all its machines."""
    found: dict[str, list[str]] = {}
    for result in run.results:
        for problem in result.problems:
            found.setdefault(problem.code, []).append(result.machine)
    return tuple(
        FoldedCause(
            code=code,
            title=f"The connection to {len(names)} machines times out",
            sentence="octo-1 gets no answer from them within 5 s, by name or by address.",
            machines=tuple(names),
            evidence=tuple(Evidence(f"octo-1: connect {name}:10933", "timed out after 5000 ms") for name in names[:4]),
            remedy_windows=(
                "Look at the firewalls on the path:",
                "$ Test-NetConnection -Port 10933 -ComputerName <host>",
            ),
            remedy_linux=("$ nc -vz <host> 10933",),
            link="https://octopus.com/docs/infrastructure/deployment-targets/tentacle/troubleshooting-tentacles",
        )
        for code, names in found.items()
    )
