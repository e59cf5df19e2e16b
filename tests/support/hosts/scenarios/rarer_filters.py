"""Packet filters and ways that say it otherwise: maps, marks, raw bytes, hooks of every kind, next hops, neighbours."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

from .filters import BANNED, nft, own, tables
from .several import behind, records
from .unusual import unread

_WEBS, _POLLS = "web-1,web-2", "poll-1,poll-2"
_STATE = "ct state established,related accept; iif lo accept; tcp dport 22 accept"
_WAY = "TT532"
_NAT = "router: nft add table ip n; nft 'add chain ip n c { type nat hook %s; }'; nft add rule ip n c %s"
_HOLDS = (
    "octo-1: (setsid python3 -c \"import socket, time; s = socket.create_connection(('10.10.2.11', 10933)); time.sleep(120)\" "
    ">/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 0.7"
)

_OWN = (
    own("concatenated", "a set of networks, protocols and ranges of ports drops", nft("web-1", "ip saddr . ip protocol . th dport @bad drop", more="add set inet t bad { typeof ip saddr . ip protocol . th dport; flags interval; elements = { 10.10.0.0/16 . tcp . 10900-10999 }; }")),
    own("verdicts-by-pair", "a named map of sources with ports drops", nft("web-1", "ip saddr . tcp dport vmap @which", more="add map inet t which { type ipv4_addr . inet_service : verdict; elements = { 10.10.1.10 . 10933 : drop, 10.10.1.11 . 10933 : accept }; }")),
    own("named-counter", "a rule with a counter of its own name drops", nft("web-1", 'tcp dport 10933 counter name "octo" drop', more="add counter inet t octo")),
    own("mark-by-map", "a map marks by port, and what is marked is dropped", nft("web-1", "meta mark set tcp dport map { 22 : 1, 10933 : 7 }; meta mark 7 drop")),
    own("connection-mark", "connections are marked as they come in, and rejected by that", nft("web-1", "ct mark 3 reject with tcp reset", more="add chain inet t early { type filter hook prerouting priority -100; } | add rule inet t early tcp dport 10933 ct mark set 3")),
    own("local-addresses", "new connections to any address of the machine are dropped, but for SSH", nft("web-1", f"{_STATE}; fib daddr type local ct state new drop")),
    unread("count", "nft lets no connection at a time in", nft("web-1", "tcp dport 10933 ct count over 0 reject with tcp reset"), "TC5205"),
    own("original-port", "dropped by the port that the connection was first opened to", nft("web-1", "ct state new meta l4proto tcp ct original proto-dst 10933 drop")),
    unread("wildcard-socket", "what goes to a program that listens on all addresses is dropped", nft("web-1", "tcp dport 10000-11000 socket wildcard 1 drop"), "TC5205"),
    unread("raw-bytes", "dropped by two bytes of the segment", nft("web-1", "meta l4proto tcp @th,16,16 10933 drop"), "TC5205"),
    own("inet-ingress", "dropped at the interface, by a table of all families", "web-1: nft add table inet t; nft 'add chain inet t c { type filter hook ingress device eth0 priority 0; }'; nft 'add rule inet t c tcp dport 10933 drop'"),
    own("egress", "the answers are dropped where they leave the interface", "web-1: nft add table netdev t; nft 'add chain netdev t c { type filter hook egress device eth0 priority 0; }'; nft 'add rule netdev t c tcp sport 10933 drop'"),
    own("all-ports-but", "new connections to all ports but a few are dropped", nft("web-1", "iif lo accept; ct state new tcp dport != { 22, 53, 80, 443, 5985 } drop")),
    own("interface-pattern", "dropped on all interfaces of a kind", nft("web-1", 'iifname "eth*" tcp dport 10000-19999 counter drop')),
    own("source-mask", "sources are dropped by a mask", nft("web-1", "ip saddr & 255.255.0.0 == 10.10.0.0 tcp dport 10933 drop")),
    own("zone-by-source", "firewalld's zone of the server's network drops, that of the interface lets it in", nft("web-1", f"{_STATE}; ip saddr 10.10.1.0/24 goto zone_drop; iifname eth0 goto zone_public; reject with icmpx admin-prohibited", more="add chain inet t zone_drop | add chain inet t zone_public | add rule inet t zone_drop drop | add rule inet t zone_public tcp dport 10933 accept | add rule inet t zone_public reject with icmpx admin-prohibited")),
    # The first packet is let in, nothing that follows is.
    scenario("own-first-only", "filter of the host", "new connections are let in, and none of their further packets", nft("web-1", "iif lo accept; tcp dport 22 accept; udp sport 53 accept; tcp dport 10933 ct state new accept", policy="drop"), "web-1: TC5411 TC5201 TC5283", beside="TC5103"),
    own("ports-negated", "all ports but a list are dropped", tables("web-1", "-A INPUT -i eth0 -p tcp -m multiport ! --dports 22,53,1024:9999 -j DROP")),
    own("address-type", "high ports of the machine's own addresses are rejected", tables("web-1", "-A INPUT -i eth0 -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 10000: -j REJECT --reject-with icmp-host-prohibited")),
    unread("u32", "iptables drops by bytes of the segment", tables("web-1", "-A INPUT -i eth0 -p tcp -m u32 --u32 '0>>22&0x3C@0&0xFFFF=0x2AB5' -j DROP"), "TC5205"),
    own("connmark", "connections are marked in one table, and dropped by that in another", tables("web-1", "-t mangle -A PREROUTING -i eth0 -p tcp --dport 10933 -j CONNMARK --set-xmark 0x4/0x4", "-A INPUT -m connmark --mark 0x4/0x4 -j DROP")),
    own("first-port", "iptables drops by the port that the connection was first opened to", tables("web-1", "-A INPUT -i eth0 -p tcp -m conntrack --ctstate NEW --ctorigdstport 10933 -j DROP")),
    unread("transparent", "a transparent proxy that does not run takes the port's packets", tables("web-1", "-t mangle -A PREROUTING -i eth0 -p tcp --dport 10933 -j TPROXY --on-port 50080 --tproxy-mark 1") + "; ip rule add fwmark 1 lookup 100 pref 90; ip route add local default dev lo table 100", "TC5202"),
    unread("answers-by-account", "what the service's account answers is dropped", tables("web-1", "-A OUTPUT -o eth0 -p tcp --sport 10933 -m owner --uid-owner 0 -j DROP"), "TC5202 TC5205"),
    unread("tcp-option", "dropped by an option of the first packet", nft("web-1", "tcp dport 10933 tcp option sack-perm exists drop"), "TC5205"),
    own("packet-type", "what was sent to the machine itself is dropped, but for SSH", tables("web-1", "-A INPUT -i lo -j ACCEPT", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -p tcp -m pkttype --pkt-type unicast -m conntrack --ctstate NEW -j DROP")),
    scenario("server-out-others", "filter of the server", "connections to all but one Tentacle are reset", nft("octo-1", "tcp dport 10933 ip daddr != { 10.10.2.11, 127.0.0.1 } reject with tcp reset", hook="output"), "web-2: TT533", beside="TT533"),
    scenario("server-answers-late-hook", "filter of the server", "Tentacles' answers are dropped at the interface", "octo-1: nft add table netdev t; nft 'add chain netdev t c { type filter hook ingress device eth0 priority 0; }'; nft 'add rule netdev t c tcp sport 10933 drop'", f"{_WEBS}: TT533", beside="TT533"),
    scenario("poller-dns-answers", "filter of the poller", "the answers of DNS are not let in", nft("poll-1", "udp sport 53 drop"), "poll-1: TC5103 TT533", beside="TC5103"),
)  # fmt: skip

_WAYS = (
    scenario("router-budget", "filter on the way", "the router lets only so many bytes of a connection to one Tentacle through", tables("router", "-A FORWARD -p tcp -s 10.10.2.11 --sport 10933 -m connbytes --connbytes 1000: --connbytes-dir both --connbytes-mode bytes -j DROP"), "web-1: TC5281 TC5282"),
    # Of one machine alone nobody can tell large packets from a device that stays silent.
    scenario("jumbo", "middle boxes", "both ends have large frames, what is between them has not", "octo-1: ip link set eth0 mtu 9000\nweb-1: ip link set eth0 mtu 9000", "web-1: TC5282 TC5284 TC5281"),
    scenario("long-hello", "filter on the way", "the router drops long packets towards one Tentacle", nft("router", "ip daddr 10.10.2.11 tcp dport 10933 meta length > 250 drop", hook="forward"), "web-1: TC5281 TC5282"),
    scenario("translated-to-nobody", "middle boxes", "the router gives the server an address that is nobody's", _NAT % ("postrouting priority srcnat", "ip daddr 10.10.2.11 snat to 10.10.2.200"), f"web-1: TC5202 {_WAY}"),
    scenario("ports-exhausted", "middle boxes", "the router has one port to translate to, and it is taken", tables("router", "-t nat -A POSTROUTING -d 10.10.2.11 -p tcp -j SNAT --to-source 10.10.2.1:5000-5000") + f"\n{_HOLDS}", "web-1: TC5202", undo="octo-1: kill $(cat /run/holds.pid)"),
    scenario("forward-to-nobody", "middle boxes", "the router translates to the address of old", _NAT % ("prerouting priority dstnat", "ip daddr 10.10.2.11 tcp dport 10933 dnat to 10.10.2.99"), "web-1: TC5202 TC5222"),
    scenario("tentacle-rule-account", "routing", "a rule for the service's account has a table that swallows", "web-1: ip rule add uidrange 0-0 to 10.10.1.0/24 lookup 97 pref 90; ip route replace blackhole default table 97", f"web-1: {_WAY} TC5202", undo="web-1: ip route flush table 97"),
    scenario("tentacle-rule-port", "routing", "a rule for the port's answers has a table that leads to nobody", "web-1: ip rule add ipproto tcp sport 10933 lookup 97 pref 90; ip route replace default via 10.10.2.99 table 97", f"web-1: {_WAY} TC5202", undo="web-1: ip route flush table 97"),
    scenario("tentacle-rule-prohibits", "routing", "a rule prohibits the way to the server", "web-1: ip rule add to 10.10.1.10 prohibit pref 90; ip route show >/dev/null", f"web-1: {_WAY}"),
    scenario("tentacle-two-hops", "routing", "of a Tentacle's two ways back nearly all takes the dead one", "web-1: ip route add 10.10.1.0/24 nexthop via 10.10.2.99 weight 250 nexthop via 10.10.2.1 weight 1", f"web-1: {_WAY} TC5202"),
    scenario("tentacle-next-hop", "routing", "a next hop of its own is nobody's address", "web-1: ip nexthop add id 5 via 10.10.2.99 dev eth0; ip route replace 10.10.1.0/24 nhid 5", f"web-1: {_WAY}", undo="web-1: ip nexthop flush"),
    scenario("poller-two-defaults", "routing", "of a poller's two default routes the preferred one is dead", "poll-1: ip route del default; ip route add default via 10.10.3.1 metric 200; ip route add default via 10.10.3.99 metric 100", f"poll-1: {_WAY}"),
    scenario("tentacle-silent-address", "routing", "a Tentacle's address is on loopback, and it answers no ARP for it", "web-1: ip addr del 10.10.2.11/24 dev eth0; ip addr add 10.10.2.111/24 dev eth0; ip addr add 10.10.2.11/32 dev lo; sysctl -qw net.ipv4.conf.all.arp_ignore=1; ip route replace default via 10.10.2.1\nrouter: ip neigh flush dev net-b", f"web-1: TC5202 TC5222 {_WAY}", undo="web-1: sysctl -qw net.ipv4.conf.all.arp_ignore=0; ip addr del 10.10.2.11/32 dev lo"),
    scenario("router-arp-other", "routing", "the router's neighbour entry leads a Tentacle's packets to another machine", "web-2: cat /sys/class/net/eth0/address > /run/mac\nhere: cp /proc/$(cat /mnt/web-2/pid)/root/run/mac /mnt/router/mac\nrouter: ip neigh replace 10.10.2.11 lladdr $(cat /mnt/router/mac) dev net-b nud permanent", "web-1: TC5202", undo="router: ip neigh del 10.10.2.11 dev net-b || :"),
    scenario("self-assigned", "addresses", "a Tentacle has only a self-assigned address", "web-1: ip addr flush dev eth0; ip addr add 169.254.7.7/16 dev eth0", f"web-1: TT713 TT711 {_WAY}", beside="TC5103"),
    scenario("narrow-band", "slow ways", "a Tentacle's way out lets 500 bytes a second through", "web-1: tc qdisc add dev eth0 root tbf rate 4kbit burst 1600 limit 40000", "web-1: TC5351 TC5352 TC6443", seconds=10),
    scenario("six-wrong-router", "routing", "the server's IPv6 default route leads to nobody", f"{records('a', behind('web-1', 'fd10:2::11'))}\nocto-1: ip -6 route replace default via fd10:1::99", f"web-1: TT716 TT715 {_WAY}"),
)  # fmt: skip

_MORE = (
    own("states-map", "a map of connection states drops new ones", nft("web-1", "iif lo accept; tcp dport 22 accept; ct state vmap { established : accept, related : accept, new : drop, invalid : drop }")),
    own("timed-set", "the server is in a set whose elements expire", nft("web-1", "ip saddr @bad reject with icmpx port-unreachable", more="add set inet t bad { type ipv4_addr; flags timeout; timeout 1h; } | add element inet t bad { 10.10.1.10 }")),
    own("dnat-loopback", "the port is led to the machine's loopback, where such packets may not go", "web-1: nft add table ip t; nft 'add chain ip t c { type nat hook prerouting priority dstnat; }'; nft 'add rule ip t c tcp dport 10933 dnat to 127.0.0.1:10933'"),
    own("later-table", "one table lets the port in, another one of a later priority rejects it", f"{nft('web-1', 'tcp dport 10933 accept')}nft add table inet f2b-table; nft 'add chain inet f2b-table f2b-chain {{ type filter hook input priority filter + 1; }}'; nft 'add rule inet f2b-table f2b-chain tcp dport {{ 22, 10933 }} ip saddr 10.10.1.0/24 reject'", BANNED),
    unread("by-time", "iptables drops by the time of day", tables("web-1", "-A INPUT -p tcp --dport 10933 -m time --timestart 00:00 --timestop 23:59 -j DROP"), "TC5205"),
    own("address-by-interface", "what comes to the machine's address is dropped, but for SSH", nft("web-1", "tcp dport 22 accept; ip daddr 10.10.2.11 meta l4proto tcp drop")),
    own("tables-output-policy", "iptables lets nothing out that it does not name", tables("web-1", "-A OUTPUT -o lo -j ACCEPT", "-A OUTPUT -p tcp --sport 22 -j ACCEPT", "-A OUTPUT -p udp --dport 53 -j ACCEPT", "-P OUTPUT DROP")),
    scenario("server-in-interface", "filter of the server", "pollers are rejected by the interface that they come by", nft("octo-1", 'iifname "eth0" tcp dport 10000-10999 ct state new reject with icmpx host-unreachable'), f"{_POLLS}: TC5411", beside="TC5411"),
    scenario("poller-out-legacy", "filter of the poller", "legacy iptables lets out only what it names", tables("poll-1", "-A OUTPUT -o lo -j ACCEPT", "-A OUTPUT -p tcp -m multiport --dports 80,443 -j ACCEPT", "-A OUTPUT -p udp --dport 53 -j ACCEPT", "-A OUTPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT", "-P OUTPUT DROP", tool="iptables-legacy") + "; ss -K dst 10.10.1.10 2>/dev/null || :", "poll-1: TT533"),
    scenario("server-source-port", "filter of the server", "only answers to a range of own ports are let in", nft("octo-1", "tcp sport 10933 tcp dport != 50000-50001 drop"), f"{_WEBS}: TT533", beside="TT533"),
    scenario("router-syn-ack", "filter on the way", "the router drops a subnet's answers by their flags", nft("router", "ip saddr 10.10.2.0/24 tcp sport 10933 tcp flags & (syn|ack) == (syn|ack) drop", hook="forward"), f"{_WEBS}: TC5203 TC5204"),
    scenario("router-reject-poll-subnet", "filter on the way", "the router rejects a subnet's polling: network unreachable", nft("router", "ip saddr 10.10.3.0/24 tcp dport 10943 reject with icmp net-unreachable", hook="forward"), f"{_POLLS}: TC5222 TC5211 TC5212 TC5221"),
    scenario("server-specific-route", "routing", "a host route leads the server's way to one Tentacle to nobody", "octo-1: ip route add 10.10.2.11/32 via 10.10.1.99", f"web-1: {_WAY}"),
    scenario("server-link-route", "routing", "the server takes one Tentacle for a machine of its own network", "octo-1: ip route add 10.10.2.11/32 dev eth0", f"web-1: {_WAY}"),
)  # fmt: skip

_HEALTHY = (
    ("tables-by-source", "each interface has a table of its own, and a rule by source", "web-1: ip rule add from 10.10.2.11 lookup 77 pref 90; ip route add default via 10.10.2.1 table 77; ip route del default; ip route add default via 10.255.0.2 metric 500", "web-1: ip route flush table 77"),
    ("other-network", "the server reaches the Tentacles by the management's network", "octo-1: ip route add 10.10.2.0/24 via 10.255.0.2", ""),
    ("rich-rules", "maps, pairs, limits and counters let all needed in", nft("web-1", 'ct state vmap { established : accept, related : accept, invalid : drop }; iifname vmap { "lo" : accept, "mgmt0" : jump ssh }; ip saddr . tcp dport vmap @which; limit rate 5/second burst 5 packets log prefix "drop "; counter name rest drop', policy="drop", more="add counter inet t rest | add chain inet t ssh | add rule inet t ssh tcp dport 22 accept | add map inet t which { type ipv4_addr . inet_service : verdict; flags interval; elements = { 10.10.1.0/24 . 10933 : accept, 10.10.9.0/24 . 1-65535 : drop }; }"), ""),
    ("limited", "a limit for new connections, as ufw's, which nobody reaches", tables("web-1", "-N ufw-user-input", "-N ufw-user-limit", "-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A INPUT -m conntrack --ctstate INVALID -j DROP", "-A INPUT -j ufw-user-input", "-A ufw-user-input -p tcp --dport 22 -j ACCEPT", "-A ufw-user-input -p tcp --dport 10933 -m conntrack --ctstate NEW -m recent --set --name L", "-A ufw-user-input -p tcp --dport 10933 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 12 --name L -j ufw-user-limit", "-A ufw-user-input -p tcp --dport 10933 -j ACCEPT", "-A ufw-user-limit -j REJECT", "-P INPUT DROP"), ""),
    ("docker", "a bridge of containers, with the rules that Docker writes", "web-1: ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up; iptables -t nat -N DOCKER; iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER; iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE; iptables -t nat -A DOCKER -i docker0 -j RETURN; iptables -t nat -A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80; iptables -N DOCKER; iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD -o docker0 -j DOCKER; iptables -P FORWARD DROP", "web-1: ip link del docker0; iptables -P FORWARD ACCEPT"),
    ("kubernetes", "marks and chains as those of a Kubernetes node", tables("web-1", "-N KUBE-FIREWALL", "-N KUBE-SERVICES", "-N KUBE-FORWARD", "-A INPUT -j KUBE-SERVICES", "-A INPUT -j KUBE-FIREWALL", "-A OUTPUT -j KUBE-FIREWALL", "-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP", "-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP", "-A KUBE-SERVICES -d 10.96.0.10/32 -p udp --dport 53 -j REJECT", "-A FORWARD -j KUBE-FORWARD", "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP", "-t nat -N KUBE-MARK-MASQ", "-t nat -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"), ""),
    ("deprecated-six", "an IPv6 address that is deprecated, and works", f"{records('a', behind('web-1', 'fd10:2::11'))}\nweb-1: ip -6 addr change fd10:2::11/64 dev eth0 preferred_lft 0", "web-1: ip -6 addr change fd10:2::11/64 dev eth0 preferred_lft forever"),
    # By RFC 6724 an address of another prefix than the server's own comes last, and nothing ever tries it.
    ("six-translated", "a Tentacle's name has an address of a translator that is not there, too", records("a", behind("web-1", "64:ff9b::a0a:20b")), ""),
    ("no-echo", "no machine answers a ping", "\n".join(f"{each}: sysctl -qw net.ipv4.icmp_echo_ignore_all=1" for each in ("octo-1", "web-1", "poll-1", "router")), "\n".join(f"{each}: sysctl -qw net.ipv4.icmp_echo_ignore_all=0" for each in ("octo-1", "web-1", "poll-1", "router"))),
    ("two-hops", "two ways back, and both work", "router: ip addr add 10.10.2.2/24 dev net-b\nweb-1: ip route add 10.10.1.0/24 nexthop via 10.10.2.1 nexthop via 10.10.2.2", "router: ip addr del 10.10.2.2/24 dev net-b"),
    ("broadband", "a way that lets a megabit a second through", "web-1: tc qdisc add dev eth0 root tbf rate 1mbit burst 4000 latency 400ms", ""),
    ("narrow-told", "the way is narrow, and the router says so", "router: ip link set net-a mtu 1300", "router: ip link set net-a mtu 1500\n" + "\n".join(f"{host}: ip route del default; ip route add default via 10.10.{net}.1" for host, net in {"web-1": 2, "web-2": 2, "poll-1": 3, "poll-2": 3}.items())),
    ("shared-address", "a second address, as of keepalived's", "web-1: ip addr add 10.10.2.50/32 dev eth0", ""),
    ("strict-with-port", "a strict filter of both directions that lets the link through", "web-1: nft add table inet t; nft 'add chain inet t c { type filter hook input priority 0; policy drop; }'; nft 'add rule inet t c iif lo accept'; nft 'add rule inet t c tcp dport { 22, 10933 } accept'; nft 'add rule inet t c udp sport 53 accept'; nft 'add chain inet t o { type filter hook output priority 0; policy drop; }'; nft 'add rule inet t o oif lo accept'; nft 'add rule inet t o tcp sport { 22, 10933 } accept'; nft 'add rule inet t o udp dport 53 accept'", ""),
    ("plain-tcp", "TCP without time stamps, selective answers and large windows", "web-1: sysctl -qw net.ipv4.tcp_timestamps=0 net.ipv4.tcp_sack=0 net.ipv4.tcp_window_scaling=0", "web-1: sysctl -qw net.ipv4.tcp_timestamps=1 net.ipv4.tcp_sack=1 net.ipv4.tcp_window_scaling=1"),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    *_OWN,
    *_WAYS,
    *_MORE,
    *(
        scenario(f"healthy-{name}", "healthy", fault, do, "", undo=undo, healthy=True)
        for name, fault, do, undo in _HEALTHY
    ),
)
