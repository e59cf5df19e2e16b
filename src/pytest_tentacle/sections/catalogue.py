"""The catalogue of problems: everything that a check may say, by its stable code.

The first digit stands for the guide's section: 1 identify the problem, 2 services, 3 communication settings, 4
thumbprint, 5 connections, 6 proxies, SSL offloading and ping, 7 IP addresses and zombie processes, 8 account and load
time, 9 TLS and the rest. A code is never given another meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pytest_tentacle.guide.problem import ProblemKind

from .account.problems import ACCOUNT
from .addresses.problems import ADDRESSES
from .connections.problems.across import ACROSS
from .connections.problems.firewall import FIREWALL
from .connections.problems.here import HERE
from .connections.problems.sockets import SOCKETS
from .health.problems import MACHINE
from .identify.problems import LOGS
from .load_time.problems import LOADING
from .messages.problems import MESSAGES
from .ping.problems import PING
from .proxies.problems import PROXIES
from .services.problems import SERVICES
from .settings.problems import SETTINGS
from .thumbprint.certificate_problems import CERTIFICATE
from .thumbprint.problems import THUMBPRINT
from .tls.problems import TLS
from .zombies.problems import ZOMBIES

KINDS: tuple[ProblemKind, ...] = (
    *LOGS,
    *SERVICES,
    *SETTINGS,
    *THUMBPRINT,
    *CERTIFICATE,
    *HERE,
    *ACROSS,
    *FIREWALL,
    *SOCKETS,
    *PROXIES,
    *PING,
    *ADDRESSES,
    *ZOMBIES,
    *ACCOUNT,
    *LOADING,
    *TLS,
    *MESSAGES,
    *MACHINE,
)
"""In the guide's order."""

CATALOGUE: Mapping[str, ProblemKind] = MappingProxyType({kind.code: kind for kind in KINDS})
"""By code."""

__all__ = ["CATALOGUE", "KINDS", "ProblemKind"]
