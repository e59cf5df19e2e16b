"""Processes and sockets in states that no setting shows, ways that fail by what an end is told, names and ports led astray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.hosts.scenario import Scenario, scenario
from support.hosts.scenarios.between import box
from support.hosts.scenarios.filters import nft, tables
from support.hosts.scenarios.further import restarted
from support.hosts.scenarios.names import hosts
from support.hosts.scenarios.operated import _START
from support.hosts.scenarios.proxies import _AGENT, proxied
from support.hosts.scenarios.several import behind, records
from support.hosts.scenarios.unusual import _FORGET, _NO_MOOD, _UNIT, dns

from .below_rules import _BPF, _GROUP, _POLLS, _WEBS

_WAY = "TT532"
_STOPPED = "TT213"
"""The service's process is stopped by somebody: it lives, and does nothing."""
_HALF_OPEN = Path(__file__).resolve().parents[2] / "programs" / "half_open.py"

_PROCESSES = (
    # Its connection stands, as the kernel keeps it: nothing of the network shows that nobody serves it.
    scenario("poller-hangs", "services", "a poller's process is stopped by a signal", "poll-1: kill -STOP $(systemctl show -p MainPID --value Tentacle)", f"poll-1: {_STOPPED}", undo="poll-1: kill -CONT $(systemctl show -p MainPID --value Tentacle); systemctl restart Tentacle\nhere: sleep 2"),
    scenario("poller-frozen", "services", "a poller's service is frozen", "poll-1: systemctl freeze Tentacle", f"poll-1: {_STOPPED}", undo="poll-1: systemctl thaw Tentacle; systemctl restart Tentacle\nhere: sleep 2"),
    scenario("server-queue-resets", "local port", "the server's process hangs, and its system resets what its queue has no room for", "octo-1: sysctl -qw net.core.somaxconn=1 net.ipv4.tcp_abort_on_overflow=1; systemctl restart octopusserver; until ss -Hltn | grep -q :10943; do sleep 0.1; done; sleep 3; kill -STOP $(systemctl show -p MainPID --value octopusserver); (setsid /lab/python/bin/python -c \"import socket, time; kept = [socket.socket() for _ in range(6)]; [(s.setblocking(False), s.connect_ex(('127.0.0.1', 10943))) for s in kept]; time.sleep(120)\" >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 0.7", f"octo-1: {_STOPPED} TT505 TT504", beside=f"{_STOPPED} TT505 TT504", undo="octo-1: kill $(cat /run/holds.pid); sysctl -qw net.core.somaxconn=4096 net.ipv4.tcp_abort_on_overflow=0; kill -CONT $(systemctl show -p MainPID --value octopusserver); systemctl restart octopusserver\nhere: sleep 2"),
    # To itself it is as deaf as to its server: the queue of what has begun is full, which is no filter's doing.
    scenario("half-open-flood", "local port", "connections that nobody completes fill the Tentacle's queue", f"web-1: sysctl -qw net.ipv4.tcp_syncookies=0 net.ipv4.tcp_max_syn_backlog=8 net.ipv4.tcp_no_metrics_save=1; ip tcp_metrics flush\nrouter: python3 {_HALF_OPEN} 10.10.2.11 10933 10.10.1. </dev/null >/dev/null 2>&1 & echo $! > /mnt/router/flood.pid; sleep 3", "web-1: TT505 TC5413 TC5205", undo="router: kill $(cat /mnt/router/flood.pid)\nweb-1: sysctl -qw net.ipv4.tcp_syncookies=1 net.ipv4.tcp_max_syn_backlog=512 net.ipv4.tcp_no_metrics_save=0\nhere: sleep 2"),
    scenario("six-only-socket", "settings", "the Tentacle listens on all addresses of IPv6 alone, and its name has none", **restarted("web-1", f"cp {_AGENT} /root/agent; sed -i 's/\"::\", 10933/\"::0\", 10933/' {_AGENT}", f"cp /root/agent {_AGENT}"), expect="web-1: TT712"),
    # As `ip vrf exec` does it: what the service opens is tied to a device, here that of the management.
    scenario("other-device", "settings", "the unit runs its service tied to the management's card", f"web-1: cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nExecStartPre=+{_BPF} device mgmt0 {_GROUP}#' {_UNIT}; {_START}; sleep 2", "web-1: TT712", undo=f"web-1: cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
)  # fmt: skip

_WAYS = (
    scenario("poller-strict-path", "routing", "the answers come to a poller by its other card, and its strict path filter drops them", "router: ip route add 10.10.3.21/32 via 10.255.0.21\npoll-1: sysctl -qw net.ipv4.conf.all.rp_filter=1", f"poll-1: {_WAY} TC5213", undo="router: ip route del 10.10.3.21/32\npoll-1: sysctl -qw net.ipv4.conf.all.rp_filter=0", awaited="how many answers the own path filter drops is not read, and DNS comes first"),
    scenario("router-narrow-mask", "routing", "the router's own mask for a subnet is too narrow", "router: ip addr del 10.10.2.1/24 dev net-b; ip addr add 10.10.2.1/29 dev net-b", f"{_WEBS}: TC5203 TC5222", undo="router: ip addr del 10.10.2.1/29 dev net-b; ip addr add 10.10.2.1/24 dev net-b"),
    scenario("same-mac", "addresses", "two machines have one hardware address, as clones do", "web-1: cat /sys/class/net/eth0/address > /run/mac\nhere: cp /proc/$(cat /mnt/web-1/pid)/root/run/mac /proc/$(cat /mnt/web-2/pid)/root/run/mac\nweb-2: cat /sys/class/net/eth0/address > /run/own-mac; ip link set eth0 address $(cat /run/mac); ip route replace default via 10.10.2.1; (setsid ping -i 0.05 -q 10.10.2.1 >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 1", "web-1: TT718 TC5202? TC5216?", beside="TT718 TC5103", undo="web-2: kill $(cat /run/holds.pid) || :; ip link set eth0 address $(cat /run/own-mac); ip route replace default via 10.10.2.1\nrouter: ip neigh flush dev net-b", awaited="hardware addresses are not compared"),
    scenario("idle-forgotten", "idle connections", "the router forgets a connection that is quiet for three seconds, and drops what goes on with it", f"router: sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 net.netfilter.nf_conntrack_tcp_timeout_established=3\n{nft('router', 'tcp dport 10943 ct state invalid drop; tcp sport 10943 ct state invalid drop', hook='forward')}\nhere: sleep 25\nhere: sleep 20", f"{_POLLS}: TC1153", undo="router: sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1 net.netfilter.nf_conntrack_tcp_timeout_established=432000\nocto-1: systemctl restart octopusserver\nhere: sleep 3", awaited="both ends keep such a connection, and how often one sends again is not read"),
    scenario("six-narrow", "middle boxes", "the way is narrow for IPv6, and the router tells nobody", f"{hosts('a', 's/10.10.2.11/fd10:2::11/')}\nrouter: ip link set net-a mtu 1280; ip6tables -A OUTPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP", "web-1: TC5281 TC5282", undo=f"router: ip link set net-a mtu 1500\n{_FORGET}"),
    scenario("short-lived-packets", "routing", "the server's packets live for one hop only", "octo-1: sysctl -qw net.ipv4.ip_default_ttl=1", f"{_WEBS},{_POLLS}: {_WAY} TC5413 TC5203? TC5204? TC5211? TC5222?", beside="TC5103", undo="octo-1: sysctl -qw net.ipv4.ip_default_ttl=64"),
    scenario("synproxy-hides-filter", "filter of the host", "a box opens connections for the Tentacle, whose own filter drops them", tables("router", "-t raw -A PREROUTING -p tcp -d 10.10.2.11 --dport 10933 --syn -j CT --notrack", "-A FORWARD -p tcp -d 10.10.2.11 --dport 10933 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460") + "; sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0\n" + nft("web-1", "iifname eth0 tcp dport 10933 drop"), "web-1: TC5411", beside="TC5281", undo="router: sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1"),
    scenario("damaged", "filter on the way", "what one Tentacle answers is damaged on the way", nft("router", "ip saddr 10.10.2.11 tcp sport 10933 ip checksum set 0xdead", hook="postrouting"), "web-1: TC5202"),
    scenario("port-security", "routing", "the switch brings a Tentacle nothing but what goes to all", "router: bridge link set dev b-web-1 learning off flood off; bridge fdb flush dev b-web-1 2>/dev/null || bridge fdb del $(bridge fdb show br net-b | sed -n 's/^\\(..:..:..:..:..:..\\) dev b-web-1 master.*/\\1/p' | head -1) dev b-web-1 master || :; ip neigh flush dev net-b\nweb-1: ip neigh flush dev eth0", f"web-1: {_WAY} TC5222 TC5202", beside="TC5103", undo="router: bridge link set dev b-web-1 learning on flood on; ip neigh flush dev net-b"),
    scenario("one-of-two-ways", "slow ways", "the router has two ways to a Tentacle, and one of them leads nowhere", "router: sysctl -qw net.ipv4.fib_multipath_hash_policy=1; ip route add 10.10.2.11/32 nexthop dev net-b nexthop via 10.10.3.99 dev net-c onlink", "web-1: TC6421 TC6422 TC6442 TC5216", beside="TC6421 TC6422 TC6442 TC5216 TC6443", pings=10, undo="router: ip route del 10.10.2.11/32; sysctl -qw net.ipv4.fib_multipath_hash_policy=0"),
    scenario("answers-reset", "filter on the way", "the router resets each connection at the Tentacle's first answer, and tells the Tentacle alone", nft("router", "ip saddr 10.10.2.11 tcp sport 10933 tcp flags & (syn | ack) == syn | ack reject with tcp reset", hook="forward"), "web-1: TC5202"),
)  # fmt: skip

_SQUID = "printf 'http_port 7001\\nhttp_port 7000 intercept\\ncache deny all\\naccess_log none\\ncache_log /dev/null\\npid_filename none\\ncoredump_dir /tmp\\nshutdown_lifetime 0 seconds\\nhttp_access allow all\\n' > /mnt/router/squid.conf"
_TO_NAME = 'sed -i \'s#ProxyHost">10.10.3.1<#ProxyHost">proxy.lab.test<#\' /etc/octopus/default/tentacle-Tentacle.config; sed -i \'s#"proxy": \\["10.10.3.1"#"proxy": ["proxy.lab.test"#\' /etc/lab/agent.json; systemctl restart Tentacle; sleep 2'
_NAMELESS = proxied(
    "proxy-name-gone",
    "the proxy's name has no record any more",
    None,
    "poll-1: TT606 TC1184 TC5101 TC5102",
    more="router: true",
)
_BETWEEN = (
    scenario("poll-forward-ssh", "middle boxes", "the polling port is forwarded to the server's SSH", "router: nft add table ip n; nft 'add chain ip n c { type nat hook prerouting priority dstnat; }'; nft add rule ip n c iifname net-c ip daddr 10.10.1.10 tcp dport 10943 dnat to 10.255.0.10:22; nft 'add chain ip n p { type nat hook postrouting priority srcnat; }'; nft add rule ip n p oifname mgmt0 masquerade", f"{_POLLS}: TC5291"),
    scenario("no-hairpin", "middle boxes", "the server's name leads to the router's outer address, which is translated from outside alone", f"{hosts('c', 's/10.10.1.10/10.10.2.1/')}\nrouter: nft add table ip n; nft 'add chain ip n c {{ type nat hook prerouting priority dstnat; }}'; nft add rule ip n c iifname net-b ip daddr 10.10.2.1 tcp dport 10943 dnat to 10.10.1.10", f"{_POLLS}: TC5121"),
    box("poll-transparent", "a transparent proxy for the web takes the polling port", "exec squid -N -f /mnt/router/squid.conf", f"{_POLLS}: TC5241 TC5242 TC5291 TC5302", files=_SQUID, listens=10943, address="10.10.1.10"),
    replace(_NAMELESS, do=(*_NAMELESS.do, f"poll-1: {_TO_NAME}")),
    scenario("dns-elsewhere", "names", "DNS answers come from another address than was asked", dns("elsewhere"), f"{_WEBS}: TC5103", undo=_NO_MOOD, beside="TC5103"),
    scenario("hosts-deny", "management", "hosts.deny keeps everybody from SSH", "web-1: cp /etc/hosts.deny /root/hosts.deny 2>/dev/null || :; echo 'sshd: ALL' >> /etc/hosts.deny", "", undo="web-1: rm /etc/hosts.deny; if [ -e /root/hosts.deny ]; then cp /root/hosts.deny /etc/hosts.deny; fi"),
)  # fmt: skip

_STRIPS = "-t mangle -A FORWARD -p tcp -j TCPOPTSTRIP --strip-options wscale,sack-permitted,timestamp"
_HEALTHY = (
    # By RFC 6724 such an address comes last, as one to which there is no way: nothing ever tries it.
    ("six-prohibited", "a poller's table prohibits the way to the server's IPv6 address, and IPv4 works", f"{records('c', behind('octo-1', 'fd10:1::10'))}\npoll-1: ip -6 route add prohibit fd10:1::/64", "poll-1: ip -6 route del prohibit fd10:1::/64"),
    ("options-stripped", "the router takes TCP's options and marks away, and the links work without", tables("router", _STRIPS, "-t mangle -A FORWARD -p tcp -j ECN --ecn-tcp-remove", "-t mangle -A POSTROUTING -j DSCP --set-dscp 0"), ""),
    ("synproxy", "a box opens connections for the Tentacle, and hands them on", tables("router", "-t raw -A PREROUTING -p tcp -d 10.10.2.11 --dport 10933 --syn -j CT --notrack", "-A FORWARD -p tcp -d 10.10.2.11 --dport 10933 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460", "-A FORWARD -p tcp -d 10.10.2.11 --dport 10933 -m conntrack --ctstate INVALID -j DROP") + "; sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0", "router: sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1"),
    ("own-device", "the unit runs its service tied to the card that its links use", f"web-1: cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nExecStartPre=+{_BPF} device eth0 {_GROUP}#' {_UNIT}; {_START}; sleep 2", f"web-1: cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
    ("macvlan", "a Tentacle's address is that of a second card on the same cable", "web-1: ip addr del 10.10.2.11/24 dev eth0; ip link add mv0 link eth0 type macvlan mode bridge; ip addr add 10.10.2.11/24 dev mv0; ip link set mv0 up; ip route replace default via 10.10.2.1 dev mv0\nrouter: ip neigh flush dev net-b", "web-1: ip link del mv0\nrouter: ip neigh flush dev net-b"),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    *_PROCESSES,
    *_WAYS,
    *_BETWEEN,
    *(
        scenario(f"healthy-{name}", "healthy", fault, do, "", undo=undo, healthy=True)
        for name, fault, do, undo in _HEALTHY
    ),
)
