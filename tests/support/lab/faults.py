"""Faults of the lab that only our own tests want, put beside the lab's own: what a ping sees and a single look does not.

The lab starts before any `conftest.py` is read where pytest-xdist is at work, so this is a plugin of the run: `-p support.lab.faults`.
"""

from __future__ import annotations

from pytest_tentacle.lab import network
from pytest_tentacle.lab.blueprint import Blueprint
from pytest_tentacle.lab.faults import FAULTS, Site, named
from pytest_tentacle.lab.faults.breaking import behind

from .ping_boxes import LoadBalancer

_LOOKS = 4
"""Connections of a run's single looks: by name and by address, from a server and from the controller."""


def one_in_three_closed(machine: Blueprint, _: Site) -> None:
    """A load balancer with three members, one of which has died."""

    def balancer(outer: str, port: int, inner: str) -> LoadBalancer:
        well = network.Forwarder(outer, 0, inner, port)
        return LoadBalancer(outer, port, (well, well, network.Closer(outer)), steady=_LOOKS)

    behind(machine, balancer)


def two_machines_at_one_address(machine: Blueprint, site: Site) -> None:
    """Two Tentacles with a certificate each answer in turn at one address."""
    other = site.fresh("Octopus Tentacle")

    def balancer(outer: str, port: int, inner: str) -> LoadBalancer:
        second = network.TlsInspector(outer, 0, inner, port, certificate=other)
        return LoadBalancer(outer, port, (network.Forwarder(outer, 0, inner, port), second), steady=_LOOKS)

    behind(machine, balancer)


FAULTS.update(named((one_in_three_closed, two_machines_at_one_address)))
