"""What breaks in production without anybody touching the link: tables that fill up, addresses one did not think of, units."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario
from support.hosts.scenarios.between import _KEY, _NGINX
from support.hosts.scenarios.filters import nft, tables
from support.hosts.scenarios.names import hosts
from support.hosts.scenarios.operated import _AGAIN, _LATER, _NOW, _START
from support.hosts.scenarios.rarer_hosts import _OCTO_RESOLV, resolv
from support.hosts.scenarios.several import behind, records
from support.hosts.scenarios.slow import _LOSSY
from support.hosts.scenarios.unusual import _UNIT, unit, unread

from .below_rules import _BPF, _GROUP, _POLLS, _WEBS

_WAY = "TT532"
_OUT = "TT533"
_OWN = "TC5411 TT546"
_BROKEN = "TT813 TC8131 TC2031 TC2032"
_AT_TIMES = "TC6421 TC6422 TC6442 TC5216"
_BEYOND = "10.10.1.110"
"""A second address of the server's, or of a cluster's."""

_FULL = "TC5413"


def table(host: str, counted: int, most: int = 262144) -> str:
    """The kernel of a host says that it tracks so many connections; only that of all hosts together can be given another limit."""
    tells = "; ".join(
        f"echo {number} > /run/{name}; mount --bind /run/{name} /proc/sys/net/netfilter/nf_conntrack_{name}"
        for name, number in (("count", counted), ("max", most))
    )
    return f"{host}: {tells}"


def _no_table(host: str) -> str:
    return f"{host}: umount /proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max"


def full(name: str, area: str, fault: str, host: str, rules: str, expect: str, counted: int = 262144) -> Scenario:
    """That its table is full is what it says; that its new connections are dropped is the router's doing, as nothing shows."""
    beside = _FULL if host == "octo-1" else ""
    return scenario(name, area, fault, f"{table(host, counted)}\n{nft('router', rules, hook='forward')}", expect, beside=beside, undo=_no_table(host))  # fmt: skip


_TABLES = (
    full("own-table-full", "filter of the host", "the Tentacle's table of tracked connections is full", "web-1", "ip daddr 10.10.2.11 tcp dport 10933 drop", f"web-1: {_FULL}"),
    full("own-table-nearly-full", "filter of the host", "the Tentacle's table of tracked connections was full until just now", "web-1", "ip daddr 10.10.2.11 tcp dport 10933 drop", f"web-1: {_FULL} TC5202?", 258000),
    full("server-table-full", "filter of the server", "the server's table of tracked connections is full", "octo-1", "ip daddr 10.10.1.10 tcp dport 10943 drop; ip saddr 10.10.1.10 tcp dport 10933 drop", f"{_POLLS}: {_FULL}\n{_WEBS}: {_FULL} {_OUT}"),
    full("poller-table-full", "filter of the poller", "a poller's table of tracked connections is full", "poll-1", "ip saddr 10.10.3.21 tcp dport 10943 drop", f"poll-1: {_FULL} {_OUT}"),
)  # fmt: skip

