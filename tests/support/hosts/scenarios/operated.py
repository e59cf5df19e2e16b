"""What operators break: rules in the wrong place, VPNs and containers that take a network, names in two zones, tunnels."""

from __future__ import annotations

from dataclasses import replace

from support.hosts.scenario import Scenario, scenario

from .between import _HAPROXY, _KEY, _NGINX, _POLLS, box, served
from .filters import nft, own, tables
from .names import hosts
from .proxies import _CONFIG
from .rarer_hosts import _BOX, _OCTO_RESOLV, moody, resolv, says
from .several import before, behind, records
from .slow import _LOSSY
from .unusual import _KILL, _NO_MOOD, _UNIT, dns, refused, unit, unread

_WEBS = "web-1,web-2"
_WAY = "TT532"
_START = "systemctl daemon-reload; systemctl reset-failed; systemctl restart Tentacle"
_AGAIN = f"{_START}; sleep 2"
_STATE = (
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-A INPUT -p tcp --dport 22 -j ACCEPT",
)
_NO_HELD = f"web-1: kill $(cat /run/holds.pid) || :; {_START}\nhere: sleep 1"
_TUNNEL = "ip tuntap add dev {0} mode tun; ip addr add 10.8.0.2/24 dev {0}; ip link set {0} up"
_BRIDGE = "ip link add {0} type bridge; ip addr add {1}/24 dev {0}; ip link add {0}-c type veth peer name {0}-d; ip link set {0}-c master {0} up; ip link set {0}-d up; ip link set {0} up"


def held(
    name: str, fault: str, script: str, expect: str, program: str = "/lab/python/bin/python", first: str = ":"
) -> Scenario:
    """web-1's service is stopped, a program of this script runs in its place, and the service is started again."""
    return scenario(
        name, "local port", fault,
        f"web-1: systemctl stop Tentacle; {first}; printf '{script}' > /run/holds.py; (setsid {program} /run/holds.py >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 1; systemctl start Tentacle; sleep 1",
        f"web-1: {expect}", undo=_NO_HELD, beside="TC2031 TC2032 TT504 TT505",
    )  # fmt: skip


_LATER = 'mv /usr/bin/date /usr/bin/date.real; printf \'#!/bin/sh\\nexec /usr/bin/date.real -d "+10 minutes" "$@"\\n\' > /usr/bin/date; chmod 755 /usr/bin/date'
_NOW = "mv /usr/bin/date.real /usr/bin/date"
_LISTENS = 'import socket\\ns = socket.create_server(("%s", 10933))\\nwhile True:\\n    s.accept()[0].close()\\n'

