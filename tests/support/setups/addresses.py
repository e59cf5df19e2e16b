"""How the two ends reach one another: translated, balanced, tunnelled, by one family of addresses or both."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.inventory.model import LooksFrom, NoTransport
from pytest_tentacle.link import By, LinkRef
from pytest_tentacle.survey.model import Unreachable
from pytest_tentacle.survey.surroundings import OwnName
from pytest_tentacle.transport.base import ReachStage
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED
from support.fleets.looks import OWN_PORT, declared, from_server, polled
from support.fleets.whole import Whole
from support.fleets.world import probe

from . import setup


def _listening_probes(world: Whole, name: str, host: str, port: int, **how: Any) -> None:
    """The servers' looks at a listening Tentacle, by a name and by its address, at one port."""
    draft = world[name]
    for server in draft.machine.servers:
        node = world[server]
        for by in (By.NAME, By.ADDRESS):
            look = from_server(name, by, server)
            if look.place_in(node.peer) is not None:
                target = host if by is By.NAME else draft.machine.ip
                addresses = (draft.machine.ip,) if by is By.NAME else None
                node.replace(look, probe(target, port, by, whose=name, addresses=addresses, **how))


def _polled_at(world: Whole, name: str, host: str, port: int, addresses: tuple[str, ...], number: int = 0) -> None:
    """A poller's entry leads to another host and port, where the server answers."""
    draft = world[name]
    old = draft.trusted[number]["Address"]
    draft.trusted[number]["Address"] = f"https://{host}:{port}/"
    common: dict[str, Any] = {"page": "server", "whose": "octopus", "addresses": addresses}
    draft.replace(polled(number), probe(host, port, By.NAME, **common))
    held = list(world.sections[name]["connections"])
    if number < len(held):
        held[number] = held[number].model_copy(update={"remote_address": addresses[0], "remote_port": port})
        world.sections[name]["connections"] = tuple(held)
    world.logs[name] = world.logs[name].replace(old, f"https://{host}:{port}/")


@setup("port", modes=("listening",), unlike=("relay",))
def translated_port(world: Whole, name: str) -> None:
    """A NAT device, a balancer or a published port: 20933 outside is 10933 on the machine."""
    world[name].declare(port=20933)
    _listening_probes(world, name, world[name].machine.dns_name, 20933)


@setup("port", modes=("listening",), unlike=("relay",))
def translated_port_that_is_declared(world: Whole, name: str) -> None:
    """The same, and the inventory says both ports."""
    translated_port(world, name)
    world[name].declare(listens_on=10933)


@setup("port", modes=("listening",))
def unusual_port(world: Whole, name: str) -> None:
    """It listens on another port than the default, and the inventory knows."""
    draft = world[name]
    draft.declare(port=10950)
    draft.settings["Tentacle.Services.PortNumber"] = "10950"
    for listener in draft.listeners:
        listener["port"] = 10950
    draft.replace(OWN_PORT, probe(port=10950, whose=name))
    _listening_probes(world, name, draft.machine.dns_name, 10950)
    firewall = world.sections[name]["firewall"]
    rules = tuple(rule.model_copy(update={"ports": ("10950",)}) for rule in firewall.rules)
    world.change(name, "firewall", rules=rules)
    world.logs[name] = world.logs[name].replace(":10933", ":10950")


@setup("address", modes=("listening",))
def translated_address(world: Whole, name: str) -> None:
    """The declared address is a NAT device's, of which the machine knows nothing."""
    world.behind_nat(name, "10.77.0.9")


@setup("address")
def only_a_name_is_declared(world: Whole, name: str) -> None:
    """Addresses come by DHCP: the inventory knows the name alone."""
    draft = world[name]
    draft.declare(ip=None)
    for server in draft.machine.servers:
        world[server].drop(from_server(name, By.ADDRESS, server))


@setup("address", unlike=("relay",))
def only_an_address_is_declared(world: Whole, name: str) -> None:
    """No DNS at all."""
    draft = world[name]
    draft.declare(dns_name=None)
    for server in draft.machine.servers:
        world[server].drop(from_server(name, By.NAME, server))
    world.sections[name]["own_names"] = (OwnName(name=name, addresses=(draft.machine.ip,)),)


