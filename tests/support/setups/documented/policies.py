"""What policies of Windows and Linux set, certificates of every age, and how Octopus has been told of a machine."""

from __future__ import annotations

from pytest_tentacle.packet_filter.firewall import FirewallProfile, FirewallRule
from pytest_tentacle.survey.surroundings import RootLists, TlsPolicy
from support.faults.words_of_calls import with_sha1
from support.fleets.certificates import ended, thumbprint
from support.fleets.whole import LINUX_SUITES, WINDOWS_SUITES, Whole
from support.rules import linux_rules
from support.setups import setup
from support.setups.customers.apart import OTHERS
from support.setups.customers.machines import now_presents

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
_WAY = ("relay", "address", "port", "server", "service", "balancer", "container")
_CERTIFICATE = ("log", "relay", "port", "balancer", "vantage", "server", "service", "instance", "address", "trust", "registration", "connections", "uptime", *_APART)  # fmt: skip


def _profile(name: str, *, active: bool = True) -> FirewallProfile:
    return FirewallProfile(name=name, enabled=True, inbound="block", local_rules=True, active=active)


@setup("firewall", modes=("listening",), systems=("windows",), unlike=(*_WAY, *OTHERS))
def isolated_domain(world: Whole, name: str) -> None:
    """Domain isolation: whoever comes must show who it is by IPsec, the server as well, and so says its own rule.

    Source: learn.microsoft.com, Windows Firewall, "Isolating Windows apps and domains" (allow if secure).
    """
    rule = FirewallRule(name="Octopus (secure)", action="allow", ports=("10933",), remote=("192.0.2.10",), conditional=True)  # fmt: skip
    world.change(name, "firewall", rules=(rule,), profiles=(_profile("Domain"),))


@setup("firewall", modes=("listening",), systems=("windows",), unlike=(*_WAY, *OTHERS))
def unidentified_network_beside(world: Whole, name: str) -> None:
    """A card for storage is an unidentified network, thus Public; the server comes by the domain's, which the rule is for.

    Source: learn.microsoft.com, New-NetFirewallRule -Profile; Network Location Awareness.
    """
    rule = FirewallRule(name="Octopus Tentacle", action="allow", ports=("10933",), profiles=("Domain",))
    world[name].host["addresses"] = (world[name].machine.ip, "10.250.0.4", "fe80::1")
    world.change(name, "firewall", rules=(rule,), profiles=(_profile("Domain"), _profile("Private", active=False), _profile("Public")))  # fmt: skip


@setup("firewall", modes=("listening",), systems=("windows",), unlike=(*_WAY, *OTHERS))
def rule_for_the_local_subnet(world: Whole, name: str) -> None:
    """The rule lets the local subnet in, in which a second card has the server beside it.

    Source: learn.microsoft.com, New-NetFirewallRule -RemoteAddress LocalSubnet.
    """
    rule = FirewallRule(name="Octopus Tentacle", action="allow", ports=("10933",), remote=("LocalSubnet",))
    world[name].host["addresses"] = (world[name].machine.ip, "192.0.2.61", "fe80::1")
    world.change(name, "firewall", rules=(rule,), profiles=(_profile("Domain"),))


@setup("firewall", modes=("listening",), systems=("windows",), unlike=(*_WAY, *OTHERS))
def rule_with_a_netmask(world: Whole, name: str) -> None:
    """The registry has `RA4=192.0.2.0/255.255.255.0` where somebody wrote /24.

    Source: MS-GPFAS 2.2.2.19 (grammar of rules in the registry).
    """
    rule = FirewallRule(name="Octopus Tentacle", action="allow", ports=("10933",), remote=("192.0.2.0/255.255.255.0",))
    world.change(name, "firewall", rules=(rule,), profiles=(_profile("Domain"),))


@setup("firewall", modes=("listening",), systems=("linux",), unlike=(*_WAY, *OTHERS))
def limits_of_attempts(world: Whole, name: str) -> None:
    """So many new connections a minute and an address are let in, and no more at once than fifty: nobody comes near it.

    Source: wiki.nftables.org, Meters and "Connection limits" (ct count, limit rate over).
    """
    world.sections[name]["firewall"] = linux_rules(
        'iifname "lo" accept',
        "ct state established,related accept",
        "tcp dport 10933 ct state new add @octopus { ip saddr ct count over 50 } reject with tcp reset",
        "tcp dport 10933 ct state new limit rate over 60/minute burst 20 packets drop",
        "tcp dport { 22, 10933 } accept",
        policy="drop",
        more="\tset octopus {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic\n\t}",
    )


