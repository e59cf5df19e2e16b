"""The lab's Octopus portal: a stand-in for the REST API, after its reference and what the official clients send."""

from __future__ import annotations

from .resources import PortalData, Space, activity, health_task, machine, node, worker
from .server import Answer, PortalServer

__all__ = ["Answer", "PortalData", "PortalServer", "Space", "activity", "health_task", "machine", "node", "worker"]