_INSPECTOR = "printf 'foreground = yes\\npid =\\nsetuid = nobody\\n[a]\\naccept = 7001\\nconnect = 10.10.1.10:10943\\nclient = yes\\n[b]\\naccept = 7000\\nconnect = 127.0.0.1:7001\\ncert = /run/i.crt\\nkey = /run/i.key\\n' > /run/stunnel.conf"
_FILTERS = (
    unread("fingerprint", "nft drops a first packet that fits no system it knows", nft("web-1", 'iif eth0 tcp dport 10933 osf name "unknown" drop'), "TC5205"),
    unread("no-ipsec", "what did not come by IPsec is dropped", nft("web-1", "iif eth0 tcp dport 10933 meta ipsec missing drop")),
    scenario("own-redirect-answered", "filter of the host", "the port is led to a web server of the machine", f"web-1: {_KEY.replace('/mnt/router', '/run')}; {(_NGINX % ('ssl', 'ssl_certificate /run/i.crt; ssl_certificate_key /run/i.key;')).replace('/mnt/router', '/run')}; (setsid nginx -c /run/nginx.conf >/dev/null 2>&1 &); sleep 0.5; nft add table ip t; nft 'add chain ip t c {{ type nat hook prerouting priority dstnat; }}'; nft 'add rule ip t c tcp dport 10933 redirect to :7000'", f"web-1: {_OWN}", undo="web-1: kill $(cat /run/nginx.id)"),
    # What the server's table takes for its own address is another one than it is known by.
    scenario("server-second-source", "filter of the host", "the server sends with its second address, and only the first is let in", f"octo-1: ip addr add {_BEYOND}/24 dev eth0; ip route replace default via 10.10.1.1 src {_BEYOND}\n{nft('web-1', 'iif lo accept; ip saddr 10.10.1.10 tcp dport 10933 accept; tcp dport 10933 drop')}", f"web-1: {_OWN}"),
    # Which of its IPv6 addresses a poller sends with is not asked: by the rules alone, it may be let in.
    scenario("poller-second-source", "filter of the server", "a poller sends with another IPv6 address than the server's filter lets in", f"{hosts('c', 's/10.10.1.10/fd10:1::10/')}\n{tables('octo-1', '-A INPUT -i lo -j ACCEPT', '-A INPUT -p tcp -s fd10:3::21 --dport 10943 -j ACCEPT', '-A INPUT -p tcp -s fd10:3::22 --dport 10943 -j ACCEPT', '-A INPUT -p tcp --dport 10943 -j DROP', tool='ip6tables')}\npoll-1: ip -6 addr add fd10:3::99/64 dev eth0 nodad; ip -6 addr change fd10:3::21/64 dev eth0 preferred_lft 0", f"poll-1: {_OWN} TC5213?", beside=_OWN),
    scenario("poll-six-filtered", "filter of the server", "the server's name has an IPv6 address alone, whose port its filter drops", f"{hosts('c', 's/10.10.1.10/fd10:1::10/')}\n{tables('octo-1', '-A INPUT -p tcp --dport 10943 -j DROP', tool='ip6tables')}", f"{_POLLS}: {_OWN}", beside=_OWN),
    scenario("web-six-filtered", "filter of the host", "a Tentacle's name has an IPv6 address alone, whose port its filter drops", f"{hosts('a', 's/10.10.2.11/fd10:2::11/')}\n{tables('web-1', '-A INPUT -p tcp --dport 10933 -j DROP', tool='ip6tables')}", f"web-1: {_OWN}"),
    scenario("poller-six-out", "filter of the poller", "the server's name has an IPv6 address alone, and a poller's filter lets nothing out to it", f"{hosts('c', 's/10.10.1.10/fd10:1::10/')}\n{tables('poll-1', '-A OUTPUT -p tcp --dport 10943 -j DROP', tool='ip6tables')}", f"poll-1: {_OUT}"),
    scenario("poller-redirect-answered", "filter of the poller", "a poller's own rules lead the polling port to a web server of the machine", f"poll-1: {_KEY.replace('/mnt/router', '/run')}; {(_NGINX % ('ssl', 'ssl_certificate /run/i.crt; ssl_certificate_key /run/i.key;')).replace('/mnt/router', '/run')}; (setsid nginx -c /run/nginx.conf >/dev/null 2>&1 &); sleep 0.5; iptables -t nat -A OUTPUT -p tcp --dport 10943 -j REDIRECT --to-ports 7000", f"poll-1: {_OUT}", undo="poll-1: kill $(cat /run/nginx.id)"),
    scenario("poller-redirect-silent", "filter of the poller", "a poller's own rules lead the polling port to a program that stays silent", "poll-1: printf 'import socket\\ns = socket.create_server((\"\", 7000))\\nkept = []\\nwhile True:\\n    kept.append(s.accept())\\n' > /run/silent.py; (setsid /lab/python/bin/python /run/silent.py >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 0.5; iptables -t nat -A OUTPUT -p tcp --dport 10943 -j REDIRECT --to-ports 7000", f"poll-1: {_OUT}", undo="poll-1: kill $(cat /run/holds.pid)"),
    scenario("poller-redirect", "filter of the poller", "a poller's own rules lead the polling port to a local proxy that does not run", tables("poll-1", "-t nat -A OUTPUT -p tcp --dport 10943 -j REDIRECT --to-ports 12345"), f"poll-1: {_OUT}"),
    # The rule asks for whose packets they are: it may be why, and is named.
    scenario("poller-own-inspector", "filter of the poller", "a poller's own rules lead the polling port to an inspecting program of the machine", f"poll-1: {_KEY.replace('/mnt/router', '/run')}; chmod 644 /run/i.key; {_INSPECTOR}; (setsid stunnel4 /run/stunnel.conf >/dev/null 2>&1 & echo $! > /run/stunnel.pid); sleep 1; iptables -t nat -A OUTPUT -p tcp --dport 10943 -m owner ! --uid-owner 65534 -j REDIRECT --to-ports 7000", f"poll-1: {_OUT} TC5311?", undo="poll-1: kill $(cat /run/stunnel.pid)"),
    scenario("poller-old-address", "filter of the poller", "a poller's own rules translate the server's address to an old one", tables("poll-1", "-t nat -A OUTPUT -p tcp -d 10.10.1.10 --dport 10943 -j DNAT --to-destination 10.10.1.99:10943"), f"poll-1: {_OUT}"),
)  # fmt: skip