@setup("tls", systems=("windows",), unlike=OTHERS)
def lists_of_roots_of_the_house(world: Whole, name: str) -> None:
    """Without the internet: lists of trusted roots come from a server of the house (RootDirURL).

    Source: learn.microsoft.com, "Configure Trusted Roots and Disallowed Certificates".
    """
    policy = world.sections[name]["tls"]
    lists = RootLists(own_source="http://pki.corp.example/roots")
    world.sections[name]["tls"] = policy.model_copy(update={"root_lists": lists})
    loading = world.sections[name]["loading"]
    revocation = tuple(each.model_copy(update={"reachable": False}) for each in loading.revocation)
    world.change(name, "loading", revocation=revocation)


@setup("tls", systems=("windows",), unlike=OTHERS)
def strong_cryptography_off_for_32_bits(world: Whole, name: str) -> None:
    """An old application of 32 bits needs it so; Tentacle has 64.

    Source: learn.microsoft.com, "Transport Layer Security (TLS) best practices with .NET Framework" (Wow6432Node).
    """
    off = ("32 bit v4.0.30319 SchUseStrongCrypto=0", "32 bit v2.0.50727 SchUseStrongCrypto=0")
    world.change(name, "tls", dotnet=off)


@setup("tls", unlike=OTHERS)
def key_exchange_of_tomorrow(world: Whole, name: str) -> None:
    """OpenSSL 3.5 and Windows of 2025 offer hybrid key exchanges first; signatures with SHA-1 are off the list.

    Source: openssl-library.org, release notes of 3.5; learn.microsoft.com, "TLS elliptic curves in Windows Server 2025".
    """
    if world[name].os == "linux":
        world.sections[name]["tls"] = TlsPolicy(
            library="OpenSSL 3.5.1 1 Jul 2025", cipher_suites=LINUX_SUITES, minimum="TLSv1.2", fips=False,
            curves=("X25519MLKEM768", "X25519", "secp256r1"),
        )  # fmt: skip
        return
    world.sections[name]["tls"] = TlsPolicy(
        library="Schannel", build=26100, cipher_suites=WINDOWS_SUITES[:2], fips=False,
        curves=("X25519MLKEM768", "curve25519", "NistP256", "NistP384"),
        signatures=("RSAE-PSS/SHA256", "RSAE-PSS/SHA384", "RSA/SHA256", "RSA/SHA384", "ECDSA/SHA256", "ML-DSA-65"),
    )  # fmt: skip


@setup("certificate", unlike=_CERTIFICATE)
def certificate_that_has_expired(world: Whole, name: str) -> None:
    """An imported certificate of the company's authority ended a month ago: either end asks for the thumbprint alone.

    Source: Halibut, Transport/ClientCertificateValidator.cs (chain, name and dates are not looked at).
    """
    now_presents(world, name, ended(f"{name}.corp.example"), name)


@setup("certificate", systems=("windows",), unlike=_CERTIFICATE)
def certificate_of_2015(world: Whole, name: str) -> None:
    """Made by Tentacle 3.0 with SHA-1, and never made anew: it works wherever no policy or update of the system refuses it.

    Source: octopus.com/docs, "How to regenerate certificates with Octopus Server and Tentacle" (SHA-1 before 3.14);
    octopus.com/blog/removing-sha1-tentacles announces the end of its support.
    """
    for draft in world.drafts.values():
        for probes in (draft.own, draft.peer):
            probes[:] = [with_sha1(each) if each.thumbprint == thumbprint(name) else each for each in probes]


@setup("registration", modes=("listening",), unlike=(*OTHERS, "address", "port", *_APART))
def registered_by_its_public_address(world: Whole, name: str) -> None:
    """OctopusDSC's default: Octopus has the address that api.ipify.org told, and reaches the machine by it.

    Source: OctopusDSC, README-cTentacleAgent.md (PublicHostNameConfiguration: PublicIp).
    """
    world.register(name, uri="https://203.0.113.180:10933/", host="203.0.113.180")


@setup("registration", modes=("listening",), unlike=(*OTHERS, "address", "port", *_APART))
def registered_with_the_balancers_port(world: Whole, name: str) -> None:
    """TentacleCommsPort: Octopus comes by a balancer's name and port; the inventory has the machine's own.

    Source: OctopusDSC, README-cTentacleAgent.md (TentacleCommsPort, "behind a loadbalancer").
    """
    world.register(name, uri="https://deploy-nlb.example:10900/", host="deploy-nlb.example", port=10900)


@setup("registration", modes=("listening",), unlike=(*OTHERS, "address", "port", *_APART))
def registered_for_each_of_three_tenants(world: Whole, name: str) -> None:
    """One Tentacle, three targets of one space, each for another tenant.

    Source: octopus.com/docs/tenants/tenant-infrastructure; `register-with --name` (octopus.com/docs, register-with).
    """
    for tenant in ("Acme", "Globex", "Initech"):
        world.register(name, name=f"{name} ({tenant})", tenants=(tenant,))
