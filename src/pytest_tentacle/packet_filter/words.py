"""Words and numbers that nft prints for the same things: with `-n` numbers, otherwise names."""

from __future__ import annotations

PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58, "esp": 50, "ah": 51, "sctp": 132,
             "dccp": 33, "udplite": 136, "gre": 47, "all": 0}  # fmt: skip
ICMP = {"echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
        "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
        "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16,
        "address-mask-request": 17, "address-mask-reply": 18}  # fmt: skip
ICMP_UNREACHABLE = {"net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3,
                    "frag-needed": 4, "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13}  # fmt: skip
ICMP6 = {"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
         "echo-request": 128, "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131,
         "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134,
         "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
         "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143}  # fmt: skip
CT_STATES = {"invalid": 0x1, "established": 0x2, "related": 0x4, "new": 0x8, "untracked": 0x40}
TCP_FLAGS = {"fin": 0x1, "syn": 0x2, "rst": 0x4, "psh": 0x8, "ack": 0x10, "urg": 0x20, "ecn": 0x40, "cwr": 0x80}
HOOK_PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
PORTS = {"ssh": 22, "domain": 53, "http": 80, "https": 443, "smtp": 25, "ftp": 21, "telnet": 23, "snmp": 161,
         "ldap": 389, "imaps": 993, "pop3s": 995, "nfs": 2049, "mysql": 3306, "postgresql": 5432}  # fmt: skip
"""Only nft before 0.9.1 prints these by default; no port of Octopus's has a name in /etc/services."""


def number(word: str, names: dict[str, int]) -> int | None:
    """A number as decimal or hexadecimal, or by its name; None for what is neither."""
    text = word.strip().lower()
    if text in names:
        return names[text]
    try:
        return int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        return None
