"""TT4xx: the Tentacle's thumbprint."""

from __future__ import annotations

from pytest_tentacle.guide.commands import OWN_IDENTITY
from pytest_tentacle.guide.consequences import BROKEN_TRUST
from pytest_tentacle.guide.problem import ProblemKind

_STEP = "tentacle-thumbprint"

_COPIES = (
    "Nothing to do if this is intended (a failover cluster, machines from one exported certificate): say "
    "shares_certificate "
    "in the inventory."
)

THUMBPRINT: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT401",
        "The Tentacle's thumbprint differs from the declared one",
        _STEP,
        "The Tentacle has a different certificate from the one that the inventory, and probably the Octopus Server, "
        "know: it was set "
        "up again, or its certificate was renewed. The server refuses such a connection.",
        (
            (
                "Compare with the machine's settings in the Octopus Web Portal, and correct the thumbprint there and "
                "in the inventory. The Tentacle's own (the command leaves some lines in its log):"
            ),
            '$ & "<tentacle>" show-thumbprint --instance "<instance>"',
        ),
        (
            (
                "Compare with the machine's settings in the Octopus Web Portal, and correct the thumbprint there and "
                "in the inventory. The Tentacle's own (the command leaves some lines in its log):"
            ),
            '$ sudo "<tentacle>" show-thumbprint --instance "<instance>"',
        ),
    ),
    ProblemKind(
        "TT402",
        "The port presents a different thumbprint from the configured one",
        _STEP,
        "The running process has a different certificate from the one in its configuration file: the file was changed "
        "and the service was not restarted.",
        (
            "Restart the service, then compare again:",
            '$ Restart-Service -Name "<service>"',
        ),
        (
            "Restart the service, then compare again:",
            '$ sudo systemctl restart "<service>"',
        ),
        sentence=(
            "The configuration of {who} has a new certificate, and the running process still presents the old one: it"
            " was not restarted."
        ),
        consequences=BROKEN_TRUST,
        rank=30,
    ),
    ProblemKind(
        "TT403",
        "Several machines share one certificate",
        _STEP,
        "They were made from one image, with its Tentacle already set up. The server cannot tell them apart by their "
        "certificate, and a deployment may run on the wrong one.",
        (
            _COPIES,
            *OWN_IDENTITY[0],
        ),
        (
            _COPIES,
            *OWN_IDENTITY[1],
        ),
        sentence=(
            "{who} {has} one and the same certificate {thumbprint}: copies of one image. A deployment to one may run "
            "on the other."
        ),
        consequences=frozenset({"TT116", "TT117", "TT146", "TT401", "TT413"}),
        fold_by=("thumbprint",),
        rank=40,
    ),
    ProblemKind(
        "TT404",
        "The Octopus Server's port presents a different thumbprint from the declared one",
        _STEP,
        "The server has a different certificate from the one that the inventory declares. Tentacles that trust the "
        "declared one refuse the connection.",
        (
            (
                "Compare with the Octopus Web Portal (Configuration, Thumbprints); correct the inventory, or the "
                "Tentacles' trust:"
            ),
            ('$ & "<octopus>" show-thumbprint --instance "<instance>"'),
        ),
        (
            (
                "Compare with the Octopus Web Portal (Configuration, Thumbprints); correct the inventory, or the "
                "Tentacles' trust. What the port presents:"
            ),
            "$ openssl s_client -connect localhost:10943 </dev/null | openssl x509 -noout -fingerprint -sha1",
        ),
    ),
)
