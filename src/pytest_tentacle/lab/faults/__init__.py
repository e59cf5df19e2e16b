"""What can be wrong with a lab machine: each fault is one real change to a healthy blueprint.

An inventory names them under a machine's `lab: {fault: ...}`, or several as `lab: {faults: [..., ...]}`, which are made
in this order. A fault changes what the machine is, has or answers; no fault touches what the suite reads from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pytest_tentacle.lab.blueprint import Blueprint

from . import certificates as faults_certificates
from . import links as faults_links
from . import machine as faults_machine
from . import ports as faults_ports
from . import services as faults_services
from . import settings as faults_settings
from .breaking import Site, polling_trust
from .logs import FAULTS_LOGS

__all__ = ["FAULTS", "Fault", "Site", "named", "polling_trust"]

Fault = Callable[[Blueprint, Site], None]


def named(faults: Iterable[Fault]) -> dict[str, Fault]:
    """Faults by the word that an inventory has for them."""
    return {function.__name__.replace("_", "-"): function for function in faults}


_AREAS = (
    faults_services,
    faults_settings,
    faults_certificates,
    faults_ports,
    faults_links,
    faults_machine,
)

FAULTS: dict[str, Fault] = named(function for area in _AREAS for function in area.FAULTS) | FAULTS_LOGS
"""By name. A plugin of pytest's (`-p`) may add faults of its own before the lab starts."""
