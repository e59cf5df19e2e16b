"""Routes, neighbours, addresses: the way there and the way back."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

_WAY = "TT532"
_WEBS, _POLLS = "web-1,web-2", "poll-1,poll-2"
_DEAD = "TC5205 TC5206 TC5202 TC5201 TC5222"

SCENARIOS: tuple[Scenario, ...] = (
    scenario("tentacle-no-default", "routing", "a Tentacle has no default route", "web-1: ip route del default", f"web-1: {_WAY}"),
    scenario("tentacle-dead-gateway", "routing", "a Tentacle's gateway is nobody's address", "web-1: ip route replace default via 10.10.2.77\nhere: sleep 1", f"web-1: {_WAY}", beside="TC5103"),
    scenario("tentacle-blackhole", "routing", "a Tentacle swallows what goes to the server", "web-1: ip route add blackhole 10.10.1.0/24", f"web-1: {_WAY}"),
    scenario("tentacle-unreachable", "routing", "a Tentacle's table says unreachable", "web-1: ip route add unreachable 10.10.1.10/32", f"web-1: {_WAY}"),
    scenario("tentacle-prohibit", "routing", "a Tentacle's table prohibits", "web-1: ip route add prohibit 10.10.1.10/32", f"web-1: {_WAY}"),
    scenario("tentacle-back-by-management", "routing", "the answer leaves by the management network, with a strict path filter", "web-1: sysctl -qw net.ipv4.conf.eth0.rp_filter=1 && ip route add 10.10.1.0/24 via 10.255.0.2", f"web-1: {_WAY}", undo="web-1: sysctl -qw net.ipv4.conf.eth0.rp_filter=0"),
    scenario("server-no-default", "routing", "the server has no default route", "octo-1: ip route del default", f"{_WEBS},{_POLLS}: {_WAY}"),
    scenario("server-no-way-to-subnet", "routing", "the server's table has no way to a subnet", "octo-1: ip route add unreachable 10.10.2.0/24", f"{_WEBS}: {_WAY}"),
    scenario("server-dead-gateway", "routing", "the server's gateway is nobody's address", "octo-1: ip route replace default via 10.10.1.77\nhere: sleep 1", f"{_WEBS},{_POLLS}: {_WAY}", beside="TC5103"),
    scenario("poller-no-default", "routing", "a poller has no default route", "poll-1: ip route del default", f"poll-1: {_WAY}"),
    scenario("poller-blackhole", "routing", "a poller swallows what goes to the server", "poll-1: ip route add blackhole 10.10.1.10/32", f"poll-1: {_WAY}"),
    scenario("poller-wrong-gateway", "routing", "a poller's gateway is nobody's address", "poll-1: ip route replace default via 10.10.3.77\nhere: sleep 1", f"poll-1: {_WAY}", beside="TC5103"),
    scenario("router-no-way-to-subnet", "routing", "the router does not know a subnet", "router: ip route del 10.10.2.0/24", f"{_WEBS}: TC5222 TC5203", undo="router: ip route replace 10.10.2.0/24 dev net-b src 10.10.2.1"),
    scenario("router-blackhole", "routing", "the router swallows what goes to one Tentacle", "router: ip route add blackhole 10.10.2.11/32", "web-1: TC5202", undo="router: ip route del blackhole 10.10.2.11/32"),
    scenario("router-unreachable", "routing", "the router says that one Tentacle is unreachable", "router: ip route add unreachable 10.10.2.11/32", "web-1: TC5222 TC5202", undo="router: ip route del unreachable 10.10.2.11/32"),
    scenario("router-prohibit", "routing", "the router prohibits the way to the server", "router: ip rule add from 10.10.3.21 to 10.10.1.10 prohibit pref 100", "poll-1: TC5222 TC5213", undo="router: ip rule del pref 100"),
    scenario("router-no-forwarding", "routing", "the router does not forward", "router: sysctl -qw net.ipv4.ip_forward=0", f"{_WEBS}: TC5203 TC5204\n{_POLLS}: TC5211 TC5214", undo="router: sysctl -qw net.ipv4.ip_forward=1"),
    scenario("tentacle-cable", "routing", "a Tentacle's cable is out", "router: ip link set b-web-1 down\nhere: sleep 1", f"web-1: {_WAY} TC5222 TC5202 TC5201", undo="router: ip link set b-web-1 up", beside="TC5103"),
    scenario("tentacle-address-gone", "addresses", "a Tentacle has another address than declared", "web-1: ip addr del 10.10.2.11/24 dev eth0; ip addr add 10.10.2.111/24 dev eth0; ip route replace default via 10.10.2.1", "web-1: TT711 TC5222 TT712"),
    scenario("router-arp", "routing", "the router has a wrong neighbour entry for a Tentacle", "router: ip neigh replace 10.10.2.11 lladdr 02:00:00:00:00:99 dev net-b nud permanent", "web-1: TC5202", undo="router: ip neigh del 10.10.2.11 dev net-b"),
    scenario("tentacle-arp", "routing", "a Tentacle has a wrong neighbour entry for its router", "web-1: ip neigh replace 10.10.2.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent", "web-1: TC5202", undo="web-1: ip neigh flush dev eth0 nud permanent", beside="TC5103"),
    scenario("server-arp", "routing", "the server has a wrong neighbour entry for its router", "octo-1: ip neigh replace 10.10.1.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent", f"{_WEBS}: TC5203 TC5204\n{_POLLS}: TC5211", undo="octo-1: ip neigh flush dev eth0 nud permanent", beside="TC5103"),
    scenario("router-silence", "filter on the way", "the router drops everything to and from one Tentacle", "router: nft add table ip t; nft 'add chain ip t c { type filter hook forward priority 0; }'; nft add rule ip t c ip daddr 10.10.2.11 drop; nft add rule ip t c ip saddr 10.10.2.11 drop", "web-1: TC5202"),
)  # fmt: skip
