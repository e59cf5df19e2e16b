"""Our own client for the ports of Tentacle and Octopus Server, and the words for what it finds."""

from __future__ import annotations

from .model import By, Connected, Failure, Identity, Page, Probe, Resolved, Secured, Stage, StageRecord, Target

__all__ = [
    "By",
    "Connected",
    "Failure",
    "Identity",
    "Page",
    "Probe",
    "Resolved",
    "Secured",
    "Stage",
    "StageRecord",
    "Target",
]
