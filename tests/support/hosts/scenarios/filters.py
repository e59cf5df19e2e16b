"""Packet filters of hosts and of the router between them."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

_OWN = "TC5411 TT546"
BANNED = "TC5412"
_OUT = "TC533 TT533"
_BEFORE_ONE = "TC5202"
_BEFORE_SUBNET = "TC5203"
_BEFORE_SERVER = "TC5211"
_ONE_OUT = "TC5213"
_WEBS, _POLLS = "web-1,web-2", "poll-1,poll-2"


def nft(
    host: str, rule: str, hook: str = "input", policy: str = "accept", *, family: str = "inet", more: str = ""
) -> str:
    """One chain with these rules, which semicolons part."""
    rules = "".join(f"nft 'add rule {family} t c {each.strip()}'; " for each in rule.split(";") if each.strip())
    chain = f"type filter hook {hook} priority 0; policy {policy};"
    own = "".join(f"nft '{each.strip()}'; " for each in more.split("|") if each.strip())
    return f"{host}: nft add table {family} t; nft 'add chain {family} t c {{ {chain} }}'; {own}{rules}"


_STATE = "ct state established,related accept; iif lo accept; tcp dport 22 accept"


def own(name: str, fault: str, do: str, named: str = _OWN) -> Scenario:
    """On web-1: it keeps its server out."""
    return scenario(f"own-{name}", "filter of the host", fault, do, f"web-1: {named}")


def tables(host: str, *commands: str, tool: str = "iptables") -> str:
    return f"{host}: " + "; ".join(f"{tool} {command}" for command in commands)


_OWN_FILTERS = (
    own("nft-drop", "nft drops the port", nft("web-1", "tcp dport 10933 counter drop")),
    own("nft-reset", "nft rejects with a reset", nft("web-1", "tcp dport 10933 reject with tcp reset")),
    own("nft-icmpx", "nft rejects by ICMP, prohibited", nft("web-1", "tcp dport 10933 reject with icmpx admin-prohibited")),
    own("nft-icmp-host", "nft rejects by ICMP, host unreachable", nft("web-1", "ip protocol tcp tcp dport 10933 reject with icmp host-unreachable")),
    own("nft-policy", "nft drops what it does not name", nft("web-1", _STATE, policy="drop")),
    own("nft-last-reject", "the last rule rejects all", nft("web-1", f"{_STATE}; reject with icmpx admin-prohibited")),
    own("nft-source", "only another server is let in", nft("web-1", f"{_STATE}; ip saddr 10.10.1.99 tcp dport 10933 accept; tcp dport 10933 drop")),
    own("nft-set", "the server is in a set of blocked sources", nft("web-1", "ip saddr @bad drop", more="add set inet t bad { type ipv4_addr; flags interval; elements = { 10.10.1.0/24 }; }")),
    own("nft-chain", "an own chain drops", nft("web-1", "jump own", more="add chain inet t own | add rule inet t own tcp dport 10000-11000 drop")),
    own("nft-raw", "a hook before connection tracking drops", nft("web-1", "tcp dport 10933 drop", hook="prerouting")),
    own("nft-interface", "dropped on one interface", nft("web-1", 'iifname "eth0" tcp dport 10933 drop')),
    own("nft-vmap", "a verdict map drops", nft("web-1", "tcp dport vmap { 22 : accept, 10933 : drop }")),
    own("nft-answers", "the answers are not let out", nft("web-1", "tcp sport 10933 drop", hook="output")),
    own("nft-loopback", "dropped on loopback, too", nft("web-1", "ct state established,related accept; tcp dport 22 accept", policy="drop")),
    own("nft-redirect", "led to another port", "web-1: nft add table ip t; nft 'add chain ip t c { type nat hook prerouting priority dstnat; }'; nft 'add rule ip t c tcp dport 10933 redirect to :1'"),
    own("iptables-drop", "iptables drops the port", tables("web-1", "-A INPUT -p tcp --dport 10933 -j DROP")),
    own("iptables-reject", "iptables rejects the port", tables("web-1", "-A INPUT -p tcp --dport 10933 -j REJECT")),
    own("iptables-prohibited", "iptables rejects, prohibited", tables("web-1", "-A INPUT -p tcp --dport 10933 -j REJECT --reject-with icmp-admin-prohibited")),
    own("iptables-policy", "iptables drops what it does not name", tables("web-1", "-A INPUT -i lo -j ACCEPT", "-A INPUT -m state --state ESTABLISHED -j ACCEPT", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-P INPUT DROP")),
    own("iptables-raw", "iptables' raw table drops", tables("web-1", "-t raw -A PREROUTING -p tcp --dport 10933 -j DROP")),
    own("iptables-mangle", "iptables' mangle table drops", tables("web-1", "-t mangle -A PREROUTING -p tcp --dport 10933 -j DROP")),
    own("iptables-chain", "an own chain with a return", tables("web-1", "-N OCTO", "-A INPUT -p tcp -m multiport --dports 80,10933 -j OCTO", "-A OCTO -s 10.10.9.0/24 -j RETURN", "-A OCTO -j DROP")),
    own("iptables-legacy", "legacy iptables drops", tables("web-1", "-A INPUT -p tcp --dport 10933 -j DROP", tool="iptables-legacy")),
    own("ufw", "ufw's rules without the port", tables("web-1", "-N ufw-before-input", "-N ufw-user-input", "-A INPUT -j ufw-before-input", "-A ufw-before-input -i lo -j ACCEPT", "-A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A ufw-before-input -j ufw-user-input", "-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT", "-P INPUT DROP")),
    own("firewalld", "firewalld's rules without the port", nft("web-1", 'ct state { established, related } accept; ct status dnat accept; iifname "lo" accept; ct state invalid drop; jump zones; reject with icmpx admin-prohibited', more='add chain inet t public | add chain inet t allow | add chain inet t zones | add rule inet t allow tcp dport 22 accept | add rule inet t public jump allow | add rule inet t zones iifname "eth0" goto public | add rule inet t zones goto public')),
    scenario("own-two", "filter of the host", "both machines of the subnet drop", f'{nft("web-1", "tcp dport 10933 drop")}\n{nft("web-2", "tcp dport 10933 drop")}', f"web-1,web-2: {_OWN}"),
)  # fmt: skip

_SERVER = (
    scenario("server-nft-drop", "filter of the server", "nft drops the polling port", nft("octo-1", "tcp dport 10943 drop"), f"{_POLLS}: {_OWN}", beside=_OWN),
    scenario("server-nft-policy", "filter of the server", "what is not named is dropped", nft("octo-1", _STATE, policy="drop"), f"{_POLLS}: {_OWN}", beside=_OWN),
    scenario("server-iptables-reject", "filter of the server", "iptables rejects the polling port", tables("octo-1", "-A INPUT -p tcp --dport 10943 -j REJECT"), f"{_POLLS}: {_OWN}", beside=_OWN),
    scenario("server-one-source", "filter of the server", "one poller's address is dropped", nft("octo-1", "ip saddr 10.10.3.21 tcp dport 10943 drop"), f"poll-1: {_OWN}", beside=_OWN),
    scenario("server-out-drop", "filter of the server", "nothing is let out to Tentacles", nft("octo-1", "tcp dport 10933 drop", hook="output"), f"{_WEBS}: {_OUT}", beside=_OUT),
    scenario("server-out-one", "filter of the server", "one Tentacle is not connected to", nft("octo-1", "ip daddr 10.10.2.11 tcp dport 10933 reject with icmpx admin-prohibited", hook="output"), f"web-1: {_OUT}", beside=_OUT),
    scenario("server-out-policy", "filter of the server", "what is not named is not let out", nft("octo-1", "ct state established,related accept; oif lo accept; udp dport 53 accept", hook="output", policy="drop"), f"{_WEBS}: {_OUT}", beside=_OUT),
    scenario("poller-out-drop", "filter of the poller", "the polling port is not let out", nft("poll-1", "tcp dport 10943 drop", hook="output"), f"poll-1: {_OUT}", beside=_OUT),
    scenario("poller-out-reject", "filter of the poller", "iptables rejects on the way out", tables("poll-1", "-A OUTPUT -p tcp --dport 10943 -j REJECT"), f"poll-1: {_OUT}", beside=_OUT),
    scenario("poller-answers", "filter of the poller", "the server's answers are not let in", nft("poll-1", "tcp sport 10943 drop"), f"poll-1: {_OUT}", beside=_OUT),
)  # fmt: skip

_ROUTER = (
    scenario("router-one", "filter on the way", "the router drops towards one Tentacle", nft("router", "ip daddr 10.10.2.11 tcp dport 10933 drop", hook="forward"), f"web-1: {_BEFORE_ONE}"),
    scenario("router-one-reset", "filter on the way", "the router resets towards one Tentacle", nft("router", "ip daddr 10.10.2.11 tcp dport 10933 reject with tcp reset", hook="forward"), f"web-1: {_BEFORE_ONE}"),
    scenario("router-one-prohibited", "filter on the way", "the router answers for one Tentacle: prohibited", nft("router", "ip daddr 10.10.2.11 tcp dport 10933 reject with icmpx admin-prohibited", hook="forward"), f"web-1: {_BEFORE_ONE} TC5222"),
    scenario("router-answers", "filter on the way", "the router drops one Tentacle's answers", nft("router", "ip saddr 10.10.2.11 tcp sport 10933 drop", hook="forward"), f"web-1: {_BEFORE_ONE}"),
    scenario("router-subnet", "filter on the way", "the router drops towards a subnet", nft("router", "ip daddr 10.10.2.0/24 tcp dport 10933 drop", hook="forward"), f"{_WEBS}: {_BEFORE_SUBNET}"),
    scenario("router-subnet-prohibited", "filter on the way", "the router answers for a subnet: prohibited", nft("router", "ip daddr 10.10.2.0/24 tcp dport 10933 reject with icmpx admin-prohibited", hook="forward"), f"{_WEBS}: {_BEFORE_SUBNET} TC5222"),
    scenario("router-polling", "filter on the way", "the router drops the polling port", nft("router", "tcp dport 10943 drop", hook="forward"), f"{_POLLS}: {_BEFORE_SERVER}"),
    scenario("router-polling-reset", "filter on the way", "the router resets the polling port", nft("router", "tcp dport 10943 reject with tcp reset", hook="forward"), f"{_POLLS}: {_BEFORE_SERVER}"),
    scenario("router-one-poller", "filter on the way", "the router drops one poller", nft("router", "ip saddr 10.10.3.21 tcp dport 10943 drop", hook="forward"), f"poll-1: {_ONE_OUT}"),
    scenario("router-polling-answers", "filter on the way", "the router drops the server's answers to one poller", nft("router", "ip daddr 10.10.3.21 tcp sport 10943 drop", hook="forward"), f"poll-1: {_ONE_OUT}"),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (*_OWN_FILTERS, *_SERVER, *_ROUTER)
