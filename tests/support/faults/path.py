"""Where a connection is lost (causes/path.py, causes/path_polling.py, causes/firewall.py)."""

from __future__ import annotations

from pytest_tentacle.link import By
from pytest_tentacle.packet_filter import read_sources
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallRule
from pytest_tentacle.survey.surroundings import Product, Route
from support.fleets.failures import DROPPED, FORBIDDEN, NO_ROUTE, REFUSED, SILENT
from support.fleets.looks import SERVERS_OWN_PORT, polled
from support.fleets.whole import POLL, Whole, line, make_linux
from support.fleets.world import probe
from support.rules import linux_rules

from . import case
from .last_words import connections_pile_up
from .logs import INIT, TRANSACTION, not_collected

UNREAD = "Get-NetFirewallRule is not allowed"


def rules_unread(world: Whole, *names: str) -> None:
    for name in names:
        world.sections[name]["firewall"] = UNREAD


def no_rule(world: Whole, name: str) -> None:
    """Windows Firewall without a rule for the port."""
    world.change(name, "firewall", rules=())


@case("TC5201", confidence="possible", unsure="Not read: firewall of web-01")
def own_firewall(world: Whole) -> None:
    """It answers itself, its neighbour is reached, and its rules could not be read."""
    rules_unread(world, "web-01")
    world.both("web-01", DROPPED)


@case("TC5202", confidence="likely", unsure="")
def security_group(world: Whole) -> None:
    """The same, and its own firewall lets the port in."""
    world.both("web-01", DROPPED)


@case("TC5203", "web-01", "web-02", confidence="likely", unsure="")
def closed_way(world: Whole) -> None:
    world.add_listening("web-09", "192.0.2.200")
    for name in ("web-01", "web-02"):
        world.both(name, DROPPED)


@case("TC5203", "web-01", "web-02", confidence="possible", unsure="browse from octo-1 to one in another subnet")
def closed_way_or_own_rules(world: Whole) -> None:
    """Nobody elsewhere is known to be reached."""
    for name in ("web-01", "web-02"):
        world.both(name, DROPPED)


@case("TC5203", "web-01", "web-02", confidence="possible", unsure="the packet filter of octo-1 itself")
def closed_way_or_a_rule_for_one_account(world: Whole) -> None:
    """The server has a rule for its processes' account, of which nobody knows whether it holds for them."""
    world.sections["octo-1"]["firewall"] = linux_rules("tcp dport 10933 meta skuid 0 reject", hook="output")
    closed_way(world)


@case("TC5202", confidence="possible", unsure="the packet filter of octo-1 itself")
def security_group_or_a_rule_for_one_account(world: Whole) -> None:
    world.sections["octo-1"]["firewall"] = linux_rules("tcp dport 10933 meta skuid 0 reject", hook="output")
    world.both("web-01", DROPPED)


@case("TC5201", confidence="likely", unsure="")
def a_mark_may_lead_elsewhere(world: Whole) -> None:
    """Its rules stop nothing, but mark what they see: by a mark the answers may take another way."""
    world.sections["web-01"]["firewall"] = linux_rules("tcp sport 10933 meta mark set 0x5", hook="output")
    world.both("web-01", DROPPED)


@case("TC5212", "poll-01", "poll-02", confidence="possible", unsure="the packet filter of octo-1 itself")
def closed_subnet_or_a_rule(world: Whole) -> None:
    world.sections["octo-1"]["firewall"] = linux_rules("tcp dport 10943 meta hour 20-22 drop")
    closed_subnet(world)


@case("TC5204", "web-01", "web-02", "web-03")
def no_way_out(world: Whole) -> None:
    world.add_listening("web-03", "192.0.2.200")
    for name in ("web-01", "web-02", "web-03"):
        world.both(name, DROPPED)


@case("TC5211", "poll-01", "poll-02", confidence="possible", unsure="Not read: firewall of octo-1")
def server_firewall(world: Whole) -> None:
    rules_unread(world, "octo-1")
    for name in ("poll-01", "poll-02"):
        world.both(name, DROPPED)


@case("TC5212", "poll-01", "poll-02")
def closed_subnet(world: Whole) -> None:
    world.add_polling("poll-03", "192.0.2.200")
    for name in ("poll-01", "poll-02"):
        world.both(name, DROPPED)


@case("TC5213", "poll-01", confidence="likely", unsure="")
def no_way_out_for_one(world: Whole) -> None:
    world.both("poll-01", DROPPED)


@case("TC5213", "poll-01", confidence="possible", unsure="trace the path from poll-01")
def no_way_out_and_no_neighbour(world: Whole) -> None:
    del world.drafts["poll-02"]
    world.add_polling("poll-03", "192.0.2.200")
    world.both("poll-01", DROPPED)


