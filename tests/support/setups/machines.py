"""What runs on the machine, as whom, since when, and how: services, accounts, rights, load time, languages, versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.inventory.model import Local
from pytest_tentacle.packet_filter.firewall import FirewallProfile, FirewallRule
from pytest_tentacle.survey.surroundings import Access, AccessEntry, Disk, Event, Product, TlsPolicy, TlsProtocol
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.failures import REFUSED
from support.fleets.looks import OWN_PORT
from support.fleets.whole import DAYS, WINDOWS_SUITES, Whole, line, started
from support.fleets.world import probe

from . import setup

FULL, MODIFY = 0x1F01FF, 0x1301BF
ADMINISTRATORS, USERS, EVERYBODY = "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0"
POOL, DOMAIN_ACCOUNT = "S-1-5-82-271721585-1234", "S-1-5-21-1-2-3-1110"


def _allow(*entries: tuple[str, int], inherited: bool = False) -> tuple[AccessEntry, ...]:
    return tuple(AccessEntry(sid=sid, mask=mask, inherited=inherited) for sid, mask in entries)


def _rights(world: Whole, name: str, **values: Any) -> None:
    (own,) = world.sections[name]["permissions"]
    world.sections[name]["permissions"] = (own.model_copy(update=values),)


def _load(world: Whole, name: str, cold: float, warm: float) -> None:
    loading = world.sections[name]["loading"]
    times = tuple(each.model_copy(update={"cold_ms": cold, "warm_ms": warm}) for each in loading.times)
    world.change(name, "loading", times=times)


def _account(world: Whole, name: str, account: str, sid: str | None, **rights: Any) -> None:
    world[name].service["account"] = account
    home = world.sections[name]["permissions"][0].home
    access = (Access(path=home, owner=ADMINISTRATORS, entries=_allow((ADMINISTRATORS, FULL), (USERS, 0x1200A9))),)
    _rights(world, name, account=account, sid=sid, **({"access": access} | rights))
    loading = world.sections[name]["loading"]
    revocation = tuple(each.model_copy(update={"account": account}) for each in loading.revocation)
    world.change(name, "loading", revocation=revocation)


@setup("loading")
def small_machine(world: Whole, name: str) -> None:
    """One slow core: the help takes a little more than the guide's second."""
    _load(world, name, 2600, 1250)


@setup("loading")
def busy_machine(world: Whole, name: str) -> None:
    """An antivirus program, and some hundred assemblies."""
    _load(world, name, 6900, 2600)


@setup("loading", modes=("polling",))
def small_server(world: Whole, name: str) -> None:
    """An Octopus Server on two cores takes seconds to say its help."""
    assert name
    _load(world, "octo-1", 7200, 4300)


@setup("loading", systems=("windows",))
def no_internet(world: Whole, name: str) -> None:
    """Windows cannot fetch lists of revocations, and nothing waits for them."""
    loading = world.sections[name]["loading"]
    revocation = tuple(each.model_copy(update={"reachable": False}) for each in loading.revocation)
    world.change(name, "loading", revocation=revocation)


@setup("account", systems=("windows",))
def managed_account(world: Whole, name: str) -> None:
    """A gMSA that is an administrator by a group of the domain, which nobody can read from here."""
    _account(world, name, "CORP\\svc-octopus$", DOMAIN_ACCOUNT, groups=(EVERYBODY, USERS), groups_complete=False)


@setup("account", systems=("windows",))
def unknown_account(world: Whole, name: str) -> None:
    """A domain account of a domain whose controllers do not answer: not even its SID is known."""
    _account(world, name, "CORP\\octopus", None, groups=(), groups_complete=False)


@setup("account", systems=("windows",))
def local_account_with_modify(world: Whole, name: str) -> None:
    """An account of its own, with just the rights that the work needs."""
    home = world.sections[name]["permissions"][0].home
    sid = "S-1-5-21-9-9-9-1001"
    access = (Access(path=home, owner=ADMINISTRATORS, entries=_allow((ADMINISTRATORS, FULL), (sid, MODIFY))),)
    _account(world, name, ".\\octopus", sid, groups=(EVERYBODY, USERS), access=access)