@setup("address", unlike=("relay", "balancer"))
def ipv6_only(world: Whole, name: str) -> None:
    """Both ends speak by IPv6 alone."""
    draft = world[name]
    own, servers = "2001:db8:1::20", "2001:db8:2::10"
    draft.declare(ip=own)
    draft.host["addresses"] = (own, "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=(own,)),)
    if draft.machine.mode == "listening":
        _listening_probes(world, name, draft.machine.dns_name, draft.machine.port)
        world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", servers)
        world["octo-1"].host["addresses"] = ("192.0.2.10", servers)
        return
    held = world.sections[name]["connections"]
    to_it = {"remote_address": servers, "local_address": own}
    world.sections[name]["connections"] = tuple(each.model_copy(update=to_it) for each in held)
    world["octo-1"].declare(ip=servers)
    world["octo-1"].host["addresses"] = (servers,)
    world.sections["octo-1"]["own_names"] = (OwnName(name="octo-1.example", addresses=(servers,)),)
    common: dict[str, Any] = {"page": "server", "whose": "octopus", "port": 10943}
    for drawn in world.drafts.values():
        if drawn.product != "tentacle" or drawn.machine.mode != "polling":
            continue
        poller = drawn.machine.name
        drawn.drop(declared(poller, "octo-1", "192.0.2.10"))
        drawn.own.append(probe(servers, by=By.ADDRESS, look=declared(poller, "octo-1", servers), **common))
        for old in (polled(0), declared(poller, "octo-1", "octo-1.example")):
            drawn.replace(old, probe("octo-1.example", by=By.NAME, addresses=(servers,), **common))
        rows = world.sections[poller]["connections"]
        world.sections[poller]["connections"] = tuple(
            each.model_copy(update={"remote_address": servers}) for each in rows
        )


@setup("address", unlike=("relay", "balancer"))
def dual_stack(world: Whole, name: str) -> None:
    """Both ends have an address of each family, and the inventory names the one of IPv4."""
    draft = world[name]
    more = "2001:db8:1::20"
    draft.host["addresses"] = (draft.machine.ip, more, "fe80::1")
    both = (more, draft.machine.ip)
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=both),)
    if draft.machine.mode == "listening":
        for server in draft.machine.servers:
            port = draft.machine.port
            looks = probe(draft.machine.dns_name, port, By.NAME, whose=name, addresses=both)
            world[server].replace(from_server(name, By.NAME, server), looks)


@setup("relay", modes=("listening",), unlike=("address", "port", "balancer", "vantage", "container", "service"))
def through_octopus_proxy_that_is_declared(world: Whole, name: str) -> None:
    """The server reaches it through a proxy that is set in the portal, and not otherwise."""
    through_octopus_proxy(world, name)
    world[name].declare(via_proxy="proxy.example:3128")


@setup("relay", modes=("listening",), unlike=("address", "port", "balancer", "vantage", "log", "service"))
def through_octopus_proxy(world: Whole, name: str) -> None:
    """The same without a word of the inventory: a connection of the proxy's stands, and the server was let in by it."""
    world.across(name, DROPPED, DROPPED)
    proxy = "198.51.100.250"
    world.logs[name] = world.logs[name].replace("192.0.2.10", proxy)
    connection = world.connection(name, "octo-1").model_copy(
        update={"local_port": 10933, "remote_address": proxy, "remote_port": 50000, "pid": 2136}
    )
    world.sections[name]["connections"] = (connection,)


@setup("address", "port", modes=("listening",), unlike=("relay", "balancer", "service"))
def reverse_tunnel(world: Whole, name: str) -> None:
    """The machine opens a tunnel to a bastion, whose port leads back to its own."""
    draft = world[name]
    draft.declare(dns_name="bastion.example", ip=None, port=22933)
    for server in draft.machine.servers:
        world[server].drop(from_server(name, By.ADDRESS, server))
        tunnel = probe("bastion.example", 22933, By.NAME, whose=name, addresses=("192.0.2.77",))
        world[server].replace(from_server(name, By.NAME, server), tunnel)
    draft.host["addresses"] = ("10.9.9.9",)
    world.sections[name]["own_names"] = (OwnName(name="bastion.example", addresses=("192.0.2.77",)),)
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", "::ffff:127.0.0.1")


@setup("relay", modes=("listening",), unlike=("address", "port", "vantage"))
def server_behind_nat(world: Whole, name: str) -> None:
    """The server comes from a NAT gateway's address."""
    world.logs[name] = world.logs[name].replace("192.0.2.10", "203.0.113.200")


@setup("balancer", modes=("polling",), unlike=("service",))
def balancer_that_is_not_declared(world: Whole, name: str) -> None:
    """It polls a name of which the inventory knows nothing, where its server's certificate answers."""
    _only_by_balancer(world, name)
    _polled_at(world, name, "balancer.example", 10943, ("192.0.2.99",))


def _only_by_balancer(world: Whole, name: str) -> None:
    """The nodes themselves cannot be reached from the Tentacle's network."""
    for each in tuple(world[name].own):
        if each.link.tentacle == name:
            shut = probe(each.host, each.port, each.by, addresses=("192.0.2.10",), **DROPPED)
            world[name].replace(declared(name, str(each.link.server), each.host), shut)


@setup("balancer", modes=("polling",), unlike=("service",))
def a_port_for_each_node(world: Whole, name: str) -> None:
    """High availability behind one name: 10943 leads to one node, 10944 to the other. Declared for both nodes."""
    _with_nodes(world, name)
    _only_by_balancer(world, name)
    for server, port in (("octo-1", 10943), ("octo-2", 10944)):
        world[server].declare(addresses=("octopus.example",))
        number = 0 if server == "octo-1" else 1
        _polled_at(world, name, "octopus.example", port, ("192.0.2.99",), number)


