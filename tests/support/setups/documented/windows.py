"""Windows as Microsoft's documentation, catalogues and clouds set it up: controllers, accounts, policies, images, volumes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.packet_filter.firewall import FirewallProfile, FirewallRule
from pytest_tentacle.survey.model import ConfigurationFile, Instance, Service
from pytest_tentacle.survey.surroundings import (
    Access,
    AccessEntry,
    Disk,
    Event,
    OwnName,
    PortRange,
    Product,
    Reservations,
    ServiceAccount,
    TlsPolicy,
)
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.whole import LISTENS, Whole, line, started
from support.logs import read_log
from support.setups import setup
from support.setups.customers.apart import OTHERS
from support.setups.machines import failover_cluster
from support.setups.systems import runs_as, with_tls_12

ALONE = (
    *OTHERS, "relay", "port", "balancer", "vantage", "address", "service", "service-name", "instance", "listener",
    "account", "container", "firewall", "access", "routes", "changes",
)  # fmt: skip
"""All aspects but its own: each of these is tried by itself."""
ADMINISTRATORS, USERS, EVERYBODY = "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0"
FULL = 0x1F01FF


def _windows(*aspects: str, modes: tuple[str, ...] = ("listening", "polling"), **more: Any) -> Any:
    return setup(*aspects, modes=modes, systems=("windows",), unlike=tuple(each for each in ALONE if each not in aspects), **more)  # fmt: skip


@_windows("account")
def domain_controller(world: Whole, name: str) -> None:
    """A domain controller: no local accounts, its group Administrators is the domain's, and its own name has an address for each site.

    Source: learn.microsoft.com, "Active Directory security groups" (Administrators on domain controllers);
    octopus.com/docs, running-tentacle-under-a-specific-user-account.
    """
    runs_as(world, name, "CORP\\svc-octopus", "S-1-5-21-10-20-30-1604", (EVERYBODY, ADMINISTRATORS, "S-1-5-21-10-20-30-512", "S-1-5-9"))  # fmt: skip
    draft = world[name]
    draft.host |= {"os_name": "Microsoft Windows Server 2022 Standard", "fqdn": f"{name}.corp.example"}
    draft.host["addresses"] = (draft.machine.ip, "10.40.0.10", "fe80::1")
    own = (draft.machine.ip, "10.40.0.10")
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=own),)


@_windows("account")
def account_with_spaces_and_umlauts(world: Whole, name: str) -> None:
    """`Dienst Müller & Söhne`: names of accounts may have spaces, umlauts and an ampersand.

    Source: learn.microsoft.com, "Active Directory: user naming attributes" (sAMAccountName).
    """
    runs_as(world, name, "CORP\\Dienst M\u00fcller & S\u00f6hne", "S-1-5-21-10-20-30-4711", (EVERYBODY, USERS))


@_windows("account", "language")
def network_service_in_german(world: Whole, name: str) -> None:
    """The account of the network on a German Windows, which calls it Netzwerkdienst.

    Source: learn.microsoft.com, "NetworkService account" (the name of the account is localised).
    """
    world[name].host |= {"os_name": "Microsoft Windows Server 2019 Standard", "user": "CORP\\Verwalter"}
    runs_as(world, name, "NT-AUTORIT\u00c4T\\Netzwerkdienst", "S-1-5-20", (EVERYBODY, USERS))


@_windows("account", "certificate")
def key_in_the_profile_of_its_account(world: Whole, name: str) -> None:
    """The key lies in the profile of the account that the service runs as, which owns it.

    Source: OctopusTentacle, Security/Certificates/CertificateEncoder.cs (StoreLocation.CurrentUser, store Octopus).
    """
    sid = "S-1-5-21-9-9-9-1001"
    runs_as(world, name, ".\\octopus", sid, (EVERYBODY, USERS))
    path = rf"C:\Users\octopus\AppData\Roaming\Microsoft\Crypto\RSA\{sid}\52ab417621a9d74c73e3e0f1bc374e0a_6f1d3b8c"
    entries = tuple(AccessEntry(sid=each, mask=FULL) for each in ("S-1-5-18", ADMINISTRATORS, sid))
    (key,) = world.sections[name]["private_keys"]
    own = Access(path=path, owner=sid, entries=entries)
    world.sections[name]["private_keys"] = (key.model_copy(update={"access": own}),)


@_windows("instance", modes=("listening",))
def instances_each_with_its_account_and_port(world: Whole, name: str) -> None:
    """Three instances for three teams: each has its port, its account, its home, its certificate and its service.

    Source: octopus.com/docs/administration/managing-infrastructure/managing-multiple-instances.
    """
    world.second_instance(name)
    draft = world[name]
    trusted = draft._survey().instances.data[0].configuration.settings
    found = []
    services, listeners = [], list(draft.listeners)
    for at, instance in enumerate(("Tentacle", "Team Blue", "Team Green")):
        home, port = rf"D:\Octopus\{instance}", 10933 + at
        mine = trusted | {
            "Tentacle.Services.PortNumber": str(port),
            "Octopus.Home": home,
            "Tentacle.CertificateThumbprint": thumbprint(name if at == 0 else instance),
        }
        path = rf"C:\ProgramData\Octopus\Tentacle\Instances\{instance}.config"
        file = ConfigurationFile(path=path, settings=mine)
        found.append(Instance(product="tentacle", name=instance, configuration=file))
        if at:
            unit = {"name": f"OctopusDeploy Tentacle: {instance}", "instance": instance, "pid": 3300 + at}
            unit |= {"account": rf"CORP\svc-{at}", "arguments": f'run --instance="{instance}"'}
            services.append(Service(**(draft.service | unit)))
            owner = {"pid": 3300 + at, "name": "Tentacle.exe"}
            listeners.append({"address": "::", "port": port, "pid": 3300 + at, "owner": owner})
    draft.listeners = listeners
    world.more_services[name] = tuple(services)
    world.sections[name]["instances"] = tuple(found)
    (own,) = world.sections[name]["permissions"]
    world.sections[name]["permissions"] = (own.model_copy(update={"home": r"D:\Octopus\Tentacle"}),)


@_windows("uptime", "log")
def delayed_start_since_this_night(world: Whole, name: str) -> None:
    """Restarted for updates at night; as a delayed start it came two and a half minutes after the boot.

    Source: learn.microsoft.com, SERVICE_DELAYED_AUTO_START_INFO; octopus.com/docs/support (delayed start of Tentacle).
    """
    draft = world[name]
    boot, ago = timedelta(hours=9), timedelta(hours=9) - timedelta(seconds=150)
    draft.host["boot_utc"] = NOW - boot
    draft.service["started_utc"] = NOW - ago
    pid = draft.service["pid"]
    before = world.logs[name].replace(f" {pid:>6} ", "   4711 ")
    before += line(boot + timedelta(seconds=80), "INFO", "The Windows Service has stopped", 4711)
    if draft.machine.mode == "polling":
        world.logs[name] = before + world.polls_at_start(name, ago=ago) + world.secured(name, "octo-1", ago=ago)
        return
    world.logs[name] = before + started(pid, LISTENS, ago=ago) + world.visit(name, "octo-1")


@_windows("events")
def recovery_that_restarted_it(world: Whole, name: str) -> None:
    """`sc failure "OctopusDeploy Tentacle" actions= restart/60000`: five days ago it ended, and was started again.

    Source: learn.microsoft.com, sc failure; event 7031 of the service control manager.
    """
    data = {"param1": "OctopusDeploy Tentacle", "param2": "1", "param3": "60000", "param4": "1", "param5": "Restart the service"}  # fmt: skip
    at = NOW - timedelta(days=5)
    world.sections[name]["events"] = (
        Event(source="service-control-manager", id=7031, time_utc=at, data=data),
        Event(source="service-control-manager", id=7036, time_utc=at + timedelta(minutes=1), data={"param1": "OctopusDeploy Tentacle", "param2": "running"}),
    )  # fmt: skip


@_windows("service", "certificate", "address", modes=("listening",))
def cluster_on_a_shared_volume(world: Whole, name: str) -> None:
    """A clustered Tentacle whose home lies on a Cluster Shared Volume: either node reads it, and one of the two runs it.

    Source: learn.microsoft.com, "Use Cluster Shared Volumes in a failover cluster".
    """
    failover_cluster(world, name)
    for node in (name, "web-08"):
        world[node].config_error = None
        world[node].settings["Octopus.Home"] = r"C:\ClusterStorage\Volume1\Octopus"
    active = world.sections["web-08"]["permissions"][0]
    world.sections["web-08"]["permissions"] = (active.model_copy(update={"home": r"C:\ClusterStorage\Volume1\Octopus"}),)  # fmt: skip
    world.logs[name] = world.logs["web-08"]


@_windows("firewall", modes=("listening",))
def profiles_by_the_benchmark(world: Whole, name: str) -> None:
    """CIS: all profiles block, and rules of the machine's own hold in none but the domain's, which it is in.

    Source: CIS Microsoft Windows Server 2022 Benchmark, 9.3.5 ("Apply local firewall rules", Public: No).
    """
    profiles = tuple(
        FirewallProfile(name=each, enabled=True, inbound="block", local_rules=each != "Public", active=each == "Domain")
        for each in ("Domain", "Private", "Public")
    )
    rule = FirewallRule(name="Octopus Deploy Tentacle", action="allow", ports=("10933",), remote=("192.0.2.10",))
    world.change(name, "firewall", profiles=profiles, rules=(rule,))


@_windows("version", "tls")
def suites_of_a_policy_of_2012(world: Whole, name: str) -> None:
    """Windows Server 2012 R2 with an order of suites by policy, which names them with their curves.

    Source: learn.microsoft.com, "TLS Cipher Suites in Windows 8.1" (`..._P256`).
    """
    world[name].host |= {"os_name": "Microsoft Windows Server 2012 R2 Standard", "os_version": "6.3.9600", "dotnet_release": 528049}  # fmt: skip
    suites = (
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P384",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256_P256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384_P384",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
    )
    world.sections[name]["tls"] = TlsPolicy(library="Schannel", build=9600, cipher_suites=suites, fips=False)
    with_tls_12(world, name)


@_windows("events")
def schannel_that_tells_all(world: Whole, name: str) -> None:
    """EventLogging is 7: each handshake is an event, and so is a process without a certificate of its own to present.

    Source: learn.microsoft.com, "Enable Schannel event logging" (36880, 36868, 36886).
    """
    pid = str(world[name].service["pid"])
    rows: tuple[tuple[int, dict[str, str]], ...] = (
        (36880, {"Type": "server", "Protocol": "TLS 1.3", "CipherSuite": "0x1302", "CallerProcessId": pid}),
        (36868, {"Type": "server", "CSPName": "Microsoft Enhanced RSA and AES Cryptographic Provider", "CallerProcessId": pid}),
        (36867, {"Type": "client", "CallerProcessId": pid}),
        (36886, {"CallerProcessId": "712"}),
    )  # fmt: skip
    world.sections[name]["events"] = tuple(
        Event(source="schannel", id=number, time_utc=NOW - timedelta(minutes=at + 1), data=data)
        for at, (number, data) in enumerate(rows)
    )


@_windows("version", "tls", "log")
def windows_2016_with_tentacle_7(world: Whole, name: str) -> None:
    """Windows Server 2016 with Tentacle 7.0 for .NET Framework 4.8: no TLS 1.3 at all.

    Source: octopus.com/docs/infrastructure/deployment-targets/tentacle/windows/requirements.
    """
    world[name].host |= {"os_name": "Microsoft Windows Server 2016 Standard", "os_version": "10.0.14393", "dotnet_release": 528049}  # fmt: skip
    suites = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_256_CBC_SHA")
    world.sections[name]["tls"] = TlsPolicy(library="Schannel", build=14393, cipher_suites=suites, fips=False)
    with_tls_12(world, name)
    (own,) = world.sections[name]["products"]
    world.sections[name]["products"] = (Product(product="tentacle", version="7.0.114", path=own.path),)
    world.logs[name] = world.logs[name].replace("9.1.3268", "7.0.114")


@_windows("reserved", modes=("listening",))
def port_that_is_reserved_for_it(world: Whole, name: str) -> None:
    """An administrator reserved 10933 so that no Hyper-V takes it; a program that asks for it by number gets it.

    Source: learn.microsoft.com, netsh interface ipv4 add excludedportrange; github.com/docker/for-win/issues/3171.
    """
    world[name].reservations = Reservations(excluded=(PortRange(first=10933, last=10933),), http_sys=("HTTP://+:5985/WSMAN/",))  # fmt: skip
    world.sections[name]["reservations"] = world[name].reservations


def _home(world: Whole, name: str, home: str, volume: str) -> None:
    world[name].settings["Octopus.Home"] = home
    (own,) = world.sections[name]["permissions"]
    access = tuple(each.model_copy(update={"path": home}) for each in own.access)
    world.sections[name]["permissions"] = (own.model_copy(update={"home": home, "access": access}),)
    world.sections[name]["disks"] = (
        Disk(path="C:\\", free_bytes=900 * 1024**2, size_bytes=60 * 1024**3),
        Disk(path=volume, free_bytes=90 * 1024**3, size_bytes=200 * 1024**3),
    )[1:]


@_windows("disk")
def home_at_a_mount_point(world: Whole, name: str) -> None:
    """The volume of the home has no letter: it is mounted in a folder.

    Source: learn.microsoft.com, "Assign a mount point folder path to a drive".
    """
    _home(world, name, r"C:\Mounts\Data\Octopus", "C:\\Mounts\\Data\\")


@_windows("disk")
def home_with_odd_letters(world: Whole, name: str) -> None:
    """`Octopus [Prod] & Co's (1)`: all of it is allowed in a folder's name.

    Source: learn.microsoft.com, "Naming Files, Paths, and Namespaces".
    """
    _home(world, name, r"D:\Octopus [Prod] & Co's (1)", "D:\\")


@_windows("log", unread=("identify-the-problem", "proxies-and-ssl-offloading", "other-error-messages"))
def layout_of_their_own(world: Whole, name: str) -> None:
    """Tentacle.exe.nlog has a layout of the house, with bars and without a process: its lines are another program's to read.

    Source: octopus.com/docs/support/log-files (Tentacle.exe.nlog); nlog-project.org, Layouts.
    """
    rows = [each.split(None, 5) for each in world.logs[name].splitlines() if each[:2] == "20"]
    text = "".join(f"{day} {time}|{level}|{text}\n" for day, time, _, _, level, text in rows)
    log = read_log(text.encode(), product="tentacle", instance="Tentacle", path=f"/logs/{name}.txt")
    world.sections[name]["logs"] = (log.model_copy(update={"modified_utc": NOW - timedelta(minutes=10)}),)


@_windows("log")
def image_that_was_generalised(world: Whole, name: str) -> None:
    """The image's log came along: half a year ago another machine was set up on it, and the instance made anew from there.

    Source: octopus.com/docs, automating-tentacle-installation ("Cloning Tentacle VMs"); learn.microsoft.com, Sysprep.
    """
    old = timedelta(days=180)
    of_the_image = started(1820, LISTENS, ago=old, version="8.1.1713")
    of_the_image += line(
        old, "INFO", "listen://[::]:10933/             91  Accepted TCP client: [::ffff:10.1.1.5]:50000", 1820
    )
    of_the_image += line(old - timedelta(seconds=60), "INFO", "The Windows Service has stopped", 1820)
    again = timedelta(days=3, minutes=2)
    for at, (pid, command, text) in enumerate((
        (2001, "NewCertificateCommand", f"A new certificate has been generated and installed. Thumbprint:\n{thumbprint(name)}"),
        (2002, "RegisterMachineCommand", "Machine registered successfully"),
    )):  # fmt: skip
        ago = again - timedelta(seconds=20 * at)
        of_the_image += line(ago, "INFO", "=" * 80, pid) + line(ago, "INFO", f"==== {command} ====", pid)
        of_the_image += line(ago - timedelta(seconds=3), "INFO", text, pid)
    world.logs[name] = of_the_image + world.logs[name]


@_windows("host-name", "address")
def instance_of_ec2(world: Whole, name: str) -> None:
    """EC2: the host is called EC2AMAZ-8KLM12A, knows its private address alone, and is declared with its Elastic IP.

    Source: docs.aws.amazon.com/AWSEC2, "Amazon EC2 instance IP addressing".
    """
    world[name].host |= {"hostname": "EC2AMAZ-8KLM12A", "fqdn": "ip-172-31-5-9.eu-central-1.compute.internal"}
    world.behind_nat(name, "172.31.5.9")
    rows = world.sections[name]["connections"]
    own = {"local_address": "172.31.5.9"}
    world.sections[name]["connections"] = tuple(each.model_copy(update=own) for each in rows)


@_windows("service-name", "account")
def account_in_other_letters(world: Whole, name: str) -> None:
    """The account is written in capitals in the service, and otherwise in the domain: names of accounts have no case.

    Source: learn.microsoft.com, sc config obj= (not case-sensitive).
    """
    runs_as(world, name, "corp.example\\SVC-OCTOPUS", "S-1-5-21-10-20-30-2217", (EVERYBODY, ADMINISTRATORS, USERS))
    service = world[name].service["name"]
    mine = ServiceAccount(service=service, account="CORP\\svc-octopus", sid="S-1-5-21-10-20-30-2217", process_sid="S-1-5-21-10-20-30-2217")  # fmt: skip
    world.sections[name]["service_accounts"] = (mine,)