_FILTERS = (
    own("only-management", "only the management's network is let in", tables("web-1", "-A INPUT -i lo -j ACCEPT", "-A INPUT ! -s 10.255.0.0/24 -j DROP")),
    own("udp-only", "the port is opened for UDP", tables("web-1", *_STATE, "-A INPUT -p udp --dport 10933 -j ACCEPT", "-P INPUT DROP")),
    own("appended", "the port is opened behind the rule that rejects all", tables("web-1", *_STATE, "-A INPUT -j REJECT --reject-with icmp-host-prohibited", "-A INPUT -p tcp --dport 10933 -j ACCEPT")),
    own("old-network", "the port is open to the network where the server was", nft("web-1", "iif lo accept; ip saddr { 10.10.1.16/28, 10.10.9.0/24 } tcp dport 10933 accept; tcp dport 10933 reject with icmpx admin-prohibited")),
    own("wrong-port", "10993 is opened, not 10933", tables("web-1", *_STATE, "-A INPUT -p tcp -m multiport --dports 80,443,10993 -m comment --comment octopus -j ACCEPT", "-P INPUT DROP", tool="iptables-legacy")),
    unread("unit-denies", "the unit lets only some addresses in", f"web-1: cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nIPAddressDeny=any\\nIPAddressAllow=localhost 10.255.0.0/24#' {_UNIT}; {_AGAIN}", "TC5205 TT546", undo=f"web-1: cp /root/unit {_UNIT}; {_START}\nhere: sleep 1"),
    own("container-gone", "the port is published for a container that is gone", "web-1: ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up; sysctl -qw net.ipv4.ip_forward=1; iptables -t nat -N DOCKER; iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER; iptables -t nat -A DOCKER ! -i docker0 -p tcp --dport 10933 -j DNAT --to-destination 172.17.0.5:10933"),
    scenario("server-countries", "filter of the server", "the pollers' network is in a set of blocked countries", nft("octo-1", "ip saddr @countries drop", hook="prerouting", more="add set inet t countries { type ipv4_addr; flags interval; auto-merge; elements = { 10.10.3.0/25, 203.0.113.0/24 }; }"), f"{_POLLS}: TC5411", beside="TC5411"),
    scenario("router-stateless", "filter on the way", "the router, which keeps no state, lets no answers to high ports out of a subnet", nft("router", "ip saddr 10.10.2.0/24 ip daddr 10.10.1.0/24 tcp dport 32768-60999 drop", hook="forward"), f"{_WEBS}: TC5203"),
    scenario("router-web-only", "filter on the way", "the pollers' subnet gets out to the web's ports alone", nft("router", "iifname net-c oifname net-a tcp dport != { 22, 53, 80, 443 } drop", hook="forward"), f"{_POLLS}: TC5211 TC5212"),
    scenario("router-host-prohibited", "filter on the way", "the router answers one poller: host prohibited", nft("router", "ip saddr 10.10.3.21 tcp dport 10943 reject with icmp host-prohibited", hook="forward"), "poll-1: TC5222 TC5213"),
    scenario("router-forgot", "filter on the way", "the router lets new connections to the server's port begin, and knows none that stand", nft("router", "ip saddr 10.10.3.0/24 tcp dport 10943 ct state established drop", hook="forward"), f"{_POLLS}: TC5281 TC5282"),
)  # fmt: skip

_ROUTES = (
    scenario("container-network", "routing", "a network of containers on the Tentacle is the server's", f"web-1: {_BRIDGE.format('br-app', '10.10.1.1')}", f"web-1: {_WAY}", undo="web-1: ip link del br-app-c; ip link del br-app"),
    scenario("server-container-network", "routing", "a network of containers on the server is the Tentacles'", f"octo-1: {_BRIDGE.format('br-app', '10.10.2.1')}", f"{_WEBS}: {_WAY}", undo="octo-1: ip link del br-app-c; ip link del br-app"),
    scenario("poller-vpn", "routing", "a VPN that is down takes all private addresses on a poller", f"poll-1: {_TUNNEL.format('tun0')}; ip route add 10.10.0.0/16 dev tun0", f"poll-1: {_WAY} TC5213", undo="poll-1: ip link del tun0"),
    scenario("poller-full-tunnel", "routing", "a VPN that is down takes all that a poller's table does not name", f"poll-1: {_TUNNEL.format('wg0')}; ip route add default dev wg0 table 51820; ip rule add not fwmark 51820 lookup 51820 pref 90; ip rule add lookup main suppress_prefixlength 0 pref 89", f"poll-1: {_WAY} TC5213", undo="poll-1: ip route flush table 51820; ip link del wg0"),
    scenario("router-by-port", "routing", "the router leads the polling port's packets to a way that swallows", "router: ip rule add from 10.10.3.0/24 ipproto tcp dport 10943 lookup 88 pref 60; ip route add blackhole default table 88", f"{_POLLS}: TC5211 TC5212", undo="router: ip rule del pref 60; ip route flush table 88"),
    scenario("tentacle-no-router", "routing", "a Tentacle takes all addresses for its neighbours'", "web-1: ip route replace default dev eth0", f"web-1: {_WAY}"),
    scenario("poller-wrong-card", "routing", "a poller's default route leads out of the other card", "poll-1: ip route replace default via 10.255.0.99 dev mgmt0", f"poll-1: {_WAY}"),
    scenario("wrong-network", "routing", "a Tentacle's cable is in another subnet's switch", "router: ip link set b-web-1 nomaster; ip link set b-web-1 master net-c; ip neigh flush dev net-b\nweb-1: ip neigh flush dev eth0", f"web-1: {_WAY} TC5222 TC5202", undo="router: ip link set b-web-1 nomaster; ip link set b-web-1 master net-b; ip neigh flush dev net-b", beside="TC5103"),
    scenario("no-arp", "routing", "a Tentacle's card speaks no ARP", "web-1: ip link set eth0 arp off\nrouter: ip neigh flush dev net-b", f"web-1: {_WAY} TC5222 TC5202", undo="web-1: ip link set eth0 arp on; ip neigh flush dev eth0 || :\nrouter: ip neigh flush dev net-b", beside="TC5103"),
    scenario("poller-wrong-source", "routing", "a poller sends with its other card's address, and the router lets no foreign addresses out", f"router: nft add table ip t; nft 'add chain ip t c {{ type filter hook prerouting priority 0; }}'; nft 'add rule ip t c iifname net-c ip saddr != 10.10.3.0/24 drop'\npoll-1: ip route replace default via 10.10.3.1 src 10.255.0.21; {_AGAIN}", f"poll-1: {_WAY} TC5213"),
)  # fmt: skip

