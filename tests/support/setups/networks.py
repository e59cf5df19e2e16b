"""Networks between two healthy ends: jump hosts, split DNS, NAT, VPN, translated families, new addresses, several cards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.inventory.model import SSH, WinRM
from pytest_tentacle.link import By
from pytest_tentacle.packet_filter.firewall import FirewallRule
from pytest_tentacle.survey.surroundings import OwnName, Proxy, Route
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED, NO_ROUTE
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, declared, from_server, polled
from support.fleets.whole import LISTEN, POLL, SERVER_LISTEN, Whole, line
from support.fleets.world import probe

from . import setup

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
"""Aspects that have nothing to do with the way: pairs with them would be tried for nothing."""
_OF_THE_MACHINE = ("firewall", "log", "uptime", "trust", "connections", "registration", "proxies", "host-name", *_APART)
_WAY = ("relay", "port", "balancer", "vantage", "server", "service", "instance", *_APART)


def _pollers(world: Whole) -> list[str]:
    return [
        each.machine.name
        for each in world.drafts.values()
        if each.product == "tentacle" and each.machine.mode == "polling"
    ]


def _seen_as(
    world: Whole, poller: str, seen: str, address: dict[str, Any] | None, by_name: str = "octo-1.example"
) -> None:
    """A poller reaches its server at another address than the server's own; its look at the declared address is `address`."""
    draft, server = world[poller], world["octo-1"].machine
    common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
    for old in (polled(0), declared(poller, "octo-1", by_name)):
        draft.replace(old, probe(by_name, by=By.NAME, addresses=(seen,), **common))
    if address is not None:
        draft.replace(declared(poller, "octo-1", server.ip), probe(server.ip, by=By.ADDRESS, **(common | address)))
    rows = world.sections[poller]["connections"]
    world.sections[poller]["connections"] = tuple(each.model_copy(update={"remote_address": seen}) for each in rows)
    world.logs[poller] = world.logs[poller].replace(f"[::ffff:{server.ip}]:10943", f"[{_mapped(seen)}]:10943")


def _mapped(address: str) -> str:
    return address if ":" in address else f"::ffff:{address}"


@setup("transport", systems=("linux",), unlike=_OF_THE_MACHINE)
def logged_on_to_by_a_jump_host(world: Whole, name: str) -> None:
    """We log on by SSH's ProxyJump; the product's own way knows nothing of it."""
    draft = world[name]
    draft.declare(transport=SSH(host=draft.machine.transport.host, proxy_jump="jump@bastion.example"))


@setup("transport", systems=("windows",), unlike=_OF_THE_MACHINE)
def logged_on_to_by_a_forwarded_port(world: Whole, name: str) -> None:
    """We log on through a port of our own machine that leads there: Session Manager, Azure Bastion, ssh -L."""
    world[name].declare(transport=WinRM(host="127.0.0.1", port=55986))


@setup("address", "port", modes=("listening",), unlike=_WAY)
def forwarded_port_of_the_server(world: Whole, name: str) -> None:
    """On the server, ssh -L 20933 leads by way of a jump host to the machine, which sees the jump host's address."""
    draft = world[name]
    draft.declare(dns_name=None, ip="127.0.0.1", port=20933)
    for server in draft.machine.servers:
        world[server].drop(from_server(name, By.NAME, server))
        world[server].replace(from_server(name, By.ADDRESS, server), probe("127.0.0.1", 20933, By.ADDRESS, whose=name))
    world[name].host["addresses"] = ("10.20.0.7",)
    world.sections[name]["own_names"] = (OwnName(name=name, addresses=("10.20.0.7",)),)
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", "::ffff:10.20.0.2")


