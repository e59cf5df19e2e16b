"""Faults by less usual means: what a rule alone does not show, addresses in two places, DNS of every mood, DPI."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.hosts.scenario import Scenario, scenario

from .between import _HAPROXY, _KEY, _POLLS, box, served
from .filters import BANNED, nft, own, tables
from .names import hosts
from .proxies import _CONFIG, proxied
from .several import behind, records

_WEBS = "web-1,web-2"
_OWN = "TC5411 TC5201"
"""Its own filter: the rule, or that it could not be told."""
_WAY = "TT532"
_DNS = Path(__file__).resolve().parents[1] / "programs" / "moody_dns.py"
_HELLO = "-m string --algo bm --hex-string '|160301|' --from 32 --to 100"
_UNIT = "/etc/systemd/system/Tentacle.service"
_START = "systemctl daemon-reload; systemctl reset-failed; systemctl restart Tentacle"
_BACK = f"cp /root/unit {_UNIT}; {_START}\nhere: sleep 1"


def unread(
    name: str, fault: str, do: str, more: str = "", *, beside: str = "", undo: str = "", pings: int = 0
) -> Scenario:
    """On web-1: its filter keeps the server out, by what its rules alone need not show."""
    return scenario(f"own-{name}", "filter of the host", fault, do, f"web-1: {_OWN} {more}", beside=beside, undo=undo, pings=pings)  # fmt: skip


def dns(mood: str, subnet: str = "a", *words: str) -> str:
    """A DNS server of this mood, instead of the subnet's own."""
    number = {"a": 1, "b": 2, "c": 3}[subnet]
    return (
        f"dns: stop {subnet}\nrouter: python3 {_DNS} 10.10.{number}.1 {mood} {' '.join(words)} </dev/null "
        ">/mnt/router/moody.log 2>&1 & echo $! > /mnt/router/moody.pid; for i in $(seq 100); do "
        f"ss -Huln src 10.10.{number}.1 | grep -q :53 && exit 0; sleep 0.05; done; exit 1"
    )


_FORGET = "\n".join(
    f"{host}: ip route del default; ip route add default via 10.10.{net}.1"
    for host, net in {"octo-1": 1, "web-1": 2, "web-2": 2, "poll-1": 3, "poll-2": 3}.items()
)
"""What a host was told of a narrow way is kept with the route, for ten minutes."""
_WIDE = (
    "router: ip link set net-a mtu 1500; sysctl -qw net.ipv6.conf.net-a.disable_ipv6=0; "
    "ip -6 addr replace fd10:1::1/64 dev net-a nodad"
)
"""A link of less than 1,280 bytes has no IPv6 (RFC 8200, 5): the router loses its address."""
_NO_MOOD = "router: kill $(cat /mnt/router/moody.pid)"


def unit(name: str, fault: str, change: str, expect: str, *, beside: str = "", undo: str = "") -> Scenario:
    """web-1's unit file, changed and started."""
    return scenario(
        name, "services", fault,
        f"web-1: cp {_UNIT} /root/unit; {change}; systemctl daemon-reload; systemctl reset-failed; systemctl restart Tentacle || :; sleep 1.5",
        f"web-1: {expect}", beside=beside, undo=f"web-1: {undo or ':'}; {_BACK}",
    )  # fmt: skip


