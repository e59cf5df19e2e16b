"""What stops packets beside the rules of a packet filter: programs and filters at cards and queues, IPsec's policies.

And the table of tracked connections, once it is full: the kernel drops what would begin one more (nf_conntrack-sysctl,
nf_conntrack_max), where none of the others can be given up. The survey tells of them as `ip -o link show` (`xdp`), `tc`
(`tc`) and `ip xfrm policy` (`xfrm`) print them, and of the table how many it holds, and may (`conntrack`). What a
program of the kernel does nobody sees: it leaves a verdict open. Sources: tc(8), tc-u32(8), tc-flower(8), tc-tbf(8)
and ip-xfrm(8) of iproute2 6.1; what they print is of that version, flower's of its source (tc/f_flower.c).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Literal

from .model import FilterChain, FilterMatch, FilterRule, RuleVerdict

TABLE = "beside the rules"
_TRACKING = -200
"""Where connections are tracked: behind the rules of tables of the kind `raw`, which may leave some out."""
_AT_THE_CARD, _AT_THE_QUEUE, _POLICIES = 3_000_000, 2_000_000, 1_000_000
"""Where their chains stand: before and behind all chains of rules."""
_FRAME = 1514
"""Of a card with Ethernet's usual length. What is longer than a token bucket's burst is dropped (tc-tbf(8))."""
_UNITS = {"b": 1, "Kb": 1024, "Mb": 1024**2, "Gb": 1024**3}

_XDP = re.compile(r"^\d+: ([^:@]+)[:@].*?(prog/xdp\S* id \d+.*)$", re.MULTILINE)
_BUCKET = re.compile(r"^qdisc tbf \S+ dev (\S+) .*\bburst (\d+)([KMG]?b)\b", re.MULTILINE)
_U32 = re.compile(r"^match ([0-9a-f]{8})/([0-9a-f]{8}) at (\S+)$")
_FLOWER = {"ip_proto": "l4proto", "dst_port": "th dport", "src_port": "th sport"}
_NOTHING = frozenset({"not_in_hw", "in_hw", "skip_hw", "skip_sw"})


def programs(text: str) -> Iterator[FilterChain]:
    """Programs at cards (XDP), which see what comes in before anybody else does."""
    for device, words in _XDP.findall(text):
        rule = FilterRule(text=words.strip(), verdict="unread")
        yield _at(device, f"programs at {device} (ip link)", "ingress", -_AT_THE_CARD, [rule])


def full_table(text: str) -> Iterator[FilterChain]:
    """The table of tracked connections; the survey tells of it only where it is as good as full: `<number> <most>`."""
    counted = re.fullmatch(r"(\d+) (\d+)\s*", text)
    if counted is None:
        return
    number, most = int(counted[1]), int(counted[2])
    words = f"the table of tracked connections (net.netfilter.nf_conntrack_max), which holds {number:,} of {most:,}"
    rule = FilterRule(
        text=words,
        matches=(FilterMatch(field="ct state", values=("new",)),),
        verdict="drop" if number >= most else "unread",
    )
    hooks: tuple[Literal["prerouting", "output"], ...] = ("prerouting", "output")
    for hook in hooks:
        yield FilterChain(name="tracking", table=TABLE, hook=hook, priority=_TRACKING, rules=(rule,))


def queues(text: str) -> Iterator[FilterChain]:
    """Filters at queues, behind a line `# <device> <ingress or egress>`, and buckets too small for a packet."""
    for part in text.split("\n# ")[1:]:
        head, _, told = part.partition("\n")
        device, _, way = head.partition(" ")
        rules = [rule for each in _filters(told) if (rule := _filter(each)) is not None]
        if rules and way in {"ingress", "egress"}:
            hook: Literal["ingress", "egress"] = "ingress" if way == "ingress" else "egress"
            priority = -_AT_THE_QUEUE if way == "ingress" else _AT_THE_QUEUE
            yield _at(device, f"filters at {device} (tc filter show dev {device} {way})", hook, priority, rules)
    for device, burst, unit in _BUCKET.findall(text):
        size = int(burst) * _UNITS[unit]
        if size < _FRAME:
            longer = FilterMatch(field="unread", values=(f"packets of more than {size} bytes",))
            words = f"tbf with a burst of {size} bytes, which drops what is longer"
            rule = FilterRule(text=words, matches=(longer,), verdict="drop")
            yield _at(device, f"the queue of {device} (tc qdisc show)", "egress", _AT_THE_QUEUE + 1, [rule])


def policies(text: str) -> Iterator[FilterChain]:
    """IPsec's policies by their priority; a last line `SAD count <n>` tells how many connections are negotiated."""
    counted = re.search(r"\bSAD count (\d+)", text)
    negotiated = int(counted[1]) if counted else None
    for direction, hook in (("in", "input"), ("out", "output")):
        found = [
            rule
            for each in re.split(r"\n(?=src )", f"\n{text}")
            if (rule := _policy(each, direction, negotiated)) is not None
        ]
        if found:
            yield FilterChain(
                name=f"IPsec's policies (ip xfrm policy), {direction}",
                table=TABLE,
                hook=hook,
                priority=_POLICIES,
                rules=tuple(rule for _, rule in sorted(found, key=lambda each: each[0])),
            )


