"""A diagnosis of the small run."""

from __future__ import annotations

from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.report.causes import Cause

from .parts import (
    THUMBPRINT,
)


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