def route(world: Whole, name: str, peer: str, **way: object) -> None:
    """A machine's way to a peer's address, by its own tables."""
    found = Route.model_validate({"peer": peer, "address": peer, "device": "eth0", **way})
    world.sections[name]["routes"] = (found,)


@case("TC5222", confidence="likely")
def prohibited_on_the_way(world: Whole) -> None:
    """The server's own tables have a way; on it somebody says no."""
    route(world, "octo-1", "198.51.100.1", via="192.0.2.1", neighbour="reachable")
    world.both("web-01", NO_ROUTE)


@case("TC5223")
def no_port_left(world: Whole) -> None:
    """The server's system has none of its own ports left for that address, and sends nothing."""
    route(world, "octo-1", "198.51.100.1", via="192.0.2.1", neighbour="reachable")
    world.both("web-01", {**NO_ROUTE, "detail": "BIO_connect:Cannot assign requested address"})


@case("TT532")
def no_way_back(world: Whole) -> None:
    """The Tentacle has no route to its server."""
    route(world, "web-01", "192.0.2.10", error="no-route")
    world.both("web-01", DROPPED)


@case("TC5321")
def containers_have_the_range(world: Whole) -> None:
    """Docker made a network for containers out of the range in which the Tentacle lies."""
    route(world, "octo-1", "198.51.100.1", device="br-4c1d0f9a7b2e", source="198.51.0.1", neighbour="failed")
    world.both("web-01", NO_ROUTE)


@case("TT532")
def has_the_peers_address(world: Whole) -> None:
    """The Tentacle has its server's address itself, and answers itself."""
    route(world, "web-01", "192.0.2.10", device="lo", source="192.0.2.10")
    world.both("web-01", DROPPED)


@case("TT532")
def server_has_the_peers_address(world: Whole) -> None:
    """The same at the other end: nobody listens there."""
    route(world, "octo-1", "198.51.100.1", device="lo", source="198.51.100.1")
    world.both("web-01", REFUSED)


@case("TC5221")
def no_route_for_the_other_family(world: Whole) -> None:
    """It has a way to the IPv4 address, and none to the IPv6 address that the name has."""
    route(world, "octo-1", "198.51.100.1", via="192.0.2.1", neighbour="reachable")
    world["web-01"].host["addresses"] = ("198.51.100.1", "2001:db8::11")
    world.across("web-01", {**NO_ROUTE, "addresses": ("2001:db8::11",)})


@case("TT533")
def kept_in(world: Whole) -> None:
    """The server's own rules do not let it out to the Tentacle."""
    world.sections["octo-1"]["firewall"] = linux_rules("tcp dport 10933 drop", hook="output")
    world.both("web-01", DROPPED)


@case("TC5221")
def no_route(world: Whole) -> None:
    """Nobody could read which way the server takes."""
    world.sections["octo-1"]["routes"] = "this machine has no ip to ask for its routes"
    world.both("web-01", NO_ROUTE)


@case("TT523")
def policy(world: Whole) -> None:
    world.both("web-01", FORBIDDEN)


@case("TC5205", confidence="possible", unsure="Log on to web-01 to tell a firewall from a stopped service")
def nobody_knows(world: Whole) -> None:
    world.both("web-01", DROPPED)
    world.dark("web-01")


@case("TC5205", confidence="possible", unsure="a stopped service.")
def refuses_and_nobody_knows_why(world: Whole) -> None:
    """Its host is up: no word of a silent drop, nor of a machine that is down."""
    world.both("web-01", REFUSED)
    world.dark("web-01")


@case("TC5206", confidence="possible", unsure="trace the path from octo-1")
def one_alone(world: Whole) -> None:
    del world.drafts["web-02"]
    world["octo-1"].peer = world["octo-1"].peer[:2]
    world.both("web-01", DROPPED)
    rules_unread(world, "web-01")


@case("TC5214", "poll-01", confidence="possible", unsure="browse there from one more machine")
def one_poller(world: Whole) -> None:
    del world.drafts["poll-02"]
    world.both("poll-01", REFUSED)


@case("TC5411", confidence="certain", unsure="")
def no_rule_on_a_tentacle(world: Whole) -> None:
    no_rule(world, "web-01")
    world.both("web-01", DROPPED)


@case("TC5421", confidence="certain", unsure="")
def a_rule_that_blocks(world: Whole) -> None:
    rule = FirewallRule(name="Block high ports", action="block", ports=("10000-11000",), source="policy")
    held = world.sections["web-01"]["firewall"].rules
    world.change("web-01", "firewall", rules=(*held, rule))
    world.both("web-01", DROPPED)


