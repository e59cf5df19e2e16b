"""What is looked at in the surveys, step by step, and what it comes to. Needs neither pytest nor a network."""

from __future__ import annotations

from pytest_tentacle.judging.check import Check, checks_of
from pytest_tentacle.judging.fleet import Fleet
from pytest_tentacle.judging.subject import Subject

from .account import checks as account
from .addresses import checks as addresses
from .addresses import own_names
from .connections import across, firewall, here, sockets
from .health import checks as machine
from .health import last_resort, versions
from .identify import before_home as identify_before_home
from .identify import checks as identify
from .identify import registering as identify_registering
from .load_time import checks as loading
from .messages import checks as other_messages
from .proxies import checks as proxies
from .proxies import connects as proxy_connects
from .runner import applicable, judge, judge_step
from .services import checks as services
from .settings import checks as settings
from .settings import trust
from .thumbprint import certificate
from .thumbprint import checks as thumbprint
from .tls import checks as tls
from .tls import dotnet
from .zombies import checks as zombies

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
    "identify_registering",
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
    "versions",
    "zombies",
]