_NAMES = (
    scenario("public-dns-first", "names", "the first of two DNS servers does not know the own zone", f"{hosts('a', '/lab.test/d')}\n{resolv('nameserver 10.10.1.1', 'nameserver 10.10.3.1', 'options timeout:1 attempts:1')}", f"{_WEBS}: TC5104", undo=_OCTO_RESOLV),
    scenario("six-another", "addresses", "the IPv6 address of a Tentacle's name is another Tentacle's", records("a", behind("web-1", "fd10:2::12")), "web-1: TC5312 TT715"),
    scenario("dns-deaf-six", "names", "the server's DNS leaves questions for IPv6 unanswered", dns("deaf"), f"{_WEBS}: TT717 TC5103 TC6441", undo=_NO_MOOD, beside="TT717 TC5103"),
    scenario("hosts-two-lines", "names", "a poller's hosts file has an old line and a new one", "poll-1: printf '10.10.1.77 octo-1.lab.test\\n10.10.1.10 octo-1.lab.test\\n' >> /etc/hosts", "poll-1: TT716 TT715 TC5121 TC5207", undo="poll-1: sed -i /octo-1/d /etc/hosts"),
    scenario("stub-down", "names", "the server asks its own stub resolver, which does not run", resolv("nameserver 127.0.0.53", "options edns0 trust-ad"), f"{_WEBS}: TC5103", undo=_OCTO_RESOLV, beside="TC5103"),
    scenario("self-assigned-record", "addresses", "a card without a lease put its address beside a Tentacle's own in DNS", records("a", before("web-1", "169.254.7.7")), "web-1: TT716 TT715 TC5207"),
    scenario("server-second-filtered", "addresses", "the server's filter keeps pollers from the second of its addresses", f"{records('c', behind('octo-1', '10.10.1.110'))}\nocto-1: ip addr add 10.10.1.110/24 dev eth0\n{nft('octo-1', 'ip daddr 10.10.1.110 tcp dport 10943 drop')}", f"{_POLLS}: TT715 TT716 TC5411", undo="octo-1: ip addr del 10.10.1.110/24 dev eth0 || :", beside="TT715 TC5411"),
)  # fmt: skip