@case("TC5431", confidence="certain", unsure="")
def all_that_comes_in_is_blocked(world: Whole) -> None:
    """The switch of a profile, which the survey tells as a rule of that name."""
    switch = FirewallRule(name="DoNotAllowExceptions", action="block", profiles=("Domain",), source="policy")
    world.change("web-01", "firewall", rules=(*world.sections["web-01"]["firewall"].rules, switch))
    world.both("web-01", DROPPED)


@case("TC5441", confidence="certain", unsure="")
def local_rules_are_ignored(world: Whole) -> None:
    profiles = world.sections["web-01"]["firewall"].profiles
    policy = tuple(each.model_copy(update={"local_rules": False}) for each in profiles)
    world.change("web-01", "firewall", profiles=policy)
    world.both("web-01", DROPPED)


@case("TC5411", "octo-1", "poll-01", "poll-02", confidence="certain", unsure="")
def no_rule_on_the_server(world: Whole) -> None:
    """The server's own rules, and all the pollers that they keep out: one cause."""
    no_rule(world, "octo-1")
    for name in ("poll-01", "poll-02"):
        world.both(name, DROPPED)


@case("TC5411", "poll-01", "poll-02", "octo-1")
def a_chain_that_drops(world: Whole) -> None:
    """The same on Linux."""
    world.sections["octo-1"]["firewall"] = linux_rules("ct state established,related accept", policy="drop")
    for name in ("poll-01", "poll-02"):
        world.both(name, DROPPED)


@case("TC5204", "web-01", "web-02", "web-03", confidence="possible", unsure="No look from octo-1 met an open port")
def sees_nothing_at_all(world: Whole) -> None:
    """Not even its own port, whose page others see: the looks themselves are the suspect."""
    no_way_out(world)
    world["octo-1"].replace(SERVERS_OWN_PORT, probe(port=10943, **DROPPED))


@case("TC5203", "web-01", "web-02", confidence="possible", unsure="No look from octo-1 met an open port")
def blind_to_one_subnet(world: Whole) -> None:
    """The server met no open port, not even its own: its looks are the suspect as well."""
    closed_way_or_own_rules(world)
    world["octo-1"].replace(SERVERS_OWN_PORT, probe(port=10943, **DROPPED))


@case("TC5351", confidence="likely")
def slow_way(world: Whole) -> None:
    """Each connection to one Tentacle takes three seconds, and the handshake does not end in time."""
    world.both("web-01", SILENT | {"connect_ms": 3010})


@case("TC5352", "poll-01", confidence="possible", unsure="to compare with")
def slow_somewhere(world: Whole) -> None:
    """A poller looks at its server alone."""
    world.both("poll-01", {"connect_ms": 3010})


@case("TC1153", "poll-01")
def idle_connections_are_dropped(world: Whole) -> None:
    not_collected(world)
    lost = f"{POLL}The connection to the host at https://octo-1.example:10943/ timed out. There may be problems with the network. The connection will be retried."
    for ago in (4000, 3000, 2000, 1000):
        world.logs["poll-01"] += line(ago, "ERROR", lost, 900) + world.secured("poll-01", "octo-1", ago - 5)


@case("TC1154", "poll-01")
def two_nodes_behind_one_name(world: Whole) -> None:
    """The name of a balancer before both nodes is declared for each of them."""
    world.add_server("octo-2", "192.0.2.11")
    for name in ("octo-1", "octo-2"):
        world[name].declare(addresses=("octopus.example",))
    draft = world["poll-01"]
    draft.declare(servers=("octo-1", "octo-2"))
    draft.trusted[0]["Address"] = "https://octopus.example:10943/"
    common = {"port": 10943, "page": "server", "whose": "octopus"}
    draft.replace(polled(0), probe("octopus.example", by=By.NAME, addresses=("192.0.2.9",), **common))
    held = world.sections["poll-01"]["connections"][0].model_copy(update={"remote_address": "192.0.2.9"})
    world.sections["poll-01"]["connections"] = (held,)
    world.logs["poll-01"] = world.polls_at_start("poll-01")
    not_collected(world)


@case("TC1033", "poll-01", confidence="likely")
def second_node_does_not_know_it(world: Whole) -> None:
    world.add_server("octo-2", "192.0.2.11")
    world.join("poll-01", "octo-2")
    held = world.sections["poll-01"]["connections"]
    world.sections["poll-01"]["connections"] = held[:1]
    text = (
        "listen://[::]:10943/             91  A client at [::ffff:192.0.2.30]:50301 connected, and attempted a message "
        "exchange, but it presented a client certificate with the thumbprint "
        f"'{world.thumbprint('poll-01')}' which is not in the list of thumbprints that we trust"
    )
    world.say("octo-2", "ERROR", text)


