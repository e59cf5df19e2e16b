"""What protects Windows, and keeps a Tentacle out as well; what an older state of a machine brings back."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.survey.surroundings import Access, AccessEntry, TlsPolicy
from support import NOW
from support.fleets.failures import NO_SUITE
from support.fleets.looks import OWN_PORT
from support.fleets.whole import LISTENS, SYSTEM, Whole, line, started
from support.fleets.world import probe
from support.windows_faults import fault, schannel_event

ALL = 0x1F01FF
ADMINISTRATORS = "S-1-5-32-544"
SUITES = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")


@fault("AES was switched off in Schannel", r"AES", r"SCHANNEL|Schannel|Ciphers", others=("octo-1",))
def aes_is_switched_off(world: Whole) -> None:
    r"""A hardening script for 3DES wrote Enabled=0 below each cipher's key; the list of suites does not show it.

    Source: learn.microsoft.com, "Restrict cryptographic algorithms and protocols in Schannel.dll" (SCHANNEL\Ciphers\AES 128/128,
    AES 256/256); events 36874, 36888.
    """
    policy = TlsPolicy(library="Schannel", build=17763, cipher_suites=SUITES, fips=False)
    off = (r"Ciphers\AES 128/128", r"Ciphers\AES 256/256", r"Ciphers\Triple DES 168")
    world.sections["web-01"]["tls"] = policy.model_copy(update={"disabled": off})
    world.sections["octo-1"]["tls"] = policy
    world["web-01"].replace(OWN_PORT, probe(**NO_SUITE))
    world.both("web-01", NO_SUITE)
    world.sections["web-01"]["events"] = (schannel_event(36874, 30, Protocol="TLS 1.2"),)
    world.logs["web-01"] = started(2136, LISTENS)


@fault("a security product keeps the program from writing where it has all rights", r"security product|[Cc]ontrolled folder",
       never=("icacls",), unsure=True)  # fmt: skip
def controlled_folder_access(world: Whole) -> None:
    r"""Microsoft Defender's controlled folder access protects C:\Octopus: Tentacle.exe is no program that it allows.

    Source: learn.microsoft.com, "Protect important folders with controlled folder access" (event 1123); .NET's
    UnauthorizedAccessException ("Access to the path '...' is denied").
    """
    held = world.sections["web-01"]["permissions"][0]
    entries = tuple(AccessEntry(sid=sid, mask=ALL) for sid in (SYSTEM, ADMINISTRATORS))
    access = (Access(path=r"C:\Octopus", owner=ADMINISTRATORS, entries=entries),)
    world.sections["web-01"]["permissions"] = (
        held.model_copy(update={"access": access, "groups": (ADMINISTRATORS,), "groups_complete": True}),
    )
    text = (
        r"Access to the path 'C:\Octopus\Work\20261201-1' is denied."
        "\nSystem.UnauthorizedAccessException: Access to the path is denied."
    )
    for ago in (600, 300, 60):
        world.logs["web-01"] += line(ago, "ERROR", text, 2136)


@fault("a snapshot from before its new certificate was restored", r"thumbprint|certificate", r"web-01|server|Octopus",
       never=(r"TC4012",), others=("octo-1",))  # fmt: skip
def snapshot_from_before_its_certificate(world: Whole) -> None:
    """The machine went back to last month, when it had another certificate; Octopus and the inventory know the new one.

    Source: octopus.com/docs, "troubleshooting Tentacles" (thumbprint mismatch); learn.microsoft.com, checkpoints of Hyper-V.
    """
    old = world.thumbprint("web-01-old")
    draft = world["web-01"]
    draft.settings["Tentacle.CertificateThumbprint"] = old
    draft.config_modified = NOW - timedelta(days=200)
    draft.host["boot_utc"] = NOW - timedelta(hours=1)
    draft.service["started_utc"] = NOW - timedelta(hours=1)
    world.sections["web-01"]["private_keys"] = (world.private_key("web-01", thumbprint=old),)
    draft.replace(OWN_PORT, probe(whose="web-01-old"))
    world.across("web-01", {"whose": "web-01-old"}, {"whose": "web-01-old"})
    came = "listen://[::]:10933/             91  Accepted TCP client: [::ffff:192.0.2.10]:50001"
    world.logs["web-01"] = started(2136, LISTENS, ago=3600) + line(600, "INFO", came, 2136)
