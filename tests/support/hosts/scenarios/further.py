"""Further faults of the same kinds: hooks and tables of every sort, rules of routing, offloaders, limits."""

from __future__ import annotations

from dataclasses import replace

from support.hosts.scenario import Scenario, scenario

from .between import _KEY, _POLLS, box
from .filters import _OWN, nft, own, tables

_WEBS = "web-1,web-2"
_WAY = "TT532"
_CONFIG = "/etc/octopus/default/tentacle-Tentacle.config"
_START = "systemctl daemon-reload; systemctl reset-failed; systemctl restart Tentacle"
_AGENT = "/etc/lab/agent.json"


def restarted(machine: str, change: str, back: str) -> dict[str, str]:
    return {"do": f"{machine}: {change}; {_START}; sleep 2", "undo": f"{machine}: {back}; {_START}\nhere: sleep 2"}


_OFFLOADER = "printf 'foreground = yes\\npid =\\n[a]\\naccept = 7000\\nconnect = %s\\ncert = /mnt/router/i.crt\\nkey = /mnt/router/i.key\\n%s' > /mnt/router/stunnel.conf"
_MUTUAL = _OFFLOADER % ("10.10.2.11:10933", "verifyPeer = yes\\nCAfile = /mnt/router/i.crt\\n")
_TLS_ONE = "printf 'daemon off; pid /mnt/router/nginx.id; error_log /dev/null; events {} http { access_log off; server { listen 7000 ssl; ssl_protocols %s; ssl_ciphers ALL:@SECLEVEL=0; ssl_certificate /mnt/router/i.crt; ssl_certificate_key /mnt/router/i.key; location / { return 200 welcome; } } }' > /mnt/router/nginx.conf"
_CAPTIVE = "printf 'daemon off; pid /mnt/router/nginx.id; error_log /dev/null; events {} http { access_log off; server { listen 7000; location / { return 302 http://login.example/; } } }' > /mnt/router/nginx.conf"
_SNI = "printf 'defaults\\n mode tcp\\n timeout connect 1s\\n timeout client 20s\\n timeout server 20s\\nfrontend a\\n bind :7000\\n tcp-request inspect-delay 2s\\n tcp-request content accept if { req_ssl_hello_type 1 }\\n use_backend other if { req_ssl_sni -m found }\\n default_backend own\\nbackend own\\n server one 10.10.2.11:10933\\nbackend other\\n server two 10.10.2.12:10933\\n' > /mnt/router/haproxy.conf"
_CHECKED = "printf 'defaults\\n mode tcp\\n timeout connect 1s\\n timeout client 20s\\n timeout server 20s\\nlisten a\\n bind :7000\\n server one 10.10.2.11:9 check inter 100ms fall 1\\n' > /mnt/router/haproxy.conf"
_PASS = "printf 'defaults\\n mode tcp\\n timeout connect 1s\\n timeout client 20s\\n timeout server 20s\\nlisten a\\n bind :7000\\n server one 10.10.2.11:10933\\n' > /mnt/router/haproxy.conf"


