"""The machines of a run: read from YAML files, checked with every fault at once, and selected."""

from __future__ import annotations

from .credentials import known_secrets, without_credentials
from .faults import Fault, InventoryError
from .loading import load
from .selection import Selection, SelectionError, select

__all__ = [
    "Fault",
    "InventoryError",
    "Selection",
    "SelectionError",
    "known_secrets",
    "load",
    "select",
    "without_credentials",
]
