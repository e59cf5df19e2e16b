"""More ways between two healthy ends: overlapping networks, shared addresses, routing by name, filters that let it through."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By, Failure, Tried
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallProfile, FirewallRule
from pytest_tentacle.packet_filter.reading import read_sources
from pytest_tentacle.survey.surroundings import OwnName
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED
from support.fleets.looks import OWN_PORT, declared, from_server, polled
from support.fleets.whole import SERVER_LISTEN, Whole
from support.fleets.world import probe
from support.rules import as_survey

from . import setup

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
_WAY = ("relay", "port", "balancer", "vantage", "server", "service", "instance", "registration", *_APART)
_SERVER: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}


@setup("address", modes=("listening",), unlike=("firewall", "log", *_WAY))
def networks_that_overlap(world: Whole, name: str) -> None:
    """Two sites have the same network; NAT on both sides gives each the other under 100.64/10. Both ends are 10.0.0.10."""
    draft, outer = world[name], "100.64.5.20"
    draft.declare(ip=outer)
    draft.host["addresses"] = ("10.0.0.10", "fe80::1")
    world["octo-1"].host["addresses"] = ("10.0.0.10", "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=("10.0.0.10",)),)
    port = draft.machine.port
    for server in draft.machine.servers:
        by_name = probe(draft.machine.dns_name, port, By.NAME, whose=name, addresses=(outer,))
        world[server].replace(from_server(name, By.NAME, server), by_name)
        world[server].replace(from_server(name, By.ADDRESS, server), probe(outer, port, By.ADDRESS, whose=name))
    world.logs[name] = world.logs[name].replace("192.0.2.10", "100.64.9.10")


@setup("address", "port", modes=("listening",), unlike=("log", *_WAY))
def two_tentacles_behind_one_address(world: Whole, name: str) -> None:
    """HAProxy passes TLS through: one name and address for both, a port for each."""
    for each, port in ((name, 21001), ("web-02", 21002)):
        draft = world[each]
        draft.declare(dns_name="deploy.example", ip="198.51.100.80", port=port, listens_on=10933)
        for server in draft.machine.servers:
            by_name = probe("deploy.example", port, By.NAME, whose=each, addresses=("198.51.100.80",))
            world[server].replace(from_server(each, By.NAME, server), by_name)
            by_address = probe("198.51.100.80", port, By.ADDRESS, whose=each)
            world[server].replace(from_server(each, By.ADDRESS, server), by_address)
        own = f"10.20.0.{port % 100}"
        draft.host["addresses"] = (own, "fe80::1")
        world.sections[each]["own_names"] = (OwnName(name=each, addresses=(own,)),)
        world.logs[each] = world.logs[each].replace("192.0.2.10", "10.20.0.250")


@setup("address", modes=("listening",), unlike=("log", *_WAY))
def own_name_that_only_the_server_knows(world: Whole, name: str) -> None:
    """Its name stands in the server's hosts file; the machine itself asks another DNS, which does not have it."""
    lost = OwnName(name=world[name].machine.dns_name, error="name-not-found", detail="Name or service not known")
    world.sections[name]["own_names"] = (lost,)


@setup("address", modes=("listening",), unlike=_WAY)
def declared_in_capitals(world: Whole, name: str) -> None:
    """The inventory comes from Active Directory, which writes names in capitals."""
    draft = world[name]
    host = draft.machine.dns_name.upper()
    draft.declare(dns_name=host)
    world.sections[name]["own_names"] = (OwnName(name=host, addresses=(draft.machine.ip,)),)
    for server in draft.machine.servers:
        by_name = probe(host, draft.machine.port, By.NAME, whose=name, addresses=(draft.machine.ip,))
        world[server].replace(from_server(name, By.NAME, server), by_name)


@setup("address", modes=("listening",), unlike=_WAY)
def short_name_with_a_search_list(world: Whole, name: str) -> None:
    """The inventory has the short name, which each end makes whole by its search list."""
    draft = world[name]
    draft.declare(dns_name=name)
    world.sections[name]["own_names"] = (OwnName(name=name, addresses=(draft.machine.ip,)),)
    for server in draft.machine.servers:
        by_name = probe(name, draft.machine.port, By.NAME, whose=name, addresses=(draft.machine.ip,))
        world[server].replace(from_server(name, By.NAME, server), by_name)


