"""What Octopus Server says of its machines, by its REST API: read only, never written."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import PortalError, PortalFailure
from .model import Node, Policy, Portal, Registration

if TYPE_CHECKING:
    from .client import Client, Credentials
    from .evidence import read_evidence
    from .reading import read_nodes, read_portal

__all__ = [
    "Client",
    "Credentials",
    "Node",
    "Policy",
    "Portal",
    "PortalError",
    "PortalFailure",
    "Registration",
    "read_evidence",
    "read_nodes",
    "read_portal",
]

_ASKING = {
    "Client": "client",
    "Credentials": "client",
    "read_evidence": "evidence",
    "read_nodes": "reading",
    "read_portal": "reading",
}
"""What brings `requests` along, for which only a run that asks Octopus pays."""


def __getattr__(name: str) -> Any:
    if name not in _ASKING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ASKING[name]}"), name)
