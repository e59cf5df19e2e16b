"""What stands around a Tentacle (causes/surroundings.py, causes/machine.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.inventory.model import WinRM
from pytest_tentacle.link import By, Failure
from pytest_tentacle.packet_filter import read_sources
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallRule
from pytest_tentacle.sections.account.rights import FULL
from pytest_tentacle.sections.health.checks import LEAST_FREE
from pytest_tentacle.survey.surroundings import (
    Access,
    AccessControl,
    AccessEntry,
    Denial,
    Disk,
    Event,
    Loading,
    LoadTime,
    Permissions,
    Product,
    Proxy,
    Revocation,
    Route,
)
from support import NOW
from support.fleets.failures import DROPPED, REFUSED
from support.fleets.looks import OWN_PORT, from_server
from support.fleets.whole import Whole, make_linux, make_windows
from support.fleets.world import probe

from . import case
from .logs import fails_to_start

POLLING = "Octopus.Server.Proxy."
ME, USERS = "S-1-5-21-1-2-3-1001", "S-1-5-32-545"
HOME = r"C:\Octopus"
READ = 0x1200A9


def proxied(world: Whole, said: str, **settings: str) -> None:
    """poll-01 polls through a proxy by its settings, and its process said through which."""
    world["poll-01"].settings |= {f"{POLLING}UseDefaultProxy": "false"} | {
        f"{POLLING}{key}": value for key, value in settings.items()
    }
    world.logs["poll-01"] = world.polls_at_start("poll-01", proxy=said) + world.secured("poll-01", "octo-1")


@case("TT601", "poll-01")
def proxy_as_url(world: Whole) -> None:
    proxied(world, "http://proxy.example:3128", ProxyHost="http://proxy.example", ProxyPort="3128")


@case("TT602", "poll-01")
def proxy_port_is_none(world: Whole) -> None:
    proxied(world, "proxy.example:80", ProxyHost="proxy.example", ProxyPort="http")


@case("TT603", "poll-01")
def proxy_ignored(world: Whole) -> None:
    world["poll-01"].settings |= {f"{POLLING}UseDefaultProxy": "true", f"{POLLING}ProxyHost": "proxy.example"}


@case("TT604", "poll-01")
def own_server_as_proxy(world: Whole) -> None:
    proxied(world, "octo-1.example:10943", ProxyHost="octo-1.example", ProxyPort="10943")


@case("TT605", "poll-01")
def proxy_of_before(world: Whole) -> None:
    proxied(world, "old.example:3128", ProxyHost="proxy.example", ProxyPort="3128")


@case("TT711")
def nobodys_address(world: Whole) -> None:
    """The name and the inventory lead to an address that none of the machine's is, nor declared for it."""
    world["web-01"].declare(ip=None, transport=WinRM(host="10.9.9.9"))
    world["web-01"].host["addresses"] = ("10.9.9.9",)
    world.across("web-01", {"addresses": ("198.51.100.1",), **DROPPED})
    world["octo-1"].drop(from_server("web-01", By.ADDRESS))


@case("TT712")
def another_address_listens(world: Whole) -> None:
    world["web-01"].settings["Tentacle.Services.ListenIP"] = "10.9.9.9"
    world["web-01"].host["addresses"] = ("198.51.100.1", "10.9.9.9")
    world["web-01"].listeners[0]["address"] = "10.9.9.9"
    world.both("web-01", DROPPED)


@case("TT712")
def tied_to_another_device(world: Whole) -> None:
    """As `ip vrf exec` does it: only what comes by the management's card reaches its port."""
    make_linux(world, "web-01")
    tied(world, "mgmt0")
    world.both("web-01", REFUSED)


def tied(world: Whole, device: str) -> None:
    """web-01's port takes only what comes by this device, so that its own look is refused; its links use eth0."""
    world["web-01"].listeners[0] |= {"address": "0.0.0.0", "device": device}
    world["web-01"].replace(OWN_PORT, probe(fails="connect", error=Failure.REFUSED))
    server = world["octo-1"].machine.ip
    world.sections["web-01"]["routes"] = (Route(peer=str(server), address=str(server), device="eth0"),)


