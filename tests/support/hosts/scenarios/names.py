"""Names: DNS servers, records, hosts files."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

_WEBS, _POLLS = "web-1,web-2", "poll-1,poll-2"


def hosts(subnet: str, script: str) -> str:
    """Changes a DNS server's records."""
    return f"router: sed -i {script} /mnt/router/dns-{subnet}.hosts; kill -HUP $(cat /mnt/router/dns-{subnet}.pid)"


SCENARIOS: tuple[Scenario, ...] = (
    scenario("server-dns-down", "names", "the server's DNS does not answer", "dns: stop a", f"{_WEBS}: TC5103", beside="TC5103"),
    scenario("poller-dns-down", "names", "the pollers' DNS does not answer", "dns: stop c", f"{_POLLS}: TC5103"),
    scenario("no-record", "names", "a Tentacle has no record", hosts("a", "/web-1/d"), "web-1: TC5101 TC5102"),
    scenario("no-record-anywhere", "names", "the server has no record anywhere", "\n".join(hosts(each, "/octo-1/d") for each in "abc"), f"{_POLLS}: TC5102 TC5101"),
    scenario("no-zone", "names", "the server's DNS has none of the names", hosts("a", "/lab.test/d"), f"{_WEBS}: TC5104"),
    scenario("stale-record", "names", "a Tentacle's record is old", hosts("a", "s/10.10.2.11/10.10.2.77/"), "web-1: TC5121"),
    scenario("record-of-another", "names", "a Tentacle's name leads to another Tentacle", hosts("a", "s/10.10.2.11/10.10.2.12/"), "web-1: TC5312"),
    scenario("stale-server-record", "names", "the server's record is old", hosts("c", "s/10.10.1.10/10.10.1.77/"), f"{_POLLS}: TC5121"),
    scenario("hosts-file", "names", "a hosts file on the server is old", "octo-1: echo '10.10.2.77 web-1.lab.test' >> /etc/hosts", "web-1: TC5121", undo="octo-1: sed -i /web-1/d /etc/hosts"),
    scenario("poller-hosts-file", "names", "a hosts file on a poller is old", "poll-1: echo '10.10.1.77 octo-1.lab.test' >> /etc/hosts", "poll-1: TC5121", undo="poll-1: sed -i /octo-1/d /etc/hosts"),
    scenario("poller-resolv", "names", "a poller asks a DNS server that is not there", "poll-1: echo 'nameserver 10.10.3.77' > /etc/resolv.conf; echo 'options timeout:1 attempts:1' >> /etc/resolv.conf", "poll-1: TC5103", undo="poll-1: echo 'nameserver 10.10.3.1' > /etc/resolv.conf; echo 'options timeout:1 attempts:1' >> /etc/resolv.conf"),
    scenario("server-resolv", "names", "the server asks a DNS server that refuses", "octo-1: echo 'nameserver 10.10.1.10' > /etc/resolv.conf; echo 'options timeout:1 attempts:1' >> /etc/resolv.conf", f"{_WEBS}: TC5103", undo="octo-1: echo 'nameserver 10.10.1.1' > /etc/resolv.conf; echo 'options timeout:1 attempts:1' >> /etc/resolv.conf", beside="TC5103"),
    scenario("dns-filtered", "names", "the server's filter drops DNS", "octo-1: nft add table inet t; nft 'add chain inet t c { type filter hook output priority 0; }'; nft add rule inet t c udp dport 53 drop; nft add rule inet t c tcp dport 53 drop", f"{_WEBS}: TC5103", beside="TC5103"),
    scenario("no-address", "names", "a Tentacle's name has no address", f"{hosts('a', '/web-1/d')}\ndns: start a -- --txt-record=web-1.lab.test,hello\n{hosts('a', '/web-1/d')}", "web-1: TC5101 TC5102"),
    scenario("healthy-dual-stack", "healthy", "names with IPv6 addresses that work", hosts("a", "-e '/web-1/a fd10:2::11 web-1.lab.test'"), "", healthy=True),
    scenario("healthy-hosts-file", "healthy", "a hosts file that is right", "octo-1: echo '10.10.2.11 web-1.lab.test' >> /etc/hosts", "", undo="octo-1: sed -i /web-1/d /etc/hosts", healthy=True),
    scenario("healthy-filters", "healthy", "packet filters that let everything needed through", "web-1: nft add table inet t; nft 'add chain inet t c { type filter hook input priority 0; policy drop; }'; for r in 'ct state established,related accept' 'iif lo accept' 'tcp dport { 22, 10933 } accept'; do nft \"add rule inet t c $r\"; done\nocto-1: iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT; iptables -A INPUT -p tcp -m multiport --dports 22,10943 -j ACCEPT; iptables -P INPUT DROP", "", healthy=True),
    scenario("healthy-second-gateway", "healthy", "a route of its own to the server", "poll-1: ip route add 10.10.1.0/24 via 10.10.3.1", "", healthy=True),
)  # fmt: skip
