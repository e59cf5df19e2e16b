"""What the survey's script read of a packet filter, tool by tool, as one filter.

A rule that iptables wrote by nftables is shown by both tools; iptables' own words say more of it than nft's, which has
none for most of iptables' extensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_tentacle.hiding import shorten

from . import beside
from .firewalld import zones
from .iptables import Tables, ipsets
from .model import FilterChain, FilterSet, PacketFilter
from .nft import Ruleset
from .systemd import TABLE, units

MOST_RULES, MOST_LINES, MOST_ELEMENTS = 4_000, 20_000, 4_000
"""More are not kept, or not even parsed: a host that has so many gets no verdict."""

_BY_IPTABLES = frozenset({"filter", "nat", "mangle", "raw", "security"})


def read_sources(sources: Sequence[Mapping[str, Any]]) -> PacketFilter:
    """One filter of all sources: `tool`, and either `text` or `refused` with the tool's own words.

    Tools: `firewalld` (its zones), `nft`, `iptables`, `ip6tables`, `iptables-legacy`, `ip6tables-legacy`, `ipset`,
    `systemd` (its units' addresses), and `xdp`, `tc`, `xfrm`, `conntrack` for what stands beside the rules. A
    text that was cut off has `cut`.
    """
    texts = {str(each.get("tool")): str(each.get("text") or "") for each in sources if each.get("refused") is None}
    trouble = [f"{each.get('tool')}: {each['refused']}" for each in sources if each.get("refused") is not None]
    trouble += [f"{each.get('tool')}: its rules are too many to be read" for each in sources if each.get("cut")]
    for tool in [tool for tool, text in texts.items() if text.count("\n") > MOST_LINES]:
        trouble.append(f"{tool}: its rules are too many to be read")
        texts[tool] = ""
    chains: list[FilterChain] = []
    marks = False
    ruleset = Ruleset(texts.get("nft", ""))
    by_iptables = {family for family, tool in ((4, "iptables"), (6, "ip6tables")) if tool in texts}
    chains += [chain for chain in ruleset.chains if not _shown_by_iptables(chain, by_iptables)]
    marks = ruleset.marks
    for tool, family, legacy in (
        ("iptables", 4, False),
        ("ip6tables", 6, False),
        ("iptables-legacy", 4, True),
        ("ip6tables-legacy", 6, True),
    ):
        if tool in texts:
            tables = Tables(texts[tool], family, legacy=legacy)
            chains += tables.chains
            marks = marks or tables.marks
    if "nft" not in texts and not {"iptables", "iptables-legacy"} & texts.keys():
        chains += zones(texts.get("firewalld", ""))
        if "firewalld" in texts:
            trouble.append("firewalld tells of its own rules only")
    chains += units(texts.get("systemd", ""))
    chains += beside.programs(texts.get("xdp", ""))
    chains += beside.queues(texts.get("tc", ""))
    chains += beside.full_table(texts.get("conntrack", ""))
    chains += beside.policies(texts.get("xfrm", ""))
    sets = [_small(each) for each in (*ruleset.sets.values(), *ipsets(texts.get("ipset", "")))]
    if sum(len(chain.rules) for chain in chains) > MOST_RULES:
        trouble.append(f"more than {MOST_RULES:,} rules")
        chains, sets = [], []
    kept = tuple(chain for chain in chains if chain.rules or chain.hook)
    return PacketFilter(
        chains=tuple(kept), sets=tuple(sets), trouble=shorten("; ".join(trouble), 400) or None, marks=marks
    )


def _small(found: FilterSet) -> FilterSet:
    if found.elements is None or len(found.elements) <= MOST_ELEMENTS:
        return found
    return FilterSet(table=found.table, name=found.name)


def _shown_by_iptables(chain: FilterChain, families: set[int]) -> bool:
    """Whether it stands in a table of iptables' own, which that prints itself."""
    family, _, table = chain.table.partition(" ")
    return {"ip": 4, "ip6": 6}.get(family) in families and table in _BY_IPTABLES


def engine_of(filters: PacketFilter, sources: Sequence[Mapping[str, Any]]) -> str:
    """Whose rules they are, by the names that firewalld and ufw give their chains; `none` where there are none."""
    tools = {str(each.get("tool")) for each in sources}
    chains = [chain for chain in filters.chains if chain.table not in {TABLE, beside.TABLE}]
    names = " ".join(chain.name for chain in chains)
    filtering = [chain for chain in chains if chain.rules or chain.policy == "drop"]
    if "firewalld" in tools or "firewalld" in names:
        return "firewalld"
    if "ufw-" in names or "ufw6-" in names:
        return "ufw"
    if any(not chain.table for chain in filtering):
        return "iptables"
    return "nftables" if filtering or filters.trouble else "none"


def as_evidence(filters: PacketFilter) -> str | None:
    """The rules that a new connection to this machine meets, in the tools' own words, cut to 4,000 characters."""
    lines = []
    for chain in filters.chains:
        if chain.rules or chain.policy == "drop":
            lines.append(f"{chain.name}: policy {chain.policy}" if chain.hook else f"{chain.name}:")
            lines += [f"  {rule.text}" for rule in chain.rules]
    return shorten("\n".join(lines), 4000) or None
