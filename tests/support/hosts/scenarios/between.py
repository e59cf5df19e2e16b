"""Middle boxes: what answers for another, opens connections, or ends them."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

_KEY = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/O=Inspector/CN=inspector.example' -keyout /mnt/router/i.key -out /mnt/router/i.crt 2>/dev/null"
_POLLS = "poll-1,poll-2"


def to(port: int, address: str = "10.10.2.11", listens: int = 10933) -> str:
    """The router leads a Tentacle's connections to a program of its own."""
    return (
        "nft add table ip n; nft 'add chain ip n c { type nat hook prerouting priority dstnat; }'; "
        f"nft add rule ip n c ip daddr {address} tcp dport {listens} redirect to :{port}"
    )


def served(command: str, port: int, name: str) -> str:
    """Starts a program in the router, and waits for its port."""
    return f"({command}) </dev/null >/mnt/router/{name}.log 2>&1 & echo $! > /mnt/router/{name}.pid; for i in $(seq 100); do ss -Hltn | grep -q ':{port} ' && exit 0; sleep 0.05; done; exit 1"


def box(
    name: str,
    fault: str,
    command: str,
    expect: str,
    *,
    files: str = ":",
    listens: int = 10933,
    address: str = "10.10.2.11",
    beside: str = "",
) -> Scenario:
    """A program on the router, port 7000, to which a link's connections are led."""
    return scenario(
        f"box-{name}", "middle boxes", fault,
        f"router: {files}\nrouter: {to(7000, address, listens)}\nrouter: {served(command, 7000, name)}",
        expect, undo=f"router: kill $(cat /mnt/router/{name}.pid) || :", beside=beside,
    )  # fmt: skip


_STUNNEL = "printf 'foreground = yes\\npid =\\n[a]\\naccept = 7001\\nconnect = 10.10.2.11:10933\\nclient = yes\\n[b]\\naccept = 7000\\nconnect = 7001\\ncert = /mnt/router/i.crt\\nkey = /mnt/router/i.key\\n' > /mnt/router/stunnel.conf"
_NGINX = "printf 'daemon off; pid /mnt/router/nginx.id; error_log /dev/null; events {} http { access_log off; server { listen 7000 %s; %s location / { return 200 welcome; } } }' > /mnt/router/nginx.conf"
_HAPROXY = "printf 'defaults\\n mode tcp\\n timeout connect 1s\\n timeout client 20s\\n timeout server 20s\\nlisten a\\n bind :7000\\n server one %s\\n' > /mnt/router/haproxy.conf"

SCENARIOS: tuple[Scenario, ...] = (
    box("stunnel", "TLS is opened and closed again (stunnel)", "exec stunnel4 /mnt/router/stunnel.conf", "web-1: TC5311", files=f"{_KEY}; {_STUNNEL}"),
    box("nginx-tls", "a web server answers by TLS (nginx)", "exec nginx -c /mnt/router/nginx.conf", "web-1: TC5302", files=f"{_KEY}; {_NGINX % ('ssl', 'ssl_certificate /mnt/router/i.crt; ssl_certificate_key /mnt/router/i.key;')}"),
    box("nginx-plain", "a web server answers in plain text (nginx)", "exec nginx -c /mnt/router/nginx.conf", "web-1: TC5291", files=_NGINX % ("", "")),
    box("haproxy-dead", "a balancer without a living member (haproxy)", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5241 TC5242 TC5281", files=_HAPROXY % "10.10.2.11:9"),
    box("haproxy-other", "a balancer leads to another Tentacle (haproxy)", "exec haproxy -f /mnt/router/haproxy.conf", "web-1: TC5312", files=_HAPROXY % "10.10.2.12:10933"),
    box("silent", "something accepts and stays silent", "exec python3 /mnt/router/silent.py", "web-1: TC5281", files="printf 'import socket\\ns = socket.create_server((\"\", 7000))\\nkept = []\\nwhile True:\\n    kept.append(s.accept())\\n' > /mnt/router/silent.py"),
    box("closes", "something accepts and closes", "exec python3 /mnt/router/closes.py", "web-1: TC5241", files="printf 'import socket\\ns = socket.create_server((\"\", 7000))\\nwhile True:\\n    c = s.accept()[0]; c.recv(5000); c.close()\\n' > /mnt/router/closes.py"),
    box("resets", "something accepts and resets", "exec python3 /mnt/router/resets.py", "web-1: TC5242", files="printf 'import socket, struct\\ns = socket.create_server((\"\", 7000))\\nwhile True:\\n    c = s.accept()[0]; c.recv(5000); c.setsockopt(1, 13, struct.pack(\"ii\", 1, 0)); c.close()\\n' > /mnt/router/resets.py"),
    box("poll-stunnel", "the polling port is inspected (stunnel)", "exec stunnel4 /mnt/router/stunnel.conf", f"{_POLLS}: TC5311", files=f"{_KEY}; {_STUNNEL.replace('10.10.2.11:10933', '10.10.1.10:10943')}", listens=10943, address="10.10.1.10"),
    box("poll-nginx", "a web server answers on the polling port (nginx)", "exec nginx -c /mnt/router/nginx.conf", f"{_POLLS}: TC5302", files=f"{_KEY}; {_NGINX % ('ssl', 'ssl_certificate /mnt/router/i.crt; ssl_certificate_key /mnt/router/i.key;')}", listens=10943, address="10.10.1.10"),
    box("poll-plain", "plain text on the polling port (nginx)", "exec nginx -c /mnt/router/nginx.conf", f"{_POLLS}: TC5291", files=_NGINX % ("", ""), listens=10943, address="10.10.1.10"),
    box("poll-dead", "a balancer before the server without a member (haproxy)", "exec haproxy -f /mnt/router/haproxy.conf", f"{_POLLS}: TC5241 TC5242 TC5281 TC5282", files=_HAPROXY % "10.10.1.10:9", listens=10943, address="10.10.1.10"),
    box("poll-tentacle", "the polling port leads to a Tentacle (haproxy)", "exec haproxy -f /mnt/router/haproxy.conf", f"{_POLLS}: TC5301 TC5312", files=_HAPROXY % "10.10.2.11:10933", listens=10943, address="10.10.1.10"),
    scenario("nat-other", "middle boxes", "the router translates to another Tentacle", "router: nft add table ip n; nft 'add chain ip n c { type nat hook prerouting priority dstnat; }'; nft add rule ip n c ip daddr 10.10.2.11 tcp dport 10933 dnat to 10.10.2.12", "web-1: TC5312"),
    scenario("mtu", "middle boxes", "large packets do not get through to a subnet", "router: nft add table inet t; nft 'add chain inet t c { type filter hook forward priority 0; }'; nft add rule inet t c ip saddr 10.10.2.0/24 tcp sport 10933 meta length '>' 700 drop", "web-1,web-2: TC5282"),
)  # fmt: skip
