"""What stands in the way by other means: control groups, sandboxes of units, states of one direction, ports that run out."""

from __future__ import annotations

from dataclasses import replace

from support.hosts.scenario import Scenario, scenario

from .between import _POLLS, box
from .filters import nft, own, tables
from .further import restarted
from .names import hosts
from .operated import _AGAIN, _LATER, _NOW, _START
from .proxies import _AGENT, _CONFIG
from .rarer_hosts import _OCTO_RESOLV, listening, moody, resolv, says
from .several import behind, records
from .unusual import _NO_MOOD, _UNIT, dns, unit, unread

_WEBS = "web-1,web-2"
_WAY = "TT532"
_CRASHES = "TC2031 TC2032"
_BROKEN = f"TT813 TC8131 {_CRASHES}"

_GROUP = nft("poll-1", 'socket cgroupv2 level 4 "system.slice/Tentacle.service" tcp dport 10943 drop', hook="output")

_FILTERS = (
    unread("length", "iptables drops first packets by their length", tables("web-1", "-A INPUT -i eth0 -p tcp --syn -m length --length 40:100 -m multiport ! --dports 22 -j DROP"), "TC5205"),
    unread("dscp", "iptables drops what no class of service was asked for", tables("web-1", "-A INPUT -i eth0 -p tcp --dport 10933 -m dscp --dscp 0 -j DROP"), "TC5205"),
    own("zone", "the port's connections have a zone of their own, which is dropped", nft("web-1", "ct zone 5 drop", more="add chain inet t early { type filter hook prerouting priority raw; } | add rule inet t early iif eth0 tcp dport 10933 ct zone set 5")),
    own("knock", "only who has knocked at another port is let in", nft("web-1", "tcp dport 7077 add @knocked { ip saddr }; ip saddr @knocked tcp dport 10933 accept; iif eth0 tcp dport 10933 drop", more="add set inet t knocked { type ipv4_addr; flags dynamic, timeout; timeout 10s; }")),
    # The machine's own attempts come through: the rule is for what the service's control group sends.
    scenario("poller-group-filter", "filter of the poller", "nothing of the service's control group is let out", f"{_GROUP}\nocto-1: systemctl restart octopusserver; sleep 4; {_LATER}\npoll-1: {_LATER}", "poll-1: TT533 TC5531 TT641", undo=f"octo-1: {_NOW}\npoll-1: {_NOW}; {_START}\nhere: sleep 2"),
)  # fmt: skip

_ON_THE_WAY = (
    scenario("half-seen", "filter on the way", "the answers take another way, and the router drops what fits no connection", f"{nft('router', 'ct state invalid drop', hook='forward')}\nweb-1: ip route add 10.10.1.0/24 via 10.255.0.10 dev mgmt0", f"web-1: TC5281 TC5282 TC5283 {_WAY}"),
    scenario("no-ecn", "filter on the way", "the router drops first packets that ask for congestion marks, and the server always asks", f"{nft('router', 'iifname net-a tcp flags & (syn | ecn | cwr) == syn | ecn | cwr drop', hook='forward')}\nocto-1: sysctl -qw net.ipv4.tcp_ecn=1 net.ipv4.tcp_ecn_fallback=0", f"{_WEBS}: TC5203", undo="octo-1: sysctl -qw net.ipv4.tcp_ecn=2 net.ipv4.tcp_ecn_fallback=1"),
    scenario("poll-reset-later", "filter on the way", "the router resets connections to the server after a thousand bytes", tables("router", "-A FORWARD -p tcp -d 10.10.1.10 --dport 10943 -m connbytes --connbytes 1000: --connbytes-dir both --connbytes-mode bytes -j REJECT --reject-with tcp-reset"), f"{_POLLS}: TC5242"),
    scenario("router-one-leg", "routing", "the router forwards nothing that comes from one subnet", "router: sysctl -qw net.ipv4.conf.net-b.forwarding=0", f"{_WEBS}: TC5203", undo="router: sysctl -qw net.ipv4.conf.net-b.forwarding=1"),
    scenario("circles", "routing", "packets for one Tentacle go in circles", "poll-2: sysctl -qw net.ipv4.ip_forward=1\nrouter: ip route add 10.10.2.11/32 via 10.10.3.22", "web-1: TC5202 TC5222", undo="router: ip route del 10.10.2.11/32\npoll-2: sysctl -qw net.ipv4.ip_forward=0"),
    scenario("own-ports-used-up", "filter of the server", "the server has no port of its own left for connections to one Tentacle", "octo-1: sysctl -qw net.ipv4.ip_local_port_range='61000 61039'; (setsid /lab/python/bin/python -c \"import socket, time; kept = [socket.create_connection(('10.10.2.11', 10933)) for _ in range(40)]; time.sleep(120)\" >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 2", "web-1: TC5223", beside="TT554", undo="octo-1: kill $(cat /run/holds.pid); sysctl -qw net.ipv4.ip_local_port_range='32768 60999'"),
)  # fmt: skip