@setup("account", systems=("windows",))
def application_that_locks_its_folder(world: Whole, name: str) -> None:
    """A deployment keeps App_Data to its application pool: no business of the Tentacle's."""
    home = world.sections[name]["permissions"][0].home
    sid = "S-1-5-21-9-9-9-1001"
    own = Access(path=home, owner=ADMINISTRATORS, entries=_allow((ADMINISTRATORS, FULL), (sid, MODIFY)))
    application = Access(
        path=rf"{home}\Applications\Production\Shop\2.1\App_Data",
        owner=ADMINISTRATORS,
        entries=_allow((ADMINISTRATORS, FULL), (POOL, MODIFY)),
    )
    site = Access(path=rf"{home}\Sites\Shop\keys", owner=ADMINISTRATORS, entries=_allow((POOL, FULL)))
    deny = Access(
        path=rf"{home}\Applications\Production\Shop\2.1\logs",
        owner=ADMINISTRATORS,
        entries=(AccessEntry(sid=EVERYBODY, mask=FULL, deny=True),),
    )
    _account(world, name, ".\\octopus", sid, groups=(EVERYBODY, USERS), access=(own, application, site, deny))
    world[name].settings["Tentacle.Deployment.ApplicationDirectory"] = rf"{home}\Applications"


@setup("account", systems=("linux",))
def user_of_its_own(world: Whole, name: str) -> None:
    """A service user, to whom the home belongs; an application's folder does not."""
    home = world.sections[name]["permissions"][0].home
    world[name].service["account"] = "octopus"
    access = (
        Access(path=home, owner="octopus", group="octopus", mode=0o750),
        Access(path="/home/Octopus/Applications/Shop/data", owner="shop", group="shop", mode=0o700),
        Access(path=f"{home}/Applications/Shop/data", owner="shop", group="shop", mode=0o700),
    )
    _rights(world, name, account="octopus", sid=None, groups=("octopus",), access=access)


@setup("disk")
def another_drive(world: Whole, name: str) -> None:
    """Program, home and applications were moved to another drive."""
    windows = world[name].os == "windows"
    executable = r"E:\Apps\Octopus\Tentacle\Tentacle.exe" if windows else "/srv/octopus/tentacle/Tentacle"
    home = r"D:\Octopus" if windows else "/srv/octopus/home"
    world[name].service["executable"] = executable
    world[name].settings["Octopus.Home"] = home
    world[name].settings["Tentacle.Deployment.ApplicationDirectory"] = home + (r"\Apps" if windows else "/apps")
    (own,) = world.sections[name]["permissions"]
    access = tuple(each.model_copy(update={"path": home}) if each.path == own.home else each for each in own.access)
    _rights(world, name, home=home, access=access)
    loading = world.sections[name]["loading"]
    world.change(
        name, "loading", times=tuple(each.model_copy(update={"executable": executable}) for each in loading.times)
    )
    (product,) = world.sections[name]["products"]
    world.sections[name]["products"] = (product.model_copy(update={"path": executable}),)
    world.sections[name]["disks"] = (Disk(path="D:\\" if windows else "/srv", free_bytes=20 * 1024**3),)


@setup("uptime", unlike=("log", "service"))
def five_minutes_after_boot(world: Whole, name: str) -> None:
    """The machine was restarted; the log still tells of the end of the process before."""
    draft = world[name]
    ago = timedelta(minutes=4)
    draft.host["boot_utc"] = NOW - timedelta(minutes=5)
    draft.service["started_utc"] = NOW - ago
    before = world.logs[name]
    if draft.machine.mode == "listening":
        again = started(2136, "Agent listening on: [::]:10933", ago=ago) + world.visit(name, "octo-1", ago=100)
    else:
        again = world.polls_at_start(name, ago=ago)
        for server in draft.machine.servers:
            again += world.secured(name, server, ago=ago - timedelta(seconds=20))
    world.logs[name] = before.replace(" 2136 ", " 4711 ").replace("    900 ", "   4711 ") + again


@setup("uptime", "log", unlike=("uptime",))
def up_for_a_year(world: Whole, name: str) -> None:
    """The log was rolled over many times since: of the start there is no word any more."""
    draft = world[name]
    year = timedelta(days=400)
    draft.host["boot_utc"] = NOW - year
    draft.service["started_utc"] = NOW - year
    if draft.machine.mode == "listening":
        world.logs[name] = world.visit(name, "octo-1", ago=4000) + world.visit(name, "octo-1")
    else:
        world.logs[name] = "".join(
            world.secured(name, server, ago=timedelta(hours=9)) for server in draft.machine.servers
        )


@setup("log", modes=("listening",))
def probed_by_a_balancer(world: Whole, name: str) -> None:
    """Azure's or AWS's balancer opens its port every few seconds and hangs up."""
    where = "listen://[::]:10933/             91  "
    for ago in (45, 40, 35, 30, 25, 20):
        peer = f"[::ffff:168.63.129.16]:{50000 + ago}"
        world.say(name, "INFO", f"{where}Accepted TCP client: {peer}", ago)
        world.say(
            name,
            "ERROR",
            f"{where}Socket IO exception: {peer}\n"
            "System.IO.IOException: Unable to read data from the transport connection: An existing connection was "
            "forcibly closed by the remote host.",
            ago - 1,
        )