_FILTERS = (
    unread("hashlimit", "legacy iptables lets one connection an hour in", tables("web-1", "-A INPUT -p tcp --dport 10933 --syn -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name o -j DROP", tool="iptables-legacy"), "TC6421"),
    unread("nft-meter", "nft lets one connection an hour in", nft("web-1", "tcp dport 10933 ct state new update @seen { ip saddr limit rate over 1/hour burst 1 packets } drop", more="add set inet t seen { type ipv4_addr; flags dynamic; }"), "TC6421"),
    own("banned", "a chain of fail2ban's rejects the server", tables("web-1", "-N f2b-octopus", "-A f2b-octopus -s 10.10.1.10/32 -j REJECT --reject-with icmp-port-unreachable", "-A f2b-octopus -j RETURN", "-I INPUT -p tcp -m multiport --dports 0:65535 -j f2b-octopus"), BANNED),
    unread("recent", "a list of recent sources drops the server", tables("web-1", "-A INPUT -i eth0 -m recent --name bad --rcheck -j DROP") + "; echo +10.10.1.10 > /proc/net/xt_recent/bad"),
    # Connections come about: what is dropped is what follows, by a rule that nobody can judge.
    scenario("own-hello", "filter of the host", "iptables drops what begins TLS", tables("web-1", f"-A INPUT -i eth0 -p tcp --dport 10933 {_HELLO} -j DROP"), "web-1: TC5283"),
    # Loopback meets such a rule, too: the machine gets no answer from itself, and tells no more than is seen outside.
    unread("hours", "nft drops at all hours of the day", nft("web-1", 'tcp dport 10933 meta hour "00:00"-"23:59" drop'), "TC5205"),
    unread("mac", "iptables drops what the router sends", "web-1: ping -c 1 -W 1 10.10.2.1 >/dev/null || :; iptables -A INPUT -p tcp --dport 10933 -m mac --mac-source $(ip neigh show 10.10.2.1 dev eth0 | grep -o '..:..:..:..:..:..') -j DROP"),
    unread("ttl", "nft drops what came through a router", nft("web-1", "tcp dport 10933 ip ttl < 64 drop")),
    unread("reverse-path", "firewalld's filter of paths, and the way back is another", "web-1: ip route add 10.10.1.0/24 via 10.255.0.2; nft add table inet t; nft 'add chain inet t c { type filter hook prerouting priority -290; }'; nft 'add rule inet t c fib saddr . mark . iif oif missing drop'", _WAY),
    own("security-table", "the security table of legacy iptables drops", tables("web-1", "-t security -A INPUT -p tcp --dport 10933 -j DROP", tool="iptables-legacy")),
    unread("queue", "packets wait for an inspecting program that does not run", tables("web-1", "-A INPUT -p tcp --dport 10933 -j NFQUEUE --queue-num 3")),
    own("untracked", "what is not tracked is not let in", tables("web-1", "-t raw -A PREROUTING -p tcp --dport 10933 -j NOTRACK", "-A INPUT -i lo -j ACCEPT", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "-A INPUT -m conntrack --ctstate NEW -p tcp --dport 10933 -j ACCEPT", "-P INPUT DROP")),
    unread("quota", "nft's quota is used up", nft("web-1", "tcp dport 10933 quota until 10 bytes accept; tcp dport 10933 drop"), "TC5205"),
    own("marked", "packets are marked, and dropped by the mark", tables("web-1", "-t mangle -A PREROUTING -i eth0 -p tcp --dport 10933 -j MARK --set-mark 9", "-A INPUT -m mark --mark 9 -j DROP")),
    own("pairs-set", "a set of sources with ports drops", nft("web-1", "ip saddr . tcp dport @bad drop", more="add set inet t bad { type ipv4_addr . inet_service; elements = { 10.10.1.10 . 10933 }; }")),
    own("zone-map", "a map leads each interface to its chain, which rejects", nft("web-1", 'iifname vmap { "lo" : accept, "eth0" : goto zone }', more="add chain inet t zone | add rule inet t zone ip saddr != { 10.10.3.0/24, 10.10.9.0/24 } tcp dport != 22 reject with icmpx host-unreachable")),
    own("syn-flags", "nft drops by the flags of a first packet", nft("web-1", "tcp flags & (fin|syn|rst|ack) == syn tcp dport 10933 drop")),
    own("net-unreachable", "nft rejects by ICMP, network unreachable", nft("web-1", "ip protocol tcp tcp dport 10933 reject with icmp net-unreachable")),
    own("reply-direction", "what answers is not let out", nft("web-1", "ct direction reply tcp sport 10933 drop", hook="output")),
    own("legacy-policy", "nft lets it in, legacy iptables drops what it does not name", f"{nft('web-1', 'tcp dport 10933 accept')}" + "; ".join(f"iptables-legacy {each}" for each in ("-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-P INPUT DROP"))),
    unread("translated", "only the server is let in, whose address the router translates", f"{nft('web-1', 'ip saddr 10.10.1.10 tcp dport 10933 accept; iif lo accept; tcp dport 10933 drop')}\nrouter: nft add table ip n; nft 'add chain ip n c {{ type nat hook postrouting priority srcnat; }}'; nft add rule ip n c oifname net-b masquerade"),
    unread("half", "nft drops every second packet", nft("web-1", "iifname eth0 tcp dport 10933 numgen inc mod 2 0 drop"), "TC6442 TC6421", pings=10, beside="TC6442 TC6421"),
    unread("no-tool", "nft drops, and its program is gone", f"{nft('web-1', 'tcp dport 10933 drop')}mv /usr/sbin/nft /root/nft", "TC5205 TC5206", undo="web-1: mv /root/nft /usr/sbin/nft; nft flush ruleset"),
    scenario("xfrm-block", "filter of the host", "IPsec's policy blocks the server", "web-1: ip xfrm policy add dir in src 10.10.1.10/32 dst 10.10.2.11/32 action block", f"web-1: {_OWN} TC5202 TC5413", undo="web-1: ip xfrm policy flush"),
    # Whether a rule for an account holds for the server's process is not known: the path is no more than possible.
    scenario("server-owner-reject", "filter of the server", "what its account connects to is rejected", tables("octo-1", "-A OUTPUT -m owner --uid-owner 0 -p tcp --dport 10933 -j REJECT"), f"{_WEBS}: TC5203?"),
    scenario("server-own-nat", "filter of the server", "the server itself translates to another Tentacle", tables("octo-1", "-t nat -A OUTPUT -d 10.10.2.11 -p tcp --dport 10933 -j DNAT --to-destination 10.10.2.12:10933"), "web-1: TC5312 TT533", beside="TT533"),
    scenario("hello-reset", "filter on the way", "the router resets what begins TLS", tables("router", f"-A FORWARD -d 10.10.2.11 -p tcp --dport 10933 {_HELLO} -j REJECT --reject-with tcp-reset"), "web-1: TC5242"),
    scenario("hello-drop", "filter on the way", "the router drops what begins TLS", tables("router", f"-A FORWARD -d 10.10.2.11 -p tcp --dport 10933 {_HELLO} -j DROP"), "web-1: TC5281 TC5282"),
    scenario("poll-hello-reset", "filter on the way", "the router resets what begins TLS with the server", tables("router", f"-A FORWARD -d 10.10.1.10 -p tcp --dport 10943 {_HELLO} -j REJECT --reject-with tcp-reset"), f"{_POLLS}: TC5242"),
    # Only the Tentacle hears the reset: its long packet is rejected where it came from. The server hears nothing.
    scenario("long-reset", "filter on the way", "the router resets a Tentacle's end at its first long packet", tables("router", "-A FORWARD -s 10.10.2.11 -p tcp --sport 10933 -m length --length 700:65535 -j REJECT --reject-with tcp-reset", "-A FORWARD -s 10.10.2.11 -p tcp --sport 10933 -m length --length 700:65535 -j DROP"), "web-1: TC5281"),
    scenario("switch-drops", "filter on the way", "the switch drops one Tentacle's frames", "router: nft add table bridge t; nft 'add chain bridge t c { type filter hook input priority 0; }'; nft 'add rule bridge t c iifname b-web-1 ether type ip ip protocol tcp drop'", "web-1: TC5202"),
    scenario("switch-port", "routing", "the switch takes nothing from one Tentacle's port", "router: nft add table bridge t; nft 'add chain bridge t c { type filter hook prerouting priority -300; }'; nft 'add rule bridge t c iifname b-web-1 drop'; ip neigh flush dev net-b\nweb-1: ip neigh flush dev eth0", f"web-1: {_WAY} TC5222 TC5202", beside="TC5103"),
    scenario("own-arp-filter", "filter of the host", "its own filter answers no ARP", "web-1: nft add table arp t; nft 'add chain arp t c { type filter hook output priority 0; policy drop; }'; ip neigh flush dev eth0\nrouter: ip neigh flush dev net-b", f"web-1: {_OWN} {_WAY} TC5222", beside="TC5103"),
)  # fmt: skip