_NAMES = (
    scenario("six-no-neighbours", "addresses", "a Tentacle's filter drops ICMPv6, and with it the search for neighbours", f"{records('a', behind('web-1', 'fd10:2::11'))}\n{tables('web-1', '-A INPUT -p ipv6-icmp -j DROP', tool='ip6tables')}\nrouter: ip -6 neigh flush dev net-b", "web-1: TT715 TT716 TC5411 TT546", beside="TT715 TT716 TC5411 TT546", undo="router: ip -6 neigh flush dev net-b || :"),
    replace(scenario("dns-flips", "names", "DNS gives a Tentacle's name an old address every second time", dns("flips", "a", "web-1.lab.test", "10.10.2.77"), "web-1: TC5121 TT715 TT716 TC6421 TC6422", undo=_NO_MOOD, beside="TC5121 TT715 TT716 TC6421 TC6422"), pings=8),
    scenario("sinkhole", "names", "the pollers' DNS blocks the server's name: 0.0.0.0", hosts("c", "s/10.10.1.10/0.0.0.0/"), f"{_POLLS}: TC5124"),
    scenario("hosts-six-only", "names", "a poller's hosts file has an old IPv6 address of the server alone", "poll-1: echo 'fd10:1::77 octo-1.lab.test' >> /etc/hosts", "poll-1: TC5121 TC5207", undo="poll-1: sed -i /octo-1/d /etc/hosts"),
)  # fmt: skip

_PAGE = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<html>Log on</html>"
_ECHO = "printf 'import socket, threading\\ndef back(c):\\n    while d := c.recv(5000):\\n        c.sendall(d)\\ns = socket.create_server((\"\", 7000))\\nwhile True:\\n    threading.Thread(target=back, args=(s.accept()[0],), daemon=True).start()\\n' > /mnt/router/echo.py"
_BETWEEN = (
    moody("proxy-hangs-up", "the proxy hangs up without a word", "relays 127.0.0.1 9", "TT606 TT607 TT609"),
    moody("proxy-page", "the proxy answers CONNECT by a page to log on, and says that all is well", says(_PAGE), "TT606 TT607 TC5291"),
    box("poll-echo", "something says all back to pollers", "exec python3 /mnt/router/echo.py", f"{_POLLS}: TC5291 TC5281 TC5272 TT504 TT113", files=_ECHO, listens=10943, address="10.10.1.10"),
)  # fmt: skip


def sandbox(name: str, fault: str, lines: str, expect: str) -> Scenario:
    """web-1's unit with further lines."""
    return unit(name, fault, f"sed -i 's#^User=root#&\\n{lines}#' {_UNIT}", expect, beside=_BROKEN)


