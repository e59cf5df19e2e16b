"""The embedded lab: an Octopus Server and its Tentacles on loopback, with real protocols. Needs Linux, and no root."""

from __future__ import annotations

from .site import Lab, LabError

__all__ = ["Lab", "LabError"]
