"""What is looked at in the surveys, step by step, and what it comes to. Needs neither pytest nor a network."""

from __future__ import annotations

from . import (
    account,
    across,
    addresses,
    certificate,
    dotnet,
    firewall,
    here,
    identify,
    identify_before_home,
    last_resort,
    loading,
    machine,
    other_messages,
    own_names,
    proxies,
    proxy_connects,
    services,
    settings,
    sockets,
    thumbprint,
    tls,
    trust,
    zombies,
)
from .check import Check, checks_of
from .fleet import Fleet
from .runner import applicable, judge, judge_step
from .subject import Subject

__all__ = [
    "Check",
    "Fleet",
    "Subject",
    "account",
    "across",
    "addresses",
    "applicable",
    "certificate",
    "checks_of",
    "dotnet",
    "firewall",
    "here",
    "identify",
    "identify_before_home",
    "judge",
    "judge_step",
    "last_resort",
    "loading",
    "machine",
    "other_messages",
    "own_names",
    "proxies",
    "proxy_connects",
    "services",
    "settings",
    "sockets",
    "thumbprint",
    "tls",
    "trust",
    "zombies",
]
