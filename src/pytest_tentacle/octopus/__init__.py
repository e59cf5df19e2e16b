"""What Octopus Server says of its machines, by its REST API: read only, never written."""

from __future__ import annotations

from .client import Client, Credentials
from .errors import PortalError, PortalFailure
from .model import Node, Policy, Portal, Registration
from .reading import read_portal

__all__ = [
    "Client",
    "Credentials",
    "Node",
    "Policy",
    "Portal",
    "PortalError",
    "PortalFailure",
    "Registration",
    "read_portal",
]