_ROUTES = (
    scenario("poller-throw", "routing", "a poller's table gives up what goes to the server", "poll-1: ip route add throw 10.10.1.0/24", f"poll-1: {_WAY}"),
    scenario("tentacle-mark-route", "routing", "marked answers have a table of their own, which swallows", "web-1: iptables -t mangle -A OUTPUT -p tcp --sport 10933 -j MARK --set-mark 5; ip rule add fwmark 5 lookup 55 pref 91; ip route replace blackhole default table 55", f"web-1: {_WAY} TC5201 TC5411"),
    scenario("tentacle-by-neighbour", "routing", "a Tentacle's way back leads through a neighbour that forwards nothing", "web-1: ip route add 10.10.1.0/24 via 10.10.2.12", f"web-1: {_WAY} TC5202"),
    scenario("tentacle-has-servers-address", "addresses", "a Tentacle has its server's address itself", "web-1: ip addr add 10.10.1.10/32 dev lo", f"web-1: {_WAY} TT711", undo="web-1: ip addr del 10.10.1.10/32 dev lo"),
    scenario("poller-has-servers-address", "addresses", "a poller has its server's address itself", "poll-1: ip addr add 10.10.1.10/32 dev lo", f"poll-1: {_WAY} TC5312", undo="poll-1: ip addr del 10.10.1.10/32 dev lo"),
    scenario("server-has-tentacles-address", "addresses", "the server has a Tentacle's address itself", "octo-1: ip addr add 10.10.2.11/32 dev lo", f"web-1: {_WAY} TC5312", undo="octo-1: ip addr del 10.10.2.11/32 dev lo"),
    # A filter that drops ICMP is common, and harms nobody where no way is narrow (healthy-no-icmp): only a look that
    # stalls shows that this way is.
    scenario("pmtu-own-filter", "filter of the host", "its own filter drops ICMP, and the way is narrow", "router: ip link set net-a mtu 600\nweb-1: iptables -A INPUT -p icmp -j DROP", "web-1: TC5284", harmless=("web-1 firewall",), undo=f"{_WIDE}\n{_FORGET}"),
    # A look shows no certificate of its own, so that a poller's packets are small, and its connection stood before.
    scenario("pmtu-silent", "middle boxes", "the way to the server is narrow, and the router tells nobody", "router: ip link set net-a mtu 600; iptables -A OUTPUT -p icmp -j DROP", f"{_WEBS}: TC5282", undo=f"{_WIDE}\n{_FORGET}"),
    scenario("forward-to-closed", "middle boxes", "the router translates to a port where nobody listens", "router: nft add table ip n; nft 'add chain ip n c { type nat hook prerouting priority dstnat; }'; nft add rule ip n c ip daddr 10.10.2.11 tcp dport 10933 dnat to 10.10.2.11:9", "web-1: TC5202 TC5222"),
    scenario("six-alone-not-listening", "addresses", "a Tentacle's name has an IPv6 address alone, and it listens on IPv4", f"{hosts('a', 's/10.10.2.11/fd10:2::11/')}\nweb-1: cp /etc/lab/agent.json /root/agent; sed -i 's/\"::\", 10933/\"0.0.0.0\", 10933/' /etc/lab/agent.json; systemctl restart Tentacle; sleep 2", "web-1: TT712 TT715 TC5207", undo="web-1: cp /root/agent /etc/lab/agent.json; systemctl restart Tentacle\nhere: sleep 1"),
    scenario("six-duplicate", "addresses", "a Tentacle's IPv6 address is another machine's already", f"{records('a', behind('web-1', 'fd10:2::11'))}\nweb-1: ip -6 addr del fd10:2::11/64 dev eth0\nweb-2: ip -6 addr add fd10:2::11/64 dev eth0 nodad\nweb-1: ip -6 addr add fd10:2::11/64 dev eth0; sleep 2", "web-1: TC5312 TT711 TT715 TT716", undo="web-2: ip -6 addr del fd10:2::11/64 dev eth0 || :\nweb-1: ip -6 addr del fd10:2::11/64 dev eth0 || :; ip -6 addr add fd10:2::11/64 dev eth0 nodad"),
    scenario("six-switched-off", "addresses", "a Tentacle's IPv6 is switched off, its record stays", f"{records('a', behind('web-1', 'fd10:2::11'))}\nweb-1: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1", "web-1: TT715 TT716 TT711", undo="web-1: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip -6 addr replace fd10:2::11/64 dev eth0 nodad; ip -6 route replace default via fd10:2::1"),
)  # fmt: skip

