"""What can be wrong with a lab machine: each fault is one real change to a healthy blueprint.

An inventory names them under a machine's `lab: {fault: ...}`, or several as `lab: {faults: [..., ...]}`, which are made
in this order. A fault changes what the machine is, has or answers; no fault touches what the suite reads from it.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_tentacle.lab.blueprint import Blueprint

from . import certificates as faults_certificates
from . import links as faults_links
from . import machine as faults_machine
from . import ports as faults_ports
from . import services as faults_services
from . import settings as faults_settings
from .breaking import Site, polling_trust
from .logs import FAULTS_LOGS
from .ping import FAULTS_PING

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
