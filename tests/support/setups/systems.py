"""More machines that are well: old and new systems, other file systems, other ways to run a service, other accounts."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.survey.surroundings import (
    Access,
    AccessControl,
    AccessEntry,
    Disk,
    Event,
    FileLabel,
    PortRange,
    ProcessLabel,
    Product,
    Reservations,
    RootLists,
    ServiceAccount,
    TlsPolicy,
    Watchdog,
)
from support import NOW
from support.fleets.looks import OWN_PORT
from support.fleets.whole import LINUX_SUITES, Whole, started
from support.fleets.world import probe

from . import setup

_APART = ("loading", "tls", "version", "events", "start", "language", "restarts", "clock", "zone", "proxies")


def with_tls_12(world: Whole, name: str) -> None:
    """All that looks at it, and all that it looks at, meets TLS 1.2."""
    for draft in world.drafts.values():
        for probes in (draft.own, draft.peer):
            for at, each in enumerate(probes):
                mine = draft is world[name] or each.link.tentacle == name
                if mine and each.tls is not None and each.tls.version:
                    older = {"version": "TLSv1.2", "cipher": "ECDHE-RSA-AES256-GCM-SHA384"}
                    probes[at] = each.model_copy(update={"tls": each.tls.model_copy(update=older)})
    world.logs[name] = world.logs[name].replace("Tls13", "Tls12")


def _moved(world: Whole, name: str, executable: str, **service: object) -> None:
    world[name].service |= {"executable": executable, **service}
    loading = world.sections[name]["loading"]
    times = tuple(each.model_copy(update={"executable": executable}) for each in loading.times)
    world.change(name, "loading", times=times)
    (product,) = world.sections[name]["products"]
    world.sections[name]["products"] = (product.model_copy(update={"path": executable}),)


@setup("disk", systems=("linux",))
def file_system_without_inodes(world: Whole, name: str) -> None:
    """Btrfs counts no inodes: `df -i` tells 0 of 0."""
    room = 200 * 1024**3
    world.sections[name]["disks"] = (Disk(path="/", free_bytes=room, size_bytes=2 * room, inodes=0, free_inodes=0),)


@setup("disk", systems=("linux",), unlike=("account",))
def read_only_root(world: Whole, name: str) -> None:
    """An image whose root is read-only and full; the home lies on a file system of its own."""
    home = "/var/lib/octopus"
    world[name].settings["Octopus.Home"] = home
    (own,) = world.sections[name]["permissions"]
    access = (Access(path=home, owner="root", group="root", mode=0o755),)
    world.sections[name]["permissions"] = (own.model_copy(update={"home": home, "access": access}),)
    world.sections[name]["disks"] = (Disk(path="/var", free_bytes=9 * 1024**3, size_bytes=20 * 1024**3),)


@setup("disk", systems=("windows",), unlike=("account",))
def home_on_a_share(world: Whole, name: str) -> None:
    """Octopus.Home lies on a file server's share, of whose room the machine knows nothing."""
    home = r"\\files.example\octopus$\web-01"
    world[name].settings["Octopus.Home"] = home
    (own,) = world.sections[name]["permissions"]
    entries = (AccessEntry(sid="S-1-5-32-544", mask=0x1F01FF),)
    access = (Access(path=home, owner="S-1-5-32-544", entries=entries),)
    world.sections[name]["permissions"] = (own.model_copy(update={"home": home, "access": access}),)


@setup("disk", systems=("linux",), unlike=("service", "version"))
def path_of_nixos(world: Whole, name: str) -> None:
    """The program lies in a store with a name of 32 letters, and a link leads to it."""
    _moved(world, name, "/nix/store/0vq9l2b8m3k7y1xw4dz5c6n8r2p3s4t5-octopus-tentacle-9.1.3268/bin/Tentacle")


