"""What a Linux machine of the lab has a stand-in for."""

from __future__ import annotations

STAND_INS = (
    "df",
    "dpkg-query",
    "firewall-cmd",
    "getent",
    "hostname",
    "id",
    "ip",
    "iptables-save",
    "journalctl",
    "matchpathcon",
    "netstat",
    "nft",
    "nslookup",
    "ps",
    "rpm",
    "ss",
    "stat",
    "systemctl",
    "tc",
    "uname",
)
"""Commands that answer from `machine.json`; package managers and firewalls only where the machine has them."""