@case("TC5541")
def server_keeps_its_connections(world: Whole) -> None:
    connections_pile_up(world)
    world.sections["octo-1"]["products"] = (Product(product="server", version="2018.7.9"),)


@case("TC5216", confidence="likely", unsure="")
def answered_by_the_second_look(world: Whole) -> None:
    """By name nothing answers, and a moment later the same address does, as where a table of connections is full."""
    world.across("web-01", DROPPED, {})


@case("TC5216", "poll-01", confidence="likely", unsure="")
def polls_at_times(world: Whole) -> None:
    world.across("poll-01", DROPPED, {})


@case("TC5208", "web-09", confidence="possible", unsure="")
def outer_port_is_another(world: Whole) -> None:
    """What translates its address passes another port on; nobody else is in its subnet."""
    world.add_listening("web-09", "203.0.113.77")
    world.behind_nat("web-09", "10.77.0.9")
    world.both("web-09", DROPPED)


def beside(world: Whole, name: str, tool: str, text: str) -> None:
    """What this tool prints on a Linux machine that has no rule."""
    make_linux(world, name)
    filters = read_sources([{"tool": "nft", "text": ""}, {"tool": tool, "text": text}])
    world.sections[name]["firewall"] = Firewall(engine="none", running=False, filters=filters)


@case("TC5413", confidence="likely", unsure="nobody sees")
def program_at_the_card(world: Whole) -> None:
    """Its neighbour is reached, and of its rules none stands in the way."""
    beside(
        world,
        "web-01",
        "xdp",
        "2: eth0: <UP> mtu 1500 xdp qdisc mq state UP\\    prog/xdp id 7 name guard tag b1 jited",
    )
    world.both("web-01", DROPPED)


@case("TC5413", confidence="possible", unsure="nobody sees")
def program_at_all_cards(world: Whole) -> None:
    """Its neighbour has the same, and is reached: it may as well be a security group."""
    program_at_the_card(world)
    beside(
        world,
        "web-02",
        "xdp",
        "2: eth0: <UP> mtu 1500 xdp qdisc mq state UP\\    prog/xdp id 7 name guard tag b1 jited",
    )


@case("TC5413", confidence="certain", unsure="")
def nobody_negotiates(world: Whole) -> None:
    """IPsec's policy wants what its server sends encrypted."""
    policy = "src 0.0.0.0/0 dst 0.0.0.0/0 \n\tdir in priority 0 ptype main \n\ttmpl src 192.0.2.10 dst 192.0.2.11\n\t SAD count 0"
    beside(world, "web-01", "xfrm", policy)
    world.both("web-01", DROPPED)


@case("TC5412", confidence="certain", unsure="")
def banned_by_fail2ban(world: Whole) -> None:
    """Its server connects again and again, which a jail takes for an attack."""
    make_linux(world, "web-01")
    ban = "tcp dport 10933 ip saddr @addr-set-f2b-tentacle drop"
    listed = "\tset addr-set-f2b-tentacle {\n\t\ttype ipv4_addr\n\t\telements = { 198.51.100.0/24, 192.0.2.0/24 }\n\t}"
    world.sections["web-01"]["firewall"] = linux_rules(ban, more=listed)
    world.both("web-01", DROPPED)


@case("TT158", "poll-01", confidence="likely")
def let_out_no_more(world: Whole) -> None:
    """A security product has contained the machine since the look, or for the service's account alone."""
    text = (
        "System.Net.Sockets.SocketException (0x80004005): An attempt was made to access a socket in a way forbidden by "
        "its access permissions 192.0.2.10:10943"
    )
    world.say("poll-01", "ERROR", f"{TRANSACTION}{text}")
    world.sections["poll-01"]["connections"] = ()


@case("TT158", "poll-01")
def let_out_no_more_on_linux(world: Whole) -> None:
    world.say("poll-01", "ERROR", f"{TRANSACTION}System.Net.Sockets.SocketException (13): Permission denied [::]:10943")
    world.sections["poll-01"]["connections"] = ()


@case("TT158")
def server_lets_itself_not_out(world: Whole) -> None:
    """The server's log tells of its way to a listener: it is no port that the server would listen on."""
    text = (
        "System.Net.Sockets.SocketException (10013): An attempt was made to access a socket in a way forbidden by its"
    )
    world.say("octo-1", "ERROR", f"{INIT}{text}")
