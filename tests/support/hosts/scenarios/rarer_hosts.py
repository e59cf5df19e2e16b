"""Names, boxes, proxies, units and settings that fail in rarer ways, and management that fails alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.hosts.scenario import Scenario, scenario

from .between import _HAPROXY, _KEY, _POLLS, box, served
from .filters import nft
from .further import _CHECKED, restarted
from .names import hosts
from .proxies import _AGENT, _ALL, _CONFIG, proxied
from .unusual import _KILL, _NO_MOOD, _UNIT, dns, refused, unit

_WEBS = "web-1,web-2"
_MOODY = Path(__file__).resolve().parents[1] / "programs" / "moody_box.py"
_BOX = f"exec python3 {_MOODY} 10.10.0.0 7000".replace("10.10.0.0", "''")
_OCTO_RESOLV = "octo-1: cp /root/resolv /etc/resolv.conf"
_AGAIN = "systemctl restart Tentacle; sleep 2"
_HEAD = "defaults\\n mode tcp\\n timeout connect 1s\\n timeout client 20s\\n timeout server 20s\\n"
_NEW = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Octopus Tentacle' -keyout /run/n.key -out /run/n.crt 2>/dev/null; "
    "/lab/python/bin/python -c \"import json; p='/etc/lab/agent.json'; d=json.load(open(p)); d['certificate']=open('/run/n.crt').read(); "
    "d['key']=open('/run/n.key').read(); json.dump(d, open(p, 'w'))\""
)


def resolv(*lines: str) -> str:
    return f"octo-1: cp /etc/resolv.conf /root/resolv; printf '{''.join(f'{line}{chr(92)}n' for line in lines)}' > /etc/resolv.conf"


def moody(name: str, fault: str, words: str, expect: str) -> Scenario:
    """A proxy that is none, or one that says no in its own way."""
    return refused(name, fault, f"router: {served(f'exec python3 {_MOODY} 10.10.3.1 3128 {words}', 3128, 'proxy')}", expect, _KILL.format("proxy"))  # fmt: skip


def says(text: str) -> str:
    return f"says {text.encode().hex()}"


_NAMES = (
    scenario("dns-cut-off", "names", "DNS answers are cut off, and TCP is not served", dns("long"), f"{_WEBS}: TC5103", undo=_NO_MOOD, beside="TC5103"),
    scenario("dns-refuses-one", "names", "DNS refuses one name", dns("refuses", "a", "web-1.lab.test"), "web-1: TC5101", undo=_NO_MOOD),
    scenario("dns-dangling", "names", "a Tentacle's name is an alias of a name that is gone", dns("dangling", "a", "web-1.lab.test"), "web-1: TC5101 TC5102", undo=_NO_MOOD),
    scenario("public-address", "names", "the server's DNS has a Tentacle's public address", hosts("a", "s/10.10.2.11/203.0.113.7/"), "web-1: TC5121"),
    scenario("six-dns", "names", "the server's DNS server is an IPv6 address that serves nothing", resolv("nameserver fd10:1::1", "options timeout:1 attempts:1"), f"{_WEBS}: TC5103", undo=_OCTO_RESOLV, beside="TC5103"),
    scenario("name-to-itself", "names", "the server's hosts file leads a Tentacle's name to the server", "octo-1: echo '127.0.0.1 web-1.lab.test' >> /etc/hosts", "web-1: TC5121", undo="octo-1: sed -i /web-1/d /etc/hosts"),
    scenario("names-swapped", "names", "the names of two Tentacles are swapped", hosts("a", "-e s/10.10.2.11/10.10.2.111/ -e s/10.10.2.12/10.10.2.11/ -e s/10.10.2.111/10.10.2.12/"), f"{_WEBS}: TC5312"),
    scenario("server-name-to-tentacle", "names", "the pollers' DNS leads the server's name to a listening Tentacle", hosts("c", "s/10.10.1.10/10.10.2.12/"), f"{_POLLS}: TC5121 TC5301 TC5312"),
)  # fmt: skip

_BOXES = (
    box("tls-three", "a web gateway speaks TLS 1.3 only", "exec nginx -c /mnt/router/nginx.conf", "web-1: TC5311 TC5302", files=f"{_KEY}; printf 'daemon off; pid /mnt/router/nginx.id; error_log /dev/null; events {{}} http {{ access_log off; server {{ listen 7000 ssl; ssl_protocols TLSv1.3; ssl_certificate /mnt/router/i.crt; ssl_certificate_key /mnt/router/i.key; location / {{ return 404; }} }} }}' > /mnt/router/nginx.conf"),
    box("short-hello", "a box resets what begins with a long packet", f"{_BOX} short 10.10.2.11 10933 200", "web-1: TC5241 TC5242"),
    box("proxy-expected", "a balancer expects the PROXY protocol", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5241 TC5242 TC5281", files=f"printf '{_HEAD}listen a\\n bind :7000 accept-proxy\\n server one 10.10.2.11:10933\\n' > /mnt/router/haproxy.conf"),
    box("sni-unknown", "a gateway that leads by name does not know the name", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5241 TC5242 TC5281", files=f"printf '{_HEAD}frontend a\\n bind :7000\\n tcp-request inspect-delay 2s\\n tcp-request content accept if {{ req_ssl_hello_type 1 }}\\n use_backend b if {{ req_ssl_sni -i old.lab.test }}\\nbackend b\\n server one 10.10.2.11:10933\\n' > /mnt/router/haproxy.conf"),
    replace(box("half-dead", "of a balancer's two members one is dead, and nobody checks", f"{_BOX} halves 10.10.2.11 10933", "web-1: TC6422 TC6421 TC5241 TC6442"), pings=8, beside=("TC6422", "TC6421", "TC5241", "TC6442")),
    replace(box("two-tentacles", "a balancer takes turns between two Tentacles", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC6451 TC5312", files=_HAPROXY % "10.10.2.11:10933\\n server two 10.10.2.12:10933"), pings=8, beside=("TC6451", "TC5312")),
    box("name-refused", "a TLS gateway refuses the name by an alert", f"{_BOX} says 15030300020270", "web-1: TC5272"),
    box("budget", "a box passes a few bytes of the answer on, and then nothing", f"{_BOX} some 10.10.2.11 10933 200", "web-1: TC5281 TC5282"),
    box("poll-mutual-page", "a web gateway before the server demands a certificate", "exec nginx -c /mnt/router/nginx.conf", f"{_POLLS}: TC5311 TC5302 TC5271", listens=10943, address="10.10.1.10", files=f"{_KEY}; printf 'daemon off; pid /mnt/router/nginx.id; error_log /dev/null; events {{}} http {{ access_log off; server {{ listen 7000 ssl; ssl_verify_client on; ssl_client_certificate /mnt/router/i.crt; ssl_certificate /mnt/router/i.crt; ssl_certificate_key /mnt/router/i.key; location / {{ return 200 welcome; }} }} }}' > /mnt/router/nginx.conf"),
    box("ftp", "an FTP server greets on the port", f"{_BOX} {says('220 ProFTPD Server ready.' + chr(13) + chr(10))}", "web-1: TC5291 TC5302 TT504 TC5312 TC5241"),
    box("drained", "a balancer's member is drained", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5241 TC5242 TC5281", files=_CHECKED.replace("10.10.2.11:9 check inter 100ms fall 1", "10.10.2.11:10933 disabled")),
)  # fmt: skip

_STUNNEL = "printf 'foreground = yes\\npid =\\n[a]\\naccept = 7001\\nconnect = 10.10.1.10:10943\\nclient = yes\\n[b]\\naccept = 7000\\nconnect = 7001\\ncert = /mnt/router/i.crt\\nkey = /mnt/router/i.key\\n' > /mnt/router/stunnel.conf"
_INSPECTS = moody("proxy-inspects", "the proxy opens TLS, and closes it again", "relays 127.0.0.1 7000", "TC5311")
_PROXIES = (
    proxied("proxy-parent-dead", "the proxy's own proxy is dead", "cache_peer 10.10.1.99 parent 3128 0 no-query default\\nnever_direct allow all\\nhttp_access allow all\\n", "poll-1: TT609 TT607"),
    proxied("proxy-own-hosts", "the proxy has an old address of the server", f"hosts_file /mnt/router/squid.hosts\\n{_ALL}", "poll-1: TT609", more="router: true"),
    replace(_INSPECTS, do=(f"router: {_KEY}; {_STUNNEL}; {served('exec stunnel4 /mnt/router/stunnel.conf', 7000, 'stunnel')}", *_INSPECTS.do), undo=(_KILL.format("stunnel"), *_INSPECTS.undo)),
    moody("proxy-redirects", "the proxy sends everybody to a page to log on", says("HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n"), "TT607 TT606"),
    moody("proxy-kerberos", "the proxy wants Kerberos", says("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n"), "TT608"),
    moody("proxy-socks", "the proxy is one for SOCKS", "says 05ff", "TT606 TT607"),
)  # fmt: skip
_PROXIES = tuple(
    replace(each, do=("router: echo '10.10.1.99 octo-1.lab.test' > /mnt/router/squid.hosts", *each.do))
    if each.name == "proxy-own-hosts"
    else each
    for each in _PROXIES
)

_UNITS = (
    unit("wrong-program", "the unit starts a program that is not there", f"sed -i 's#^ExecStart=/opt/octopus/tentacle/Tentacle#&Agent#' {_UNIT}", "TC2035", beside="TT813 TC2031 TC2032"),
    unit("no-such-group", "the unit's group does not exist", f"sed -i 's/^User=root/&\\nGroup=ghosts/' {_UNIT}", "TC2038 TC2033", beside="TT813 TC2031 TC2032"),
    unit("no-such-root", "the unit's root folder does not exist", f"sed -i 's#^User=root#&\\nRootDirectory=/nowhere#' {_UNIT}", "TC2038", beside="TT813 TC2031 TC2032"),
    unit("no-environment", "the unit's file of variables is missing", f"sed -i 's#^User=root#&\\nEnvironmentFile=/etc/nowhere#' {_UNIT}", "TC2038 TC2032", beside="TT813 TC2031 TC2032"),
    unit("pre-fails", "the unit's command before the start fails", f"sed -i 's#^User=root#&\\nExecStartPre=/bin/false#' {_UNIT}", "TC2032 TC2031 TC2038", beside="TT813 TC2031 TC2032"),
    unit("own-network", "the unit has a network of its own", f"sed -i 's#^User=root#&\\nPrivateNetwork=yes#' {_UNIT}", "TC5011 TT712"),
    unit("families", "the unit may open no sockets of IP", f"sed -i 's#^User=root#&\\nRestrictAddressFamilies=AF_UNIX#' {_UNIT}", "TC2031 TC2032 TC5011", beside="TT813 TC2031 TC2032"),
    unit("few-files", "the unit may open few files", f"sed -i 's#^User=root#&\\nLimitNOFILE=3#' {_UNIT}", "TC2031 TC2032 TC2035 TC2066", beside="TT813 TC2031 TC2032"),
    unit("killed", "the process was killed, and is not started again", f"sed -i 's/^Restart=always/Restart=no/' {_UNIT}; systemctl daemon-reload; systemctl restart Tentacle; sleep 1.5; systemctl kill -s KILL Tentacle; sleep 0.5; : ", "TC2023 TC2032 TC2021 TC2039", beside="TC2021"),
    unit("short-lived", "the unit ends the process after a second, again and again", f"sed -i 's/^RestartSec=5/RestartSec=1\\nRuntimeMaxSec=1/' {_UNIT}", "TC2031 TC2032", beside="TC2032"),
)  # fmt: skip
# `unit` restarts at the end of its change, which would bring the killed process back.
_UNITS = tuple(
    replace(each, do=(each.do[0].rpartition("; systemctl daemon-reload;")[0],))
    if each.name == "killed"
    else replace(each, do=(f"{each.do[0]}; sleep 6",))
    if each.name == "short-lived"
    else each
    for each in _UNITS
)


def listening(
    name: str, fault: str, address: str, expect: str, area: str = "settings", *, says_so: bool = True
) -> Scenario:
    """web-1's process listens on this address alone; its settings say so, or not."""
    told = (
        f'sed -i \'s#ListenIP"></set>#ListenIP">{address}</set>#; s#ListenIP" */>#ListenIP">{address}</set>#\' {_CONFIG}'
        if says_so
        else ":"
    )
    return scenario(name, area, fault, **restarted("web-1", f"cp {_CONFIG} /root/config; cp {_AGENT} /root/agent; sed -i 's/\"::\", 10933/\"{address}\", 10933/' {_AGENT}; {told}", f"cp /root/config {_CONFIG}; cp /root/agent {_AGENT}"), expect=expect, healthy=not expect)  # fmt: skip


