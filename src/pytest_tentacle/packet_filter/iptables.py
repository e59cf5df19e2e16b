"""`iptables-save -c`, `ip6tables-save -c` and `ipset save` as chains and sets, in nftables' words.

Legacy iptables and the one that writes nftables' rules print alike. Its hooks have the priorities that nft(8) names.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from .marks import of_connection, of_packet, zone_of
from .model import FilterChain, FilterMatch, FilterRule, FilterSet, RuleVerdict
from .words import HOOK_PRIORITIES

_ONLY_NOTED = ("LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE", "TCPMSS", "SET", "CHECKSUM", "CLASSIFY", "DSCP",
               "TOS", "TTL", "HL", "AUDIT", "SECMARK", "CONNSECMARK", "RATEEST", "SNAT", "MASQUERADE", "NETMAP",
               "TCPOPTSTRIP", "LED")  # fmt: skip
"""Targets behind which the next rule is looked at, or which change what the packet is not judged by."""
_NOTED: RuleVerdict = "none"
_TARGETS: dict[str, RuleVerdict] = {
    "ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "TARPIT": "drop", "RETURN": "return", "QUEUE": "queue",
    "NFQUEUE": "queue", "NOTRACK": "notrack", "REDIRECT": "divert", "DNAT": "divert", "TPROXY": "divert",
    **dict.fromkeys(_ONLY_NOTED, _NOTED),
}  # fmt: skip
_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output",
          "POSTROUTING": "postrouting"}  # fmt: skip
_PRIORITIES = {"raw": HOOK_PRIORITIES["raw"], "mangle": HOOK_PRIORITIES["mangle"], "filter": 0,
               "security": HOOK_PRIORITIES["security"]}  # fmt: skip
_JUST_NAMES = frozenset({"tcp", "udp", "comment", "conntrack", "state", "multiport", "addrtype", "iprange", "set",
                         "mark", "connmark", "pkttype", "icmp", "icmp6", "icmpv6"})  # fmt: skip
_FLAGS = {"FIN": "fin", "SYN": "syn", "RST": "rst", "PSH": "psh", "ACK": "ack", "URG": "urg"}
_PORT_OPTIONS = {"--dport": "tcp dport", "--dports": "tcp dport", "--destination-port": "tcp dport",
                 "--destination-ports": "tcp dport", "--sport": "tcp sport", "--sports": "tcp sport",
                 "--source-port": "tcp sport", "--source-ports": "tcp sport", "--ports": "tcp port",
                 "--ctorigsrcport": "ct original proto-src", "--ctorigdstport": "ct original proto-dst",
                 "--ctreplsrcport": "ct reply proto-src", "--ctrepldstport": "ct reply proto-dst"}  # fmt: skip


class Tables:
    """What a text of `iptables-save` holds.

    Attributes:
        chains: of all tables.
        marks: whether some rule sets a mark.
    """

    def __init__(self, text: str, family: int, *, legacy: bool = False) -> None:
        self.chains: list[FilterChain] = []
        self.marks = False
        self._family = family
        self._tool = f"{'ip' if family == 4 else 'ip6'}{' legacy' if legacy else ''}"  # noqa: PLR2004
        table = ""
        names: dict[str, dict[str, object]] = {}
        rules: dict[str, list[FilterRule]] = {}
        for raw in text.splitlines():
            line = raw.strip()
            if line.startswith("*"):
                table, names, rules = line[1:], {}, {}
            elif line.startswith(":"):
                name, policy, *counted = line[1:].split()
                names[name] = self._facts(table, name, policy, counted)
                rules[name] = []
            elif line == "COMMIT":
                self.chains += [
                    FilterChain.model_validate(facts | {"rules": tuple(rules[name])}) for name, facts in names.items()
                ]
            elif line.startswith(("-A ", "[")):
                self._add(table, line, names, rules)

    def _facts(self, table: str, name: str, policy: str, counted: list[str]) -> dict[str, object]:
        where = f"{self._tool} {table}"
        facts: dict[str, object] = {"name": f"{where} {name}", "table": "", "families": (self._family,)}
        if policy == "-":
            return facts
        packets = counted[0].strip("[]").partition(":")[0] if counted else ""
        priority = _PRIORITIES.get(table, 0)
        if table == "nat":
            priority = HOOK_PRIORITIES["dstnat"] if name in {"PREROUTING", "OUTPUT"} else HOOK_PRIORITIES["srcnat"]
        return facts | {
            "hook": _HOOKS.get(name),
            "kind": "nat" if table == "nat" else "filter",
            "priority": priority,
            "policy": "drop" if policy == "DROP" else "accept",
            "policy_packets": int(packets) if packets.isdecimal() else None,
        }

    def _add(
        self, table: str, line: str, names: dict[str, dict[str, object]], rules: dict[str, list[FilterRule]]
    ) -> None:
        packets = None
        text = line
        if line.startswith("["):
            counted, _, text = line.partition("] ")
            packets = int(counted[1:].partition(":")[0] or 0)
        try:
            words = shlex.split(text)
        except ValueError:
            words = text.split()
        if len(words) < 2 or words[0] != "-A" or words[1] not in names:  # noqa: PLR2004
            return
        rules[words[1]].append(self._rule(table, text, words[2:], packets, names))

    def _rule(
        self, table: str, text: str, words: list[str], packets: int | None, names: dict[str, dict[str, object]]
    ) -> FilterRule:
        reader = _Options(words, self._family)
        target = reader.target
        verdict: RuleVerdict = _TARGETS.get(target or "LOG", "unread")
        to = reader.rest or None if verdict == "divert" else None
        if target in names:
            verdict, to = ("goto" if reader.goes else "jump"), str(names[target]["name"])
        elif target == "CT":
            verdict = "notrack" if "--notrack" in reader.rest.split() else "none"
        self.marks = self.marks or target in {"MARK", "CONNMARK"}
        return FilterRule(
            text=f"{table}: {text}",
            matches=tuple(reader.matches),
            verdict=verdict,
            to=to,
            packets=packets,
            mark=of_packet(target, reader.rest),
            connection_mark=of_connection(target, reader.rest),
            zone=zone_of(target, reader.rest),
        )


class _Options:
    """The options of one rule, from left to right, up to its target."""

    def __init__(self, words: list[str], family: int) -> None:
        self.matches: list[FilterMatch] = []
        self.target: str | None = None
        self.goes = False
        self.rest = ""
        self._module = ""
        self._address = "ip" if family == 4 else "ip6"  # noqa: PLR2004
        self._words = words
        self._at = 0
        while self._at < len(words) and self.target is None:
            self._option()
        self.rest = " ".join(words[self._at :])

    def _take(self) -> str:
        word = self._words[self._at] if self._at < len(self._words) else ""
        self._at += 1
        return word

    def _option(self) -> None:
        word = self._take()
        negated = word == "!"
        if negated:
            word = self._take()
        if word in {"-j", "-g", "--jump", "--goto"}:
            self.goes = word in {"-g", "--goto"}
            self.target = self._take()
        elif word in {"-m", "--match"}:
            module = self._module = self._take()
            if module not in _JUST_NAMES:
                self._unread(f"-m {module}")
        elif word == "--comment":
            self._take()
        elif (field := self._known(word)) is not None:
            self._add(field, self._take().split(","), negated)
        elif word in _PORT_OPTIONS:
            self._add(_PORT_OPTIONS[word], [part.replace(":", "-") for part in self._take().split(",")], negated)
        else:
            self._special(word, negated=negated)

    def _known(self, word: str) -> str | None:
        return {
            "-s": f"{self._address} saddr",
            "-d": f"{self._address} daddr",
            "-p": "l4proto",
            "-i": "iifname",
            "-o": "oifname",
            "--ctstate": "ct state",
            "--state": "ct state",
            "--src-range": f"{self._address} saddr",
            "--dst-range": f"{self._address} daddr",
            "--dst-type": "fib daddr type",
            "--src-type": "fib saddr type",
            "--pkt-type": "pkttype",
            "--ctstatus": "ct status",
            "--ctdir": "ct direction",
            "--ctorigsrc": f"ct original {self._address} saddr",
            "--ctorigdst": f"ct original {self._address} daddr",
            "--ctreplsrc": f"ct reply {self._address} saddr",
            "--ctrepldst": f"ct reply {self._address} daddr",
            "--ctproto": "l4proto",
        }.get(word)

    def _special(self, word: str, *, negated: bool) -> None:
        if word == "--syn":
            self.matches.append(FilterMatch(field="tcp flags", values=("== syn / fin,syn,rst,ack",), negated=negated))
        elif word == "--tcp-flags":
            mask, compared = self._take(), self._take()
            value = f"== {_flags(compared)} / {_flags(mask)}"
            self.matches.append(FilterMatch(field="tcp flags", values=(value,), negated=negated))
        elif word == "--match-set":
            name, where = self._take(), self._take()
            self._set(name, where.split(","), negated=negated)
        elif word in {"--icmp-type", "--icmpv6-type"}:
            kind, _, code = self._take().partition("/")
            header = word.removeprefix("--").removesuffix("-type")
            if kind not in {"any", "255"}:
                self._add(f"{header} type", [kind], negated)
            if code and not negated:
                self._add(f"{header} code", [code], negated=False)
        elif word == "--mark":
            self._add("ct mark" if self._module == "connmark" else "mark", [self._take()], negated)
        else:
            arguments = [word]
            while self._at < len(self._words) and not self._words[self._at].startswith(("-", "!")):
                arguments.append(self._take())
            self._unread(" ".join(arguments))

    def _set(self, name: str, where: list[str], *, negated: bool) -> None:
        field = {"src": f"{self._address} saddr", "dst": f"{self._address} daddr"}.get(where[0])
        if field is None or len(where) > 1:
            self._unread(f"--match-set {name} {','.join(where)}")
            return
        self.matches.append(FilterMatch(field=field, values=(f"@{name}",), negated=negated))

    def _add(self, field: str, values: list[str], negated: bool) -> None:  # noqa: FBT001
        words = [value.lower() if field in {"ct state", "l4proto", "fib daddr type"} else value for value in values]
        if field in {"iifname", "oifname"}:
            words = [f"{word[:-1]}*" if word.endswith("+") else word for word in words]
        self.matches.append(FilterMatch(field=field, values=tuple(words), negated=negated))

    def _unread(self, text: str) -> None:
        self.matches.append(FilterMatch(field="unread", values=(text,)))


def _flags(words: str) -> str:
    if words == "ALL":
        return ",".join(_FLAGS.values())
    return ",".join(_FLAGS[word] for word in words.split(",") if word in _FLAGS) or "0x0"


def ipsets(text: str) -> Iterator[FilterSet]:
    """`ipset save`: sets of addresses; of any other kind the elements are left unread."""
    kinds: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 3 and words[0] == "create":  # noqa: PLR2004
            kinds[words[1]], found[words[1]] = words[2], []
        elif len(words) >= 3 and words[0] == "add" and words[1] in found:  # noqa: PLR2004
            found[words[1]].append(words[2] if "nomatch" not in words else "?")
    for name, elements in found.items():
        plain = kinds[name] in {"hash:ip", "hash:net", "bitmap:ip"} and "?" not in elements
        yield FilterSet(table="", name=name, elements=tuple(elements) if plain else None)
