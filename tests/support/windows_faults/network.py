"""Ports, firewalls, names."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.packet_filter.firewall import FirewallProfile, FirewallRule
from pytest_tentacle.survey.surroundings import PortRange, Reservations
from support.fleets.failures import DROPPED, NOT_TLS, REFUSED
from support.fleets.looks import OWN_PORT, from_server
from support.fleets.whole import LISTENS, Whole, line, started
from support.fleets.world import probe

from . import controller_event, fault

NAME = "OctopusDeploy Tentacle"
IN_USE = (
    "A required communications port is already in use.\nSystem.Net.Sockets.SocketException: Only one usage of each socket "
    "address (protocol/network address/port) is normally permitted"
)
FORBIDDEN = (
    "An attempt was made to access a socket in a way forbidden by its access permissions.\n"
    "System.Net.Sockets.SocketException: An attempt was made to access a socket in a way forbidden by its access permissions"
)


def _did_not_start(world: Whole, text: str) -> None:
    world.down("web-01", exit_code=1067, started_utc=None)
    world.sections["web-01"]["events"] = (controller_event(7034, 1800, NAME, "2"),)
    world.logs["web-01"] = started(4000, ago=1800) + line(1799, "FATAL", text, 4000)


@fault("another program has the port", r"java|4711", r"10933")
def port_is_taken_by_java(world: Whole) -> None:
    _did_not_start(world, IN_USE)
    world["web-01"].listeners = [
        {"address": "0.0.0.0", "port": 10933, "pid": 4711, "owner": {"pid": 4711, "name": "java.exe"}}
    ]
    world["web-01"].replace(OWN_PORT, probe(**NOT_TLS))
    world.both("web-01", NOT_TLS)


@fault("Windows keeps the port in an excluded range", r"excluded|range|reserved", r"10890|10933")
def port_is_in_an_excluded_range(world: Whole) -> None:
    _did_not_start(world, FORBIDDEN)
    world.sections["web-01"]["reservations"] = Reservations(excluded=(PortRange(first=10890, last=10989),), http_sys=())


@fault("http.sys has the port for a web application", r"http\.sys", "10933")
def port_is_held_by_http_sys(world: Whole) -> None:
    _did_not_start(world, FORBIDDEN)
    world.sections["web-01"]["reservations"] = Reservations(excluded=(), http_sys=("HTTPS://+:10933/",))
    world["web-01"].listeners = [{"address": "::", "port": 10933, "pid": 4, "owner": {"pid": 4, "name": "System"}}]
    world["web-01"].replace(OWN_PORT, probe(page="other", whose="iis"))
    world.across("web-01", {"page": "other", "whose": "iis"}, {"page": "other", "whose": "iis"})


def _filtered(world: Whole, *, profile: dict[str, Any] | None = None, rules: tuple[FirewallRule, ...] = ()) -> None:
    """The firewall answers nothing to octo-1."""
    held = {"name": "Domain", "enabled": True, "inbound": "block", "local_rules": True, "active": True}
    world.change("web-01", "firewall", profiles=(FirewallProfile(**(held | (profile or {}))),), rules=rules)
    world.both("web-01", DROPPED)
    world.logs["web-01"] = started(2136, LISTENS)


def _allow(**more: Any) -> FirewallRule:
    return FirewallRule(**({"name": "Octopus Tentacle", "action": "allow", "ports": ("10933",)} | more))


@fault("Windows takes the network for a public one, where the rule does not hold", "Public")
def network_became_public(world: Whole) -> None:
    _filtered(world, profile={"name": "Public"}, rules=(_allow(profiles=("Domain", "Private")),))


@fault(
    "the rule is for a program of another path",
    r"rule|program",
    r"Old\\Tentacle\.exe|Program",
    r"Set-NetFirewallRule|rule",
)
def rule_is_for_another_program(world: Whole) -> None:
    _filtered(world, rules=(_allow(program=r"C:\Program Files\Octopus Deploy\Old\Tentacle.exe"),))


@fault("the rule is for another server's address", r"192\.0\.2\.99|address|remote", "rule")
def rule_is_for_another_address(world: Whole) -> None:
    _filtered(world, rules=(_allow(remote=("192.0.2.99",)),))


@fault("a group policy's rule blocks a range with the port", r"block", r"polic", never=("New-NetFirewallRule",))
def policy_blocks_the_port(world: Whole) -> None:
    rule = FirewallRule(name="Block high ports", action="block", ports=("10000-11000",), source="policy")
    _filtered(world, rules=(_allow(), rule))


@fault("group policy lets no local rule count", r"polic", r"local", never=(r"New-NetFirewallRule -",))
def local_rules_do_not_count(world: Whole) -> None:
    _filtered(world, profile={"local_rules": False}, rules=(_allow(),))


@fault("the firewall's own rules are right; something else between the two drops it", r"firewall|between|security group|IPsec",
       unsure=True)  # fmt: skip
def something_else_drops(world: Whole) -> None:
    _filtered(world, rules=(_allow(),))


@fault("no rule lets the port in", r"rule|firewall", r"192\.0\.2\.10", "10933")
def no_rule_at_all(world: Whole) -> None:
    _filtered(world)


@fault("octo-1's name for web-01 leads to an old address, as by its hosts file", r"name|DNS|hosts", r"198\.51\.100\.77",
       never=("New-NetFirewallRule",), others=("octo-1",))  # fmt: skip
def hosts_file_is_stale(world: Whole) -> None:
    look = from_server("web-01", By.NAME)
    world["octo-1"].replace(look, probe("web-01.example", by=By.NAME, addresses=("198.51.100.77",), **DROPPED))


@fault(
    "octo-1's own firewall lets no Tentacle in",
    r"firewall|rule",
    r"10943",
    machine="octo-1",
    others=("poll-01", "poll-02"),
)
def firewall_of_the_server(world: Whole) -> None:
    world.change("octo-1", "firewall", rules=())
    for name in ("poll-01", "poll-02"):
        world.both(name, DROPPED)
        world.logs[name] = world.polls_at_start(name)


@fault("the port of the declaration is not the Tentacle's", r"10934", r"10933")
def declared_port_is_wrong(world: Whole) -> None:
    draft = world["web-01"]
    draft.settings["Tentacle.Services.PortNumber"] = "10934"
    draft.listeners[0]["port"] = 10934
    draft.replace(OWN_PORT, probe(port=10934, whose="web-01"))
    world.both("web-01", REFUSED)
    world.logs["web-01"] = started(2136, "Agent listening on: [::]:10934")