@setup("address", modes=("listening",), unlike=_WAY)
def name_that_each_end_resolves_its_own_way(world: Whole, name: str) -> None:
    """Split DNS: the server is told the inner address, the machine's own resolver tells the public one; both lead there."""
    draft = world[name]
    draft.declare(ip="203.0.113.77")
    inner = "10.20.0.5"
    draft.host["addresses"] = (inner, "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=("203.0.113.77",)),)
    port = draft.machine.port
    for server in draft.machine.servers:
        look = probe(draft.machine.dns_name, port, By.NAME, whose=name, addresses=(inner,))
        world[server].replace(from_server(name, By.NAME, server), look)
        world[server].replace(
            from_server(name, By.ADDRESS, server), probe("203.0.113.77", port, By.ADDRESS, whose=name)
        )


@setup("address", modes=("polling",), unlike=_WAY)
def server_with_an_outer_and_an_inner_address(world: Whole, name: str) -> None:
    """Split DNS: outside, the server's name is its public address; the declared inner one cannot be reached from there."""
    _seen_as(world, name, "203.0.113.50", DROPPED)


@setup("address", modes=("polling",), unlike=_WAY)
def server_with_a_private_endpoint(world: Whole, name: str) -> None:
    """Azure Private Link: in the Tentacle's network the server's name is an address of that network; the other has no route."""
    _seen_as(world, name, "10.5.0.7", NO_ROUTE)


@setup("server", modes=("polling",), unlike=("address", "balancer", "relay", "vantage", "instance", "service", *_APART))
def server_behind_port_forwarding(world: Whole, name: str) -> None:
    """NAT forwards 10943 to the server, which knows its private address alone, and cannot be reached by the outer one from inside."""
    assert name
    outer, octo = "203.0.113.80", world["octo-1"]
    old = octo.machine.ip
    octo.declare(ip=outer)
    octo.host["addresses"] = (old, "fe80::1")
    world.sections["octo-1"]["own_names"] = (OwnName(name="octo-1.example", addresses=(outer,)),)
    common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
    for poller in _pollers(world):
        world[poller].drop(declared(poller, "octo-1", old))
        by_address = probe(outer, by=By.ADDRESS, look=declared(poller, "octo-1", outer), **common)
        world[poller].own.append(by_address)
        for look in (polled(0), declared(poller, "octo-1", "octo-1.example")):
            world[poller].replace(look, probe("octo-1.example", by=By.NAME, addresses=(outer,), **common))
        rows = world.sections[poller]["connections"]
        world.sections[poller]["connections"] = tuple(
            each.model_copy(update={"remote_address": outer}) for each in rows
        )
        world.logs[poller] = world.logs[poller].replace(old, outer)


@setup("relay", "firewall", modes=("listening",), systems=("windows",), unlike=("address", "port", "vantage", *_APART))
def rule_for_the_nat_of_the_server(world: Whole, name: str) -> None:
    """The server comes from a NAT gateway's address, and the rule of the machine's firewall lets that one in alone."""
    world.logs[name] = world.logs[name].replace("192.0.2.10", "203.0.113.200")
    rule = FirewallRule(name="Octopus", action="allow", ports=("10933",), remote=("203.0.113.200",))
    world.change(name, "firewall", rules=(rule,))


@setup("address", unlike=_WAY)
def both_ends_in_a_vpn(world: Whole, name: str) -> None:
    """They speak by addresses of a VPN (WireGuard, OpenVPN); the machine's own DNS knows its address in the office."""
    draft = world[name]
    office, own, servers = "192.168.10.5", "10.8.0.6", "10.8.0.1"
    draft.declare(ip=own)
    draft.host["addresses"] = (office, own, "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=(office,)),)
    world["octo-1"].host["addresses"] = ("192.0.2.10", servers)
    world.sections[name]["routes"] = (Route(peer="192.0.2.10", address="192.0.2.10", device="tun0", source=own),)
    if draft.machine.mode == "polling":
        _seen_as(world, name, servers, None)
        rows = world.sections[name]["connections"]
        world.sections[name]["connections"] = tuple(each.model_copy(update={"local_address": own}) for each in rows)
        return
    port = draft.machine.port
    for server in draft.machine.servers:
        by_name = probe(draft.machine.dns_name, port, By.NAME, whose=name, addresses=(own,))
        world[server].replace(from_server(name, By.NAME, server), by_name)
        world[server].replace(from_server(name, By.ADDRESS, server), probe(own, port, By.ADDRESS, whose=name))
    world.logs[name] = world.logs[name].replace("192.0.2.10", servers)


@setup("address", modes=("polling",), unlike=_WAY)
def only_ipv6_with_nat64(world: Whole, name: str) -> None:
    """No IPv4 on the machine: DNS64 makes an IPv6 address of the server's IPv4 one, and NAT64 translates."""
    own = "2001:db8:1::20"
    world[name].declare(ip=own)
    world[name].host["addresses"] = (own, "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=world[name].machine.dns_name, addresses=(own,)),)
    _seen_as(world, name, "64:ff9b::c000:20a", NO_ROUTE)
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(each.model_copy(update={"local_address": own}) for each in rows)
    world.sections[name]["routes"] = (Route(peer="192.0.2.10", address="192.0.2.10", error="unreachable"),)


@setup("address", modes=("polling",), unlike=_WAY)
def only_ipv6_with_a_clat(world: Whole, name: str) -> None:
    """464XLAT: programs that ask for IPv4 get an address that exists in this machine alone."""
    own = "2001:db8:1::20"
    world[name].declare(ip=own)
    world[name].host["addresses"] = (own, "192.0.0.2", "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=world[name].machine.dns_name, addresses=(own,)),)
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(each.model_copy(update={"local_address": "192.0.0.2"}) for each in rows)


@setup("address", modes=("polling",), unlike=_WAY)
def polls_by_both_families(world: Whole, name: str) -> None:
    """Both ends have both families: it polled by IPv6 from a temporary address first, and now by IPv4."""
    draft = world[name]
    temporary, servers = "2001:db8:1:0:9c1f:22ff:fe00:17", "2001:db8:2::10"
    draft.host["addresses"] = (draft.machine.ip, "2001:db8:1::20", temporary, "fe80::1")
    world["octo-1"].host["addresses"] = ("192.0.2.10", servers)
    both = (servers, "192.0.2.10")
    common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
    for old in (polled(0), declared(name, "octo-1", "octo-1.example")):
        draft.replace(old, probe("octo-1.example", by=By.NAME, addresses=both, **common))
    for ago, peer in ((7200, f"[{temporary}]:50100"), (7190, f"[::ffff:{draft.machine.ip}]:50101")):
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", ago)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(name)}", ago)


@setup("address", modes=("listening",), unlike=_WAY)
def server_with_two_network_cards(world: Whole, name: str) -> None:
    """The server comes from its other card's address, which nobody declared."""
    world["octo-1"].host["addresses"] = ("192.0.2.10", "192.0.2.110", "fe80::1")
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", "::ffff:192.0.2.110")


@setup("address", modes=("polling",), unlike=_WAY)
def poller_with_two_network_cards(world: Whole, name: str) -> None:
    """It polls from the card that its default route leads over; the declared address is the other card's."""
    draft, other = world[name], "10.30.0.4"
    draft.host["addresses"] = (draft.machine.ip, other, "172.17.0.1", "fe80::1")
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(each.model_copy(update={"local_address": other}) for each in rows)
    way = Route(peer="192.0.2.10", address="192.0.2.10", via="10.30.0.1", device="eth1", source=other, rp_filter=1)
    world.sections[name]["routes"] = (way,)


@setup("address", modes=("listening",), systems=("linux",), unlike=_WAY)
def names_itself_127_0_1_1(world: Whole, name: str) -> None:
    """Debian's installer writes the machine's own name into /etc/hosts with 127.0.1.1."""
    world.sections[name]["own_names"] = (OwnName(name=world[name].machine.dns_name, addresses=("127.0.1.1",)),)


@setup("address", "uptime", unlike=("log", *_WAY))
def new_address_by_dhcp(world: Whole, name: str) -> None:
    """Two hours ago it got another address by DHCP; the inventory has its name alone, and the server has found it again."""
    draft = world[name]
    old, new = draft.machine.ip, "198.51.100.31" if draft.machine.mode == "listening" else "203.0.113.31"
    draft.declare(ip=None)
    draft.host["addresses"] = (new, "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=(new,)),)
    if draft.machine.mode == "listening":
        port = draft.machine.port
        for server in draft.machine.servers:
            world[server].drop(from_server(name, By.ADDRESS, server))
            look = probe(draft.machine.dns_name, port, By.NAME, whose=name, addresses=(new,))
            world[server].replace(from_server(name, By.NAME, server), look)
        to_it = f"https://{draft.machine.dns_name}:{port}/"
        said = f"{to_it}        34  "
        text = "The client was unable to establish the initial connection within the timeout 00:01:00. Retrying in 1.0 seconds."
        world.say("octo-1", "ERROR", said + text, 7000)
        secured = f"Secure connection established. Server at [::ffff:{new}]:{port} identified by thumbprint: {thumbprint(name)}, using protocol Tls13"
        world.say("octo-1", "INFO", said + secured, 3000)
        return
    assert old is not None
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(each.model_copy(update={"local_address": new}) for each in rows)
    address = draft.trusted[0]["Address"]
    for text, ago in (
        ("Unexpected exception executing transaction.\nSystem.IO.IOException: Unable to read data from the transport connection: Connection timed out.", 7000),
        ("Socket communication error while connecting to https://octo-1.example:10943/\nSystem.Net.Sockets.SocketException: Name or service not known", 6995),
    ):  # fmt: skip
        world.logs[name] += line(ago, "ERROR", (POLL + text).replace("https://octo-1.example:10943/", address), 900)
    world.logs[name] += world.secured(name, "octo-1", ago=timedelta(seconds=6980)).replace(
        "https://octo-1.example:10943/", address
    )
    for peer, ago in ((f"[::ffff:{old}]:50000", 90_000), (f"[::ffff:{new}]:50000", 6980)):
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(name)}", ago)


@setup("address", "log", modes=("polling",), unlike=("uptime", "trust", *_WAY))
def firewall_that_ends_idle_connections(world: Whole, name: str) -> None:
    """A stateful firewall forgets idle connections: each hour one ends with a reset, and the next second there is a new one."""
    for ago in (18_000, 14_400, 10_800, 7200, 3600):
        text = (
            f"{POLL}Unexpected exception executing transaction.\nSystem.IO.IOException: Unable to read data from the "
            "transport connection: Connection reset by peer."
        )
        again = f"{POLL}Halibut client exception: Unable to read data from the transport connection: Connection reset by peer.. Retrying in 5.0 seconds"
        world.logs[name] += line(ago, "ERROR", text, 900) + line(ago, "ERROR", again, 900)
        world.logs[name] += world.secured(name, "octo-1", ago=timedelta(seconds=ago - 5))


@setup("balancer", "proxies", modes=("polling",), systems=("windows",), unlike=("address", "instance", "service", "log", "uptime", "trust", "relay", "server", "vantage", *_APART))  # fmt: skip
def through_a_proxy_of_a_script(world: Whole, name: str) -> None:
    """Its account finds the proxy by a PAC file, and the proxy lets the machine's account in: only so the server is reached."""
    draft = world[name]
    draft.settings["Octopus.Server.Proxy.UseDefaultProxy"] = "true"
    world.sections[name]["proxies"] = (
        Proxy(layer="wininet", account="LocalSystem", enabled=True, pac="http://wpad.example/proxy.pac"),
    )
    world.both(name, DROPPED)
    old = "Agent configured to use the system proxy, but no system proxy is configured for server at"
    new = "Agent will use the configured system proxy at proxy.example:3128 for server at"
    world.logs[name] = world.logs[name].replace(old, new).replace("192.0.2.10", "192.0.2.250")


@setup("listener", modes=("listening",), systems=("linux",), unlike=("address", *_WAY))
def listens_by_ipv4_alone(world: Whole, name: str) -> None:
    """ListenIP is 0.0.0.0, and IPv6 is switched off in the kernel: addresses are written without a prefix."""
    draft = world[name]
    draft.settings["Tentacle.Services.ListenIP"] = "0.0.0.0"
    for listener in draft.listeners:
        listener["address"] = "0.0.0.0"
    draft.replace(OWN_PORT, probe("127.0.0.1", whose=name))
    draft.host["addresses"] = (draft.machine.ip,)
    text = world.logs[name].replace("[::ffff:192.0.2.10]:", "192.0.2.10:").replace("[::]:", "0.0.0.0:")
    world.logs[name] = text


@setup("log", "address", modes=("listening",), unlike=("uptime", *_WAY))
def visitors_of_a_jump_host(world: Whole, name: str) -> None:
    """An administrator forwards the port by SSH and looks at the page; the last attempt was broken off."""
    for ago, text in (
        (200, "Accepted TCP client: 10.20.0.2:41000"),
        (100, "Accepted TCP client: 10.20.0.2:41001"),
        (99, "Unhandled error when handling request from client: 10.20.0.2:41001\nSystem.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream."),
    ):  # fmt: skip
        world.say(
            name,
            "ERROR" if "Unhandled" in text else "INFO",
            LISTEN + text.replace("10.20.0.2", "[::ffff:10.20.0.2]").replace("]]", "]"),
            ago,
        )


@setup("server", modes=("polling",), unlike=("address", "balancer", "relay", "vantage", "instance", "service", *_APART))
def server_listens_on_one_card(world: Whole, name: str) -> None:
    """The server has two cards and listens for pollers on one of them (commsListenWebSocket aside): its address alone."""
    assert name
    octo = world["octo-1"]
    octo.host["addresses"] = ("192.0.2.10", "10.1.0.10", "fe80::1")
    octo.settings["Octopus.Communications.ListenIP"] = "192.0.2.10"
    for listener in octo.listeners:
        listener["address"] = "192.0.2.10"
    octo.replace(SERVERS_OWN_PORT, probe("192.0.2.10", 10943, page="server", whose="octopus"))


@setup("balancer", modes=("polling",), unlike=("address", "instance", "service", "log", "uptime", "trust", "relay", "server", "vantage", *_APART))  # fmt: skip
def through_a_proxy_with_a_user_alone(world: Whole, name: str) -> None:
    """The proxy is the only way out and wants a user, whom the Tentacle has and the survey has not."""
    world.through_proxy(name)
    world[name].settings["Octopus.Server.Proxy.ProxyUsername"] = "tentacle"
    connects = world.sections[name]["proxy_connects"]
    world.sections[name]["proxy_connects"] = tuple(each.model_copy(update={"status": 407}) for each in connects)
    world.across(name, DROPPED, DROPPED)


@setup("balancer", modes=("polling",), unlike=("address", "instance", "service", "log", "uptime", "trust", "relay", "server", "vantage", *_APART))  # fmt: skip
def through_a_proxy_alone(world: Whole, name: str) -> None:
    """The proxy is the only way out, and lets everybody through."""
    world.through_proxy(name)
    world.across(name, DROPPED, DROPPED)


@setup("server", modes=("polling",), unlike=("address", "balancer", "relay", "vantage", "instance", "service", *_APART))
def two_octopus_servers(world: Whole, name: str) -> None:
    """It polls the server of another department too, which is in the inventory, with a certificate of its own."""
    world.add_other_server("other-1", "192.0.2.60")
    world.join(name, "other-1")


@setup("relay", modes=("listening",), unlike=("address", "port", "balancer", "vantage", "service", "instance", "server", *_APART))  # fmt: skip
def two_octopus_servers_come(world: Whole, name: str) -> None:
    """Two Octopus Servers of the inventory come to it, each with a certificate of its own."""
    world.add_other_server("other-1", "192.0.2.60")
    world.join(name, "other-1")