_SERVER_AGENT = f"octo-1: cp {_AGENT} /root/agent; %s; systemctl restart octopusserver; sleep 3"
_SERVER_BACK = f"octo-1: cp /root/agent {_AGENT}; systemctl restart octopusserver\nhere: sleep 2"
_SETTINGS = (
    listening("listens-on-management", "the Tentacle listens on the management's address alone", "10.255.0.11", "web-1: TT712"),
    listening("listens-on-six-loopback", "the Tentacle listens on IPv6's loopback alone", "::1", "web-1: TT712"),
    listening("listens-on-own-six", "the Tentacle listens on its IPv6 address alone, and its name has none", "fd10:2::11", "web-1: TT712"),
    scenario("server-on-loopback", "settings", "the server listens for pollers on loopback alone", _SERVER_AGENT % f"sed -i 's/\"::\", 10943/\"127.0.0.1\", 10943/' {_AGENT}", f"{_POLLS}: TT712 TC5011", undo=_SERVER_BACK, beside="TT712 TC5011"),
    scenario("certificate-swapped", "trust", "the running Tentacle presents another certificate than its settings have", f"web-1: cp {_AGENT} /root/agent; {_NEW}; {_AGAIN}", "web-1: TT402 TC5012 TT144 TC4011", undo=f"web-1: cp /root/agent {_AGENT}; {_AGAIN}", beside="TC5303"),
    scenario("server-renewed", "trust", "the server has a new certificate, and no Tentacle was told", _SERVER_AGENT % _NEW, f"{_WEBS},{_POLLS}: TC3212 TC1014 TC4042 TC3211", undo=_SERVER_BACK, beside="TC4042 TC3212 TC4041"),
    scenario("same-subscription", "trust", "two pollers poll with one subscription", f"poll-2: cp {_AGENT} /root/agent; cp {_CONFIG} /root/config; sed -i 's#poll2xxx#poll1xxx#' {_AGENT} {_CONFIG}; {_AGAIN}", f"{_POLLS}: TC1171 TT413", undo=f"poll-2: cp /root/agent {_AGENT}; cp /root/config {_CONFIG}; {_AGAIN}"),
    scenario("stray-character", "trust", "an invisible character stands in a trusted thumbprint", f"web-1: cp {_CONFIG} /root/config; sed -i 's/\"Thumbprint\": \"/&\\xe2\\x80\\x8e/' {_CONFIG}; {_AGAIN}", "web-1: TC3221", undo=f"web-1: cp /root/config {_CONFIG}; {_AGAIN}"),
    scenario("backlog-full", "local port", "the process hangs, and its queue of connections is full", "web-1: sysctl -qw net.core.somaxconn=1; systemctl restart Tentacle; until ss -Hltn | grep -q :10933; do sleep 0.1; done; kill -STOP $(systemctl show -p MainPID --value Tentacle); (setsid /lab/python/bin/python -c \"import socket, time; kept = [socket.socket() for _ in range(6)]; [(s.setblocking(False), s.connect_ex(('127.0.0.1', 10933))) for s in kept]; time.sleep(120)\" >/dev/null 2>&1 & echo $! > /run/holds.pid); sleep 0.7", "web-1: TT213 TT505", undo="web-1: kill $(cat /run/holds.pid); sysctl -qw net.core.somaxconn=4096; kill -CONT $(systemctl show -p MainPID --value Tentacle); systemctl restart Tentacle\nhere: sleep 2"),
)  # fmt: skip