@setup("balancer", modes=("polling",), unlike=("service",))
def a_port_for_each_node_that_is_declared(world: Whole, name: str) -> None:
    """The same, and the inventory says which port leads to which node."""
    a_port_for_each_node(world, name)
    for server, port in (("octo-1", 10943), ("octo-2", 10944)):
        world[server].declare(addresses=(), gateway=f"octopus.example:{port}")


@setup("balancer", modes=("polling",), unlike=("service",))
def one_balancer_for_all_nodes(world: Whole, name: str) -> None:
    """One name and one port for two nodes, one after the other: not what Octopus recommends, and it works."""
    _with_nodes(world, name)
    _only_by_balancer(world, name)
    draft = world[name]
    del draft.trusted[1]
    draft.drop(polled(1))
    world.sections[name]["connections"] = world.sections[name]["connections"][:1]
    world.logs[name] = world.polls_at_start(name) + world.secured(name, "octo-1")
    _polled_at(world, name, "octopus.example", 10943, ("192.0.2.99",))


@setup("balancer", modes=("polling",), unlike=("service",))
def one_declared_balancer_for_all_nodes(world: Whole, name: str) -> None:
    """The same, and its name is declared for both nodes."""
    one_balancer_for_all_nodes(world, name)
    for server in ("octo-1", "octo-2"):
        world[server].declare(addresses=("octopus.example",))


@setup("balancer", modes=("polling",), unlike=("service",))
def balancer_with_several_addresses(world: Whole, name: str) -> None:
    """Octopus Cloud, or an AWS network balancer with an address in each zone, polled on 443."""
    _only_by_balancer(world, name)
    _polled_at(world, name, "polling.octopus.example", 443, ("192.0.2.98", "192.0.2.99"))
    world["octo-1"].declare(addresses=("polling.octopus.example",), polling_ports=(10943, 443))


@setup("balancer", modes=("polling",), unlike=("service",))
def balancer_on_another_port(world: Whole, name: str) -> None:
    """The inventory has the balancer's port, 443; the server itself has kept 10943."""
    _only_by_balancer(world, name)
    _polled_at(world, name, "octo-1.example", 443, ("192.0.2.99",))
    world["octo-1"].declare(polling_ports=(443,))
    for draft in world.drafts.values():
        if draft.product == "tentacle" and draft.machine.mode == "polling":
            other = draft.machine.name
            if other != name:
                _polled_at(world, other, "octo-1.example", 443, ("192.0.2.99",))


@setup("balancer", modes=("polling",), unlike=("service",))
def two_nodes(world: Whole, name: str) -> None:
    """High availability as Octopus recommends it."""
    _with_nodes(world, name)


def _with_nodes(world: Whole, name: str) -> None:
    if "octo-2" not in world.drafts:
        world.add_server("octo-2", "192.0.2.11")
    world.join(name, "octo-2")


@setup("balancer", modes=("polling",), unlike=("address", "log", "uptime", "instance"))
def through_a_proxy(world: Whole, name: str) -> None:
    """It polls through a proxy of its settings, which lets it."""
    world.through_proxy(name)


@setup("vantage", modes=("listening",), unlike=("relay", "server", "certificate", "transport"))
def server_that_nobody_logs_on_to(world: Whole, name: str) -> None:
    """Octopus Cloud, or a server of another department: our own look is declared to be as good as the server's."""
    octo = world["octo-1"]
    for draft in world.drafts.values():
        if draft.product == "tentacle" and draft.machine.mode == "listening":
            here = (each for each in octo.peer if each.link.tentacle == draft.machine.name)
            mine = tuple(each.model_copy(update={"link": LinkRef(tentacle=draft.machine.name)}) for each in here)
            world.controller[draft.machine.name] = mine
    octo.declare(transport=NoTransport(), vantage=LooksFrom.CONTROLLER)
    octo.unreachable = Unreachable(stage=ReachStage.NOT_ASKED, summary="no transport is declared", advice="")
    assert name


@setup("balancer", modes=("polling",), unlike=("address",))
def over_web_sockets(world: Whole, name: str) -> None:
    """It polls by way of the portal, with the portal's certificate: PollingOverWebSockets."""
    draft = world[name]
    address = "wss://portal.example:443/OctopusComms"
    old = draft.trusted[0]["Address"]
    draft.trusted[0] |= {"Address": address, "Thumbprint": thumbprint("portal")}
    draft.drop(polled(0))
    world["octo-1"].declare(portal="https://portal.example")
    held = world.sections[name]["connections"]
    to_it = {"remote_address": "192.0.2.98", "remote_port": 443}
    world.sections[name]["connections"] = tuple(each.model_copy(update=to_it) for each in held)
    world.logs[name] = world.logs[name].replace(old, address)