_SAYS_SO = r"""mv /usr/bin/systemctl /usr/bin/systemctl.real; printf '#!/bin/sh\ncase "$*" in *Features*) echo Features=+BPF_FRAMEWORK ;; *) exec /usr/bin/systemctl.real "$@" ;; esac\n' > /usr/bin/systemctl; chmod 755 /usr/bin/systemctl"""
_SAYS_NO_MORE = "mv /usr/bin/systemctl.real /usr/bin/systemctl"


def interfaces(host: str, devices: str, program: str = "") -> str:
    """The unit may use these network interfaces alone.

    Debian's systemd is built without BPF's framework: its program and its word for it are ours, where they are wanted.
    """
    pre = f"\\nExecStartPre=+{program}" if program else ""
    first = f"{_SAYS_SO}; " if program else ""
    return f"{host}: {first}cp {_UNIT} /root/unit; sed -i 's#^User=root#&\\nRestrictNetworkInterfaces={devices}{pre}#' {_UNIT}; {_AGAIN}"


_ONLY_LOOPBACK = f"{_BPF} interface lo {_GROUP}"
_UNIT_BACK = f"cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"
_UNITS = (
    scenario("unit-interfaces", "filter of the host", "the unit may use the interface lo alone", interfaces("web-1", "lo", _ONLY_LOOPBACK), f"web-1: {_OWN}", undo=f"web-1: {_SAYS_NO_MORE}; {_UNIT_BACK}"),
    scenario("poller-unit-interfaces", "filter of the poller", "a poller's unit may use the interface lo alone", f"{interfaces('poll-1', 'lo', _ONLY_LOOPBACK)}; {_LATER}\nocto-1: {_LATER}", "poll-1: TC5531", undo=f"octo-1: {_NOW}\npoll-1: {_SAYS_NO_MORE}; {_NOW}; {_UNIT_BACK}"),
    unit("unprivileged-ports", "the unit may not listen on ports that the system keeps for root", f"sysctl -qw net.ipv4.ip_unprivileged_port_start=20000; sed -i 's#^User=root#&\\nCapabilityBoundingSet=~CAP_NET_BIND_SERVICE#' {_UNIT}", "TC2031 TC2032 TC5011", beside=_BROKEN, undo="sysctl -qw net.ipv4.ip_unprivileged_port_start=1024"),
    unit("no-credential", "the unit's credential is missing", f"sed -i 's#^User=root#&\\nLoadCredential=key:/nowhere#' {_UNIT}", "TC2038", beside=_BROKEN),
    unit("no-exec", "the program's folder is mounted so that nothing is run from there", "mount --bind /opt/octopus /opt/octopus; mount -o remount,bind,noexec /opt/octopus", "TC2060 TC2035", beside=_BROKEN, undo="umount /opt/octopus"),
    scenario("server-few-files", "local port", "the server's process may open no more files", "octo-1: prlimit --nofile=3 --pid $(systemctl show -p MainPID --value octopusserver)", "octo-1: TT505 TT504", beside="TT505 TT504", undo="octo-1: systemctl restart octopusserver\nhere: sleep 3"),
    scenario("poller-ports-used-up", "filter of the poller", "a poller has no port of its own left for connections to the server", "poll-1: sysctl -qw net.ipv4.ip_local_port_range='61000 61039'; (setsid /lab/python/bin/python -c \"import socket, time; kept = [socket.create_connection(('10.10.1.10', 10943)) for _ in range(40)]; time.sleep(120)\" >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 1", "poll-1: TC5223", undo="poll-1: kill $(cat /run/holds.pid) || :; sysctl -qw net.ipv4.ip_local_port_range='32768 60999'"),
)  # fmt: skip