@setup("address", unlike=_WAY)
def many_addresses(world: Whole, name: str) -> None:
    """A web server with forty sites, each with an address of its own; and a card without a cable has 169.254.7.9."""
    own = world[name].machine.ip
    more = tuple(f"172.20.1.{number}" for number in range(1, 40))
    world[name].host["addresses"] = (own, *more, "169.254.7.9", "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=world[name].machine.dns_name, addresses=(own, *more[:3])),)


@setup("address", modes=("listening",), unlike=_WAY)
def several_networks_of_virtual_machines(world: Whole, name: str) -> None:
    """Hyper-V, Docker and WSL: the machine has three inner networks, one of which is the server's own range elsewhere."""
    own = world[name].machine.ip
    world[name].host["addresses"] = (own, "172.17.0.1", "172.28.160.1", "192.168.56.1", "fe80::1")


@setup("address", modes=("polling",), unlike=("log", "connections", *_WAY))
def vpn_with_another_address_each_day(world: Whole, name: str) -> None:
    """A shop's VPN gives it another address at each dial-in; the server has let it in from all of them."""
    draft, today = world[name], "10.8.3.77"
    draft.declare(ip=None)
    draft.host["addresses"] = ("192.168.1.20", today, "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=(today,)),)
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(each.model_copy(update={"local_address": today}) for each in rows)
    for day, address in enumerate(("10.8.1.12", "10.8.7.9", "10.8.3.77")):
        peer = f"[::ffff:{address}]:{51_000 + day}"
        ago = (2 - day) * 86_400 + 5000
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", ago)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(name)}", ago)


@setup("address", modes=("polling",), unlike=("log", "connections", *_WAY))
def all_come_from_one_address(world: Whole, name: str) -> None:
    """A site behind one public address: the server sees both pollers come from it, by turns."""
    for number, poller in enumerate((name, "poll-02", name, "poll-02")):
        peer = f"[::ffff:203.0.113.250]:{52_000 + number}"
        ago = 4000 - number * 3
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", ago)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(poller)}", ago)
    for poller in {name, "poll-02"}:
        world[poller].host["addresses"] = (f"192.168.7.{poller[-1]}", "fe80::1")
        world.sections[poller]["own_names"] = (
            OwnName(name=world[poller].machine.dns_name, addresses=(f"192.168.7.{poller[-1]}",)),
        )


@setup("balancer", modes=("polling",), unlike=("address", "log", "uptime", *_WAY))
def routed_by_name_on_443(world: Whole, name: str) -> None:
    """nginx reads the name of the hello (ssl_preread): by name it is the server, by address nginx's own page and certificate."""
    world["octo-1"].declare(polling_ports=(443,), portal="https://portal.example")
    edge = "192.0.2.99"
    for poller in ("poll-01", "poll-02"):
        draft = world[poller]
        draft.trusted[0]["Address"] = "https://octo-1.example:443/"
        by_name: dict[str, Any] = {"by": By.NAME, "addresses": (edge,), "page": "server", "whose": "octopus"}
        draft.replace(polled(0), probe("octo-1.example", 443, **by_name))
        draft.replace(declared(poller, "octo-1", "octo-1.example"), probe("octo-1.example", 443, **by_name))
        other = probe("192.0.2.10", 443, By.ADDRESS, page="other", whose="nginx")
        draft.replace(declared(poller, "octo-1", "192.0.2.10"), other)
        rows = world.sections[poller]["connections"]
        to_it = {"remote_address": edge, "remote_port": 443}
        world.sections[poller]["connections"] = tuple(each.model_copy(update=to_it) for each in rows)
        text = world.logs[poller].replace("https://octo-1.example:10943/", "https://octo-1.example:443/")
        world.logs[poller] = text.replace("[::ffff:192.0.2.10]:10943", f"[::ffff:{edge}]:443")
    assert name


@setup("address", modes=("polling",), unlike=("log", *_WAY))
def prefers_ipv6_which_it_does_not_have(world: Whole, name: str) -> None:
    """The server's name has both families and IPv6 comes first; this network has no IPv6, and Tentacle goes on by IPv4 at once."""
    both = ("2001:db8:2::10", "192.0.2.10")
    world["octo-1"].host["addresses"] = ("192.0.2.10", "2001:db8:2::10")
    first = Tried(address=both[0], ms=0.2, stage="connect", error=Failure.UNREACHABLE)
    second = Tried(address=both[1], ms=1, thumbprint=thumbprint("octopus"))
    for look in (polled(0), declared(name, "octo-1", "octo-1.example")):
        seen = probe("octo-1.example", by=By.NAME, addresses=both, tried=(first, second), **_SERVER)
        connect = seen.connect.model_copy(update={"address": both[1]}) if seen.connect else None
        world[name].replace(look, seen.model_copy(update={"connect": connect}))