@setup("disk", systems=("linux",), unlike=("service", "loading", "version"))
def run_by_dotnet(world: Whole, name: str) -> None:
    """A portable build, run by the machine's own .NET: `dotnet Tentacle.dll agent`."""
    _moved(world, name, "/usr/bin/dotnet", arguments="/opt/octopus/tentacle/Tentacle.dll agent --instance Tentacle")
    dll = "/opt/octopus/tentacle/Tentacle.dll"
    world.sections[name]["products"] = (Product(product="tentacle", version="9.1.3268", path=dll),)
    for listener in world[name].listeners:
        listener["owner"] = {"pid": listener["pid"], "name": "dotnet", "executable": "/usr/bin/dotnet"}


@setup("service-name", systems=("linux",), unlike=("service", "instance", "account", "restarts", "container"))
def unit_of_an_ansible_role(world: Whole, name: str) -> None:
    """A role writes the unit itself: another name, a user of its own, --noninteractive."""
    unit = "octopus-tentacle.service"
    world[name].service |= {
        "name": unit,
        "account": "tentacle",
        "arguments": "agent --instance Tentacle --noninteractive",
    }
    (own,) = world.sections[name]["permissions"]
    access = (Access(path=own.home, owner="tentacle", group="tentacle", mode=0o700),)
    world.sections[name]["permissions"] = (own.model_copy(update={"account": "tentacle", "access": access}),)
    account = ServiceAccount(service=unit, account="tentacle", sid="990", process_sid="990")
    world.sections[name]["service_accounts"] = (account,)


@setup("service", modes=("listening",), systems=("linux",), unlike=("uptime", "account", "service-name", "instance", "restarts", "container", "loading", "disk", "access", "firewall"))  # fmt: skip
def run_by_supervisord(world: Whole, name: str) -> None:
    """Alpine, a container with several programs, WSL: no systemd; supervisord runs `Tentacle agent --noninteractive`."""
    draft = world[name]
    draft.unknown["services"] = "this machine has no systemctl, so its services cannot be read"
    world.sections[name]["service_accounts"] = ()
    world.sections[name]["permissions"] = ()
    process = {
        "pid": 2136, "name": "Tentacle", "executable": "/opt/octopus/tentacle/Tentacle",
        "command_line": "/opt/octopus/tentacle/Tentacle agent --instance Tentacle --noninteractive", "parent_pid": 1,
    }  # fmt: skip
    draft.listeners[0]["owner"] = process


@setup("access", systems=("linux",), unlike=("service", "container", "disk", "account"))
def selinux_that_confines_others(world: Whole, name: str) -> None:
    """RHEL with SELinux enforcing: Tentacle runs unconfined, its folders have the labels of their places."""
    executable, unit = world[name].service["executable"], world[name].service["name"]
    label = "system_u:system_r:unconfined_service_t:s0"
    world.sections[name]["access_control"] = AccessControl(
        selinux="enforcing",
        processes=(ProcessLabel(service=unit, pid=world[name].service["pid"], label=label),),
        labels=(
            FileLabel(path=executable, label="system_u:object_r:usr_t:s0"),
            FileLabel(path="/etc/octopus/Tentacle", label="unconfined_u:object_r:etc_t:s0"),
        ),
        records_since=NOW - timedelta(days=9),
    )


@setup("access", systems=("linux",), unlike=("service", "container", "disk", "account"))
def apparmor_that_confines_others(world: Whole, name: str) -> None:
    """Ubuntu with AppArmor: Tentacle has no profile."""
    unit, pid = world[name].service["name"], world[name].service["pid"]
    world.sections[name]["access_control"] = AccessControl(
        selinux="disabled", apparmor=True, processes=(ProcessLabel(service=unit, pid=pid, label="unconfined"),)
    )


@setup("version", "tls", systems=("windows",), unlike=("address", "balancer", "relay", "port", "listener"))
def windows_2012_r2(world: Whole, name: str) -> None:
    """Windows Server 2012 R2 with PowerShell 4: no cmdlet lists its cipher suites, and all is TLS 1.2."""
    world[name].host |= {
        "os_name": "Microsoft Windows Server 2012 R2 Standard", "os_version": "6.3.9600", "dotnet_release": 379893,
    }  # fmt: skip
    world.sections[name]["tls"] = TlsPolicy(library="Schannel", build=9600, fips=False)
    with_tls_12(world, name)
    product = world.sections[name]["products"][0].model_copy(update={"version": "6.3.605"})
    world.sections[name]["products"] = (product,)
    world.logs[name] = world.logs[name].replace("9.1.3268", "6.3.605")