SCENARIOS: tuple[Scenario, ...] = (
    own("nft-netdev", "dropped where packets come in, before all other hooks", "web-1: nft add table netdev t; nft 'add chain netdev t c { type filter hook ingress device eth0 priority 0; }'; nft 'add rule netdev t c tcp dport 10933 drop'"),
    own("nft-state", "new connections are dropped, but for SSH", nft("web-1", "tcp dport 22 accept; iif lo accept; ct state new drop")),
    own("nft-map-source", "a map of sources drops", nft("web-1", "tcp dport 10933 ip saddr vmap { 10.10.1.0/24 : drop, 10.10.9.0/24 : accept }")),
    own("nft-not", "all but one source is dropped", nft("web-1", "tcp dport 10933 ip saddr != 10.10.1.99 drop")),
    own("nft-two-chains", "one chain accepts, a later one drops", "web-1: nft add table inet t; nft 'add chain inet t c { type filter hook input priority 0; }'; nft 'add rule inet t c tcp dport 10933 accept'; nft 'add chain inet t d { type filter hook input priority 10; policy drop; }'; nft 'add rule inet t d ct state established,related accept'; nft 'add rule inet t d iif lo accept'; nft 'add rule inet t d tcp dport 22 accept'"),
    own("nft-transport", "dropped by the port of any transport", nft("web-1", "meta l4proto tcp th dport 10933 drop")),
    own("iptables-redirect", "iptables leads it to another port", tables("web-1", "-t nat -A PREROUTING -p tcp --dport 10933 -j REDIRECT --to-ports 1")),
    own("iptables-dnat", "iptables leads it to another machine", tables("web-1", "-t nat -A PREROUTING -p tcp --dport 10933 -j DNAT --to-destination 10.10.2.99:10933")),
    scenario("own-iptables-connlimit", "filter of the host", "no connection at a time is let in, which a rule alone does not show", tables("web-1", "-A INPUT -p tcp --dport 10933 -m connlimit --connlimit-above 0 -j REJECT --reject-with tcp-reset"), "web-1: TC5201 TC5205"),
    own("iptables-state", "iptables drops new connections, but for SSH", tables("web-1", "-A INPUT -i lo -j ACCEPT", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -m conntrack --ctstate NEW -j DROP")),
    own("iptables-goto", "a goto into a chain that rejects", tables("web-1", "-N KEEP", "-A KEEP -j REJECT --reject-with icmp-host-prohibited", "-A INPUT -p tcp --dport 10933 -g KEEP")),
    own("iptables-range", "a range of sources is dropped", tables("web-1", "-A INPUT -p tcp --dport 10933 -m iprange --src-range 10.10.1.1-10.10.1.200 -j DROP")),
    own("iptables-output", "iptables drops the answers", tables("web-1", "-A OUTPUT -p tcp --sport 10933 -j DROP")),
    own("iptables-security", "iptables' mangle table drops what is delivered", tables("web-1", "-t mangle -A INPUT -p tcp --dport 10933 -j DROP")),
    scenario("tentacle-short-ttl", "filter of the host", "the answers die at the first router", tables("web-1", "-t mangle -A POSTROUTING -p tcp --sport 10933 -j TTL --ttl-set 1"), f"web-1: {_OWN} TC5202 TT532"),
    scenario("tentacle-rule-from", "routing", "a rule for the Tentacle's own address leads nowhere", "web-1: ip rule add from 10.10.2.11 lookup 99 pref 90; ip route replace unreachable default table 99", f"web-1: {_WAY}", beside="TC5103"),
    scenario("tentacle-rule-to", "routing", "a rule for the server's address swallows", "web-1: ip rule add to 10.10.1.10 lookup 98 pref 90; ip route replace blackhole default table 98", f"web-1: {_WAY}"),
    scenario("tentacle-wide-netmask", "routing", "a Tentacle takes the server's network for its own", "web-1: ip addr flush dev eth0; ip addr add 10.10.2.11/8 dev eth0; ip route replace default via 10.10.2.1", f"web-1: {_WAY}"),
    scenario("server-wide-netmask", "routing", "the server takes the Tentacles' network for its own", "octo-1: ip addr add 10.10.1.10/16 dev eth0; ip addr del 10.10.1.10/24 dev eth0; ip route replace default via 10.10.1.1", f"{_WEBS},{_POLLS}: {_WAY}", beside="TC5103"),
    scenario("poller-narrow-netmask", "routing", "a poller's own router is outside of its network", "poll-1: ip addr flush dev eth0; ip addr add 10.10.3.21/28 dev eth0", f"poll-1: {_WAY}", beside="TC5103"),
    scenario("duplicate-address", "addresses", "another machine has the Tentacle's address as well", "web-2: ip addr add 10.10.2.11/24 dev eth0; cat /sys/class/net/eth0/address > /run/mac\nrouter: ip neigh replace 10.10.2.11 lladdr $(ip neigh show 10.10.2.12 dev net-b | grep -o '..:..:..:..:..:..') dev net-b nud permanent", "web-1: TC5312 TT711 TT712", undo="router: ip neigh del 10.10.2.11 dev net-b; ip neigh flush dev net-b\nweb-2: ip addr del 10.10.2.11/24 dev eth0 || :", beside="TT711 TT712"),
    scenario("server-rule-from", "routing", "a rule for the server's own address leads nowhere", "octo-1: ip rule add from 10.10.1.10 lookup 99 pref 90; ip route replace prohibit default table 99", f"{_WEBS},{_POLLS}: {_WAY}", beside="TC5103"),
    scenario("wrong-files-only", "names", "the server looks names up in its hosts file alone", "octo-1: cp /etc/nsswitch.conf /root/nsswitch; sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf", f"{_WEBS}: TC5103 TC5104 TC5101", undo="octo-1: cp /root/nsswitch /etc/nsswitch.conf", beside="TC5103 TC5104"),
    scenario("resolv-empty", "names", "the server knows no DNS server", "octo-1: cp /etc/resolv.conf /root/resolv; : > /etc/resolv.conf", f"{_WEBS}: TC5103", undo="octo-1: cp /root/resolv /etc/resolv.conf", beside="TC5103"),
    scenario("upstream-dead", "names", "the DNS server's own source for one name does not answer", "dns: start a -- --server=/web-1.lab.test/10.10.1.77\nrouter: sed -i /web-1/d /mnt/router/dns-a.hosts; kill -HUP $(cat /mnt/router/dns-a.pid)", "web-1: TC5103 TC5101 TC5102 TC5105"),
    scenario("first-dns-dead", "names", "the first of two DNS servers does not answer", "octo-1: cp /etc/resolv.conf /root/resolv; printf 'nameserver 10.10.1.77\\nnameserver 10.10.1.1\\noptions timeout:1 attempts:1\\n' > /etc/resolv.conf", f"{_WEBS}: TC6441 TT535 TT644", undo="octo-1: cp /root/resolv /etc/resolv.conf", pings=5),
    box("offloader", "TLS is opened, and plain text goes on to the Tentacle, which hangs up", "exec stunnel4 /mnt/router/stunnel.conf", "web-1: TC5311", files=f"{_KEY}; {_OFFLOADER % ('10.10.2.11:10933', '')}"),
    box("offloader-nobody", "TLS is opened, and nobody stands behind", "exec stunnel4 /mnt/router/stunnel.conf", "web-1: TC5311 TC5241", files=f"{_KEY}; {_OFFLOADER % ('10.10.2.11:9', '')}"),
    box("mutual", "a gateway demands a certificate", "exec stunnel4 /mnt/router/stunnel.conf", "web-1: TC5311 TC5271", files=f"{_KEY}; {_MUTUAL}"),
    box("poll-offloader", "TLS is opened before the server, which hangs up", "exec stunnel4 /mnt/router/stunnel.conf", f"{_POLLS}: TC5311", files=f"{_KEY}; {_OFFLOADER % ('10.10.1.10:10943', '')}", listens=10943, address="10.10.1.10"),
    box("tls-one", "a gateway speaks TLS 1.0 only", "exec nginx -c /mnt/router/nginx.conf", "web-1: TC5311 TC5302 TC5251 TC5252 TC5253 TC5254 TC5255 TC5256 TC5257", files=f"{_KEY}; {_TLS_ONE % 'TLSv1'}"),
    box("captive", "a captive page answers in plain text", "exec nginx -c /mnt/router/nginx.conf", "web-1: TC5291", files=_CAPTIVE),
    box("sni", "a gateway sends whoever says a name to another Tentacle", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5312", files=_SNI),
    box("checked", "a balancer's only member is down by its health check", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5241 TC5242 TC5281", files=_CHECKED),
    box("poll-stranger", "the polling port of the server is another server's", "exec haproxy -f /mnt/router/haproxy.conf", f"{_POLLS}: TC5312 TC5301", files="printf 'defaults\\n mode tcp\\n timeout connect 1s\\n timeout client 20s\\n timeout server 20s\\nlisten a\\n bind :7000\\n server one 10.10.2.12:10933\\n' > /mnt/router/haproxy.conf", listens=10943, address="10.10.1.10", beside="TC5312 TC5301"),
    box("poll-closes", "something before the server accepts and closes", "exec python3 /mnt/router/closes.py", f"{_POLLS}: TC5241", files="printf 'import socket\\ns = socket.create_server((\"\", 7000))\\nwhile True:\\n    c = s.accept()[0]; c.recv(5000); c.close()\\n' > /mnt/router/closes.py", listens=10943, address="10.10.1.10"),
    box("poll-silent", "something before the server accepts and stays silent", "exec python3 /mnt/router/silent.py", f"{_POLLS}: TC5281 TC5282", files="printf 'import socket\\ns = socket.create_server((\"\", 7000))\\nkept = []\\nwhile True:\\n    kept.append(s.accept())\\n' > /mnt/router/silent.py", listens=10943, address="10.10.1.10"),
    box("certificate-then-silence", "a gateway shows its certificate, then nothing", "exec openssl s_server -accept 7000 -cert /mnt/router/i.crt -key /mnt/router/i.key -quiet", "web-1: TC5311", files=_KEY),
    scenario("no-descriptors", "local port", "the process may open no more files", "web-1: prlimit --nofile=3 --pid $(systemctl show -p MainPID --value Tentacle)", "web-1: TT505 TT504 TC5051", undo="web-1: systemctl restart Tentacle\nhere: sleep 1"),
    scenario("listens-on-loopback", "settings", "the Tentacle listens on loopback alone", **restarted("web-1", f"cp {_CONFIG} /root/config; cp {_AGENT} /root/agent; sed -i 's/\"::\", 10933/\"127.0.0.1\", 10933/' {_AGENT}; sed -i 's#ListenIP\"></set>#ListenIP\">127.0.0.1</set>#; s#ListenIP\" */>#ListenIP\">127.0.0.1</set>#' {_CONFIG}", f"cp /root/config {_CONFIG}; cp /root/agent {_AGENT}"), expect="web-1: TT712"),
    scenario("listens-on-four", "healthy", "the Tentacle listens on IPv4 alone", **restarted("web-1", f"cp {_AGENT} /root/agent; sed -i 's/\"::\", 10933/\"0.0.0.0\", 10933/' {_AGENT}", f"cp /root/agent {_AGENT}"), expect="", healthy=True),
    scenario("log-disk-full", "disk", "the disk of the logs is full", "web-1: mount -t tmpfs -o size=64k tmpfs /etc/octopus/default/Logs; dd if=/dev/zero of=/etc/octopus/default/Logs/full bs=1k 2>/dev/null || :", "web-1: TT971", undo="web-1: umount /etc/octopus/default/Logs"),
    scenario("home-read-only", "disk", "the home folder is mounted read-only", "web-1: mount --bind /etc/octopus /etc/octopus; mount -o remount,bind,ro /etc/octopus", "web-1: TT975", undo="web-1: umount /etc/octopus"),
    scenario("key-not-known", "management", "the log-on's key is not known any more", "web-1: mv /etc/lab/authorized_keys /root/", "", undo="web-1: mv /root/authorized_keys /etc/lab/"),
    scenario("sshd-down", "management", "sshd is down", "web-1: systemctl stop lab-sshd", "", undo="web-1: systemctl start lab-sshd"),
    scenario("healthy-open-rules", "healthy", "filters of both kinds that let all needed in", "web-1: iptables -A INPUT -p tcp --dport 10933 -m conntrack --ctstate NEW -m limit --limit 100/second --limit-burst 100 -j ACCEPT; iptables -A INPUT -p tcp --dport 3389 -j DROP; nft add table inet t; nft 'add chain inet t c { type filter hook input priority 0; }'; nft 'add rule inet t c tcp dport { 23, 25 } drop'", "", healthy=True),
    replace(box("pass", "a balancer passes all through to the Tentacle", "exec haproxy -f /mnt/router/haproxy.conf", "", files=_PASS), name="healthy-balancer", area="healthy", healthy=True),
)  # fmt: skip
