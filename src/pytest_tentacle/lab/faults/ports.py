"""Faults of the machine's own port, its sockets and its packet filter."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.lab import network
from pytest_tentacle.lab.blueprint import PID, Blueprint

from .breaking import OTHER_PID, Site, behind, close, elsewhere, process

_HALF_CLOSED = 12
_SYSTEM_PID = 4
_PROFILES = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
_POLICY = "HKLM:\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
_NFT = """\
table inet filter {
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		iif "lo" accept
		tcp dport 22 accept
	}
}
"""


def port_not_open(machine: Blueprint, _: Site) -> None:
    """The service runs, and nothing listens."""
    close(machine)


def port_taken(machine: Blueprint, site: Site) -> None:
    """Another program was there first; the service gave up its port."""
    machine.presents = None
    machine.sockets[0]["pid"] = OTHER_PID
    machine.processes.append(process("nginx", OTHER_PID, 1 if not machine.is_windows else 700, machine))
    machine.foreign = lambda address, port: network.HttpsServer(address, port, certificate=site.fresh("intranet"))


def port_of_http_sys(machine: Blueprint, site: Site) -> None:
    """A web application of Windows' own HTTP server has the port: its sockets are the System process's."""
    machine.presents = None
    machine.sockets[0]["pid"] = _SYSTEM_PID
    machine.processes.append({"pid": _SYSTEM_PID, "parent_pid": 0, "name": "System"})
    machine.surroundings["http_sys"] = ["HTTP://+:5985/WSMAN/", f"HTTPS://+:{machine.port}/REPORTS/"]
    machine.foreign = lambda address, port: network.HttpsServer(address, port, certificate=site.fresh("intranet"))


def port_excluded(machine: Blueprint, _: Site) -> None:
    """Hyper-V took a range of ports with the product's among them."""
    close(machine)
    machine.surroundings["excluded_ports"] = [[machine.port - 33, machine.port + 66]]


def zombie(machine: Blueprint, _: Site) -> None:
    """The Tentacle is gone; a PowerShell that it started inherited the socket (guide, "Zombie Child Processes")."""
    machine.presents = None
    machine.foreign = network.Hanger
    machine.sockets[0]["pid"] = OTHER_PID
    machine.processes.append(process(_script_host(machine), OTHER_PID + 1, OTHER_PID, machine))


def left_over_listener(machine: Blueprint, _: Site) -> None:
    """Beside the service's own socket there is one of a process that is gone; its child keeps it open."""
    own = next(socket for socket in machine.sockets if socket["state"] == "listen")
    machine.sockets.append({**own, "address": "0.0.0.0", "pid": OTHER_PID})
    machine.processes.append(process(_script_host(machine), OTHER_PID + 1, OTHER_PID, machine))


def another_page(machine: Blueprint, site: Site) -> None:
    """The service's own process answers, and it is not Octopus."""
    machine.presents = None
    machine.foreign = lambda address, port: network.HttpsServer(address, port, certificate=site.fresh("intranet"))


def no_connection(machine: Blueprint, site: Site) -> None:
    """It runs and does not poll its first server, which can be reached."""
    first = site.servers_of(machine)[0].address
    machine.sockets = [socket for socket in machine.sockets if socket.get("remote_address") != first]


def unanswered(machine: Blueprint, site: Site) -> None:
    """Its own attempts to reach its second server get no answer: somebody filters by program."""
    second = site.servers_of(machine)[1].address
    for socket in machine.sockets:
        if socket.get("remote_address") == second:
            socket["state"] = "syn-sent"


def half_closed(machine: Blueprint, site: Site) -> None:
    """Connections that the other end closed long ago pile up."""
    listens = any(socket["state"] == "listen" for socket in machine.sockets)
    peer = elsewhere(machine) if machine.is_server else elsewhere(site.servers_of(machine)[0])
    for number in range(_HALF_CLOSED):
        ends = (machine.port, 50_000 + number) if listens else (50_000 + number, site.server_port)
        machine.sockets.append(_half_closed(machine.address, ends[0], peer, ends[1]))


def firewall_no_rule(machine: Blueprint, _: Site) -> None:
    """No rule lets the port in, and the profile blocks what no rule names."""
    if machine.is_windows:
        machine.surroundings["firewall_ports"] = []
    else:
        machine.surroundings["firewall"] = {"nft": _NFT}
    _filtered(machine)


def firewall_block_rule(machine: Blueprint, _: Site) -> None:
    """Somebody made a rule that blocks the port."""
    rule = f"v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort={machine.port}|Name=No Octopus here|"
    machine.surroundings["firewall_rules"] = {"{block}": rule}
    _filtered(machine)


def firewall_blocks_all(machine: Blueprint, _: Site) -> None:
    """The box "Block all incoming connections" is ticked."""
    machine.registry[f"{_PROFILES}\\DomainProfile"] = {
        "EnableFirewall": 1,
        "DefaultInboundAction": 1,
        "DoNotAllowExceptions": 1,
    }
    _filtered(machine)


def firewall_ignores_local_rules(machine: Blueprint, _: Site) -> None:
    """A group policy lets its own rules count alone, and has none for the port."""
    machine.registry[f"{_POLICY}\\DomainProfile"] = {"EnableFirewall": 1, "AllowLocalPolicyMerge": 0}
    _filtered(machine)


def firewall_other_network(machine: Blueprint, _: Site) -> None:
    """The rule is for the domain's network, and the machine calls its network public."""
    machine.surroundings["firewall_ports"] = []
    rule = f"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|LPort={machine.port}|Name=Octopus|"
    machine.surroundings |= {"firewall_rules": {"{domain}": rule}, "networks": ["public"]}
    _filtered(machine)


def _filtered(machine: Blueprint) -> None:
    """What the rules say comes true."""
    behind(machine, lambda outer, port, _inner: network.BlackHole(outer, port))


def _script_host(machine: Blueprint) -> str:
    return "powershell.exe" if machine.is_windows else "bash"


def _half_closed(address: str, port: int, remote_address: str, remote_port: int) -> dict[str, Any]:
    return {
        "address": address,
        "port": port,
        "pid": PID,
        "state": "close-wait",
        "remote_address": remote_address,
        "remote_port": remote_port,
    }


FAULTS = (
    port_not_open, port_taken, port_of_http_sys, port_excluded, zombie, left_over_listener, another_page,
    no_connection, unanswered, half_closed,
    firewall_no_rule, firewall_block_rule, firewall_blocks_all, firewall_ignores_local_rules, firewall_other_network,
)  # fmt: skip
