"""What documentation recommends, or leaves as it is: leftovers of rotations, forms of names, proxies of others, restarts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.packet_filter.firewall import FirewallRule
from pytest_tentacle.survey.surroundings import Product, Proxy, ProxyConnect
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.looks import OWN_PORT, polled
from support.fleets.whole import DAYS, Whole, line, started
from support.fleets.world import probe

from . import setup


@setup("listener", modes=("listening",), unlike=("port", "relay", "address", "instance", "service"))
def listens_on_its_own_address_alone(world: Whole, name: str) -> None:
    """A machine with several networks: ListenIP names one of its addresses, and nobody listens on the others."""
    draft = world[name]
    draft.settings["Tentacle.Services.ListenIP"] = draft.machine.ip
    draft.listeners[0]["address"] = draft.machine.ip
    draft.replace(OWN_PORT, probe(draft.machine.ip, by=By.LOCAL, whose=name))
    draft.host["addresses"] = (draft.machine.ip, "10.99.0.7", "fe80::1")
    world.logs[name] = world.logs[name].replace("Agent listening on: [::]:", f"Agent listening on: {draft.machine.ip}:")


@setup("trust", modes=("listening",))
def trusts_the_old_server_as_well(world: Whole, name: str) -> None:
    """A rotation of the server's certificate, in its middle: both thumbprints are trusted."""
    old = {"Thumbprint": thumbprint("the old server"), "CommunicationStyle": 1, "Address": None}
    world[name].trusted.insert(0, old)


@setup("trust", modes=("listening",))
def trusts_in_lower_case(world: Whole, name: str) -> None:
    """Whoever listens compares thumbprints without case."""
    world[name].trusted[0]["Thumbprint"] = thumbprint("octopus").lower()


@setup("trust", modes=("polling",))
def keeps_an_entry_of_listening(world: Whole, name: str) -> None:
    """It listened before: the passive entry stays, and does no harm."""
    world[name].trusted.append({"Thumbprint": thumbprint("octopus"), "CommunicationStyle": 1, "Address": None})


@setup(
    "address",
    modes=("polling",),
    unlike=("balancer", "relay", "log", "trust", "server", "vantage", "instance", "service"),
)
def polls_in_capitals(world: Whole, name: str) -> None:
    """Names have no case."""
    _polled_as(world, name, "OCTO-1.EXAMPLE")


@setup(
    "address",
    modes=("polling",),
    unlike=("balancer", "relay", "log", "trust", "server", "vantage", "instance", "service"),
)
def polls_a_full_name_with_its_point(world: Whole, name: str) -> None:
    """`octo-1.example.`: no search list is tried."""
    _polled_as(world, name, "octo-1.example.")


@setup(
    "address",
    modes=("polling",),
    unlike=("balancer", "relay", "log", "trust", "server", "vantage", "instance", "service"),
)
def polls_by_address(world: Whole, name: str) -> None:
    """Without DNS, the server's IP address stands in the settings."""
    draft, server = world[name], world["octo-1"].machine
    draft.trusted[0]["Address"] = f"https://{server.ip}:10943/"
    common: dict[str, Any] = {"page": "server", "whose": "octopus", "port": 10943}
    draft.replace(polled(0), probe(server.ip, by=By.ADDRESS, **common))
    world.logs[name] = world.logs[name].replace("octo-1.example", server.ip)


def _polled_as(world: Whole, name: str, host: str) -> None:
    draft = world[name]
    draft.trusted[0]["Address"] = f"https://{host}:10943/"
    common: dict[str, Any] = {"page": "server", "whose": "octopus", "port": 10943}
    draft.replace(polled(0), probe(host, by=By.NAME, addresses=(world["octo-1"].machine.ip,), **common))
    world.logs[name] = world.logs[name].replace("https://octo-1.example:", f"https://{host}:")


