"""The catalogue of problems: everything that a check may say, by its stable code.

The first digit stands for the guide's section: 1 identify the problem, 2 services, 3 communication settings, 4
thumbprint, 5 connections, 6 proxies, SSL offloading and ping, 7 IP addresses and zombie processes, 8 account and load
time, 9 TLS and the rest. A code is never given another meaning.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .problem_kind import ProblemKind
from .problems_account import ACCOUNT
from .problems_across import ACROSS
from .problems_addresses import ADDRESSES
from .problems_certificate import CERTIFICATE
from .problems_firewall import FIREWALL
from .problems_here import HERE
from .problems_loading import LOADING
from .problems_logs import LOGS
from .problems_machine import MACHINE
from .problems_messages import MESSAGES
from .problems_ping import PING
from .problems_proxies import PROXIES
from .problems_services import SERVICES
from .problems_settings import SETTINGS
from .problems_sockets import SOCKETS
from .problems_thumbprint import THUMBPRINT
from .problems_tls import TLS
from .problems_zombies import ZOMBIES

if TYPE_CHECKING:
    from collections.abc import Mapping

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