_NAMES = (
    scenario("resolv-dangling", "names", "the server's resolv.conf leads to the file of a resolver that is not installed", "octo-1: cp /etc/resolv.conf /root/resolv; rm /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf", f"{_WEBS}: TC5103", beside="TC5103", undo="octo-1: rm /etc/resolv.conf; cp /root/resolv /etc/resolv.conf"),
    scenario("resolv-typo", "names", "the server's resolv.conf has two addresses in one line", resolv("nameserver 10.10.1.1,10.10.3.1"), f"{_WEBS}: TC5103", beside="TC5103", undo=_OCTO_RESOLV),
)  # fmt: skip

_WAYS = (
    scenario("suppressed-default", "routing", "a Tentacle's rules of routing leave its default route out", "web-1: ip rule add lookup main suppress_prefixlength 0 pref 100; ip rule del pref 32766", f"web-1: {_WAY}", undo="web-1: ip rule add lookup main pref 32766"),
    scenario("router-strict-path", "routing", "the router sends by one way to a Tentacle, and its strict path filter drops what comes by the other", "router: ip route add 10.10.2.11/32 via 10.255.0.11; sysctl -qw net.ipv4.conf.net-b.rp_filter=1", "web-1: TC5202", undo="router: ip route del 10.10.2.11/32; sysctl -qw net.ipv4.conf.net-b.rp_filter=0"),
    # A first digit of 1 is no life of one hop.
    scenario("router-long-lived", "filter on the way", "the router drops towards one Tentacle, and the server's packets live for 128 hops", f"octo-1: sysctl -qw net.ipv4.ip_default_ttl=128\n{nft('router', 'ip daddr 10.10.2.11 tcp dport 10933 drop', hook='forward')}", "web-1: TC5202", undo="octo-1: sysctl -qw net.ipv4.ip_default_ttl=64"),
    scenario("loses-to-one", "slow ways", "two of three packets to one Tentacle are lost, and none from it", nft("router", "ip daddr 10.10.2.11 tcp dport 10933 numgen inc mod 3 != 0 drop", hook="forward"), f"web-1: {_LOSSY}", beside=_LOSSY, pings=10),
    scenario("router-few-a-minute", "filter on the way", "the router lets a few new connections a minute through to one Tentacle", tables("router", "-A FORWARD -p tcp -d 10.10.2.11 --dport 10933 --syn -m hashlimit --hashlimit-above 12/minute --hashlimit-burst 3 --hashlimit-mode dstip --hashlimit-name few -j DROP"), f"web-1: {_AT_TIMES}", beside=_AT_TIMES, pings=10),
    scenario("nat-halves", "middle boxes", "the router translates every second connection to a member that is gone", "router: nft add table ip n; nft 'add chain ip n c { type nat hook prerouting priority dstnat; }'; nft add rule ip n c ip daddr 10.10.2.11 tcp dport 10933 dnat to numgen inc mod 2 map { 0 : 10.10.2.11, 1 : 10.10.2.99 }", f"web-1: {_AT_TIMES}", beside=_AT_TIMES, pings=8),
)  # fmt: skip