@setup("balancer", modes=("polling",), unlike=("address", "instance", "log", "uptime", "trust"))
def through_a_proxy_with_a_user(world: Whole, name: str) -> None:
    """The proxy wants a user, whom the Tentacle has; the survey has none, and is answered 407."""
    world.through_proxy(name)
    world[name].settings["Octopus.Server.Proxy.ProxyUsername"] = "tentacle"
    connects = world.sections[name]["proxy_connects"]
    world.sections[name]["proxy_connects"] = tuple(
        ProxyConnect.model_validate(each.model_dump() | {"status": 407}) for each in connects
    )


@setup("proxies", systems=("windows",), unlike=("balancer",))
def proxies_of_others(world: Whole, name: str) -> None:
    """The machine's users have a proxy by policy, by WinHTTP and by a script; the service has none."""
    world.sections[name]["proxies"] = (
        Proxy(layer="policy", enabled=True, address="proxy.example:3128"),
        Proxy(layer="winhttp", enabled=True, address="proxy.example:3128", bypass="*.example"),
        Proxy(layer="wininet", account="CORP\\jane", enabled=True, pac="http://wpad.example/wpad.dat"),
    )


@setup("proxies", systems=("linux",), unlike=("balancer",))
def proxy_of_every_shell(world: Whole, name: str) -> None:
    """/etc/environment names a proxy for people and package managers."""
    world.sections[name]["proxies"] = (
        Proxy(layer="environment", enabled=True, address="http://proxy.example:3128", bypass="localhost,.example"),
    )


@setup("restarts", systems=("linux",), unlike=("service", "uptime"))
def restarted_some_weeks_ago(world: Whole, name: str) -> None:
    """systemd counts three restarts since the boot; the process runs since three days."""
    world[name].service["restarts"] = 3


@setup("log", "uptime", unlike=("instance", "service", "balancer", "relay", "port", "listener", "certificate", "trust"))
def upgraded_and_restarted_today(world: Whole, name: str) -> None:
    """The portal upgraded it: the process of before has ended, and the new one is well."""
    draft, pid = world[name], world[name].service["pid"]
    draft.service["started_utc"] = NOW - timedelta(hours=2)
    before = line(timedelta(hours=2, seconds=40), "INFO", "The Windows Service has stopped", pid + 1)
    old = started(pid + 1, "Agent listening on: [::]:10933", ago=DAYS, version="8.3.2941")
    world.logs[name] = old + before + _of_today(world, name)


@setup("zone")
def writes_in_another_zone(world: Whole, name: str) -> None:
    """Tokyo: its log has local time, nine hours ahead."""
    world.zones[name] = timedelta(hours=9)


def _of_today(world: Whole, name: str) -> str:
    ago = timedelta(hours=2)
    if world[name].machine.mode == "polling":
        return world.polls_at_start(name, ago=ago) + world.secured(name, "octo-1", ago=ago)
    return started(2136, "Agent listening on: [::]:10933", ago=ago) + world.visit(name, "octo-1")


@setup("version", unlike=("service",))
def two_versions_side_by_side(world: Whole, name: str) -> None:
    """An unpacked archive of a newer version lies beside the installed one, and runs nothing."""
    (own,) = world.sections[name]["products"]
    other = own.path.replace("Tentacle", "Tentacle-new", 1) if own.path else "/opt/new/Tentacle"
    world.sections[name]["products"] = (own, Product(product="tentacle", version="9.3.1", path=other))


@setup("firewall", modes=("listening",), systems=("windows",))
def rule_for_a_range_of_ports(world: Whole, name: str) -> None:
    """One rule for 10000 to 11000, from the servers' subnet."""
    firewall = world.sections[name]["firewall"]
    rule = FirewallRule(name="Deployments", action="allow", ports=("10000-11000",), remote=("192.0.2.0/24",))
    world.sections[name]["firewall"] = firewall.model_copy(update={"rules": (rule,)})


@setup("clock")
def clock_of_another_second(world: Whole, name: str) -> None:
    """Half a minute behind: the time that VMs drift between two corrections."""
    world[name].host["clock_utc"] = NOW - timedelta(seconds=30)
