"""Systems that customers run: editions, makers and processors, hardened by a catalogue, with filters of every maker."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.packet_filter.firewall import FirewallProfile, FirewallRule
from pytest_tentacle.survey.surroundings import AccessControl, Denial, FileLabel, ProcessLabel, TlsPolicy, TlsProtocol
from support import NOW
from support.fleets.whole import LINUX_SUITES, WINDOWS_SUITES, Whole
from support.rules import as_survey
from support.setups import setup

from .apart import OTHERS

_WAY = ("relay", "address", "port", "server", "service", "balancer")


@setup("version", "language", systems=("windows",), unlike=OTHERS)
def server_core_2025(world: Whole, name: str) -> None:
    """Windows Server 2025 without a desktop."""
    world[name].host |= {
        "os_name": "Microsoft Windows Server 2025 Datacenter", "os_version": "10.0.26100", "dotnet_release": 533509,
    }  # fmt: skip
    curves = ("curve25519", "NistP256", "NistP384")
    suites = (*WINDOWS_SUITES[:2], "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")
    world.sections[name]["tls"] = TlsPolicy(library="Schannel", build=26100, cipher_suites=suites, curves=curves, fips=False)  # fmt: skip


@setup("version", systems=("windows",), unlike=(*OTHERS, "disk"))
def windows_11_on_arm(world: Whole, name: str) -> None:
    """A build machine with Windows 11 on ARM64, on which Tentacle runs as a program of x64."""
    world[name].host |= {"os_name": "Microsoft Windows 11 Pro", "os_version": "10.0.22631", "architecture": "ARM64"}
    world.change(name, "tls", build=22631)


@setup("version", systems=("linux",), unlike=(*OTHERS, "disk"))
def ubuntu_on_arm(world: Whole, name: str) -> None:
    """Ubuntu 24.04 on Graviton."""
    world[name].host |= {"os_name": "Ubuntu 24.04.1 LTS", "os_version": "6.8.0-1021-aws", "architecture": "aarch64"}
    world.change(name, "tls", library="OpenSSL 3.0.13 30 Jan 2024 (Library: OpenSSL 3.0.13 30 Jan 2024)", minimum="TLSv1.2")  # fmt: skip


@setup("version", "tls", systems=("linux",), unlike=OTHERS)
def suse_enterprise(world: Whole, name: str) -> None:
    """SLES 15 SP6, whose policy begins with TLS 1.2."""
    world[name].host |= {"os_name": "SUSE Linux Enterprise Server 15 SP6", "os_version": "6.4.0-150600.23.17-default"}
    world.sections[name]["tls"] = TlsPolicy(library="OpenSSL 3.1.4 24 Oct 2023", cipher_suites=LINUX_SUITES, minimum="TLSv1.2", fips=False)  # fmt: skip


@setup("version", "access", systems=("linux",), unlike=(*OTHERS, "service", "container", "disk", "account"))
def amazon_linux_2023(world: Whole, name: str) -> None:
    """Amazon Linux 2023: SELinux is permissive, and has told of an access that it would have denied."""
    world[name].host |= {"os_name": "Amazon Linux 2023.6", "os_version": "6.1.119-129.201.amzn2023.x86_64"}
    unit, pid = world[name].service["name"], world[name].service["pid"]
    label = "system_u:system_r:unconfined_service_t:s0"
    denial = Denial(
        module="selinux", time_utc=NOW - timedelta(hours=4), action="execmem", process="Tentacle", pid=pid, source=label,
        target=label, kind="process", enforced=False,
    )  # fmt: skip
    world.sections[name]["access_control"] = AccessControl(
        selinux="permissive",
        processes=(ProcessLabel(service=unit, pid=pid, label=label),),
        denials=(denial,),
        records_since=NOW - timedelta(days=2),
    )


@setup("access", systems=("linux",), unlike=(*OTHERS, "service", "container", "disk", "account"))
def selinux_with_an_own_domain(world: Whole, name: str) -> None:
    """A security team wrote a domain for Tentacle, whose policy lets it do its work; months ago it lacked a rule."""
    executable, unit = world[name].service["executable"], world[name].service["name"]
    label = "system_u:system_r:octopus_t:s0"
    old = Denial(
        module="selinux", time_utc=NOW - timedelta(days=40), action="name_connect", process="Tentacle", pid=512,
        source=label, target="system_u:object_r:unreserved_port_t:s0", kind="tcp_socket", port=10943, enforced=True,
    )  # fmt: skip
    world.sections[name]["access_control"] = AccessControl(
        selinux="enforcing",
        processes=(ProcessLabel(service=unit, pid=world[name].service["pid"], label=label),),
        labels=(FileLabel(path=executable, label="system_u:object_r:octopus_exec_t:s0"),),
        denials=(old,),
        records_since=NOW - timedelta(days=60),
    )


@setup("access", systems=("linux",), unlike=(*OTHERS, "service", "container", "disk", "account"))
def container_of_a_whole_system(world: Whole, name: str) -> None:
    """A container of LXD or Proxmox with a system of its own: AppArmor's profile is the container's, stacked."""
    unit, pid = world[name].service["name"], world[name].service["pid"]
    label = "lxc-web_</var/snap/lxd/common/lxd>//&:lxd-web_<var-snap-lxd-common-lxd>:unconfined"
    world.sections[name]["access_control"] = AccessControl(
        selinux="disabled", apparmor=True, processes=(ProcessLabel(service=unit, pid=pid, label=label),)
    )


@setup("tls", systems=("windows",), unlike=OTHERS)
def hardened_by_stig(world: Whole, name: str) -> None:
    """DISA's catalogue: FIPS, TLS 1.2 and 1.3 alone, strong cryptography for .NET, RC4, 3DES and MD5 off."""
    protocols = tuple(
        TlsProtocol(name=version, side=side, enabled=version in ("TLS 1.2", "TLS 1.3"), disabled_by_default=version not in ("TLS 1.2", "TLS 1.3"))
        for version in ("SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
        for side in ("client", "server")
    )  # fmt: skip
    world.sections[name]["tls"] = TlsPolicy(
        library="Schannel", build=20348, cipher_suites=WINDOWS_SUITES[:2], curves=("NistP384", "NistP256"), fips=True,
        protocols=protocols, disabled=(r"Ciphers\RC4 128/128", r"Ciphers\Triple DES 168", r"Hashes\MD5", "KeyExchangeAlgorithms\\Diffie-Hellman ServerMinKeyBitLength=2048"),
        dotnet=("64 bit v4.0.30319 SchUseStrongCrypto=1", "64 bit v4.0.30319 SystemDefaultTlsVersions=1"),
    )  # fmt: skip


@setup("firewall", modes=("listening",), systems=("windows",), unlike=OTHERS)
def rule_for_two_profiles_of_three(world: Whole, name: str) -> None:
    """A card in the domain and one in a private network; the rule holds for both, and names the servers' addresses."""
    profiles = tuple(
        FirewallProfile(name=each, enabled=True, inbound="block", local_rules=True, active=each != "Public")
        for each in ("Domain", "Private", "Public")
    )
    rule = FirewallRule(
        name="Octopus (Tentacle)", action="allow", ports=("10933",), profiles=("Domain", "Private"),
        remote=("192.0.2.10", "192.0.2.11-192.0.2.19"),
    )  # fmt: skip
    everybody = FirewallRule(name="Guests", action="block", ports=("10933",), profiles=("Public",))
    world.change(name, "firewall", profiles=profiles, rules=(rule, everybody))


_RICH_RULE = """table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state { invalid } drop
		jump filter_INPUT_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT_ZONES {
		iifname "eth0" goto filter_IN_drop
		goto filter_IN_drop
	}
	chain filter_IN_drop {
		jump filter_IN_drop_pre
		jump filter_IN_drop_allow
		drop
	}
	chain filter_IN_drop_pre {
	}
	chain filter_IN_drop_allow {
		ip saddr 192.0.2.10 tcp dport 10933 accept
		tcp dport 22 ct state { new, untracked } accept
	}
}
"""
_NAMED_SET = """table inet filter {
	set octopus {
		type ipv4_addr
		elements = { 192.0.2.10, 192.0.2.11 }
	}
	set services {
		type inet_service
		elements = { 22, 10933 }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state vmap { established : accept, related : accept, invalid : drop }
		ip saddr @octopus tcp dport @services counter packets 91 bytes 5460 accept
		ip protocol icmp accept
		log prefix "dropped: " limit rate 3/minute
		counter packets 9127 bytes 501272 drop
	}
	chain output {
		type filter hook output priority filter; policy accept;
	}
}
"""


@setup("firewall", modes=("listening",), systems=("linux",), unlike=(*_WAY, *OTHERS))
def firewalld_that_drops_but_for_a_rich_rule(world: Whole, name: str) -> None:
    """The default zone drops; a rich rule lets the server's address in at 10933."""
    world.sections[name]["firewall"] = as_survey(_RICH_RULE).model_copy(update={"engine": "firewalld"})


@setup("firewall", modes=("listening",), systems=("linux",), unlike=(*_WAY, *OTHERS))
def nftables_with_named_sets(world: Whole, name: str) -> None:
    """Default drop, a verdict map for states, sets for servers and ports, a rule that writes and one that counts."""
    world.sections[name]["firewall"] = as_survey(_NAMED_SET)


@setup("restarts", systems=("linux",), unlike=(*OTHERS, "service", "uptime"))
def unit_with_drop_ins(world: Whole, name: str) -> None:
    """A drop-in sets Restart=always and a limit of memory: systemd counts a restart at each upgrade, nine until now."""
    world[name].service |= {"restarts": 9, "environment": {}, "detail": "running / success"}