@setup("log", systems=("windows",))
def key_that_healed_itself(world: Whole, name: str) -> None:
    """At its start it could not use the key in its account's store, took the one of its settings, and went on."""
    text = (
        "The X509 certificate CN=Octopus Tentacle was loaded but the private key was not loaded. Could not find file "
        "'C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\1f'."
    )
    pid = 2136 if world[name].machine.mode == "listening" else 900
    lines = world.logs[name].splitlines(keepends=True)
    at = len(started(pid).splitlines())
    world.logs[name] = "".join((*lines[:at], line(DAYS, "WARN", text, pid), *lines[at:]))


@setup("language", systems=("windows",))
def german_windows(world: Whole, name: str) -> None:
    """Windows in German."""
    draft = world[name]
    draft.host |= {"os_name": "Microsoft Windows Server 2022 Standard", "user": "NT-AUTORIT\u00c4T\\SYSTEM"}
    if draft.service["account"] == "LocalSystem":
        draft.service["account"] = "NT-AUTORIT\u00c4T\\SYSTEM"
        _rights(world, name, account="NT-AUTORIT\u00c4T\\SYSTEM")
    firewall = world.sections[name]["firewall"]
    rules = tuple(rule.model_copy(update={"name": "Octopus-Fühler (eingehend)"}) for rule in firewall.rules)
    world.change(name, "firewall", rules=rules)


@setup("language", systems=("windows",))
def japanese_windows(world: Whole, name: str) -> None:
    """Windows in Japanese."""
    draft = world[name]
    draft.host |= {"os_name": "Microsoft Windows Server 2019 \u8a55\u4fa1\u7248"}
    firewall = world.sections[name]["firewall"]
    rules = tuple(rule.model_copy(update={"name": "\u30bf\u30b3"}) for rule in firewall.rules)
    world.change(name, "firewall", rules=rules)


@setup("firewall", systems=("windows",))
def rules_of_policy_alone(world: Whole, name: str) -> None:
    """Group policy counts alone, and its rule lets the server in alone; the local rule of old is another address's."""
    profile = FirewallProfile(name="Domain", enabled=True, inbound="block", local_rules=False, active=True)
    rules = (
        FirewallRule(
            name="by policy", action="allow", ports=("10933", "10943"), remote=("192.0.2.10",), source="policy"
        ),
        FirewallRule(name="of old", action="allow", ports=("10933",), remote=("192.0.2.200",)),
    )
    world.change(name, "firewall", profiles=(profile,), rules=rules)


@setup("firewall", systems=("windows",))
def block_rule_for_others(world: Whole, name: str) -> None:
    """A range is blocked for guests' addresses; the server is none of them."""
    firewall = world.sections[name]["firewall"]
    guests = FirewallRule(name="guests", action="block", ports=("10000-11000",), remote=("10.99.0.0/16",))
    world.change(name, "firewall", rules=(*firewall.rules, guests))


@setup("firewall", systems=("windows",))
def firewall_switched_off(world: Whole, name: str) -> None:
    """The perimeter's firewall is all there is."""
    world.change(name, "firewall", profiles=(FirewallProfile(name="Domain", enabled=False, active=True),), rules=())