@setup("listener", modes=("listening",), systems=("linux",), unlike=("address", "log", "uptime", *_WAY))
def relay_on_the_machine_itself(world: Whole, name: str) -> None:
    """HAProxy listens on the outer address and passes on to the Tentacle, which listens on loopback, on the same port."""
    draft = world[name]
    draft.settings["Tentacle.Services.ListenIP"] = "127.0.0.1"
    draft.listeners[0]["address"] = "127.0.0.1"
    relay = {"address": draft.machine.ip, "port": 10933, "pid": 711, "owner": {"pid": 711, "name": "haproxy"}}
    draft.listeners.append(relay)
    draft.replace(OWN_PORT, probe("127.0.0.1", whose=name))
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", "::ffff:127.0.0.1").replace("[::]", "127.0.0.1")


@setup("listener", modes=("listening",), unlike=("address", *_WAY))
def listens_by_two_sockets(world: Whole, name: str) -> None:
    """One socket for each family, both of the service's process; a script of a deployment is its child."""
    (own,) = world[name].listeners
    child = {"pid": 7001, "name": "pwsh", "parent_pid": own["pid"]}
    world[name].listeners = [own | {"address": "0.0.0.0"}, own | {"children": (child,)}]


_BY_NFT = """table inet filter {
	set banned {
		type ipv4_addr
		flags interval
		elements = { 45.9.0.0/16, 192.0.3.0/24 }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		ip saddr @banned counter packets 812 bytes 48720 drop
		ct state established,related accept
		ct state invalid drop
		meta l4proto ipv6-icmp accept
		icmp type echo-request limit rate 5/second accept
		tcp dport 22 ct state new limit rate 15/minute accept
		ip saddr 192.0.2.0/24 tcp dport 10933 accept
	}
}
"""
_BY_UFW = """*filter
:INPUT DROP [9:540]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:ufw-before-input - [0:0]
:ufw-user-input - [0:0]
:ufw-user-limit - [0:0]
-A INPUT -j ufw-before-input
-A INPUT -j ufw-user-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-input -m conntrack --ctstate INVALID -j DROP
-A ufw-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource
-A ufw-user-input -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 --name DEFAULT --mask 255.255.255.255 --rsource -j ufw-user-limit
-A ufw-user-input -p tcp -m tcp --dport 10933 -j ACCEPT
-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""
_OUT_ALONE = """table inet filter {
	chain output {
		type filter hook output priority filter; policy drop;
		oif "lo" accept
		ct state established,related accept
		udp dport { 53, 123 } accept
		ip daddr 192.0.2.10 tcp dport 10943 accept
	}
}
"""
_BY_FIREWALLD = """table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		jump filter_INPUT_POLICIES
		ct state { invalid } drop
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT_POLICIES {
		ip saddr 192.0.2.0/24 goto filter_IN_octopus
		goto filter_IN_public
	}
	chain filter_IN_octopus {
		tcp dport 10933 accept
		reject with icmpx admin-prohibited
	}
	chain filter_IN_public {
		tcp dport 22 accept
		reject with icmpx admin-prohibited
	}
}
"""


@setup("firewall", modes=("listening",), systems=("linux",), unlike=("relay", "address", "port", "server", "service"))
def nftables_that_lets_the_server_in(world: Whole, name: str) -> None:
    """What is not let in is dropped; the server's network is let in, banned addresses are a set before it."""
    world.sections[name]["firewall"] = as_survey(_BY_NFT)


@setup("firewall", modes=("listening",), systems=("linux",), unlike=("relay", "address", "port", "server", "service"))
def ufw_that_limits_ssh(world: Whole, name: str) -> None:
    """ufw denies by default, limits attempts by SSH, and lets 10933 in from anywhere."""
    filters = read_sources([{"tool": "iptables", "text": _BY_UFW}])
    world.sections[name]["firewall"] = Firewall(engine="ufw", running=True, filters=filters, text=_BY_UFW)


@setup("firewall", modes=("polling",), systems=("linux",), unlike=("relay", "address", "balancer", "server", "service", "vantage"))  # fmt: skip
def lets_out_what_it_needs_alone(world: Whole, name: str) -> None:
    """What is not let out is dropped: names, time, and the server's polling port."""
    world.sections[name]["firewall"] = as_survey(_OUT_ALONE)


