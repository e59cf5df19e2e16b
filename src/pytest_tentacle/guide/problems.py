"""The catalogue of problems: everything that a check may say, by its stable code.

The first digit stands for the guide's section: 1 identify the problem, 2 services, 3 communication settings, 4
thumbprint, 5 connections, 6 proxies and SSL offloading, 7 ping, IP addresses and zombie processes, 8 account and load
time, 9 TLS and the rest. A code is never given another meaning.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .problem_kind import ProblemKind
from .problems_across import ACROSS
from .problems_here import HERE
from .problems_logs import LOGS
from .problems_messages import MESSAGES
from .problems_services import SERVICES
from .problems_settings import SETTINGS
from .problems_thumbprint import THUMBPRINT

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: tuple[ProblemKind, ...] = (*LOGS, *SERVICES, *SETTINGS, *THUMBPRINT, *HERE, *ACROSS, *MESSAGES)
"""In the guide's order."""

CATALOGUE: Mapping[str, ProblemKind] = MappingProxyType({kind.code: kind for kind in KINDS})
"""By code."""

__all__ = ["CATALOGUE", "KINDS", "ProblemKind"]