_MANAGEMENT = (
    scenario("management-address-gone", "management", "the management's address is gone", "web-1: ip addr del 10.255.0.11/24 dev mgmt0", "", undo="web-1: ip addr replace 10.255.0.11/24 dev mgmt0; systemctl restart lab-sshd\nhere: sleep 1"),
    scenario("management-interface-filter", "management", "SSH is let in on no interface but the links' own", nft("web-1", 'iifname "mgmt0" tcp dport 22 drop'), ""),
    scenario("no-shell", "management", "the log-on's account has no shell", "web-1: cp /etc/passwd /root/passwd; sed -i 's#^root:.*#root:x:0:0:root:/root:/usr/sbin/nologin#' /etc/passwd", "", undo="web-1: cp /root/passwd /etc/passwd"),
    scenario("forced-command", "management", "the log-on's key starts a menu", "web-1: cp /etc/lab/authorized_keys /root/; sed -i 's/^ssh/command=\"echo Welcome\" ssh/' /etc/lab/authorized_keys", "", undo="web-1: cp /root/authorized_keys /etc/lab/"),
    scenario("server-not-managed", "management", "the server alone cannot be logged on to", "octo-1: systemctl stop lab-sshd", "", undo="octo-1: systemctl start lab-sshd"),
)  # fmt: skip