@case("TT713")
def link_local(world: Whole) -> None:
    world["web-01"].declare(ip="169.254.7.7")
    world["web-01"].host["addresses"] = ("169.254.7.7",)
    world.both("web-01", DROPPED)


def rights(world: Whole, *access: Access) -> None:
    """web-01 runs as an account of its own."""
    world["web-01"].service["account"] = r".\octopus"
    world.sections["web-01"]["permissions"] = (
        Permissions(
            instance="Tentacle",
            product="tentacle",
            account=r".\octopus",
            sid=ME,
            groups=(USERS, "S-1-1-0"),
            home=HOME,
            access=access,
            looked_at=len(access),
        ),
    )


def on(path: str, *entries: AccessEntry) -> Access:
    return Access(path=path, owner="S-1-5-18", entries=entries)


ALLOWED = AccessEntry(sid=ME, mask=FULL)


@case("TT801")
def no_rights_at_home(world: Whole) -> None:
    rights(world, on(HOME, AccessEntry(sid=USERS, mask=READ)))


@case("TT802")
def no_rights_below(world: Whole) -> None:
    rights(world, on(HOME, ALLOWED), on(HOME + r"\Work", AccessEntry(sid=USERS, mask=READ)))


@case("TT803")
def denied(world: Whole) -> None:
    rights(world, on(HOME, AccessEntry(sid=USERS, mask=2, deny=True), ALLOWED))


def denies(
    world: Whole, name: str, action: str, *, module: str = "selinux", process: str = "Tentacle", **more: object
) -> None:
    """A minute ago, by the kernel's records."""
    own = {
        "source": "system_u:system_r:tentacle_t:s0",
        "executable": world[name].service["executable"],
        "enforced": True,
    } | more
    denial = Denial(module=module, action=action, process=process, time_utc=NOW - timedelta(minutes=1), **own)  # type: ignore[arg-type]
    world.sections[name]["access_control"] = AccessControl(selinux="enforcing", denials=(denial,))


@case("TT804", "poll-01", confidence="certain", unsure="")
def may_not_be_started(world: Whole) -> None:
    """It lies in a user's home: systemd may run nothing there."""
    world.down("poll-01", state="failed", exit_code=203, detail="failed / exit-code")
    label = "unconfined_u:object_r:user_home_t:s0"
    init = {"process": "(Tentacle)", "executable": "/usr/lib/systemd/systemd", "source": "system_u:system_r:init_t:s0"}
    denies(world, "poll-01", "execute", path="Tentacle", kind="file", target=label, **init)


@case("TT805", "web-02", confidence="certain")
def may_not_bind(world: Whole) -> None:
    world.add_listening("web-02", "192.0.2.22")
    world["web-02"].os = "linux"
    world["web-02"].service["executable"] = "/opt/octopus/tentacle/Tentacle"
    world.shut("web-02")
    denies(world, "web-02", "name_bind", port=10933, kind="tcp_socket", target="system_u:object_r:unreserved_port_t:s0")


@case("TT806", "poll-01", confidence="certain")
def may_not_connect(world: Whole) -> None:
    """Its own look, as another user's program, gets there."""
    world.sections["poll-01"]["connections"] = ()
    world.logs["poll-01"] = world.polls_at_start("poll-01")
    denies(
        world, "poll-01", "name_connect", port=10943, kind="tcp_socket", target="system_u:object_r:unreserved_port_t:s0"
    )


@case("TT807", "poll-01", confidence="certain")
def may_not_write(world: Whole) -> None:
    """By its profile: AppArmor's records have the whole path."""
    more = {"source": "/opt/octopus/tentacle/Tentacle", "kind": "file", "path": "/etc/octopus/default/Work/1"}
    denies(world, "poll-01", "mknod", module="apparmor", **more)


