"""Faults that a single look does not see, and a ping does."""

from __future__ import annotations

from collections.abc import Callable

from pytest_tentacle.lab import network
from pytest_tentacle.lab.blueprint import Blueprint
from pytest_tentacle.lab.network.ping_boxes import LoadBalancer, SlowStart, SmallOnly

from .breaking import Site, behind

_LOOKS = 4
"""Connections of a run's single looks: by name and by address, from a server and from the controller."""

_SLOW_SECONDS = 1.2


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


def slow_to_answer(machine: Blueprint, _: Site) -> None:
    """Each connection is accepted at once, and carried on after more than a second."""
    behind(machine, lambda outer, port, inner: SlowStart(outer, port, inner, port, seconds=_SLOW_SECONDS))


def small_requests_only(machine: Blueprint, _: Site) -> None:
    """A tunnel on the way swallows what is larger than its packets."""
    behind(machine, lambda outer, port, inner: SmallOnly(outer, port, inner, port))


FAULTS_PING: dict[str, Callable[[Blueprint, Site], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (one_in_three_closed, two_machines_at_one_address, slow_to_answer, small_requests_only)
}
"""By name."""
