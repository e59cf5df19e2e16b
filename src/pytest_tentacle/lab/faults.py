"""What can be wrong with a lab machine: each fault is one real change to a healthy blueprint.

An inventory names them under a machine's `lab: {fault: ...}`, or several as `lab: {faults: [..., ...]}`, which are made
in this order. A fault changes what the machine is, has or answers; no fault touches what the suite reads from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    faults_certificates,
    faults_links,
    faults_machine,
    faults_ports,
    faults_services,
    faults_settings,
)
from .breaking import Site, polling_trust
from .faults_logs import FAULTS_LOGS
from .faults_ping import FAULTS_PING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .blueprint import Blueprint

__all__ = ["FAULTS", "Site", "polling_trust"]

_AREAS = (
    faults_services,
    faults_settings,
    faults_certificates,
    faults_ports,
    faults_links,
    faults_machine,
)

FAULTS: dict[str, Callable[[Blueprint, Site], None]] = (
    {function.__name__.replace("_", "-"): function for area in _AREAS for function in area.FAULTS}
    | FAULTS_LOGS
    | FAULTS_PING
)
"""By name."""