_NAMES = (
    scenario("dns-servfail", "names", "the server's DNS fails on every name", dns("servfail"), f"{_WEBS}: TC5103", undo=_NO_MOOD, beside="TC5103"),
    scenario("dns-loop", "names", "a Tentacle's name is an alias of itself", dns("loop", "a", "web-1.lab.test"), "web-1: TC5101 TC5102", undo=_NO_MOOD),
    scenario("dns-slow", "names", "the server's DNS answers after 2 s", f"{dns('slow')}\nocto-1: cp /etc/resolv.conf /root/resolv; printf 'nameserver 10.10.1.1\\n' > /etc/resolv.conf", f"{_WEBS}: TT717", undo=f"{_NO_MOOD}\nocto-1: cp /root/resolv /etc/resolv.conf", seconds=8),
    scenario("dns-garbage", "names", "what answers the server's DNS queries is no DNS", dns("garbage"), f"{_WEBS}: TC5103", undo=_NO_MOOD, beside="TC5103"),
    # By the server's own tables there is no route to such an address: TC5221 says just that.
    scenario("six-alone-no-six", "names", "a Tentacle's name has an IPv6 address alone, and the server has none", f"{hosts('a', 's/10.10.2.11/fd10:2::11/')}\nocto-1: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1", f"web-1: TC1353 TT715 {_WAY} TC5221 TC5101 TC5207", undo="octo-1: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip -6 addr replace fd10:1::10/64 dev eth0 nodad; ip -6 route replace default via fd10:1::1"),
    # It polls a name that is not known there, and by its settings not the declared one: both are so.
    scenario("short-name", "names", "a poller polls a short name, and has no search list", f"poll-1: cp {_CONFIG} /root/config; sed -i 's#octo-1.lab.test:10943#octo-1:10943#' {_CONFIG}", "poll-1: TC5101 TC3131", undo=f"poll-1: cp /root/config {_CONFIG}", beside="TC5101 TC3131"),
    scenario("search-wildcard", "names", "the search list comes first, and has a record for every name", "dns: start a -- --address=/corp.test/10.10.2.12\nocto-1: cp /etc/resolv.conf /root/resolv; printf 'nameserver 10.10.1.1\\nsearch corp.test\\noptions timeout:1 attempts:1 ndots:5\\n' > /etc/resolv.conf", "web-1: TC5312", undo="octo-1: cp /root/resolv /etc/resolv.conf"),
    scenario("wildcard-parking", "names", "a name without record leads to a page of the provider's", f"dns: start a -- --address=/lab.test/10.10.1.1\n{hosts('a', '/web-1/d')}", "web-1: TC5121"),
    scenario("poller-hosts-loopback", "names", "a poller's hosts file leads the server's name to the poller", "poll-1: echo '127.0.0.1 octo-1.lab.test' >> /etc/hosts", "poll-1: TC5121", undo="poll-1: sed -i /octo-1/d /etc/hosts"),
    scenario("healthy-debian-hosts", "healthy", "a machine's own name is 127.0.1.1 in its hosts file", "web-1: echo '127.0.1.1 web-1.lab.test web-1' >> /etc/hosts", "", undo="web-1: sed -i /web-1/d /etc/hosts", healthy=True),
)  # fmt: skip

