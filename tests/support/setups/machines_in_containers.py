"""Products that run in a container of the host that is surveyed."""

from __future__ import annotations

from pytest_tentacle.packet_filter.model import FilterChain, FilterMatch, FilterRule, PacketFilter
from support.fleets.whole import Whole

from . import setup


@setup(
    "service",
    modes=("listening",),
    systems=("linux",),
    unlike=("uptime", "account", "log", "loading", "disk", "instance", "tls", "version", "firewall"),
)
def container(world: Whole, name: str) -> None:
    """The Tentacle runs in a container of the host that is surveyed, which publishes its port."""
    contain(world, name)
    draft = world[name]
    for listener in draft.listeners:
        listener |= {"pid": 512, "owner": {"pid": 512, "name": "docker-proxy"}}


@setup(
    "service",
    "firewall",
    modes=("listening",),
    systems=("linux",),
    unlike=("uptime", "account", "log", "loading", "disk", "instance", "tls", "version", "address", "port", "balancer"),
)
def container_by_a_rule(world: Whole, name: str) -> None:
    """The same, by a DNAT rule alone: nobody listens on the host, whose own address is another than the one outside."""
    contain(world, name)
    draft = world[name]
    draft.listeners = []
    world.behind_nat(name, "10.77.0.9")
    port = FilterMatch(field="tcp dport", values=("10933",))
    lead = FilterRule(text="-A DOCKER", matches=(port,), verdict="divert", to="--to-destination 172.17.0.2:10933")
    chain = FilterChain(name="ip nat DOCKER", table="", families=(4,), rules=(lead,))
    world.change(name, "firewall", filters=PacketFilter(chains=(chain,)))


@setup(
    "service",
    modes=("listening",),
    systems=("linux",),
    unlike=("uptime", "account", "log", "loading", "disk", "instance", "tls", "version", "firewall"),
)
def container_whose_settings_are_the_hosts(world: Whole, name: str) -> None:
    """The same, with its folder of settings on the host, as a volume: the host knows the instance, and no service."""
    known = world[name].instances
    contain(world, name)
    world[name].instances = known
    for listener in world[name].listeners:
        listener |= {"pid": 512, "owner": {"pid": 512, "name": "rootlessport"}}


@setup(
    "service",
    systems=("linux",),
    unlike=("uptime", "account", "log", "loading", "disk", "instance", "tls", "version", "firewall"),
)
def container_that_is_declared(world: Whole, name: str) -> None:
    """The same, in either mode, and the inventory says so."""
    contain(world, name)
    world[name].declare(container=True)


def contain(world: Whole, name: str) -> None:
    """What of a container the host that is surveyed does not know of itself: no instance, no service, no log."""
    draft = world[name]
    draft.instances = ["-"]
    draft.without_service = True
    draft.own = [each for each in draft.own if not each.link.instance]
    for section in ("permissions", "products", "disks", "connections"):
        world.sections[name][section] = ()
    world.change(name, "loading", times=())
    world.without_log.add(name)


@setup("server", unlike=("vantage", "balancer"))
def server_in_a_container(world: Whole, name: str) -> None:
    """The Octopus Server runs in a container: the host has no instance and no service of it."""
    assert name
    draft = world["octo-1"]
    contain(world, "octo-1")
    draft.listeners = [{"address": "::", "port": 10943, "pid": 512, "owner": {"pid": 512, "name": "docker-proxy"}}]