def _at(
    device: str, name: str, hook: Literal["ingress", "egress"], priority: int, rules: list[FilterRule]
) -> FilterChain:
    return FilterChain(name=name, table=TABLE, hook=hook, priority=priority, devices=(device,), rules=tuple(rules))


def _filters(text: str) -> Iterator[list[str]]:
    """Each filter's lines; those of one begin with `filter`."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("filter ") and lines:
            yield lines
            lines = []
        lines.append(line.strip())
    if lines:
        yield lines


def _filter(lines: list[str]) -> FilterRule | None:
    """One filter with what it does; None for a line that only opens a list, and for one that lets all go on."""
    head, kind = lines[0], next((word for word in ("u32", "flower", "matchall", "bpf") if f" {word} " in lines[0]), "")
    does = [line for line in lines if line.startswith(("action ", "police "))]
    verdict = _verdict(head, does)
    if verdict == "none" or (not does and kind != "bpf"):
        return None
    if kind == "bpf" and " handle " not in head:
        return None
    asked = [line for line in lines[1:] if line not in does and not line.startswith(("index ", "random ", "Sent "))]
    if kind == "u32":
        matches = [each for line in asked for each in _of_u32(line)]
    elif kind == "flower":
        matches = [each for line in asked for each in _of_flower(line)]
    else:
        matches = [] if kind in {"matchall", "bpf"} else [FilterMatch(field="unread", values=(head,))]
    if family := re.search(r"\bprotocol (ip|ipv6) ", head):
        matches.insert(0, FilterMatch(field="nfproto", values=("ipv4" if family[1] == "ip" else "ipv6",)))
    return FilterRule(text=" ".join([head, *asked, *does])[:300], matches=tuple(matches), verdict=verdict)


def _verdict(head: str, does: list[str]) -> RuleVerdict:
    """What its actions come to: a copy for somebody else changes nothing, what goes to another device is lost here."""
    told = " ".join(does)
    if "action drop" in told and "police" not in told:
        return "drop"
    if re.search(r"Redirect to device ifb", told):
        return "none"  # it comes back from there, behind a queue
    if " bpf " in head or "police" in told or "Redirect" in told:
        return "unread"
    return "accept" if re.search(r"gact action pass", told) else "none"


def _of_u32(line: str) -> Iterator[FilterMatch]:
    """`match <value>/<mask> at <place>`, in IPv4's header and TCP's behind it, where that has no options."""
    told = _U32.match(line)
    if told is None:
        return
    value, mask, place = int(told[1], 16), int(told[2], 16), told[3]
    if not mask:
        return
    if place == "8" and mask == 0x00FF0000:  # noqa: PLR2004
        yield FilterMatch(field="l4proto", values=(str(value >> 16),))
    elif place in {"12", "16"} and f"{mask:032b}".rstrip("0").count("0") == 0:
        network = f"{ipaddress.ip_address(value)}/{f'{mask:b}'.count('1')}"
        yield FilterMatch(field="ip saddr" if place == "12" else "ip daddr", values=(network,))
    elif place in {"20", "nexthdr+0"} and mask in {0xFFFF, 0xFFFF0000}:
        field, port = ("th dport", value) if mask == 0xFFFF else ("th sport", value >> 16)  # noqa: PLR2004
        yield FilterMatch(field=field, values=(str(port),))
    else:
        yield FilterMatch(field="unread", values=(line,))


def _of_flower(line: str) -> Iterator[FilterMatch]:
    """`<key> <value>`, a key a line."""
    key, _, value = line.partition(" ")
    if key in _FLOWER:
        yield FilterMatch(field=_FLOWER[key], values=(value.strip(),))
    elif key in {"src_ip", "dst_ip"}:
        family = "ip6" if ":" in value else "ip"
        yield FilterMatch(field=f"{family} {'saddr' if key == 'src_ip' else 'daddr'}", values=(value.strip(),))
    elif key and key != "eth_type" and key not in _NOTHING:
        yield FilterMatch(field="unread", values=(line,))


def _policy(text: str, direction: str, negotiated: int | None) -> tuple[int, FilterRule] | None:
    """Its priority, and what it does with what it is for; None for one of the other way, or of one socket alone."""
    words = " ".join(text.split())
    if not words.startswith("src ") or f" dir {direction} " not in f"{words} ":
        return None
    head = words.partition(" dir ")[0]
    priority = re.search(r"\bpriority (\d+)", words)
    matches = []
    for key, field in (("src", "saddr"), ("dst", "daddr")):
        network = re.search(rf"\b{key} (\S+)", head)
        if network:
            matches.append(FilterMatch(field=f"{'ip6' if ':' in network[1] else 'ip'} {field}", values=(network[1],)))
    for key, field in (("proto", "l4proto"), ("sport", "tcp sport"), ("dport", "tcp dport")):
        if asked := re.search(rf"\b{key} (\S+)", head):
            matches.append(FilterMatch(field=field, values=(asked[1],)))
    if device := re.search(r"\bdev (\S+)", head):
        matches.append(FilterMatch(field="unread", values=(f"dev {device[1]}",)))
    verdict: RuleVerdict = "accept"
    if " action block" in words:
        verdict = "drop"
    elif words.count(" tmpl ") > words.count(" level use"):
        verdict = "drop" if negotiated == 0 else "unread"
        words += " - and nothing is negotiated" if negotiated == 0 else ""
    return int(priority[1]) if priority else 0, FilterRule(text=words[:300], matches=tuple(matches), verdict=verdict)