_HOSTS = (
    scenario("frozen", "local port", "the service is frozen", "web-1: systemctl freeze Tentacle", "web-1: TT213 TT505", undo="web-1: systemctl thaw Tentacle"),
    scenario("server-hangs", "local port", "the server's process is stopped, and hangs", "octo-1: kill -STOP $(systemctl show -p MainPID --value octopusserver)", "octo-1: TT213 TT505", beside="TT213 TT505", undo="octo-1: kill -CONT $(systemctl show -p MainPID --value octopusserver)"),
    sandbox("little-memory", "the unit may have little memory", "LimitAS=8M", f"{_CRASHES} TC2035 TC2039"),
    sandbox("no-network-calls", "the unit is killed at its first socket", "SystemCallFilter=~@network-io", _CRASHES),
    sandbox("program-hidden", "the unit may not see the program's folder", "InaccessiblePaths=/opt/octopus", "TC2066 TC2035 TC2038"),
    unit("home-not-written", "the unit may write nothing of Octopus's home", f"sed -i 's#^User=root#&\\nReadOnlyPaths=/etc/octopus#' {_UNIT}", "TT801 TT802 TT975"),
    scenario("poller-six-only", "filter of the poller", "the unit may speak IPv6 alone, and the server has none", f"poll-1: cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nRestrictAddressFamilies=AF_INET6 AF_UNIX#' {_UNIT}; {_AGAIN}; {_LATER}\nocto-1: {_LATER}", "poll-1: TC5531 TC1353", undo=f"octo-1: {_NOW}\npoll-1: {_NOW}; cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
    scenario("server-log-disk-full", "disk", "the disk of the server's logs is full", "octo-1: mount -t tmpfs -o size=64k tmpfs /etc/octopus/default/Logs; dd if=/dev/zero of=/etc/octopus/default/Logs/full bs=1k 2>/dev/null || :", "octo-1: TT971", undo="octo-1: umount /etc/octopus/default/Logs"),
    scenario("no-listen", "settings", "a listening Tentacle is told not to listen", **restarted("web-1", f"cp {_CONFIG} /root/config; cp {_AGENT} /root/agent; sed -i 's#NoListen\">false#NoListen\">true#' {_CONFIG}; sed -i 's/\"listen\": \\[\"::\", 10933\\]/\"listen\": null/' {_AGENT}", f"cp /root/config {_CONFIG}; cp /root/agent {_AGENT}"), expect="web-1: TT312"),
    replace(listening("listens-on-foreign", "the Tentacle listens on an address that the machine does not have", "10.10.2.250", "web-1: TT316"), beside=("TT316", *_BROKEN.split())),
)  # fmt: skip

_MANAGEMENT = (
    scenario("no-sessions", "management", "sshd lets log on, and opens no session", "web-1: cp /etc/lab/sshd_config /root/; echo 'MaxSessions 0' >> /etc/lab/sshd_config; systemctl restart lab-sshd", "", undo="web-1: cp /root/sshd_config /etc/lab/; systemctl restart lab-sshd\nhere: sleep 1"),
    scenario("no-ss", "management", "a machine has no program that lists sockets", "web-1: chmod a-x /usr/bin/ss", "", undo="web-1: chmod a+x /usr/bin/ss"),
)  # fmt: skip

_DEFAULTS = "sysctl -qw net.ipv4.tcp_ecn=2 net.ipv4.tcp_mtu_probing=0 net.ipv4.tcp_fastopen=1 net.ipv4.tcp_syncookies=1"
_HEALTHY = (
    ("route-mtu", "a route of the server takes small packets only", "octo-1: ip route replace 10.10.2.0/24 via 10.10.1.1 mtu lock 600", ""),
    ("hosts-six", "a poller's hosts file has the server's IPv6 address alone, and it works", f"poll-1: echo 'fd10:1::10 octo-1.lab.test' >> /etc/hosts; {_AGAIN}", f"poll-1: sed -i /octo-1/d /etc/hosts; {_START}\nhere: sleep 2"),
    ("null-routes", "a route that leads nowhere takes all private addresses that no other route names", "web-1: ip route add blackhole 10.0.0.0/8; ip route add 10.10.0.0/16 via 10.10.2.1", ""),
    ("strict-unit", "the unit may write Octopus's home alone", f"web-1: cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nProtectSystem=strict\\nReadWritePaths=/etc/octopus\\nPrivateTmp=yes#' {_UNIT}; {_AGAIN}", f"web-1: cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
    ("rotating-dns", "two DNS servers take turns, and names are searched in two zones", resolv("search lab.test example.org", "nameserver 10.10.1.1", "nameserver 10.10.3.1", "options rotate timeout:1 attempts:2 ndots:2"), _OCTO_RESOLV),
    ("tuned", "both ends have other settings of TCP", "octo-1: sysctl -qw net.ipv4.tcp_ecn=1 net.ipv4.tcp_mtu_probing=2 net.ipv4.tcp_fastopen=3\nweb-1: sysctl -qw net.ipv4.tcp_ecn=1 net.ipv4.tcp_fastopen=3 net.ipv4.tcp_syncookies=2", f"octo-1: {_DEFAULTS}\nweb-1: {_DEFAULTS}"),
    ("watched", "rules that log, trace, set zones and timeouts, and drop nothing of the link", nft("web-1", 'tcp dport 10933 limit rate 5/second log prefix "octo "; tcp dport 10933 meta nftrace set 1; tcp dport 10933 counter accept; tcp dport 3389 drop', more="add ct timeout inet t long { protocol tcp; l3proto ip; policy = { established: 7200 }; } | add chain inet t early { type filter hook prerouting priority raw; } | add rule inet t early iif lo notrack | add rule inet t early iif eth0 tcp dport 10933 ct zone set 5"), ""),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    *_FILTERS,
    *_ON_THE_WAY,
    *_NAMES,
    *_BETWEEN,
    *_HOSTS,
    *_MANAGEMENT,
    *(
        scenario(f"healthy-{name}", "healthy", fault, do, "", undo=undo, healthy=True)
        for name, fault, do, undo in _HEALTHY
    ),
)
