"""What a set-up has nothing to do with, though one machine may have both."""

from __future__ import annotations

OTHERS = (
    "log",
    "registration",
    "connections",
    "trust",
    "certificate",
    "proxies",
    "host-name",
    "transport",
    "uptime",
    "start",
    "events",
    "left-over",
    "loading",
    "language",
    "restarts",
    "clock",
    "zone",
    "reserved",
    "disk",
    "tls",
    "version",
    "environment",
    "server",
)
"""Aspects with which these have nothing to do: pairs with them would be tried for nothing."""