_HEALTHY = (
    scenario("healthy-second-dns", "healthy", "the second of two DNS servers does not answer", resolv("nameserver 10.10.1.1", "nameserver 10.10.1.77", "options timeout:1 attempts:1"), "", undo=_OCTO_RESOLV, healthy=True),
    scenario("healthy-dns-by-tcp", "healthy", "names are asked for by TCP", resolv("nameserver 10.10.1.1", "options use-vc"), "", undo=_OCTO_RESOLV, healthy=True),
    scenario("healthy-dns-first", "healthy", "DNS is asked before the hosts file", "octo-1: cp /etc/nsswitch.conf /root/nsswitch; sed -i 's/^hosts:.*/hosts: dns [!UNAVAIL=return] files/' /etc/nsswitch.conf", "", undo="octo-1: cp /root/nsswitch /etc/nsswitch.conf", healthy=True),
    listening("healthy-listens-on-own", "the Tentacle listens on its own address alone", "10.10.2.11", "", "healthy"),
    replace(box("published", "the Tentacle is published at another address", "exec sleep 1", ""), name="healthy-published", area="healthy", healthy=True, undo=("router: ip addr del 10.10.1.111/24 dev net-a",), do=("router: ip addr add 10.10.1.111/24 dev net-a; nft add table ip n; nft 'add chain ip n c { type nat hook prerouting priority dstnat; }'; nft add rule ip n c ip daddr 10.10.1.111 tcp dport 10933 dnat to 10.10.2.11:10933", hosts("a", "s/10.10.2.11/10.10.1.111/"), "dns: stop b", "dns: start b")),
    replace(box("sni-right", "a gateway leads by name to the Tentacle", "exec haproxy -f /mnt/router/haproxy.conf", "", files=f"printf '{_HEAD}frontend a\\n bind :7000\\n tcp-request inspect-delay 2s\\n tcp-request content accept if {{ req_ssl_hello_type 1 }}\\n use_backend b if {{ req_ssl_sni -i web-1.lab.test }}\\nbackend b\\n server one 10.10.2.11:10933\\n' > /mnt/router/haproxy.conf"), name="healthy-by-name", area="healthy", healthy=True),
    replace(unit("healthy-sandbox", "the unit may do little", f"sed -i 's#^User=root#&\\nNoNewPrivileges=yes\\nPrivateTmp=yes\\nProtectSystem=full\\nProtectHome=read-only\\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\\nReadWritePaths=/etc/octopus#' {_UNIT}", ""), area="healthy", healthy=True, expect={}),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*_NAMES, *_BOXES, *_PROXIES, *_UNITS, *_SETTINGS, *_MANAGEMENT, *_HEALTHY)