_PROXY_PAGE = "printf 'daemon off; pid /mnt/router/nginx.id; error_log /dev/null; events {} http { access_log off; server { listen 10.10.3.1:3128; location / { return 200 welcome; } } }' > /mnt/router/nginx.conf"
_SILENT = "printf 'import socket\\ns = socket.create_server((\"10.10.3.1\", 3128))\\nkept = []\\nwhile True:\\n    kept.append(s.accept())\\n' > /mnt/router/silent.py"
_INSPECTOR = _KEY.replace("/O=Inspector/CN=inspector.example", "/CN=Octopus Tentacle")
_STUNNEL = "printf 'foreground = yes\\npid =\\n[a]\\naccept = 7001\\nconnect = 10.10.2.11:10933\\nclient = yes\\n[b]\\naccept = 7000\\nconnect = 7001\\ncert = /mnt/router/i.crt\\nkey = /mnt/router/i.key\\n' > /mnt/router/stunnel.conf"
_HTTP = "cat /mnt/router/i.crt /mnt/router/i.key > /mnt/router/i.pem; printf 'defaults\\n mode http\\n timeout connect 1s\\n timeout client 20s\\n timeout server 20s\\nlisten a\\n bind :7000 %s\\n server one 10.10.2.11:9 check inter 100ms fall 1\\n' > /mnt/router/haproxy.conf"
_KILL = "router: kill $(cat /mnt/router/{0}.pid) || :; rm -f /mnt/router/{0}.pid"


