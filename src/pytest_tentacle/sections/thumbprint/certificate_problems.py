"""TT41x: the certificate behind the thumbprint, and the subscription (guide, "Check the Tentacle Thumbprint")."""

from __future__ import annotations

from pytest_tentacle.guide.problem import ProblemKind

_STEP = "tentacle-certificate"
_TENTACLE = '$ & "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\Tentacle.exe"'
_LINUX = "$ sudo /opt/octopus/tentacle/Tentacle"
_RENEW = (
    "Make a new certificate for the Tentacle, restart its service, and enter the new thumbprint in the Octopus Web "
    "Portal. An Octopus Server's own certificate is renewed with Octopus.Server.exe new-certificate:"
)


def _renew(code: str, title: str, meaning: str) -> ProblemKind:
    commands = ('new-certificate --instance "<instance>"', 'service --restart --instance "<instance>"')
    return ProblemKind(
        code,
        title,
        _STEP,
        meaning,
        (_RENEW, *(f"{_TENTACLE} {command}" for command in commands)),
        (_RENEW, *(f"{_LINUX} {command}" for command in commands)),
    )


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
        (
            "On the clone, delete the instance and register it anew, with a certificate of its own:",
            f'{_TENTACLE} delete-instance --instance "<instance>"',
            f"{_TENTACLE} register-with --help",
        ),
        (
            "On the clone, delete the instance and register it anew, with a certificate of its own:",
            f'{_LINUX} delete-instance --instance "<instance>"',
            f"{_LINUX} register-with --help",
        ),
        sentence=(
            "{who} poll{s} with a subscription that another machine has as well: copies of one image. Each gets a "
            "part of what is meant for the other."
        ),
        consequences=frozenset({"TT403", "TT116", "TT117", "TT401"}),
        rank=40,
    ),
    ProblemKind(
        "TT414",
        "The certificate's private key cannot be used",
        _STEP,
        "Windows could not use the private key for the service's process: its account has no right to read the "
        "key's file, "
        "or the key is gone. The port is open, and every handshake fails.",
        (
            "Give the service's account the right to read the key, or make a new certificate as that account:",
            '$ icacls "$env:ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys"',
            f'{_TENTACLE} new-certificate --instance "<instance>"',
        ),
        (
            "This is told by Windows. On Linux, see whether the service's account owns what lies in Octopus Home:",
            "$ sudo ls -lR /etc/octopus",
        ),
        sentence=(
            "Windows could not use the private key of the certificate of {who} for the service: its account may not "
            "read the key, or the key is gone."
        ),
        consequences=frozenset({"TT122", "TT505", "TT113", "TT112", "TT524", "TT528"}),
        rank=15,
    ),
)