@setup("version", "tls", systems=("linux",), unlike=("uptime", "address", "balancer", "relay", "port", "listener"))
def enterprise_linux_7(world: Whole, name: str) -> None:
    """RHEL 7: OpenSSL 1.0.2 speaks no TLS 1.3, and systemd 219 counts no restarts."""
    world[name].host |= {"os_name": "Red Hat Enterprise Linux Server 7.9 (Maipo)"}
    world[name].service["restarts"] = None
    suites = tuple(each for each in LINUX_SUITES if not each.startswith("TLS_AES"))
    world.sections[name]["tls"] = TlsPolicy(
        library="OpenSSL 1.0.2k-fips  26 Jan 2017", cipher_suites=suites, fips=False
    )
    with_tls_12(world, name)


@setup("language", systems=("windows",), unlike=("account", "certificate", "service"))
def french_windows(world: Whole, name: str) -> None:
    """Windows in French, with French names of its accounts."""
    account = "AUTORITE NT\\Syst\u00e8me"
    world[name].host |= {"os_name": "Microsoft Windows Server 2019 Standard", "user": account}
    world[name].service["account"] = account
    (own,) = world.sections[name]["permissions"]
    world.sections[name]["permissions"] = (own.model_copy(update={"account": account}),)


def runs_as(world: Whole, name: str, account: str, sid: str, groups: tuple[str, ...]) -> None:
    world[name].service["account"] = account
    (own,) = world.sections[name]["permissions"]
    entries = (AccessEntry(sid="S-1-5-32-544", mask=0x1F01FF), AccessEntry(sid=sid, mask=0x1301BF))
    access = (Access(path=own.home, owner="S-1-5-32-544", entries=entries),)
    rights = {"account": account, "sid": sid, "groups": groups, "access": access}
    world.sections[name]["permissions"] = (own.model_copy(update=rights),)
    service = world[name].service["name"]
    mine = ServiceAccount(service=service, account=account, sid=sid, process_sid=sid)
    world.sections[name]["service_accounts"] = (mine,)
    loading = world.sections[name]["loading"]
    world.change(
        name, "loading", revocation=tuple(each.model_copy(update={"account": account}) for each in loading.revocation)
    )
    held = AccessEntry(sid=sid, mask=0x120089)
    keys = tuple(
        key.model_copy(
            update={
                "account": account,
                "sid": sid,
                "access": key.access.model_copy(update={"entries": (*(key.access.entries or ()), held)}),
            }
        )
        for key in world.sections[name]["private_keys"]
        if key.access
    )
    world.sections[name]["private_keys"] = keys


@setup("account", systems=("windows",))
def network_service(world: Whole, name: str) -> None:
    """NetworkService, which was given the home and the key."""
    runs_as(world, name, "NT AUTHORITY\\NetworkService", "S-1-5-20", ("S-1-1-0", "S-1-5-32-545"))


@setup("account", systems=("windows",))
def account_by_its_user_principal_name(world: Whole, name: str) -> None:
    """The service was set up with `svc-octopus@corp.example`."""
    sid = "S-1-5-21-10-20-30-2217"
    runs_as(world, name, "svc-octopus@corp.example", sid, ("S-1-1-0", "S-1-5-32-544", "S-1-5-32-545"))


@setup("transport", systems=("windows",), unlike=("instance",))
def windows_by_openssh(world: Whole, name: str) -> None:
    """WinRM is switched off, and we log on by OpenSSH for Windows."""
    world[name].declare(transport=SSH(host=world[name].machine.transport.host))


@setup("events", systems=("windows",))
def handshakes_of_others(world: Whole, name: str) -> None:
    """Schannel tells of old browsers at the web server of this machine, all day long."""
    world.sections[name]["events"] = tuple(
        Event(source="schannel", id=number, time_utc=NOW - timedelta(minutes=7 * ago), data=data)
        for ago, (number, data) in enumerate(
            [
                (36874, {"Protocol": "TLS 1.0"}),
                (36888, {"AlertDesc": "40", "ErrorState": "1205"}),
                (36887, {"AlertDesc": "46"}),
            ]
            * 3,
            start=1,
        )
    )