_BUFFERS = "sysctl -qw net.ipv4.tcp_rmem='{0}' net.ipv4.tcp_wmem='{1}' net.ipv4.tcp_max_tw_buckets={2}"
_SIX = (
    hosts("a", "'s/10.10.2.11/fd10:2::11/; s/10.10.2.12/fd10:2::12/'"),
    hosts("c", "s/10.10.1.10/fd10:1::10/"),
)
_HEALTHY = (
    ("no-options", "the router takes TCP's options away", tables("router", "-t mangle -A FORWARD -p tcp --tcp-flags SYN SYN -j TCPOPTSTRIP --strip-options sack-permitted,timestamp,wscale"), ""),
    ("no-resolved", "names are asked of a resolver's module that is not there, then of DNS", "octo-1: cp /etc/nsswitch.conf /root/nsswitch; sed -i 's/^hosts:.*/hosts: files mymachines resolve [!UNAVAIL=return] myhostname dns/' /etc/nsswitch.conf", "octo-1: cp /root/nsswitch /etc/nsswitch.conf"),
    ("throws", "a table of routing has no say about the server's network", "web-1: ip route add throw 10.10.1.0/24 table 90; ip route add blackhole default table 90; ip rule add lookup 90 pref 90; ip route add throw 10.255.0.0/24 table 90; ip route add throw 10.10.2.0/24 table 90", "web-1: ip route flush table 90"),
    ("small-buffers", "a Tentacle's machine has small buffers, and keeps no old connections", f"web-1: {_BUFFERS.format('4096 4096 4096', '4096 4096 4096', 1)}; {_AGAIN}", f"web-1: {_BUFFERS.format('4096 131072 6291456', '4096 16384 4194304', 16384)}; {_AGAIN}"),
    ("second-source", "the server sends with its second address, and both are let in", f"octo-1: ip addr add {_BEYOND}/24 dev eth0; ip route replace default via 10.10.1.1 src {_BEYOND}\n{nft('web-1', f'iif lo accept; ip saddr {{ 10.10.1.10, {_BEYOND} }} tcp dport 10933 accept; tcp dport 10933 drop')}", ""),
    ("tables-in-use", "the tables of tracked connections are nearly full, and one is", f"{table('web-1', 240000)}\n{table('octo-1', 255000)}\n{table('poll-1', 262144)}", "\n".join(map(_no_table, ("web-1", "octo-1", "poll-1")))),
    # Who gets an address of each family goes by their order, which no DNS changes.
    ("prefers-four", "a Tentacle's IPv6 address is nobody's, and the server prefers IPv4", f"{records('a', behind('web-1', 'fd10:2::77'))}\nocto-1: printf 'precedence ::ffff:0:0/96 100\\n' > /etc/gai.conf", "octo-1: rm /etc/gai.conf"),
    ("fingerprint", "what looks like an old Windows by its first packet is dropped", nft("web-1", 'iif eth0 tcp dport 10933 osf name "Windows" drop'), ""),
    ("six-alone", "all names have IPv6 addresses alone", "\n".join((*_SIX, f"poll-1: {_AGAIN}", f"poll-2: {_AGAIN}")), f"dns: start\npoll-1: {_START}\npoll-2: {_START}\nhere: sleep 2"),
    ("poller-redirects-web", "a poller's own rules lead the web's ports to a local proxy", tables("poll-1", "-t nat -A OUTPUT -p tcp -m multiport --dports 80,443 -j REDIRECT --to-ports 12345"), ""),
    # A systemd that was built without BPF's framework, as Debian's, heeds no such line.
    ("unit-interfaces", "the units may use some interfaces alone, one by a line that its systemd cannot heed", f"{interfaces('web-1', 'lo eth0 mgmt0')}\n{interfaces('web-2', 'lo')}", f"web-1: {_UNIT_BACK}\nweb-2: {_UNIT_BACK}"),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    *_TABLES,
    *_FILTERS,
    *_UNITS,
    *_NAMES,
    *_WAYS,
    *(
        scenario(f"healthy-{name}", "healthy", fault, do, "", undo=undo, healthy=True)
        for name, fault, do, undo in _HEALTHY
    ),
)