@setup("tls", systems=("windows",))
def hardened(world: Whole, name: str) -> None:
    """TLS 1.0, 1.1 and 1.3, RC4 and 3DES are off."""
    protocols = tuple(
        TlsProtocol(name=version, side=side, enabled=version == "TLS 1.2", disabled_by_default=version != "TLS 1.2")
        for version in ("SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
        for side in ("client", "server")
    )
    world.sections[name]["tls"] = TlsPolicy(
        library="Schannel", build=20348, cipher_suites=WINDOWS_SUITES[1:2], fips=False, protocols=protocols
    )


@setup("tls")
def fips(world: Whole, name: str) -> None:
    """FIPS mode."""
    world.change(name, "tls", fips=True)


@setup("version")
def old_version(world: Whole, name: str) -> None:
    """A Tentacle of years ago."""
    (product,) = world.sections[name]["products"]
    world.sections[name]["products"] = (Product(product="tentacle", version="6.2.277", path=product.path),)


@setup("instance")
def several_instances(world: Whole, name: str) -> None:
    """Another instance on the host."""
    world.second_instance(name)


@setup("instance", unlike=("log",))
def only_instance_with_another_name(world: Whole, name: str) -> None:
    """Its only instance is not called Tentacle."""
    draft = world[name]
    draft.instances = ["Blue Green"]
    draft.declare(instance="Blue Green")
    windows = draft.os == "windows"
    draft.service |= {
        "name": "OctopusDeploy Tentacle: Blue Green" if windows else "Blue-Green.service",
        "instance": "Blue Green",
    }
    draft.own = [
        each.model_copy(update={"link": each.link.model_copy(update={"instance": "Blue Green"})})
        if each.link.instance
        else each
        for each in draft.own
    ]
    _rights(world, name, instance="Blue Green")


@setup("transport", modes=("listening",), systems=("windows",))
def pytest_runs_on_the_server(world: Whole, name: str) -> None:
    """The server is the machine that runs pytest."""
    assert name
    world["octo-1"].declare(transport=Local())


@setup("certificate", modes=("listening",))
def imported_certificate(world: Whole, name: str) -> None:
    """Machines that come and go were set up from one exported certificate, as Octopus documents it."""
    _same_certificate(world, name, "web-09", "198.51.100.9")


@setup("certificate", modes=("listening",))
def imported_certificate_that_is_declared(world: Whole, name: str) -> None:
    """The same, and the inventory says that it is meant so."""
    _same_certificate(world, name, "web-09", "198.51.100.9")
    for each in (name, "web-09"):
        world[each].declare(shares_certificate=True)


def _same_certificate(world: Whole, name: str, other: str, ip: str) -> None:
    draft = world.add_listening(other, ip)
    shared = thumbprint(name)
    draft.declare(thumbprint=shared)
    draft.settings["Tentacle.CertificateThumbprint"] = shared
    draft.replace(OWN_PORT, probe(whose=name))
    world.across(other, {"whose": name}, {"whose": name})


@setup("certificate", "log", modes=("listening",))
def server_with_a_renewed_certificate(world: Whole, name: str) -> None:
    """The server's certificate was renewed as planned: old and new are trusted."""
    draft = world[name]
    old = {**draft.trusted[0], "Thumbprint": "0123456789ABCDEF0123456789ABCDEF01234567"}
    draft.trusted.insert(0, old)


@setup(
    "service",
    "certificate",
    "address",
    modes=("listening",),
    unlike=("port", "uptime", "account", "log", "loading", "disk", "instance", "relay"),
)
def failover_cluster(world: Whole, name: str) -> None:
    """A clustered Tentacle: one certificate, one name, two nodes; this one stands by, and its disk is elsewhere."""
    _cluster(world, name)


@setup(
    "service",
    "certificate",
    "address",
    modes=("listening",),
    unlike=("port", "uptime", "account", "log", "loading", "disk", "instance", "relay"),
)
def failover_cluster_that_is_declared(world: Whole, name: str) -> None:
    """The same, each node by a name of its own, and the inventory says that they are a cluster."""
    _cluster(world, name)
    world[name].declare(cluster="sql-role")
    world["web-08"].declare(cluster="sql-role")


@setup(
    "service",
    "certificate",
    "address",
    modes=("listening",),
    systems=("windows",),
    unlike=("port", "uptime", "account", "log", "loading", "disk", "instance", "relay"),
)
def failover_cluster_by_its_own_word(world: Whole, name: str) -> None:
    """The same, and the cluster says on either node that it starts the service, and who runs it: web-08."""
    _cluster(world, name)
    world[name].service |= {"cluster": {"resource": "Octopus", "state": "online", "owner": "WEB-08", "group": "Role"}}
    world["web-08"].service |= {"cluster": {"resource": "Octopus"}, "start_mode": "manual"}


def _cluster(world: Whole, name: str) -> None:
    _same_certificate(world, name, "web-08", "198.51.100.8")
    passive, active = world[name], world["web-08"]
    role = {"dns_name": "role.example", "ip": "198.51.100.88"}
    for node in (passive, active):
        host = node.machine.name
        node.declare(**role)
        node.host["addresses"] = (f"198.51.100.{8 if host == 'web-08' else 1}",)
        world.sections[host]["own_names"] = ()
        looks: dict[str, Any] = {"whose": name, "addresses": ("198.51.100.88",)}
        world.across(host, looks, {"whose": name})
    active.host["addresses"] = (*active.host["addresses"], "198.51.100.88")
    passive.service |= {"state": "stopped", "pid": None, "exit_code": 0, "start_mode": "manual", "started_utc": None}
    passive.listeners = []
    passive.config_error = "not-found"
    passive.replace(OWN_PORT, probe(**REFUSED))
    world.sections[name]["permissions"] = ()
    world.logs[name] = started(2136, ago=timedelta(days=90))


@setup("events", systems=("windows",))
def old_trouble(world: Whole, name: str) -> None:
    """The service manager remembers a start that took too long, weeks ago."""
    at = NOW - timedelta(days=30)
    world.sections[name]["events"] = (
        Event(source="service-control-manager", id=7009, time_utc=at, data={"param1": "30000"}),
    )


@setup("start", systems=("windows",), unlike=("service",), told=("TT205",))
def started_by_hand(world: Whole, name: str) -> None:
    """Its start mode is manual by decision: it runs, and would be missing after a reboot. That is told, and no outage."""
    world[name].service["start_mode"] = "manual"