@setup("start", systems=("windows",))
def watchdog_that_looks_every_five_minutes(world: Whole, name: str) -> None:
    """Tentacle's watchdog is set up, and ran a minute ago."""
    task = Watchdog(name="Octopus Watchdog Tentacle", state="ready", last_result=0)
    world.sections[name]["watchdog"] = (task,)


@setup("reserved", systems=("windows",), unlike=("port", "relay"))
def ports_that_hyper_v_took(world: Whole, name: str) -> None:
    """Hyper-V keeps ranges of ports for itself, and http.sys serves WinRM and IIS: none of them is the Tentacle's."""
    world[name].reservations = Reservations(
        excluded=(PortRange(first=50000, last=50059), PortRange(first=10800, last=10899)),
        http_sys=("HTTP://+:5985/WSMAN/", "HTTP://*:80/", "HTTPS://*:443/"),
    )
    world.sections[name]["reservations"] = world[name].reservations


@setup("tls", systems=("windows",))
def without_the_internet_by_policy(world: Whole, name: str) -> None:
    """No way to the internet, and a policy says so: Windows does not look for lists of roots."""
    policy = world.sections[name]["tls"]
    world.sections[name]["tls"] = policy.model_copy(update={"root_lists": RootLists(disabled=True)})
    loading = world.sections[name]["loading"]
    off = tuple(each.model_copy(update={"enabled": False, "reachable": None}) for each in loading.revocation)
    world.change(name, "loading", revocation=off)


@setup("environment", systems=("linux",), modes=("polling",), unlike=("proxies", "balancer", "service", "container"))
def proxy_of_the_unit_that_leaves_the_server_out(world: Whole, name: str) -> None:
    """The unit's environment has a proxy for downloads, and NO_PROXY names the server's domain."""
    world[name].service["environment"] = {
        "HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "localhost,.example",
    }  # fmt: skip


@setup("listener", modes=("listening",), systems=("windows",), unlike=("instance", "address", "port", "relay", "log", "uptime", "server"))  # fmt: skip
def listens_on_ipv4_of_one_card(world: Whole, name: str) -> None:
    """A web server with a card for management: ListenIP is that card's address, and the inventory's as well."""
    draft = world[name]
    draft.host["addresses"] = ("172.20.0.5", draft.machine.ip, "fe80::1")
    draft.settings["Tentacle.Services.ListenIP"] = draft.machine.ip
    draft.listeners[0]["address"] = draft.machine.ip
    draft.replace(OWN_PORT, probe(draft.machine.ip, whose=name))
    world.logs[name] = (
        world.logs[name].replace("[::]:", f"{draft.machine.ip}:").replace("[::ffff:192.0.2.10]", "192.0.2.10")
    )


@setup("uptime", unlike=("log", "service", "trust", "balancer", "relay", "port", "listener", "instance"))
def set_up_ten_minutes_ago(world: Whole, name: str) -> None:
    """A new machine: its instance was made, its service installed, and it was registered a few minutes ago."""
    draft, ago = world[name], timedelta(minutes=9)
    draft.host["boot_utc"] = NOW - timedelta(days=400)
    draft.service["started_utc"] = NOW - ago
    calls = "".join(
        started(pid, "Tentacle was told", ago=timedelta(minutes=minutes)).replace("RunAgentCommand", command)
        for pid, minutes, command in (
            (3100, 10, "CreateInstanceCommand"), (3101, 10, "NewCertificateCommand"), (3102, 10, "ConfigureCommand"),
        )
    )  # fmt: skip
    if draft.machine.mode == "listening":
        world.logs[name] = (
            calls + started(2136, "Agent listening on: [::]:10933", ago=ago) + world.visit(name, "octo-1", ago=200)
        )
        return
    world.logs[name] = (
        calls + world.polls_at_start(name, ago=ago) + world.secured(name, "octo-1", ago=timedelta(minutes=8))
    )
