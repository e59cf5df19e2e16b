"""`firewall-cmd --list-all-zones` as chains, for an account that may not read the rules themselves.

It tells what firewalld was told to let in. What else stands in the packet filter it does not know, so nothing that is
read here can say that a port is let in.
"""

from __future__ import annotations

import re

from .model import FilterChain, FilterMatch, FilterRule, RuleVerdict

_OTHER_SERVICES = frozenset(
    {"ssh", "dhcpv6-client", "dhcp", "dns", "mdns", "cockpit", "samba-client", "http", "https", "ntp", "snmp", "nfs",
     "ftp", "smtp", "ipp-client", "rpc-bind"}
)  # fmt: skip
"""What they let in by firewalld's own definitions is none of Octopus's ports."""

_TARGETS: dict[str, RuleVerdict] = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "default": "reject"}


def zones(text: str) -> tuple[FilterChain, ...]:
    """A base chain that leads to the zones in use, and these."""
    entries: list[FilterRule] = []
    chains: list[FilterChain] = []
    for name, keys, rich in _active(text):
        chain = f"firewalld zone {name}"
        for key, field in (("sources", "ip saddr"), ("interfaces", "iifname")):
            values = tuple(keys.get(key, "").split())
            if values:
                match = FilterMatch(field=field, values=values)
                where = f"zone {name}, {key}: {' '.join(values)}"
                entries.append(FilterRule(text=where, matches=(match,), verdict="goto", to=chain))
        chains.append(FilterChain(name=chain, table="", rules=(*rich, *_rules(name, keys))))
    base = FilterChain(name="firewalld", table="", hook="input", rules=tuple(entries))
    return (base, *chains) if chains else ()


def _active(text: str) -> list[tuple[str, dict[str, str], list[FilterRule]]]:
    found: list[tuple[str, dict[str, str], list[FilterRule]]] = []
    active = False
    for line in text.splitlines():
        if line[:1].strip():
            active = bool(re.search(r"[( ,]active[ ,)]", line))
            if active:
                found.append((line.split()[0], {}, []))
        elif active and line.strip().startswith("rule "):
            found[-1][2].extend(_rich(line.strip()))
        elif active and ":" in line:
            key, _, value = line.strip().partition(":")
            found[-1][1][key.strip()] = value.strip()
    return found


def _rules(zone: str, keys: dict[str, str]) -> list[FilterRule]:
    rules = []
    for word in keys.get("ports", "").split():
        port, _, protocol = word.partition("/")
        if protocol in {"tcp", ""}:
            match = FilterMatch(field="tcp dport", values=(port,))
            rules.append(FilterRule(text=f"zone {zone}, port {word}", matches=(match,), verdict="accept"))
    for word in keys.get("services", "").split():
        if word not in _OTHER_SERVICES:
            match = FilterMatch(field="unread", values=(f"service {word}",))
            rules.append(FilterRule(text=f"zone {zone}, service {word}", matches=(match,), verdict="accept"))
    target = keys.get("target", "default").strip("%")
    rules.append(FilterRule(text=f"zone {zone}, target {target}", verdict=_TARGETS.get(target, "unread")))
    return rules


def _rich(line: str) -> list[FilterRule]:
    """A rich rule; none where it is about another protocol or about no single port."""
    if re.search(r' (icmp-block|icmp-type|forward-port|masquerade)|protocol="?(udp|sctp|dccp)"?', line):
        return []
    verdict = re.search(r" (accept|drop|reject)\b", line)
    if verdict is None:
        return []
    matches = []
    port = re.search(r'port port="?([0-9-]+)', line)
    if port:
        matches.append(FilterMatch(field="tcp dport", values=(port[1],)))
    source = re.search(r'source (NOT )?address="?([0-9a-fA-F.:/]+)', line)
    if source:
        field = "ip6 saddr" if ":" in source[2] else "ip saddr"
        matches.append(FilterMatch(field=field, values=(source[2],), negated=bool(source[1])))
    odd = re.findall(r" (service|limit|source ipset|source mac|destination|protocol value)\b", line)
    matches += [FilterMatch(field="unread", values=(word,)) for word in odd]
    word: RuleVerdict = "accept" if verdict[1] == "accept" else "drop" if verdict[1] == "drop" else "reject"
    return [FilterRule(text=line, matches=tuple(matches), verdict=word)]
