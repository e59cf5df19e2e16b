"""Faults of thumbprints and of the certificates behind them, and of what TLS may speak."""

from __future__ import annotations

from pytest_tentacle.lab import network
from pytest_tentacle.lab.blueprint import PID, Blueprint
from pytest_tentacle.lab.halibut.listener import make_certificate

from .breaking import Site

_PROTOCOLS = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols"
_VERSION = "HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
_OPENSSL_OF_OLD = "OpenSSL 1.0.2k-fips  26 Jan 2017"
"""RHEL 7's: the last one without TLS 1.3 that is met."""

_NO_MINIMUM = "openssl_conf = openssl_init\n[openssl_init]\n"
_MINIMUM_OF_1_3 = """\
openssl_conf = openssl_init
[openssl_init]
ssl_conf = ssl_sect
[ssl_sect]
system_default = system_default_sect
[system_default_sect]
MinProtocol = TLSv1.3
CipherString = DEFAULT@SECLEVEL=2
"""


def inventory_thumbprint(machine: Blueprint, site: Site) -> None:
    """The certificate was renewed; inventory and server still know the old one."""
    machine.declared["thumbprint"] = site.fresh(machine.certificate.subject).thumbprint


def restart_needed(machine: Blueprint, site: Site) -> None:
    """The file has a new certificate; the process still presents the old one."""
    renewed = site.fresh("Octopus Tentacle").thumbprint
    machine.settings["Tentacle.CertificateThumbprint"] = renewed
    machine.declared["thumbprint"] = renewed
    machine.config_hours = 1.0


def clone(machine: Blueprint, site: Site) -> None:
    """Installed from an image of the machine that stands before it in the inventory, with its certificate."""
    original = site.other(machine)
    machine.certificate = machine.presents = original.certificate
    machine.settings["Tentacle.CertificateThumbprint"] = original.certificate.thumbprint
    for each in (original, machine):
        each.settings["Octopus.Communications.Squid"] = "SQ-ORIGINAL-0A1B2C3D"


def subscription_clone(machine: Blueprint, site: Site) -> None:
    """Installed from an image of the polling machine before it, with its subscription; the certificate is new."""
    image = site.other(machine, polls=True).trusts[0].subscription
    for trust in machine.trusts:
        trust.subscription = image


def weak_certificate(machine: Blueprint, _: Site) -> None:
    """A certificate of an age past: signed with SHA-1, on a key of 1024 bits. Whoever is strict breaks off."""
    machine.certificate = machine.presents = make_certificate("Octopus Tentacle", bits=1024, sha1=True)
    machine.weak_key = True
    machine.settings["Tentacle.CertificateThumbprint"] = machine.certificate.thumbprint


def key_unusable(machine: Blueprint, _: Site) -> None:
    """The service's account may not read the certificate's private key: Schannel says so and breaks off."""
    machine.presents = None
    machine.foreign = network.Resetter
    data = {"Type": "server", "ErrorCode": "0x8009030D", "ErrorStatus": "10001", "CallerProcessId": str(PID)}
    machine.surroundings["events"] = [{"provider": "Schannel", "id": 36870, "data": data}]
    machine.surroundings["private_keys"] = [{"thumbprint": machine.certificate.thumbprint, "file": "missing"}]


def no_tls_12(machine: Blueprint, _: Site) -> None:
    """TLS 1.2 was switched off in the Schannel registry, on a Windows that has nothing newer."""
    _disable(machine, "TLS 1.2")
    machine.presents = None
    machine.foreign = lambda address, port: network.OldTls(address, port, by_hand=True)


def only_tls_13(machine: Blueprint, _: Site) -> None:
    """The newest version alone: Windows Server 2022 with all before it switched off, or MinProtocol on Linux."""
    if machine.is_windows:
        _disable(machine, "TLS 1.0", "TLS 1.1", "TLS 1.2")
        _suites(machine, "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
        machine.registry[_VERSION] = {
            "ProductName": "Windows Server 2022 Standard",
            "CurrentBuild": "20348",
            "CurrentMajorVersionNumber": 10,
            "CurrentMinorVersionNumber": 0,
            "UBR": 2340,
        }
    else:
        machine.files["/etc/ssl/openssl.cnf"] = _MINIMUM_OF_1_3


def old_openssl(machine: Blueprint, _: Site) -> None:
    """A Linux whose OpenSSL knows no TLS 1.3."""
    machine.surroundings["openssl"] = {"version": _OPENSSL_OF_OLD, "ciphers": ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]}
    machine.files["/etc/ssl/openssl.cnf"] = _NO_MINIMUM


def old_ciphers(machine: Blueprint, _: Site) -> None:
    """The list of cipher suites was cut down to one without forward secrecy."""
    _suites(machine, "TLS_RSA_WITH_AES_128_CBC_SHA")
    machine.presents = None
    machine.foreign = network.NoCommonCipher


def other_ciphers(machine: Blueprint, _: Site) -> None:
    """One suite is left that Octopus takes, and that Windows does not have by default."""
    _suites(machine, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384")


def other_curves(machine: Blueprint, _: Site) -> None:
    """One suite that needs a curve, and one curve that nobody else has in its list."""
    suite = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    if machine.is_windows:
        machine.surroundings["tls"] = {"cipher_suites": [suite], "curves": ["NistP521"]}
    else:
        _suites(machine, suite)
        machine.files["/etc/ssl/openssl.cnf"] = f"{_NO_MINIMUM}Groups = P-521\n"


def old_dotnet(machine: Blueprint, _: Site) -> None:
    """.NET Framework 4.7.2, as Windows Server 2019 came with."""
    machine.registry["HKLM:\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full"] = {
        "Release": 461814,
        "Version": "4.7.03190",
    }


def _disable(machine: Blueprint, *versions: str) -> None:
    for version in versions:
        for side in ("Client", "Server"):
            machine.registry[f"{_PROTOCOLS}\\{version}\\{side}"] = {"Enabled": 0, "DisabledByDefault": 1}


def _suites(machine: Blueprint, *names: str) -> None:
    if machine.is_windows:
        machine.surroundings["tls"] = {"cipher_suites": list(names)}
    else:
        machine.surroundings["openssl"] = {"ciphers": list(names)}


FAULTS = (
    inventory_thumbprint, restart_needed, clone, subscription_clone, weak_certificate, key_unusable,
    no_tls_12, only_tls_13, old_openssl, old_ciphers, other_ciphers, other_curves, old_dotnet,
)  # fmt: skip