@setup("firewall", modes=("listening",), systems=("linux",), unlike=("relay", "address", "port", "server", "service"))
def firewalld_zone_for_the_servers(world: Whole, name: str) -> None:
    """The servers' network has a zone of its own, which lets 10933 in; everybody else is rejected."""
    world.sections[name]["firewall"] = as_survey(_BY_FIREWALLD).model_copy(update={"engine": "firewalld"})


@setup("firewall", modes=("listening",), systems=("windows",))
def rules_with_ipsec_for_others(world: Whole, name: str) -> None:
    """Administrators come by a rule that wants IPsec; the server's own rule wants nothing, and holds for one profile of two."""
    profiles = tuple(
        FirewallProfile(name=profile, enabled=True, inbound="block", local_rules=True, active=True)
        for profile in ("Domain", "Public")
    )
    rules = (
        FirewallRule(name="Admins", action="allow", ports=("10933",), conditional=True),
        FirewallRule(name="Octopus", action="allow", ports=("10933",), profiles=("Domain",), remote=("192.0.2.10",)),
    )
    world.change(name, "firewall", profiles=profiles, rules=rules)


@setup("firewall", systems=("windows",))
def firewall_of_another_maker(world: Whole, name: str) -> None:
    """Another maker's firewall has taken over: Windows' own runs, lets everything in, and has no rule for Octopus."""
    profile = FirewallProfile(name="Domain", enabled=True, inbound="allow", local_rules=True, active=True)
    world.change(name, "firewall", profiles=(profile,), rules=())


@setup("firewall", systems=("windows",))
def firewall_service_that_is_off(world: Whole, name: str) -> None:
    """The perimeter's firewall is all there is, and the service of Windows' own does not even run."""
    world.change(name, "firewall", running=False, profiles=(), rules=())


@setup("address", modes=("polling",), unlike=("log", *_WAY))
def server_polled_by_another_name_of_dns(world: Whole, name: str) -> None:
    """An alias of DNS that no inventory has; the server's own name is not even known in this network."""
    draft = world[name]
    draft.trusted[0]["Address"] = "https://deploy.corp.example:10943/"
    by_name: dict[str, Any] = {"by": By.NAME, "addresses": ("192.0.2.10",), **_SERVER}
    draft.replace(polled(0), probe("deploy.corp.example", **by_name))
    lost = {"fails": "resolve", "error": Failure.NAME_NOT_FOUND}
    draft.replace(declared(name, "octo-1", "octo-1.example"), probe("octo-1.example", 10943, By.NAME, **lost))
    world.logs[name] = world.logs[name].replace("octo-1.example", "deploy.corp.example")


@setup("address", modes=("listening",), unlike=("log", *_WAY))
def published_by_a_private_link(world: Whole, name: str) -> None:
    """The provider's side of a private link: the server reaches an address of its own network, and comes from the link's."""
    draft, endpoint = world[name], "10.5.0.30"
    draft.declare(ip=endpoint, dns_name="web-01.privatelink.example")
    draft.host["addresses"] = ("10.90.1.4", "fe80::1")
    world.sections[name]["own_names"] = (OwnName(name=name, addresses=("10.90.1.4",)),)
    port = draft.machine.port
    for server in draft.machine.servers:
        by_name = probe("web-01.privatelink.example", port, By.NAME, whose=name, addresses=(endpoint,))
        world[server].replace(from_server(name, By.NAME, server), by_name)
        world[server].replace(from_server(name, By.ADDRESS, server), probe(endpoint, port, By.ADDRESS, whose=name))
    world.logs[name] = world.logs[name].replace("192.0.2.10", "10.90.1.250")


@setup("address", modes=("polling",), unlike=("log", *_WAY))
def server_that_answers_no_address(world: Whole, name: str) -> None:
    """The network lets pollers through to the name's address of a balancer, and drops what goes to the server itself."""
    draft = world[name]
    by_name: dict[str, Any] = {"by": By.NAME, "addresses": ("192.0.2.150", "192.0.2.151"), **_SERVER}
    for look in (polled(0), declared(name, "octo-1", "octo-1.example")):
        draft.replace(look, probe("octo-1.example", **by_name))
    shut = probe("192.0.2.10", 10943, By.ADDRESS, **DROPPED)
    draft.replace(declared(name, "octo-1", "192.0.2.10"), shut)
    rows = world.sections[name]["connections"]
    to_it = {"remote_address": "192.0.2.151"}
    world.sections[name]["connections"] = tuple(each.model_copy(update=to_it) for each in rows)
    world.logs[name] = world.logs[name].replace("192.0.2.10", "192.0.2.151")
