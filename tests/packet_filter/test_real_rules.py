"""What the rules say against what becomes of a connection: real nftables, real iptables of both kinds, a real cable.

Needs root, `ip`, `nft`, `iptables`; without one of them these tests fail and say so.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.packet_filter import read_sources
from pytest_tentacle.packet_filter.firewall import Firewall
from pytest_tentacle.sections.connections.linux_filter import FilteredWay, linux_verdict
from pytest_tentacle.survey.ingest import _firewall
from support import namespaces

PORT = 10933
HOSTS = {"10.7.0.1": "10.7.0.9", "10.7.0.2": "10.7.0.9", "fd07::1": "fd07::9"}


def nft(body: str, *, hook: str = "input", policy: str = "accept", more: str = "", family: str = "inet") -> str:
    chain = f"chain base {{ type filter hook {hook} priority 0; policy {policy};\n{body}\n}}"
    return f"table {family} t {{\n{more}\n{chain}\n}}\n"


NFT = {
    "nothing": "",
    "drop": nft(f"tcp dport {PORT} drop"),
    "reset": nft(f"tcp dport {PORT} reject with tcp reset"),
    "icmpx": nft(f"tcp dport {PORT} reject with icmpx admin-prohibited"),
    "icmp for one family": nft(f"tcp dport {PORT} reject with icmp host-unreachable"),
    "policy": nft("ct state established,related accept", policy="drop"),
    "policy and accept": nft(f"ct state established,related accept\ntcp dport {{ 22, {PORT} }} accept", policy="drop"),
    "policy and another port": nft("tcp dport { 22, 10943 } accept", policy="drop"),
    "range": nft("tcp dport 10900-10999 drop"),
    "not this port": nft(f"tcp dport != {PORT} drop"),
    "above": nft("tcp dport > 10000 counter drop"),
    "one source": nft(f"ip saddr 10.7.0.2 tcp dport {PORT} drop"),
    "but one source": nft(f"ip saddr != 10.7.0.2 tcp dport {PORT} drop"),
    "accept for a network": nft(f"ip saddr 10.7.0.0/31 tcp dport {PORT} accept\ntcp dport {PORT} drop"),
    "set of sources": nft("ip saddr @bad drop", more="set bad { type ipv4_addr; elements = { 10.7.0.1, 10.9.9.9 } }"),
    "set of networks": nft(
        "ip saddr @bad drop", more="set bad { type ipv4_addr; flags interval; elements = { 10.7.0.0/31, 10.8.0.0/16 } }"
    ),
    "set of ports": nft("tcp dport @open accept\ndrop", more=f"set open {{ type inet_service; elements = {{ 22, {PORT} }} }}"),
    "six": nft("ip6 saddr fd07::/64 drop"),
    "family": nft(f"meta nfproto ipv6 tcp dport {PORT} drop"),
    "ip6 table": nft(f"tcp dport {PORT} drop", family="ip6"),
    "ip table": nft(f"tcp dport {PORT} drop", family="ip"),
    "interface": nft(f'iifname "eth0" tcp dport {PORT} drop'),
    "another interface": nft(f'iifname "eth1" tcp dport {PORT} drop'),
    "loopback only": nft('iif "lo" accept\niifname "lo" drop'),
    "zone of its own": nft(
        "ct zone 5 drop",
        more=f"chain early {{ type filter hook prerouting priority raw; policy accept;\ntcp dport {PORT} ct zone set 5\n}}",
    ),
    "another zone": nft(
        "ct zone 6 drop",
        more=f"chain early {{ type filter hook prerouting priority raw; policy accept;\ntcp dport {PORT} ct zone set 5\n}}",
    ),
    "mark by a map": nft(f"meta mark set tcp dport map {{ 22 : 1, {PORT} : 7 }}\nmeta mark 7 drop"),
    "another mark by a map": nft(f"meta mark set tcp dport map {{ 22 : 7, {PORT} : 1 }}\nmeta mark 7 drop"),
    "mark by a named map of pairs": nft(
        "meta mark set ip saddr . tcp dport map @of\nmeta mark 7 drop",
        more=f"map of {{ type ipv4_addr . inet_service : mark; elements = {{ 10.7.0.1 . {PORT} : 0x7, 10.7.0.2 . 22 : 0x7 }} }}",
    ),
    "bits of a mark": nft(f"tcp dport {PORT} meta mark set meta mark | 0x4\nmeta mark & 0x4 == 0x4 drop"),
    "a mark's bit is cleared": nft("meta mark set 0x6\nmeta mark set meta mark & 0xfffffffb\nmeta mark 0x2 drop"),
    "a connection's mark": nft(
        "ct mark 3 drop", more=f"chain early {{ type filter hook prerouting priority -100;\ntcp dport {PORT} ct mark set 3\n}}"
    ),
    "a connection's mark as the packet's": nft(f"tcp dport {PORT} ct mark set 3\nmeta mark set ct mark\nmeta mark 3 drop"),
    "first port": nft(f"meta l4proto tcp ct original proto-dst {PORT} drop"),
    "first address": nft("ct original ip saddr 10.7.0.1 drop"),
    "the answers' port": nft(f"meta l4proto tcp ct reply proto-src {PORT} drop"),
    "pairs with ranges": nft(
        "ip saddr . th dport @bad drop",
        more="set bad { typeof ip saddr . th dport; flags interval; elements = { 10.7.0.1-10.7.0.3 . 10900-10999 } }",
    ),
    "verdicts by pair": nft(
        "ip saddr . tcp dport vmap @which",
        more=f"map which {{ type ipv4_addr . inet_service : verdict; elements = {{ 10.7.0.1 . {PORT} : drop, 10.7.0.2 . {PORT} : accept }} }}",
    ),
    "source by mask": nft(f"ip saddr & 255.255.255.253 == 10.7.0.0 tcp dport {PORT} drop"),
    "egress": f"table netdev t {{\nchain base {{ type filter hook egress device eth0 priority 0;\ntcp sport {PORT} drop\n}}\n}}\n",
    "a named counter": nft(f'tcp dport {PORT} counter name "of" drop', more="counter of { }"),
    "several negated ports": nft("ct state new tcp dport != { 22, 53, 80-90 } drop"),
    "wildcard": nft(f'iifname "eth*" tcp dport {PORT} drop'),
    "jump": nft("jump own", more=f"chain own {{ tcp dport {PORT} drop\n}}"),
    "jump and return": nft("jump own\ntcp dport 10933 drop", more=f"chain own {{ ip saddr 10.7.0.2 return\ntcp dport {PORT} accept\n}}"),
    "goto": nft("goto own\ndrop", more="chain own { tcp dport 22 accept\n}"),
    "goto to policy": nft("goto own\naccept", policy="drop", more="chain own { tcp dport 22 accept\n}"),
    "nested": nft("jump a", more="chain c { drop\n}\nchain b { jump c\n}\nchain a { tcp dport 10000-11000 jump b\n}"),
    "verdict map": nft(f"tcp dport vmap {{ 22 : accept, {PORT} : drop }}"),
    "verdict map of chains": nft("ip saddr vmap @where", more="chain out { drop\n}\nmap where { type ipv4_addr : verdict; elements = { 10.7.0.2 : jump out } }"),
    "state map": nft(f"ct state vmap {{ established : accept, invalid : drop, new : continue }}\ntcp dport {PORT} drop"),
    "concatenated": nft("ip saddr . tcp dport @pairs drop", more=f"set pairs {{ type ipv4_addr . inet_service; elements = {{ 10.7.0.1 . {PORT} }} }}"),
    "concatenated here": nft(f"ip saddr . tcp dport {{ 10.7.0.2 . {PORT}, 10.7.0.3 . 22 }} drop"),
    "raw": nft(f"tcp dport {PORT} drop", hook="prerouting"),
    "untracked": nft("ct state new drop", more=f"chain early {{ type filter hook prerouting priority -300; tcp dport {PORT} notrack\n}}"),
    "only new": nft(f"ct state new tcp dport {PORT} drop"),
    "only established": nft(f"ct state established tcp dport {PORT} accept\ntcp dport {PORT} drop"),
    "flags": nft(f"tcp flags syn / fin,syn,rst,ack tcp dport {PORT} drop"),
    "flags of an answer": nft("tcp flags & (syn | ack) == syn | ack drop"),
    "udp": nft(f"udp dport {PORT} drop\nmeta l4proto udp drop\nip protocol icmp drop"),
    "all of tcp": nft("meta l4proto tcp drop"),
    "output": nft(f"tcp sport {PORT} drop", hook="output"),
    "output to one": nft("ip daddr 10.7.0.2 drop", hook="output"),
    "output policy": nft("ct state established accept", hook="output", policy="drop"),
    "output policy and nothing": nft('oif "lo" accept', hook="output", policy="drop"),
    "forward": nft(f"tcp dport {PORT} drop", hook="forward", policy="drop"),
    "ingress": "table netdev t { chain c { type filter hook ingress device eth0 priority 0; policy accept;\ntcp dport 10933 drop\n}\n}",
    "redirect": "table ip t { chain c { type nat hook prerouting priority dstnat;\ntcp dport 10933 redirect to :1\n}\n}",
    "log": nft(f'tcp dport {PORT} log prefix "accept drop " level info drop'),
    "counter": nft(f"tcp dport {PORT} counter accept\ncounter drop"),
    "comment": nft(f'tcp dport {PORT} accept comment "drop everything"\ndrop'),
    "mark": nft("meta mark 0x1 drop\nct mark != 0x0 drop"),
    "marked": nft("meta mark 0x9 drop", more=f"chain marks {{ type filter hook prerouting priority mangle; tcp dport {PORT} meta mark set 0x9\n}}"),
    "marked for one": nft("meta mark 0x9 drop", more="chain marks { type filter hook prerouting priority mangle; ip saddr 10.7.0.2 meta mark set 9\n}"),
    "marked otherwise": nft("meta mark != 0x9 accept\ndrop", more=f"chain marks {{ type filter hook prerouting priority mangle; tcp dport {PORT} meta mark set 0x8\n}}"),
    "two tables": nft(f"tcp dport {PORT} accept") + "table ip second { chain c { type filter hook input priority 10; tcp dport 10933 drop\n}\n}",
    "fib": nft(f"fib daddr type local tcp dport {PORT} drop"),
    "firewalld": nft(
        'ct state { established, related } accept\nct status dnat accept\niifname "lo" accept\nct state invalid drop\n'
        "jump zones\nreject with icmpx admin-prohibited",
        more='chain public { jump allow\nmeta l4proto { icmp, ipv6-icmp } accept\n}\nchain allow { tcp dport 22 accept\n'
        'ip6 daddr fe80::/64 udp dport 546 accept\n}\nchain zones { iifname "eth0" goto public\ngoto public\n}',
    ),
}  # fmt: skip

UFW = """
iptables -N ufw-before-input; iptables -N ufw-user-input; iptables -N ufw-skip
iptables -A INPUT -j ufw-before-input
iptables -A ufw-before-input -i lo -j ACCEPT
iptables -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A ufw-before-input -m conntrack --ctstate INVALID -j DROP
iptables -A ufw-before-input -p udp -m udp --sport 67 --dport 68 -j ACCEPT
iptables -A ufw-before-input -m addrtype --dst-type LOCAL -j RETURN
iptables -A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
iptables -A INPUT -j ufw-user-input
iptables -P INPUT DROP
"""
IPTABLES = {
    "drop": f"iptables -A INPUT -p tcp --dport {PORT} -j DROP",
    "reject": f"iptables -A INPUT -p tcp --dport {PORT} -j REJECT",
    "reject with": f"iptables -A INPUT -p tcp --dport {PORT} -j REJECT --reject-with icmp-admin-prohibited",
    "reset": f"iptables -A INPUT -p tcp --dport {PORT} -j REJECT --reject-with tcp-reset",
    "six": f"ip6tables -A INPUT -p tcp --dport {PORT} -j DROP",
    "six policy": "ip6tables -A INPUT -p ipv6-icmp -j ACCEPT; ip6tables -P INPUT DROP",
    "multiport": f"iptables -A INPUT -p tcp -m multiport --dports 22,10900:10999 -j DROP; # {PORT}",
    "source": f"iptables -A INPUT -s 10.7.0.2 -p tcp --dport {PORT} -j DROP",
    "not a source": f"iptables -A INPUT ! -s 10.7.0.2/32 -p tcp --dport {PORT} -j DROP",
    "range of sources": "iptables -A INPUT -m iprange --src-range 10.7.0.2-10.7.0.8 -j DROP",
    "raw": "iptables -t raw -A PREROUTING -p tcp -j DROP",
    "mangle": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j DROP",
    "own chain": f"iptables -N OWN; iptables -A INPUT -j OWN; iptables -A OWN -s 10.7.0.1 -j RETURN; iptables -A OWN -p tcp --dport {PORT} -j DROP",
    "goto": "iptables -N OWN; iptables -A INPUT -g OWN; iptables -A INPUT -j DROP; iptables -A OWN -p tcp --dport 22 -j DROP",
    "interface": f"iptables -A INPUT -i eth+ -p tcp --dport {PORT} -j DROP",
    "another interface": f"iptables -A INPUT ! -i eth0 -p tcp --dport {PORT} -j DROP",
    "state": f"iptables -A INPUT -m state --state NEW -p tcp --dport {PORT} -j DROP",
    "established": "iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A INPUT -p tcp -j DROP",
    "syn": f"iptables -A INPUT -p tcp --syn --dport {PORT} -j DROP",
    "flags": f"iptables -A INPUT -p tcp --tcp-flags SYN,ACK SYN,ACK --dport {PORT} -j DROP",
    "output": f"iptables -A OUTPUT -p tcp --sport {PORT} -j DROP",
    "log": f"iptables -A INPUT -p tcp --dport {PORT} -j LOG --log-prefix 'DROP '; iptables -A INPUT -p tcp --dport 22 -j DROP",
    "comment": f"iptables -A INPUT -p tcp --dport {PORT} -m comment --comment 'do not -j DROP' -j ACCEPT; iptables -P INPUT DROP",
    "notrack": f"iptables -t raw -A PREROUTING -p tcp --dport {PORT} -j CT --notrack; iptables -A INPUT -m conntrack --ctstate NEW -j DROP",
    "marked": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j MARK --set-mark 9; iptables -A INPUT -m mark --mark 9 -j DROP",
    "marked by bits": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j MARK --set-mark 0x11; iptables -A INPUT -m mark --mark 1/0xf -j DROP",
    "marked in other bits": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j MARK --set-mark 0x10; iptables -A INPUT -m mark --mark 1/0xf -j DROP",
    "marked by or": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j MARK --or-mark 9; iptables -A INPUT -m mark --mark 9 -j DROP",
    "marked by a mask": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j MARK --set-xmark 0x4/0x4; iptables -A INPUT -m mark --mark 0x4/0x4 -j DROP",
    "connection marked": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j CONNMARK --set-xmark 0x4/0x4; iptables -A INPUT -m connmark --mark 0x4/0x4 -j DROP",
    "connection marked otherwise": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j CONNMARK --set-mark 8; iptables -A INPUT -m connmark --mark 0x4/0x4 -j DROP",
    "zone": f"iptables -t raw -A PREROUTING -p tcp --dport {PORT} -j CT --zone 5; iptables -A INPUT -p tcp --dport {PORT} -m conntrack --ctstate NEW -j DROP",
    "mark saved and restored": f"iptables -t mangle -A PREROUTING -p tcp --dport {PORT} -j MARK --set-mark 5; iptables -t mangle -A PREROUTING -j CONNMARK --save-mark; iptables -t mangle -A INPUT -j MARK --set-mark 0; iptables -t mangle -A INPUT -j CONNMARK --restore-mark; iptables -A INPUT -m mark --mark 5 -j DROP",
    "first port": f"iptables -A INPUT -p tcp -m conntrack --ctstate NEW --ctorigdstport {PORT} -j DROP",
    "first address": "iptables -A INPUT -p tcp -m conntrack --ctorigsrc 10.7.0.2 -j DROP",
    "transparent proxy": f"iptables -t mangle -A PREROUTING -i eth0 -p tcp --dport {PORT} -j TPROXY --on-port 5 --tproxy-mark 1",
    "ports negated": "iptables -A INPUT -i eth0 -p tcp -m multiport ! --dports 22,53,1024:9999 -j DROP",
    "not marked": "iptables -t mangle -A PREROUTING -p tcp --dport 22 -j MARK --set-mark 9; iptables -A INPUT -m mark --mark 9 -j DROP",
    "redirect": f"iptables -t nat -A PREROUTING -p tcp --dport {PORT} -j REDIRECT --to-ports 1",
    "ufw": UFW,
    "ufw with the port": UFW + f"iptables -I ufw-user-input -p tcp -m tcp --dport {PORT} -j ACCEPT",
    "udp": f"iptables -A INPUT -p udp --dport {PORT} -j DROP; iptables -A INPUT -p icmp -j DROP",
}  # fmt: skip
OPEN_ENDED = {
    "limit": ("nft", nft(f"tcp dport {PORT} limit rate 1/day accept\ntcp dport {PORT} drop")),
    "count": ("nft", nft(f"tcp dport {PORT} ct count over 1000 drop")),
    "string": ("iptables", "iptables -A INPUT -p tcp -m string --string abc --algo bm -j DROP"),
    "connlimit": ("iptables", f"iptables -A INPUT -p tcp --dport {PORT} -m connlimit --connlimit-above 900 -j DROP"),
    "length": ("nft", nft("meta length > 1000 drop")),
    "an option that is there": ("nft", nft(f"tcp dport {PORT} tcp option sack-perm exists drop")),
    "an option that is missing": ("nft", nft(f"tcp dport {PORT} tcp option timestamp missing drop")),
    "an option's value": ("nft", nft(f"tcp dport {PORT} tcp option maxseg size 1-500 drop")),
    "a hash": ("nft", nft(f"tcp dport {PORT} meta mark set jhash ip saddr mod 2\nmeta mark 1 drop")),
    "another machine's set of marks": ("nft", nft("meta mark set numgen inc mod 2\nmeta mark 1 drop")),
    "a socket's mark": ("nft", nft("tcp dport 10933 socket mark 9 drop")),
    "owner": ("nft", nft("meta skuid 12345 drop", hook="output")),
}
"""Rules that hold or not by what no list of rules tells."""


def cases() -> Iterator[Any]:
    for name, rules in NFT.items():
        yield pytest.param("nft", rules, id=f"nft-{name}")
    for name, rules in IPTABLES.items():
        yield pytest.param("iptables", rules, id=f"iptables-{name}")
        legacy = rules.replace("ip6tables ", "ip6tables-legacy ").replace("iptables ", "iptables-legacy ")
        yield pytest.param(
            "iptables", legacy.replace("ip6tables-legacy-legacy", "ip6tables-legacy"), id=f"legacy-{name}"
        )


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """Tries rules: what was read of them, and which sources came through."""
    namespaces.require("iptables", "iptables-legacy")
    program = Path(__file__).parent.parent / "support" / "rules_bench.py"
    process = namespaces.start(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tried(tool: str, rules: str) -> tuple[Firewall, dict[str, bool]]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"tool": tool, "rules": rules}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert "failed" not in answer, answer
        assert "data" in answer["read"], answer["read"]
        return Firewall.model_validate(_firewall(answer["read"]["data"])), answer["came"]

    yield tried
    process.kill()
    process.wait()


def verdict_of(firewall: Firewall, source: str) -> Any:
    own = frozenset({HOSTS[source]})
    way = FilteredWay(True, PORT, own, frozenset({source}), frozenset({"eth0"}))  # noqa: FBT003
    return linux_verdict(firewall, [way])


@pytest.mark.parametrize(("tool", "rules"), list(cases()))
def test_the_verdict_is_what_becomes_of_a_connection(tool: str, rules: str, bench: Any) -> None:
    """Of each source, over both families: what the rules let in comes in, and what they keep out does not."""
    firewall, came = bench(tool, rules)
    assert {source: verdict_of(firewall, source).word for source in came} == {
        source: "open" if through else "closed" for source, through in came.items()
    }, firewall.text


@pytest.mark.parametrize(("tool", "rules"), OPEN_ENDED.values(), ids=OPEN_ENDED)
def test_what_no_list_of_rules_tells_stays_open(tool: str, rules: str, bench: Any) -> None:
    """Unclear, with the rule that could not be judged."""
    firewall, _ = bench(tool, rules)
    verdict = verdict_of(firewall, "10.7.0.1")
    assert verdict.word == "unclear", verdict.words
    assert "whether" in verdict.words


def test_a_counter_is_told(bench: Any) -> None:
    """What a rule counted stands beside it: the attempts that were made."""
    firewall, came = bench("nft", nft(f"tcp dport {PORT} counter drop"))
    assert not any(came.values())
    assert "it counted" in verdict_of(firewall, "10.7.0.1").words


def test_without_the_peers_address_a_rule_for_sources_stays_open(bench: Any) -> None:
    """Nobody knows where it comes from."""
    firewall, _ = bench("nft", nft(f"ip saddr 10.7.0.2 tcp dport {PORT} drop"))
    way = FilteredWay(True, PORT, frozenset({"10.7.0.9"}), frozenset())  # noqa: FBT003
    assert linux_verdict(firewall, [way]).word == "unclear"


def test_what_one_tool_refuses_is_not_let_in() -> None:
    """A tool that wants root: nothing is let in by what the other one shows."""
    sources = [{"tool": "nft", "refused": "you must be root"}, {"tool": "iptables", "text": ""}]
    assert read_sources(sources).trouble == "nft: you must be root"