_TO_PAGE = moody(
    "proxy-to-page", "a web server answers through the proxy's tunnel", "relays 127.0.0.1 7000", "TC5302 TC5311"
)
_PLAIN = moody("proxy-plain", "plain text comes through the proxy's tunnel", "relays 127.0.0.1 7000", "TC5291")
_FORBIDDEN = says("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
_BETWEEN = (
    box("alert-handshake", "a gateway refuses TLS: handshake failure", f"{_BOX} says 15030300020228", "web-1: TC5272 TC5251 TC5252"),
    box("alert-version", "a gateway refuses TLS: protocol version", f"{_BOX} says 15030300020246", "web-1: TC5272 TC5251 TC5252"),
    replace(box("slow-answer", "an inspecting box passes everything on after 3 s", f"{_BOX} drags 10.10.2.11 10933 3", "web-1: TC6443 TC5351 TC5352 TT644", beside="TC6443 TC5352"), seconds=10, pings=3),
    box("to-server", "the router leads a Tentacle's port to the server's own polling port", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5301 TC5312", files=_HAPROXY % "10.10.1.10:10943"),
    scenario("translated-pollers", "filter of the server", "only the pollers' own addresses are let in, and the router translates them", f"{nft('octo-1', 'iif lo accept; ip saddr { 10.10.3.21, 10.10.3.22 } tcp dport 10943 accept; tcp dport 10943 drop')}\nrouter: nft add table ip n; nft 'add chain ip n c {{ type nat hook postrouting priority srcnat; }}'; nft add rule ip n c ip saddr 10.10.3.0/24 oifname net-a masquerade", f"{_POLLS}: TC5411 TC5211", beside="TC5411"),
    moody("proxy-to-another", "the proxy leads the tunnel to a Tentacle", "relays 10.10.2.12 10933", "TC5312 TC5301"),
    replace(_TO_PAGE, do=(f"router: {_KEY}; {_NGINX % ('ssl', 'ssl_certificate /mnt/router/i.crt; ssl_certificate_key /mnt/router/i.key;')}; {served('exec nginx -c /mnt/router/nginx.conf', 7000, 'nginx')}", *_TO_PAGE.do), undo=(_KILL.format("nginx"), *_TO_PAGE.undo)),
    replace(_PLAIN, do=(f"router: {served(f'{_BOX} {_FORBIDDEN}', 7000, 'box')}", *_PLAIN.do), undo=(_KILL.format("box"), *_PLAIN.undo)),
    refused("proxy-speaks-tls", "the proxy speaks TLS on its own port", f"router: {_KEY}; printf 'foreground = yes\\npid =\\n[a]\\naccept = 10.10.3.1:3128\\nconnect = 127.0.0.1:9\\ncert = /mnt/router/i.crt\\nkey = /mnt/router/i.key\\n' > /mnt/router/stunnel.conf; {served('exec stunnel4 /mnt/router/stunnel.conf', 3128, 'stunnel')}", "TT606 TT607", _KILL.format("stunnel")),
)  # fmt: skip

_HOSTS = (
    held("published-by-container", "a container's published port is the service's", _LISTENS % "0.0.0.0", "TC5021 TC5023", "/opt/docker-proxy", 'cp "$(readlink -f /usr/bin/python3)" /opt/docker-proxy'),
    held("loopback-squatter", "another program holds the port on loopback alone", _LISTENS % "127.0.0.1", "TC5021"),
    scenario("nginx-on-port", "local port", "a web server of the machine holds the port, with TLS", f"web-1: systemctl stop Tentacle; {_KEY.replace('/mnt/router', '/run')}; {(_NGINX % ('ssl', 'ssl_certificate /run/i.crt; ssl_certificate_key /run/i.key;')).replace('/mnt/router', '/run').replace('7000', '10933')}; (setsid nginx -c /run/nginx.conf >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 1; systemctl start Tentacle; sleep 1", "web-1: TC5021", undo=_NO_HELD, beside="TC2031 TC2032 TT504"),
    unit("never-ready", "systemd waits for a word that the service never says", f"sed -i 's/^Type=simple/Type=notify\\nTimeoutStartSec=2/' {_UNIT}", "TC2024 TC2031 TC2032 TT204", beside="TT813 TC2031 TC2032"),
    unit("two-starts", "a further file of the unit names a second program to start", "systemctl stop Tentacle; mkdir -p /etc/systemd/system/Tentacle.service.d; printf '[Service]\\nExecStart=/opt/octopus/tentacle/Tentacle run\\n' > /etc/systemd/system/Tentacle.service.d/override.conf", "TC2035 TC2038 TC2021 TC2011", beside="TC2021", undo="rm -r /etc/systemd/system/Tentacle.service.d"),
    # The product itself ends at once where it is told an instance that is not there.
    unit("old-instance", "the unit starts an instance that is not there", f"cp /opt/octopus/tentacle/Tentacle /root/program; sed -i '2i case \"$*\" in *=Old*) exit 1 ;; esac' /opt/octopus/tentacle/Tentacle; sed -i 's/--instance=[A-Za-z]*/--instance=Old/' {_UNIT}", "TC2063", beside="TT813 TC2031 TC2032", undo="cp /root/program /opt/octopus/tentacle/Tentacle"),
    unit("folder-closed", "the unit's account may not enter the program's folder", f"chmod 700 /opt/octopus; sed -i 's/^User=root/User=nobody/' {_UNIT}", "TC2067 TC2038", beside="TT801 TT813 TC2031 TC2032", undo="chmod 755 /opt/octopus"),
    scenario("home-full", "disk", "the disk of Octopus's home is full", "web-1: cp -a /etc/octopus/default /root/home; mount -t tmpfs -o size=256k tmpfs /etc/octopus/default; cp -a /root/home/. /etc/octopus/default/; dd if=/dev/zero of=/etc/octopus/default/Logs/fill bs=1k 2>/dev/null || :", "web-1: TT971", undo="web-1: umount /etc/octopus/default; rm -r /root/home"),
    scenario("poller-trusts-old", "trust", "a poller trusts the server's certificate of old", f"poll-1: cp {_CONFIG} /root/config; sed -i 's/\"Thumbprint\": \"[0-9A-F]*/\"Thumbprint\": \"{'CD' * 20}/' {_CONFIG}", "poll-1: TC3211 TC3212 TC3213", undo=f"poll-1: cp /root/config {_CONFIG}", beside="TC3211 TC3213"),
    # Of a service that was just started nobody knows whether it still comes through: by their clocks both run for ten minutes.
    scenario("poller-unit-denies", "filter of the poller", "the unit lets its service speak with loopback alone", f"poll-1: cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nIPAddressDeny=any\\nIPAddressAllow=localhost#' {_UNIT}; {_AGAIN}; {_LATER}\nocto-1: {_LATER}", "poll-1: TC5531", undo=f"octo-1: {_NOW}\npoll-1: {_NOW}; cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
    scenario("loses-poller", "slow ways", "a third of the packets to and from one poller is lost", nft("router", "ip daddr 10.10.3.21 numgen inc mod 3 0 drop; ip saddr 10.10.3.21 numgen inc mod 3 0 drop", hook="forward"), f"poll-1: {_LOSSY}", pings=10),
    scenario("piled-up", "idle connections", "the server's machine opens connections to a Tentacle, and never ends them", "octo-1: (setsid /lab/python/bin/python -c \"import socket, time; kept = [socket.create_connection(('10.10.2.11', 10933)) for _ in range(400)]; time.sleep(120)\" >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 4", "web-1: TT554 TC5511", undo="octo-1: kill $(cat /run/holds.pid)"),
    # No product of Octopus looks at the other end's clock, and the pages are shown: nothing is broken.
    scenario("server-clock-behind", "clocks", "the server's clock is a year behind", "octo-1: mv /usr/bin/date /usr/bin/date.real; printf '#!/bin/sh\\nexec /usr/bin/date.real -d \"-1 year\" \"$@\"\\n' > /usr/bin/date; chmod 755 /usr/bin/date", "", undo="octo-1: mv /usr/bin/date.real /usr/bin/date"),
    scenario("not-allowed", "management", "sshd lets only other accounts log on", "web-1: cp /etc/lab/sshd_config /root/; echo 'AllowUsers nobody' >> /etc/lab/sshd_config; systemctl restart lab-sshd", "", undo="web-1: cp /root/sshd_config /etc/lab/; systemctl restart lab-sshd\nhere: sleep 1"),
    scenario("ssh-moved", "management", "sshd listens on another port", "poll-1: cp /etc/lab/sshd_config /root/; sed -i 's/^Port 22/Port 2222/' /etc/lab/sshd_config; systemctl restart lab-sshd", "", undo="poll-1: cp /root/sshd_config /etc/lab/; systemctl restart lab-sshd\nhere: sleep 1"),
)  # fmt: skip

_HEALTHY = (
    ("proxy-arp", "the router answers ARP for all, and a Tentacle takes all for its neighbours", "router: sysctl -qw net.ipv4.conf.net-b.proxy_arp=1\nweb-1: ip route replace default dev eth0", "router: sysctl -qw net.ipv4.conf.net-b.proxy_arp=0"),
    ("two-ways", "a Tentacle answers by the management's network, and nobody minds", "web-1: ip route add 10.10.1.0/24 via 10.255.0.2", ""),
    ("vpn", "a VPN takes all that a Tentacle's table does not name, and the server is named", f"web-1: {_TUNNEL.format('wg0')}; ip route add 10.10.0.0/16 via 10.10.2.1; ip route add default dev wg0 table 51820; ip rule add not fwmark 51820 lookup 51820 pref 90; ip rule add lookup main suppress_prefixlength 0 pref 89", "web-1: ip route flush table 51820; ip link del wg0"),
    ("mesh", "a mesh VPN's marks, table and chains", f"web-1: {_TUNNEL.format('tailscale0')}; ip route add 100.64.0.0/10 dev tailscale0 table 52; ip rule add fwmark 0x80000/0xff0000 lookup main pref 5210; ip rule add fwmark 0x80000/0xff0000 unreachable pref 5250; ip rule add lookup 52 pref 5270; iptables -N ts-input; iptables -I INPUT -j ts-input; iptables -A ts-input -s 100.101.102.103/32 -i lo -j ACCEPT; iptables -A ts-input -s 100.64.0.0/10 ! -i tailscale0 -j DROP; iptables -A ts-input -i tailscale0 -j ACCEPT", "web-1: ip route flush table 52; ip link del tailscale0"),
    ("metadata-off", "a cloud machine's metadata address leads nowhere, and a network of containers is elsewhere", f"web-1: ip route add blackhole 169.254.169.254; {_BRIDGE.format('br-app', '172.18.0.1')}", "web-1: ip link del br-app-c; ip link del br-app"),
    ("first-rules", "the rule that lets the server in stands before the one that rejects all", tables("web-1", *_STATE, "-A INPUT -p tcp -s 10.10.1.0/24 --dport 10933 -j ACCEPT", "-A INPUT -j REJECT --reject-with icmp-host-prohibited"), ""),
    ("unit-allows", "the unit lets in whom it needs", f"web-1: cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nIPAddressDeny=any\\nIPAddressAllow=localhost 10.10.0.0/16 10.255.0.0/24#' {_UNIT}; {_AGAIN}", f"web-1: cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
)  # fmt: skip

_OUTGOING = 'import socket, time\\ns = socket.socket()\\ns.bind(("10.10.2.11", 10933))\\ns.connect(("10.10.1.10", 10943))\\ntime.sleep(600)\\n'
_OUTGOING_PORT = replace(
    held("healthy-outgoing-port", "another program's outgoing connection has the port, which keeps nobody from it", _OUTGOING, ""),
    area="healthy", healthy=True, expect={}, beside=(),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    *_FILTERS,
    *_ROUTES,
    *_NAMES,
    *_BETWEEN,
    *_HOSTS,
    _OUTGOING_PORT,
    *(
        scenario(f"healthy-{name}", "healthy", fault, do, "", undo=undo, healthy=True)
        for name, fault, do, undo in _HEALTHY
    ),
)