def loads(world: Whole, *, reachable: bool = True, **values: object) -> None:
    time = LoadTime(product="tentacle", executable=world["web-01"].service["executable"], **values)  # type: ignore[arg-type]
    world.sections["web-01"]["loading"] = Loading(
        times=(time,), revocation=(Revocation(account="LocalSystem", enabled=True, reachable=reachable),)
    )


@case("TT811")
def slow(world: Whole) -> None:
    loads(world, cold_ms=9500, warm_ms=6200, exit_code=0)


@case("TT812", confidence="likely")
def dmz_without_crl(world: Whole) -> None:
    loads(world, reachable=False, cold_ms=15_400, warm_ms=310, exit_code=0)


@case("TC8132")
def broken_installation(world: Whole) -> None:
    loads(world, cold_ms=200, warm_ms=200, exit_code=43)
    world.down("web-01", exit_code=1067)


@case("TC5511", "poll-01", confidence="likely")
def silently_unable(world: Whole) -> None:
    """The server is well, the way is open, the log is silent, and the process holds no connection."""
    world.sections["poll-01"]["connections"] = ()


@case("TT552")
def half_closed(world: Whole) -> None:
    row = world.connection("web-01", "octo-1", "close-wait", 2136).model_copy(update={"local_port": 10933})
    world.sections["web-01"]["connections"] = tuple(
        row.model_copy(update={"remote_port": 50000 + n}) for n in range(12)
    )


@case("TT553", "poll-01")
def only_the_process(world: Whole) -> None:
    world.sections["poll-01"]["connections"] = (world.connection("poll-01", "octo-1", "syn-sent"),)


@case("TC5531", "poll-01", confidence="certain")
def unit_of_few_addresses(world: Whole) -> None:
    """Its unit may speak with loopback alone; a look from the machine is no process of the unit's."""
    only_the_process(world)
    lists = "Id=Tentacle.service\nIPAddressAllow=127.0.0.0/8 ::1/128\nIPAddressDeny=0.0.0.0/0 ::/0"
    told = [{"tool": "nft", "text": ""}, {"tool": "systemd", "text": f"Ports=\nPolled=10943\n\n{lists}"}]
    world.sections["poll-01"]["firewall"] = Firewall(engine="none", running=False, filters=read_sources(told))


def kept_in(world: Whole, *sources: dict[str, str]) -> None:
    only_the_process(world)
    world.sections["poll-01"]["firewall"] = Firewall(engine="none", running=False, filters=read_sources(list(sources)))


@case("TC5531", "poll-01", confidence="certain")
def unit_of_another_family(world: Whole) -> None:
    """Its unit gets no socket of IPv4."""
    lists = "Id=Tentacle.service\nRestrictAddressFamilies=AF_INET6 AF_UNIX\nPrivateNetwork=no"
    kept_in(world, {"tool": "systemd", "text": f"Ports=\nPolled=10943\n\n{lists}"})


@case("TC5531", "poll-01", confidence="certain")
def unit_with_a_network_of_its_own(world: Whole) -> None:
    kept_in(world, {"tool": "systemd", "text": "Ports=\nPolled=10943\n\nId=Tentacle.service\nPrivateNetwork=yes"})


@case("TC5531", "poll-01", confidence="certain")
def rule_for_the_unit(world: Whole) -> None:
    """nftables drops what its control group sends."""
    rule = 'socket cgroupv2 level 2 "system.slice/Tentacle.service" tcp dport 10943 drop'
    chain = f"chain c {{\ntype filter hook output priority 0; policy accept;\n{rule}\n}}"
    kept_in(world, {"tool": "nft", "text": f"table inet t {{\n{chain}\n}}\n"})


