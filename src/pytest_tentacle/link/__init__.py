"""Our own client for the ports of Tentacle and Octopus Server, and the words for what it finds."""

from __future__ import annotations

from .client import probe, probe_all
from .model import (
    By,
    Certificate,
    Connected,
    Failure,
    Identity,
    LinkRef,
    Page,
    Probe,
    Resolved,
    Secured,
    Stage,
    StageRecord,
    Target,
    Tried,
    Vantage,
)
from .pings.series import PingAttempt, PingOrder, PingSeries
from .resolving import Resolver, system_resolver
from .versions import TlsVersion, TlsVersions, VersionTrial, try_versions

__all__ = [
    "By",
    "Certificate",
    "Connected",
    "Failure",
    "Identity",
    "LinkRef",
    "Page",
    "PingAttempt",
    "PingOrder",
    "PingSeries",
    "Probe",
    "Resolved",
    "Resolver",
    "Secured",
    "Stage",
    "StageRecord",
    "Target",
    "TlsVersion",
    "TlsVersions",
    "Tried",
    "Vantage",
    "VersionTrial",
    "probe",
    "probe_all",
    "system_resolver",
    "try_versions",
]
