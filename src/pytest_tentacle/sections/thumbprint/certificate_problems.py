"""TT41x: the certificate behind the thumbprint, and the subscription (guide, "Check the Tentacle Thumbprint")."""

from __future__ import annotations

from pytest_tentacle.guide.commands import NEW_CERTIFICATE, OWN_IDENTITY, REFUSED_UNTIL, RESTART_WINDOWS
from pytest_tentacle.guide.problem import ProblemKind

_STEP = "tentacle-certificate"
_RENEW = (
    "Upgrade a Tentacle older than 3.14 first. Then make a new certificate for it. " + REFUSED_UNTIL + " An "
    "Octopus Server's own certificate is another matter: all Tentacles must trust the new one before."
)


def _renew(code: str, title: str, meaning: str) -> ProblemKind:
    return ProblemKind(code, title, _STEP, meaning, (_RENEW, *NEW_CERTIFICATE[0]), (_RENEW, *NEW_CERTIFICATE[1]))


CERTIFICATE: tuple[ProblemKind, ...] = (
    _renew(
        "TT411",
        "The certificate is signed with SHA-1",
        "Systems with a stricter policy refuse certificates with a SHA-1 signature, and the connection fails after "
        "it was "
        "opened. Certificates from before Octopus 3.14 have one.",
    ),
    _renew(
        "TT412",
        "The certificate's RSA key is too short",
        "TLS libraries of today refuse RSA keys below 2048 bits: the port is open, and every handshake fails, often "
        "with "
        "misleading words about protocol versions.",
    ),
    ProblemKind(
        "TT413",
        "Another machine polls with the same subscription",
        _STEP,
        "Two machines fetch their work under one subscription: one is a clone of the other. Each gets a part of "
        "what is "
        "meant for the other, and a deployment may end up on the wrong machine.",
        OWN_IDENTITY[0],
        OWN_IDENTITY[1],
        sentence=(
            "{who} poll{s} with a subscription that another machine has as well: copies of one image. Each gets a "
            "part of what is meant for the other."
        ),
        consequences=frozenset({"TT403", "TT116", "TT117", "TT146", "TT401"}),
        rank=40,
    ),
    ProblemKind(
        "TT414",
        "The certificate's private key cannot be used",
        _STEP,
        "The service's process cannot use its certificate's private key: its account has no right to read the key's "
        "file, the file is gone, or it was made on another machine, of which this one is a copy. The port is open, and "
        "every handshake fails.",
        (
            (
                "Restart the service: when a Tentacle starts and cannot use the key, it makes the file again from its "
                "settings. If that does not help, see whether the service's account may read what is there:"
            ),
            RESTART_WINDOWS,
            '$ icacls "$env:ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys"',
        ),
        (
            "Windows reports this. On Linux, see whether the service's account owns what lies in Octopus Home:",
            "$ sudo ls -lR /etc/octopus",
        ),
    ),
)