def refused(name: str, fault: str, do: str, expect: str, undo: str) -> Scenario:
    """The poller's proxy is something else than squid."""
    base = proxied(name, fault, None, f"poll-1: {expect}", more=do)
    return replace(base, undo=(undo, *base.undo))


_BETWEEN = (
    box("proxy-protocol", "a balancer sends the PROXY protocol", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5241 TC5242 TC5281", files=_HAPROXY % "10.10.2.11:10933 send-proxy"),
    box("http-mode", "a balancer expects HTTP", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5291", files=f"{_KEY}; {_HTTP % ''}"),
    box("unavailable", "a balancer ends TLS, and says 503", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5302 TC5311", files=f"{_KEY}; {_HTTP % 'ssl crt /mnt/router/i.pem'}"),
    box("look-alike", "TLS is inspected, with a certificate that looks like Octopus's own", "exec stunnel4 /mnt/router/stunnel.conf", "web-1: TC5311 TC5303 TC1012 TC4011", files=f"{_INSPECTOR}; {_STUNNEL}"),
    box("ssh-banner", "something says that it is SSH", "exec python3 /mnt/router/banner.py", "web-1: TC5291 TC5302 TT504 TC5312 TC5241", files="printf 'import socket\\ns = socket.create_server((\"\", 7000))\\nwhile True:\\n    c = s.accept()[0]; c.sendall(b\"SSH-2.0-OpenSSH_9.2\\\\r\\\\n\"); c.recv(5000); c.close()\\n' > /mnt/router/banner.py"),
    proxied("proxy-port-denied", "the proxy allows CONNECT to port 443 alone", "acl safe port 443\\nacl CONNECT method CONNECT\\nhttp_access deny CONNECT !safe\\nhttp_access allow all\\n", "poll-1: TT607"),
    replace(proxied("proxy-no-names", "the proxy itself resolves no names", "dns_timeout 2 seconds\\nhttp_access allow all\\n", "poll-1: TT609", more="dns: stop a"), expect={"poll-1": ("TT609",), "poll-2": ("TC5213", "TC5211", "TC5214")}, beside=("TC5211", "TC5213", "TC5214", "TC5103")),
    refused("proxy-is-page", "the proxy is a web server", f"router: {_PROXY_PAGE}; {served('exec nginx -c /mnt/router/nginx.conf', 3128, 'nginx')}", "TT606 TT607 TT609", _KILL.format("nginx")),
    refused("proxy-silent", "the proxy accepts and stays silent", f"router: {_SILENT}; {served('exec python3 /mnt/router/silent.py', 3128, 'silent')}", "TT606 TT609", _KILL.format("silent")),
)  # fmt: skip

_HOSTS = (
    unit("no-such-user", "the unit's user does not exist", f"sed -i 's/^User=root/User=ghost/' {_UNIT}", "TC2038 TC2033", beside="TT813 TC2031 TC2032"),
    unit("no-such-folder", "the unit's working folder does not exist", f"sed -i 's#^WorkingDirectory=.*#WorkingDirectory=/nowhere#' {_UNIT}", "TC2038", beside="TT813 TC2031 TC2032"),
    unit("no-interpreter", "the program's interpreter is missing", "cp /opt/octopus/tentacle/Tentacle /root/program; sed -i '1s/.*/#!\\/nowhere\\/sh/' /opt/octopus/tentacle/Tentacle", "TC2035", beside="TT813 TC2031 TC2032", undo="cp /root/program /opt/octopus/tentacle/Tentacle"),
    unit("condition", "the unit's condition is not met", f"systemctl stop Tentacle; sed -i 's#^DefaultDependencies=no#&\\nConditionPathExists=/nowhere#' {_UNIT}", "TC2021 TC2022 TC2038 TC2034"),
    unit("dependency", "a unit that it needs fails", f"systemctl stop Tentacle; printf '[Unit]\\nDefaultDependencies=no\\n[Service]\\nType=oneshot\\nExecStart=/bin/false\\n' > /etc/systemd/system/needed.service; sed -i 's#^DefaultDependencies=no#&\\nRequires=needed.service\\nAfter=needed.service#' {_UNIT}", "TC2034 TC2021", beside="TC2021", undo="rm /etc/systemd/system/needed.service"),
    scenario("sshd-on-port", "local port", "sshd holds the port", "web-1: systemctl stop Tentacle; sed 's/^Port 22/Port 10933/; s/^ListenAddress.*/ListenAddress 0.0.0.0/' /etc/lab/sshd_config > /run/other_sshd; /usr/sbin/sshd -f /run/other_sshd -o PidFile=/run/other.pid; sleep 0.5; systemctl start Tentacle; sleep 1", "web-1: TC5021", beside="TC2031 TT504", undo=f"web-1: kill $(cat /run/other.pid); {_START}\nhere: sleep 1"),
    scenario("socket-unit", "local port", "a socket unit of systemd holds the port", "web-1: systemctl stop Tentacle; printf '[Unit]\\nDefaultDependencies=no\\n[Socket]\\nListenStream=10933\\n' > /etc/systemd/system/held.socket; printf '[Service]\\nExecStart=/bin/cat\\n' > /etc/systemd/system/held.service; systemctl daemon-reload; systemctl start held.socket; systemctl start Tentacle; sleep 1", "web-1: TC5021", beside="TC2031 TT504 TT505", undo=f"web-1: systemctl stop held.socket; rm /etc/systemd/system/held.*; {_START}\nhere: sleep 1"),
    scenario("never-accepts", "local port", "another program holds the port, and never accepts", "web-1: systemctl stop Tentacle; printf 'import socket, time\\ns = socket.socket(socket.AF_INET6); s.setsockopt(1, 2, 1); s.bind((\"::\", 10933)); s.listen(0)\\ntime.sleep(600)\\n' > /run/holds.py; (setsid /lab/python/bin/python /run/holds.py >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 0.5; systemctl start Tentacle; sleep 1", "web-1: TC5021", beside="TC2031 TT505", undo=f"web-1: kill $(cat /run/holds.pid); {_START}\nhere: sleep 1"),
    scenario("no-inodes", "disk", "the disk of the logs has no inode left", "web-1: mount -t tmpfs -o nr_inodes=4 tmpfs /etc/octopus/default/Logs; touch /etc/octopus/default/Logs/1 /etc/octopus/default/Logs/2 /etc/octopus/default/Logs/3 /etc/octopus/default/Logs/4 2>/dev/null || :", "web-1: TT971", undo="web-1: umount /etc/octopus/default/Logs"),
    # No product of Octopus looks at the other end's clock, and the pages are shown: nothing is broken.
    scenario("clock-years-off", "clocks", "a Tentacle's clock is three years ahead", "web-1: mv /usr/bin/date /usr/bin/date.real; printf '#!/bin/sh\\nexec /usr/bin/date.real -d \"+3 years\" \"$@\"\\n' > /usr/bin/date; chmod 755 /usr/bin/date", "", undo="web-1: mv /usr/bin/date.real /usr/bin/date"),
    # A clone's settings were written in the very same second; a certificate alone may be shared on purpose.
    scenario("cloned-machine", "trust", "a Tentacle is a clone of another", "here: for f in lab/agent.json octopus/default/tentacle-Tentacle.config; do nsenter -t $(cat /mnt/web-2/pid) -m cp -p /etc/$f /root/$(basename $f); nsenter -t $(cat /mnt/web-2/pid) -m tee /etc/$f < /mnt/web-1/upper/etc/$f > /dev/null; nsenter -t $(cat /mnt/web-2/pid) -m touch -d @$(stat -c %Y /mnt/web-1/upper/etc/$f) /etc/$f; done\nweb-2: systemctl restart Tentacle; sleep 2", "web-1,web-2: TT403", beside="TC4011 TC4012 TC1011", undo="web-2: cp -p /root/agent.json /etc/lab/; cp -p /root/tentacle-Tentacle.config /etc/octopus/default/; systemctl restart Tentacle\nhere: sleep 2"),
    # The pollers' links wait for the server's port, and are told with it.
    scenario("server-port-moved", "settings", "the server's process listens on another polling port than its settings say", "octo-1: cp /etc/lab/agent.json /root/agent; sed -i 's/\"::\", 10943/\"::\", 10999/' /etc/lab/agent.json; systemctl restart octopusserver; sleep 2", "octo-1: TC5011", undo="octo-1: cp /root/agent /etc/lab/agent.json; systemctl restart octopusserver\nhere: sleep 2", beside="TC3142 TC3171 TC5012 TC5011"),
    # A service that was just started may not have connected yet: it is unknown, and nothing is named.
    scenario("poller-not-known", "trust", "the server does not know a poller any more, which was just started", "octo-1: cp /etc/lab/agent.json /root/agent; /lab/python/bin/python -c \"import json; p='/etc/lab/agent.json'; d=json.load(open(p)); d['known'] += d['trusted'][-2:-1]; del d['trusted'][-2]; json.dump(d, open(p, 'w'))\"; systemctl restart octopusserver\npoll-1: systemctl restart Tentacle; sleep 3", "", undo="octo-1: cp /root/agent /etc/lab/agent.json; systemctl restart octopusserver\nhere: sleep 2"),
    scenario("host-key-changed", "management", "SSH's host key is another", "web-1: cp /etc/lab/host_key /root/; rm /etc/lab/host_key; ssh-keygen -q -t ed25519 -N '' -f /etc/lab/host_key; systemctl restart lab-sshd", "", undo="web-1: cp /root/host_key /etc/lab/host_key; chmod 600 /etc/lab/host_key; systemctl restart lab-sshd"),
    scenario("healthy-noisy-shell", "healthy", "the log-on's shell greets at length", "web-1: cp -a /root/.bashrc /root/bashrc.old 2>/dev/null || :; printf 'echo Welcome; echo \"{}\"; echo to this machine >&2\\n' > /root/.bashrc", "", undo="web-1: rm /root/.bashrc; mv /root/bashrc.old /root/.bashrc 2>/dev/null || :", healthy=True),
    scenario("healthy-no-icmp", "healthy", "a Tentacle's own filter drops ICMP, and no way is narrow", tables("web-1", "-A INPUT -p icmp -j DROP"), "", healthy=True),
    scenario("healthy-small-mtu", "healthy", "a Tentacle's interface takes small packets only", "web-1: ip link set eth0 mtu 600", "", undo="web-1: ip link set eth0 mtu 1500; sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; ip -6 addr replace fd10:2::11/64 dev eth0 nodad; ip -6 route replace default via fd10:2::1", healthy=True),
    scenario("healthy-masquerade", "healthy", "the router translates all sources to its own address", "router: nft add table ip n; nft 'add chain ip n c { type nat hook postrouting priority srcnat; }'; nft add rule ip n c oifname { net-a, net-b, net-c } masquerade", "", healthy=True),
    scenario("healthy-duplicates", "healthy", "the router sends every packet to one Tentacle twice", "router: nft add table ip t; nft 'add chain ip t c { type filter hook postrouting priority 0; }'; nft add rule ip t c ip daddr 10.10.2.11 dup to 10.10.2.11 device net-b", "", healthy=True),
    scenario("healthy-no-six-in", "healthy", "the host drops all of IPv6, which nobody uses", tables("web-1", "-P INPUT DROP", tool="ip6tables") + "\n" + tables("octo-1", "-P INPUT DROP", tool="ip6tables"), "", healthy=True),
    scenario("healthy-tiny-segments", "healthy", "the router clamps segments to 200 bytes", "router: nft add table ip t; nft 'add chain ip t c { type filter hook forward priority 0; }'; nft add rule ip t c 'tcp flags syn tcp option maxseg size set 200'", "", healthy=True),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*_FILTERS, *_ROUTES, *_NAMES, *_BETWEEN, *_HOSTS)