@case("TC5531", "poll-01", confidence="certain")
def iptables_rule_for_the_unit(world: Whole) -> None:
    rule = "-A OUTPUT -p tcp -m tcp --dport 10943 -m cgroup --path system.slice/Tentacle.service -j REJECT"
    kept_in(world, {"tool": "iptables", "text": f"*filter\n:OUTPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n"})


@case("TT971")
def disk_nearly_full(world: Whole) -> None:
    world.sections["web-01"]["disks"] = (Disk(path="C:\\", free_bytes=LEAST_FREE - 1, size_bytes=10**11),)


@case("TT971")
def no_inode_left(world: Whole) -> None:
    """There is room for bytes, and none for one more file."""
    world.sections["web-01"]["disks"] = (
        Disk(path="/", free_bytes=10**10, size_bytes=10**11, inodes=6_553_600, free_inodes=0),
    )


@case("TT972", "poll-01")
def clocks_apart(world: Whole) -> None:
    """A certificate of today is of the future for who lives the day before yesterday."""
    world["poll-01"].host["clock_utc"] = NOW - timedelta(days=2)
    world.both("poll-01", {"fails": "tls"})


@case("TT973")
def known_defect(world: Whole) -> None:
    world.sections["web-01"]["products"] = (Product(product="tentacle", version="8.1.61"),)
    fails_to_start(world, "web-01", "A required communications port is already in use.")


def rule_of(world: Whole, *conditions: str, **more: Any) -> None:
    """The only rule for the port of web-01 asks for more than the port, and octo-1 gets no answer."""
    rule = FirewallRule(
        name="Octopus", action="allow", ports=("10933",), conditional=bool(conditions), conditions=conditions
    )
    world.change("web-01", "firewall", rules=(rule,), **more)
    world.both("web-01", DROPPED)


@case("TC5218", confidence="likely", unsure="")
def rule_for_wireless_cards(world: Whole) -> None:
    rule_of(world, "IFType=Wireless")


@case("TC5411")
def rule_for_another_service_alone(world: Whole) -> None:
    """Whose service listens is known, and the rule names another one: that is decided."""
    rule_of(world, "Svc=W3SVC")


@case("TC5209", confidence="likely", unsure="")
def secured_by_ipsec_alone(world: Whole) -> None:
    rule_of(world, secured=(FirewallRule(name="Isolation", action="block", source="policy"),))


@case("TC5219", confidence="possible", unsure="Find-NetRoute")
def way_back_by_another_card(world: Whole) -> None:
    """The card for backups has the machine's only gateway."""
    world["web-01"].host["addresses"] = ("198.51.100.1", "10.0.0.5")
    way = {"via": "10.0.0.1", "device": "Ethernet 2", "source": "10.0.0.5"}
    world.sections["web-01"]["routes"] = (Route(peer="192.0.2.10", address="192.0.2.10", **way),)
    world.both("web-01", DROPPED)


@case("TC5200", confidence="likely", unsure="")
def address_of_two_machines(world: Whole) -> None:
    data = {"param1": "", "param2": "198.51.100.1", "param3": "00-50-56-9A-12-34"}
    conflict = Event(source="tcpip", id=4199, time_utc=NOW - timedelta(minutes=5), data=data)
    world.sections["web-01"]["events"] = (conflict,)
    world.both("web-01", REFUSED)


@case("TC5217", "poll-01", confidence="possible", unsure="the survey did not try")
def proxy_that_is_winhttps_alone(world: Whole) -> None:
    make_windows(world, "poll-01")
    world.sections["poll-01"]["proxies"] = (Proxy(layer="winhttp", enabled=True, address="proxy.example:8080"),)
    world.both("poll-01", DROPPED)


@case("TC1261", confidence="likely", unsure="A read-only file")
def denied_though_the_lists_allow_it(world: Whole) -> None:
    rights(world, on(HOME, AccessEntry(sid=ME, mask=FULL)))
    text = "System.UnauthorizedAccessException: Access to the path 'C:\\Octopus\\Work' is denied."
    world.say("web-01", "ERROR", text)
