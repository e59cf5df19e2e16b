"""Windows machines that are well, though they look like broken ones: events of old, odd rules, proxies of others."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.packet_filter.firewall import Firewall, FirewallProfile
from pytest_tentacle.survey.model import Service
from pytest_tentacle.survey.surroundings import Event, Proxy
from support import NOW
from support.fleets.whole import LISTENS, Whole, started
from support.setups.systems import runs_as
from support.windows_faults.rarer import as_known, network_event, registry_rule

from .windows import EVERYBODY, USERS, _windows


@_windows("service")
def path_without_quotes_that_starts(world: Whole, name: str) -> None:
    r"""`sc config binPath=` lost the quotes around C:\\Program Files\\...: a scanner complains, and it starts all the same.

    Source: learn.microsoft.com, CreateService (lpBinaryPathName); CVE lists of "unquoted service paths".
    """
    world[name].service |= as_known(Service, unquoted=True)


@_windows("events")
def address_conflict_of_last_week(world: Whole, name: str) -> None:
    """Five days ago a clone was started by mistake, and stopped again: event 4199.

    Source: event 4199 of Tcpip; learn.microsoft.com, "Detecting IP address conflicts".
    """
    world.sections[name]["events"] = network_event(4199, 5 * 86400, "", world[name].machine.ip, "00-50-56-9A-12-34")


@_windows("events")
def ports_that_ran_out_at_night(world: Whole, name: str) -> None:
    """A backup took all ports for connections eleven hours ago; since then there are enough.

    Source: events 4227 and 4231 of Tcpip.
    """
    world.sections[name]["events"] = network_event(4231, 11 * 3600) + network_event(4227, 11 * 3600 + 60)


def _rules(world: Whole, name: str, *rules: str) -> None:
    profile = FirewallProfile(name="Domain", enabled=True, inbound="block", local_rules=True, active=True)
    world.change(name, "firewall", profiles=(profile,), rules=tuple(map(registry_rule, rules)))


@_windows("firewall", modes=("listening",))
def rule_for_its_own_service(world: Whole, name: str) -> None:
    """The rule names the Tentacle's service, its address and cards by cable: it holds for nothing else.

    Source: learn.microsoft.com, New-NetFirewallRule (-Service, -InterfaceType Wired, -LocalAddress).
    """
    rule = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=10933|IFType=Lan|Svc=OctopusDeploy Tentacle|"
    _rules(world, name, f"{rule}LA4={world[name].machine.ip}|Name=Octopus|")


@_windows("firewall", modes=("listening",))
def ipsec_that_is_asked_for_only(world: Whole, name: str) -> None:
    """Domain isolation in its first phase: IPsec is asked for, and whoever does not speak it is let in all the same.

    Source: learn.microsoft.com, New-NetIPsecRule (-InboundSecurity Request); MS-GPFAS 2.2.6 (Action=Boundary).
    """
    _rules(world, name, "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=10933|Name=Octopus|")
    world.change(name, "firewall", **as_known(Firewall, secured=()))


@_windows("tls")
def weaker_half_of_aes_is_off(world: Whole, name: str) -> None:
    r"""Only AES with 256 bits: SCHANNEL\Ciphers\AES 128/128 and 3DES are off, which the list of suites does not show.

    Source: learn.microsoft.com, "Restrict cryptographic algorithms and protocols in Schannel.dll".
    """
    world.change(name, "tls", disabled=(r"Ciphers\AES 128/128", r"Ciphers\Triple DES 168", r"Ciphers\RC4 128/128"))


@_windows("proxies")
def proxy_for_windows_updates(world: Whole, name: str) -> None:
    """`netsh winhttp set proxy`, for Windows Update and Defender; the server is reached without it.

    Source: learn.microsoft.com, "How the Windows Update client determines which proxy server to use".
    """
    world.sections[name]["proxies"] = (Proxy(layer="winhttp", enabled=True, address="proxy.example:8080"),)


@_windows("events", "account", "uptime", "log", modes=("listening",))
def domain_that_came_late_at_boot(world: Whole, name: str) -> None:
    """At the last boot its account could not log on at first, for the clock was wrong; Windows' recovery started it a minute later.

    Source: System Error Codes 1398 and 1792; learn.microsoft.com, sc failure (failureflag 1).
    """
    runs_as(world, name, r"CORP\svc-octopus", "S-1-5-21-10-20-30-1604", (EVERYBODY, USERS))
    boot = timedelta(hours=9)
    world[name].host["boot_utc"] = NOW - boot
    world[name].service["started_utc"] = NOW - boot + timedelta(minutes=2)
    at, service = NOW - boot + timedelta(minutes=1), "OctopusDeploy Tentacle"
    world.sections[name]["events"] = (
        Event(source="service-control-manager", id=7000, time_utc=at, data={"param1": service, "param2": "%%1069", "service": service}),
        Event(source="service-control-manager", id=7038, time_utc=at, data={"param1": service, "param2": r"CORP\svc-octopus", "param3": "%%1398"}),
    )  # fmt: skip
    pid = world[name].service["pid"]
    world.logs[name] = started(pid, LISTENS, ago=boot - timedelta(minutes=2)) + world.visit(name, "octo-1")
