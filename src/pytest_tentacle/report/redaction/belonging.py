"""Names of what somebody belongs to: groups, units of a directory, security identifiers, and zones of the DNS.

They are no hosts, users or addresses, and tell as much.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

_DOMAIN_SID = re.compile(r"(?i)\b(S-1-5-21)-(\d{1,10})-(\d{1,10})-(\d{1,10})(?=-|\b)")
_UNIT = re.compile(r"(?i)(\bOU\s*=\s*)((?:[^,+\"\r\n=\\/;]|\\[,+\";=]){1,64})")
_REVERSED_V4 = re.compile(r"(?i)(?<![\w.-])((?:\d{1,3}\.){1,4})in-addr\.arpa\b")
_REVERSED_V6 = re.compile(r"(?i)(?<![\w.-])((?:[0-9a-f]\.){1,32})ip6\.arpa\b")

WELL_KNOWN_GROUPS = frozenset(
    [
        "adm",
        "all",
        "audio",
        "bin",
        "cdrom",
        "daemon",
        "dev",
        "development",
        "dialout",
        "disk",
        "docker",
        "games",
        "kmem",
        "linux",
        "listening",
        "lp",
        "lpadmin",
        "mail",
        "man",
        "messagebus",
        "netdev",
        "news",
        "nogroup",
        "operator",
        "plugdev",
        "polling",
        "prod",
        "production",
        "proxy",
        "qa",
        "root",
        "servers",
        "shadow",
        "ssh",
        "staff",
        "staging",
        "sudo",
        "sys",
        "systemd-journal",
        "tape",
        "tentacles",
        "test",
        "tty",
        "users",
        "utmp",
        "video",
        "wheel",
        "windows",
        "www-data",
    ]
)
"""They tell nothing: every system, or every company, has them."""

GENERIC_LABELS = frozenset(
    [
        "ad",
        "amazonaws",
        "app",
        "apps",
        "azure",
        "cloud",
        "cloudapp",
        "com",
        "company",
        "compute",
        "corp",
        "corporate",
        "default",
        "dev",
        "dmz",
        "domain",
        "domain-1",
        "error",
        "example",
        "global",
        "googleusercontent",
        "group",
        "home",
        "host",
        "hosts",
        "int",
        "intern",
        "internal",
        "intra",
        "intranet",
        "lab",
        "lan",
        "local",
        "localdomain",
        "main",
        "net",
        "network",
        "office",
        "org",
        "prod",
        "production",
        "public",
        "region",
        "root",
        "server",
        "servers",
        "service",
        "site",
        "staging",
        "test",
        "user",
        "users",
        "vpn",
        "windows",
        "www",
        "zone",
    ]
)
"""Labels of domains that are words of everybody's: alone they name nobody, and sentences need them."""

_SHORTEST_LABEL = 4


class Belongings:
    """False names for them, made as real ones turn up."""

    def __init__(self) -> None:
        self.groups: dict[str, str] = {}
        self.units: dict[str, str] = {}
        self.sids: dict[str, str] = {}

    def learn_group(self, name: str) -> bool:
        """A group's name is to be replaced wherever it stands as a word; whether it is new."""
        word = name.strip().lower()
        if len(word) < 2 or word in WELL_KNOWN_GROUPS or word.startswith("s-1-") or word in self.groups:  # noqa: PLR2004
            return False
        self.groups[word] = f"group-{len(self.groups) + 1:03d}"
        return True

    def apply(self, text: str, address: Callable[[str, int], str], count: Callable[[str], None]) -> str:
        """The text with false units, identifiers and zones; `address` gives a network's false address."""
        if "S-1-5-21-" in text or "s-1-5-21-" in text:
            text = _DOMAIN_SID.sub(lambda match: self._sid(match, count), text)
        if "OU" in text or "ou" in text.lower():
            text = _UNIT.sub(lambda match: self._unit(match, count), text)
        if ".arpa" in text.lower():
            text = _REVERSED_V4.sub(lambda match: _zone(match, 4, address, count), text)
            text = _REVERSED_V6.sub(lambda match: _zone(match, 6, address, count), text)
        return text

    def _sid(self, match: re.Match[str], count: Callable[[str], None]) -> str:
        """A domain's part alone is false; the last number, such as 500 for its Administrator, decides verdicts."""
        domain = "-".join(match.groups()[1:])
        if domain in self.sids.values():
            return match[0]
        false = self.sids.setdefault(domain, f"{len(self.sids) + 1}-{len(self.sids) + 1}-{len(self.sids) + 1}")
        count("security identifier")
        return f"{match[1]}-{false}"

    def _unit(self, match: re.Match[str], count: Callable[[str], None]) -> str:
        real = match[2].strip().lower()
        if real in self.units.values():
            return match[0]
        count("unit of a directory")
        return match[1] + self.units.setdefault(real, f"unit-{len(self.units) + 1:03d}")


def telling_labels(domain: str) -> list[str]:
    """The labels of a domain that name somebody by themselves, such as `contoso` of `eu.contoso.com`."""
    labels = domain.lower().split(".")
    return [label for label in labels[:-1] if len(label) >= _SHORTEST_LABEL and label not in GENERIC_LABELS]


def _zone(match: re.Match[str], version: int, address: Callable[[str, int], str], count: Callable[[str], None]) -> str:
    """A zone of reversed addresses, whole or of a network: its false one."""
    parts = match[1].rstrip(".").split(".")[::-1]
    try:
        if version == 4:  # noqa: PLR2004
            whole = ".".join([*parts, *["0"] * (4 - len(parts))])
            false = str(ipaddress.ip_address(address(whole, 8 * len(parts)))).split(".")[: len(parts)]
        else:
            digits = "".join(parts).ljust(32, "0")
            whole = str(ipaddress.IPv6Address(int(digits, 16)))
            false = list(f"{int(ipaddress.IPv6Address(address(whole, 4 * len(parts)))):032x}")[: len(parts)]
    except ValueError:
        return match[0]
    count("address")
    return ".".join(false[::-1]) + match[0][len(match[1]) - 1 :]
