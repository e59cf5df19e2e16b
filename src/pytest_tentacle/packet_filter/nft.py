"""`nft list ruleset` as chains and sets.

A rule is read word by word. Where a word is not known, what stands there becomes a condition that nobody can judge; the
verdict behind it is found all the same, as no expression has a verdict's word in it outside of quotes and braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .marks import UNKNOWN
from .model import FilterChain, FilterMatch, FilterRule, FilterSet, RuleVerdict
from .words import HOOK_PRIORITIES, number

_TOKEN = re.compile(r'"[^"]*"|\{[^{}]*\}|\([^()]*\)|[^\s"{}()]+')
_COMMENT = re.compile(r"\s*# handle \d+\s*$")
_FAMILIES: dict[str, tuple[int, ...]] = {"ip": (4,), "ip6": (6,), "inet": (4, 6), "netdev": (4, 6), "arp": ()}
_OPERATORS = frozenset({"==", "!=", "<", ">", "<=", ">="})
_HEADERS = frozenset(
    {"ip", "ip6", "tcp", "udp", "th", "sctp", "dccp", "udplite", "icmp", "icmpv6", "igmp", "esp", "ah", "comp", "ether",
     "arp", "vlan", "meta", "ct", "rt", "socket", "osf", "exthdr", "gre", "ipsec"}
)  # fmt: skip
_BARE_META = frozenset(
    {"iif", "oif", "iifname", "oifname", "mark", "skuid", "skgid", "l4proto", "nfproto", "protocol", "length",
     "pkttype", "iiftype", "oiftype", "iifgroup", "oifgroup", "cgroup", "cpu"}
)  # fmt: skip
_VERDICTS: dict[str, RuleVerdict] = {
    "accept": "accept", "drop": "drop", "reject": "reject", "queue": "queue", "return": "return", "jump": "jump",
    "goto": "goto", "continue": "none", "notrack": "notrack", "dnat": "divert", "redirect": "divert",
    "tproxy": "divert", "synproxy": "unread", "fwd": "unread",
}  # fmt: skip
_HOOKS = frozenset({"ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"})
_HARMLESS = frozenset({"counter", "log", "comment", "snat", "masquerade"})
_JOINERS = frozenset({"and", "or", "xor", "&", "|", "^"})
_LOG_OPTIONS = frozenset({"prefix", "level", "group", "flags", "snaplen", "queue-threshold"})
_UNREAD = frozenset({"limit", "quota", "meter", "xt", "numgen", "jhash", "flow", "dup"})


class Ruleset:
    """What a text holds, table by table.

    Attributes:
        chains: in the order of the text.
        sets: named sets; a map's elements are words `key : value`.
        marks: whether some rule sets a mark.
    """

    def __init__(self, text: str) -> None:
        self.chains: list[FilterChain] = []
        self.sets: dict[tuple[str, str], FilterSet] = {}
        self.marks = False
        blocks = list(_blocks(text))
        for table, kind, name, lines in blocks:
            if kind in {"set", "map", "meter"}:
                self.sets[table, name] = FilterSet(table=table, name=name, elements=_elements(lines))
        for table, kind, name, lines in blocks:
            family = table.split()[0]
            if kind == "chain" and family in _FAMILIES:
                self.chains.append(self._chain(table, name, lines, _FAMILIES[family]))

    def _chain(self, table: str, name: str, lines: list[str], families: tuple[int, ...]) -> FilterChain:
        facts: dict[str, object] = {"name": f"{table} {name}", "table": table, "families": families}
        rules: list[FilterRule] = []
        for line in lines:
            if line.startswith("type ") and " hook " in line:
                facts |= _hook(line)
            elif not line.startswith(("comment ", "policy ")):
                rules.extend(self._rules(table, line))
        return FilterChain.model_validate(facts | {"rules": tuple(rules)})

    def _rules(self, table: str, line: str) -> Iterator[FilterRule]:
        """One rule; one for each entry of a verdict map in it, which ask for different things."""
        reader = _RuleReader(line)
        self.marks = self.marks or reader.marks
        matches = tuple(reader.matches)
        common = {
            "text": line, "packets": reader.packets, "mark": reader.mark, "connection_mark": reader.connection_mark,
            "zone": reader.zone,
        }  # fmt: skip
        if reader.mark_map is not None:
            yield from self._marking(table, reader, matches, common)
            return
        if reader.verdict_map is None:
            yield FilterRule(matches=matches, verdict=reader.verdict, to=_chain_name(table, reader), **common)
            return
        field, value = reader.verdict_map
        entries = _split(value.strip("{}")) if value.startswith("{") else self._entries(table, value.lstrip("@"))
        if entries is None:
            yield FilterRule(matches=(*matches, _unread(f"{field} vmap {value}")), verdict="unread", **common)
            return
        default = None
        for entry in entries:
            key, _, target = entry.rpartition(" : ")
            word, _, where = target.strip().partition(" ")
            verdict = _VERDICTS.get(word, "unread")
            to = f"{table} {where.strip()}" if where else None
            if key.strip() == "*":
                default = (verdict, to)
                continue
            own = FilterMatch(field=field, values=(_without_attributes(key),))
            yield FilterRule(matches=(*matches, own), verdict=verdict, to=to, **common)
        if default is not None:
            yield FilterRule(matches=matches, verdict=default[0], to=default[1], **common)

    def _marking(
        self, table: str, reader: _RuleReader, matches: tuple[FilterMatch, ...], common: dict[str, Any]
    ) -> Iterator[FilterRule]:
        """A map says by what a packet has to which mark it gets: one rule for each entry, the verdict in one behind."""
        assert reader.mark_map is not None  # noqa: S101  the caller has seen to it
        field, value = reader.mark_map
        entries = _split(value.strip("{}")) if value.startswith("{") else self._entries(table, value.lstrip("@"))
        name = "mark" if reader.mark else "connection_mark"
        if entries is None:
            yield FilterRule(**common | {"matches": matches, "verdict": reader.verdict, name: UNKNOWN})
            return
        for entry in entries:
            key, _, mark = entry.rpartition(" : ")
            own = FilterMatch(field=field, values=(_without_attributes(key),))
            yield FilterRule(**common | {"matches": (*matches, own), name: mark.strip()})
        if reader.verdict != "none":
            plain = {"mark": None, "connection_mark": None, "zone": None}
            yield FilterRule(
                **common | plain | {"matches": matches, "verdict": reader.verdict, "to": _chain_name(table, reader)}
            )

    def _entries(self, table: str, name: str) -> tuple[str, ...] | None:
        found = self.sets.get((table, name))
        return found.elements if found else None


class _RuleReader:
    """The words of one rule, from left to right."""

    def __init__(self, line: str) -> None:
        self.matches: list[FilterMatch] = []
        self.verdict: RuleVerdict = "none"
        self.to: str | None = None
        self.packets: int | None = None
        self.verdict_map: tuple[str, str] | None = None
        self.marks = False
        self.mark: str | None = None
        self.connection_mark: str | None = None
        self.zone: str | None = None
        self.mark_map: tuple[str, str] | None = None
        self._words = _TOKEN.findall(line)
        self._at = 0
        while self._at < len(self._words):
            self._statement()

    def _peek(self, ahead: int = 0) -> str:
        return self._words[self._at + ahead] if self._at + ahead < len(self._words) else ""

    def _take(self) -> str:
        word = self._peek()
        self._at += 1
        return word

    def _statement(self) -> None:
        word = self._take()
        if word in _VERDICTS:
            self._take_verdict(word)
        elif word in _HARMLESS:
            self._take_harmless(word)
        elif word in _UNREAD or word.startswith("@"):
            self._take_unread(word)
        elif word in {"add", "update", "delete"} and self._peek().startswith("@"):
            name, body = self._take(), self._take()
            if " limit " in body or "ct count" in body or "quota" in body:
                self.matches.append(_unread(f"{word} {name} {body}"))
        elif word == "fib":
            self._take_fib()
        else:
            self._take_match(word)

    def _take_harmless(self, word: str) -> None:
        """What only counts, logs or says something, or changes what the packet is not judged by."""
        if word == "counter":
            self._take_counter()
        elif word == "log":
            while self._peek() in _LOG_OPTIONS:
                self._at += 2
        elif word == "comment":
            self._take()
        else:
            self._at = len(self._words)

    def _take_verdict(self, word: str) -> None:
        self.verdict = _VERDICTS[word]
        if word in {"jump", "goto"}:
            self.to = self._take()
        elif word != "return":
            rest = self._words[self._at :]
            if word == "reject" and rest[1:2] in (["icmp"], ["icmpv6"]):  # in a table of both families, for one of them
                family = "ipv4" if rest[1] == "icmp" else "ipv6"
                self.matches.append(FilterMatch(field="nfproto", values=(family,)))
            self.to = " ".join(rest) if self.verdict == "divert" else None
            self._at = len(self._words)

    def _take_counter(self) -> None:
        if self._peek() == "name":
            self._at += 2
        elif self._peek() == "packets":
            self.packets = number(self._peek(1), {})
            self._at += 4

    def _take_unread(self, word: str) -> None:
        """Up to the next word that a statement can begin with."""
        words = [word]
        while self._peek() and not self._begins():
            words.append(self._take())
        self.matches.append(_unread(" ".join(words)))

    def _begins(self) -> bool:
        word, following = self._peek(), self._peek(1)
        if word in _VERDICTS or word in {"counter", "log", "comment", "xt"}:
            return True
        return word in _HEADERS and bool(re.fullmatch(r"[a-z0-9-]+", following))

    def _take_fib(self) -> None:
        words = []
        while self._peek() and not re.fullmatch(r"type|oif|oifname", self._peek()):
            words.append(self._take())
        words.append(self._take())
        self._take_value(f"fib {' '.join(words)}")

    def _take_match(self, word: str) -> None:
        field = self._field(word)
        if field is None:
            self._take_unread(word)
            return
        while self._peek() == ".":
            self._take()
            other = self._field(self._take())
            if other is None:
                self._take_unread(f"{field} .")
                return
            field = f"{field} . {other}"
        if self._peek() == "set":
            self._take()
            self._take_setting(field)
            return
        if self._peek() == "vmap":
            self._take()
            self.verdict_map = (field, self._take())
            return
        self._take_value(field)

    def _take_setting(self, field: str) -> None:
        """What a field is set to. Only of marks it matters: a packet is not judged by anything else that is set."""
        words = [self._operand()]
        while self._peek() in _JOINERS:
            words += [self._take(), self._operand()]
        formula = " ".join(words)
        if self._peek() == "map":
            self._take()
            self.mark_map = (formula, self._take())
            formula = UNKNOWN
        if field == "mark":
            self.mark, self.marks = formula, True
        elif field == "ct mark":
            self.connection_mark, self.marks = formula, True
        elif field == "ct zone":
            self.zone = formula
        else:
            self.mark_map = None

    def _operand(self) -> str:
        """A number, or a field: of a map also several, joined by dots."""
        word = self._take()
        field = self._field(word)
        while field is not None and self._peek() == ".":
            self._take()
            other = self._field(self._take())
            if other is None:
                return UNKNOWN
            field = f"{field} . {other}"
        return field or (word if number(word, {}) is not None else UNKNOWN)

    def _field(self, word: str) -> str | None:
        """A field in one spelling: without `meta` where nft prints it without; None where it is not one."""
        if word in _BARE_META and word != "protocol":
            return word
        if word not in _HEADERS or not re.fullmatch(r"[a-z0-9-]+", self._peek()):
            return None
        key = self._take()
        if word == "ct" and key == "count":
            self._at -= 1
            return None
        if (word, key) == ("tcp", "option") or (word in {"ip", "ip6"} and key == "option"):
            return f"{word} option {self._take()} {self._take()}"
        if word == "ct" and key in {"original", "reply"}:
            names = [self._take()]
            if names[0] in {"ip", "ip6"}:
                names.append(self._take())
            return f"ct {key} {' '.join(names)}"
        if (word, key, self._peek()) == ("socket", "cgroupv2", "level"):
            key = f"{key} {self._take()} {self._take()}"
        return key if word == "meta" else f"{word} {key}"

    def _take_value(self, field: str) -> None:
        if field.endswith((" exists", " missing")) or self._peek() in {*_VERDICTS, "counter", "log", ""}:
            self.matches.append(_unread(field))  # whether a packet has it, which nobody knows beforehand
            return
        words: list[str] = []
        operator = "=="
        if self._peek() in _OPERATORS:
            operator = self._take()
        if self._peek() not in _JOINERS:
            words.append(self._take())
        while self._peek() in {*_JOINERS, "/", "==", "!=", "."}:
            words += [self._take(), self._take()]
        if len(words) > 1 and "." not in words:
            self.matches.append(FilterMatch(field=field, values=(" ".join([operator, *words]),)))
            return
        value = " ".join(words)
        if value.startswith("{"):
            values = tuple(_without_attributes(part) for part in _split(value.strip("{}")))
        elif "," in value:
            values = tuple(value.split(","))
        else:
            values = (value.strip('"'),)
        if operator in {"<", ">", "<=", ">="}:
            values = (_half_open(operator, value),)
        self.matches.append(FilterMatch(field=field, values=values, negated=operator == "!="))


def _half_open(operator: str, value: str) -> str:
    """`> 1023` as the range that it means; what is no number stays itself, and fits nothing that is known."""
    known = number(value, {})
    if known is None:
        return f"{operator} {value}"
    bounds = {"<": (0, known - 1), "<=": (0, known), ">": (known + 1, 2**32), ">=": (known, 2**32)}
    return "{}-{}".format(*bounds[operator])


def _unread(text: str) -> FilterMatch:
    return FilterMatch(field="unread", values=(text,))


def _chain_name(table: str, reader: _RuleReader) -> str | None:
    return f"{table} {reader.to}" if reader.verdict in {"jump", "goto"} and reader.to else reader.to


def _hook(line: str) -> dict[str, object]:
    """`type filter hook input priority filter + 10; policy drop;`."""
    found: dict[str, object] = {}
    kind, hook = re.search(r"type (\w+)", line), re.search(r"hook (\w+)", line)
    if kind and kind[1] in {"filter", "nat", "route"}:
        found["kind"] = kind[1]
    if hook and hook[1] in _HOOKS:
        found["hook"] = hook[1]
    devices = re.search(r'devices? (= )?(\{[^}]*\}|"[^"]*"|\S+)', line)
    if devices:
        found["devices"] = tuple(name.strip(' "') for name in devices[2].strip("{}").split(","))
    priority = re.search(r"priority ([a-z]+|-?\d+)(?: ([+-]) (\d+))?", line)
    if priority:
        base = number(priority[1], HOOK_PRIORITIES) or 0
        found["priority"] = base + int(f"{priority[2]}{priority[3]}") if priority[3] else base
    if re.search(r"policy drop", line):
        found["policy"] = "drop"
    return found


def _blocks(text: str) -> Iterator[tuple[str, str, str, list[str]]]:
    """Table, kind, name and lines of each block within a table. Elements may go over several lines."""
    table = kind = name = ""
    lines: list[str] = []
    for raw in text.splitlines():
        line = _COMMENT.sub("", raw).strip()
        if not line or line.startswith("#"):
            continue
        words = line.split()
        if words[0] == "table" and line.endswith("{"):
            table, kind = " ".join(words[1:-1]) if len(words) > 3 else f"ip {words[1]}", ""  # noqa: PLR2004
        elif not kind and line.endswith("{") and len(words) >= 3:  # noqa: PLR2004
            kind, name, lines = words[0], words[1], []
        elif line == "}" and kind:
            yield table, kind, name, lines
            kind = ""
        elif kind:
            if lines and lines[-1].count("{") > lines[-1].count("}"):
                lines[-1] += f" {line}"
            else:
                lines.append(line)


def _elements(lines: list[str]) -> tuple[str, ...] | None:
    """A set's elements; a map's with their values. None where the list names none though it may have some."""
    found = next((line for line in lines if line.startswith("elements")), None)
    if found is None:
        return ()
    inside = found.partition("{")[2].rpartition("}")[0]
    keep = (
        (lambda part: part) if any(" : " in line and line.startswith("type") for line in lines) else _without_attributes
    )
    return tuple(keep(part) for part in _split(inside))


def _split(text: str) -> list[str]:
    """At commas outside of quotes."""
    parts = re.findall(r'(?:"[^"]*"|[^,"])+', text)
    return [part.strip() for part in parts if part.strip()]


def _without_attributes(element: str) -> str:
    """Without timeout, counter, comment and the like, and without quotes."""
    plain = re.sub(r"\s+(timeout|expires|counter|comment|limit|quota)\b.*$", "", element.strip())
    return plain.strip().strip('"')
