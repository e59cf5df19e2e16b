"""Which links are probed from where. What the scripts find besides in a machine's own settings is not among them."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tentacle.inventory.model import (
    POLLING_PORT,
    TENTACLE_PORT,
    Inventory,
    Machine,
    Mode,
    OctopusServer,
    Tentacle,
)
from pytest_tentacle.link import By, LinkRef, Target, Vantage
from pytest_tentacle.link.hosts import plain_address, plain_host

from .configuration import TentacleSettings, effective_settings
from .model import Instance
from .store import Surveys

DEFAULT_INSTANCES = {"tentacle": "Tentacle", "server": "OctopusServer"}
"""Names of the instances that need no name (tentacle-facts 2.1; the server's by Octopus's documentation)."""


def names_of(machine: Machine) -> tuple[tuple[str, By], ...]:
    """How a machine is reached, in the guide's order: its DNS name, then its IP address, then what else is declared.

    Where neither is declared, the host that we log on to stands in: it is at least known to be the machine's.
    """
    hosts = [host for host in (machine.dns_name, machine.ip) if host]
    if isinstance(machine, OctopusServer):
        hosts += machine.addresses
    if not hosts:
        hosts = [*machine.transport.hosts[:1]]
    unique = {plain_host(host): host for host in reversed(hosts)}
    return tuple((unique[key], _by(key)) for key in dict.fromkeys(plain_host(host) for host in hosts))


def own_targets(inventory: Inventory, machine: Machine) -> tuple[Target, ...]:
    """Round 1, besides what the script finds by itself: a polling Tentacle probes each declared server node.

    A Tentacle whose mode is not declared probes them too: it may turn out to poll, and there is no third round.
    """
    if not isinstance(machine, Tentacle) or machine.mode is Mode.LISTENING:
        return ()
    return tuple(target for server in inventory.servers_of(machine) for target in polling_targets(machine.name, server))


def polling_targets(tentacle: str | None, server: OctopusServer) -> tuple[Target, ...]:
    """A Tentacle's probes of one server node: every name and address on every polling port, then its gateway.

    Of None, our own.
    """
    ways = [(host, port) for port in server.polling_ports for host, _ in names_of(server)]
    if server.gateway is not None:
        gateway, _, number = server.gateway.rpartition(":")
        ways.append((gateway.strip("[]"), int(number)))
    return tuple(polling_target(tentacle, server.name, host, port) for host, port in ways)


def polling_target(tentacle: str | None, server: str, host: str, port: int) -> Target:
    """One of them."""
    vantage = Vantage.HERE if tentacle is None else Vantage.TENTACLE
    link = LinkRef(vantage=vantage, tentacle=tentacle, server=server)
    return Target(link=link, host=host, port=port, by=_by(host))


def peer_targets(inventory: Inventory, server: OctopusServer, surveys: Surveys) -> tuple[Target, ...]:
    """Round 2: a server's probes of each of its Tentacles that listens, or that may, for all we know."""
    return tuple(
        target
        for tentacle in inventory.tentacles_of(server)
        if may_listen(tentacle, surveys)
        for target in listening_targets(tentacle, surveys, server.name)
    )


def own_ping_targets(inventory: Inventory, machine: Machine) -> tuple[Target, ...]:
    """What a machine pings and tries in round 1, besides what its own settings name: each declared server node once."""
    if not isinstance(machine, Tentacle) or machine.mode is Mode.LISTENING:
        return ()
    servers = inventory.servers_of(machine)
    return tuple(targets[0] for server in servers if (targets := polling_targets(machine.name, server)))


def peers_of(inventory: Inventory, machines: Iterable[Machine]) -> tuple[str, ...]:
    """How the other ends of these machines' links are named: by address, or by name where no address is declared."""
    ends: list[Machine] = []
    for machine in machines:
        if isinstance(machine, Tentacle):
            ends += inventory.servers_of(machine)
        elif isinstance(machine, OctopusServer):
            ends += inventory.tentacles_of(machine)
    return tuple(dict.fromkeys(end.ip or end.dns_name or "" for end in ends if end.ip or end.dns_name))


def peer_ping_targets(inventory: Inventory, server: OctopusServer, surveys: Surveys) -> tuple[Target, ...]:
    """What a server pings and tries in round 2: each of its Tentacles that listens, once."""
    targets = (
        ping_target(tentacle, surveys, server.name)
        for tentacle in inventory.tentacles_of(server)
        if may_listen(tentacle, surveys)
    )
    return tuple(target for target in targets if target is not None)


def ping_target(tentacle: Tentacle, surveys: Surveys, server: str) -> Target | None:
    """How a listening Tentacle is pinged: by the name or address that stands first; None where none is known."""
    targets = listening_targets(tentacle, surveys, server)
    return targets[0] if targets else None


def controller_targets(inventory: Inventory, machine: Machine, surveys: Surveys) -> tuple[Target, ...]:
    """Probes from the machine that runs pytest, as evidence beside the real vantage points."""
    if isinstance(machine, Tentacle):
        return listening_targets(machine, surveys) if may_listen(machine, surveys) else ()
    if isinstance(machine, OctopusServer) and any(_may_poll(other) for other in inventory.tentacles_of(machine)):
        return polling_targets(None, machine)
    return ()


def listening_targets(tentacle: Tentacle, surveys: Surveys, server: str | None = None) -> tuple[Target, ...]:
    """A server node's probes of a listening Tentacle's port, by DNS name, then by IP; without a server, our own."""
    port = listening_port(tentacle, surveys)
    first = {by: host for host, by in reversed(names_of(tentacle))}
    vantage = Vantage.HERE if server is None else Vantage.SERVER
    link = LinkRef(vantage=vantage, tentacle=tentacle.name, server=server)
    return tuple(Target(link=link, host=first[by], port=port, by=by) for by in By if by in first)


def listening_port(tentacle: Tentacle, surveys: Surveys) -> int:
    """The port that the server would use: the inventory's, else the one that the Tentacle is configured with."""
    return tentacle.port or _settings_of(tentacle, surveys).port or TENTACLE_PORT


def may_listen(tentacle: Tentacle, surveys: Surveys) -> bool:
    """Whether a Tentacle's port is worth a probe: not when it is declared, or configured, to poll only."""
    if tentacle.mode is not None:
        return tentacle.mode is Mode.LISTENING
    return not _settings_of(tentacle, surveys).no_listen


def ports_of_interest(machines: Iterable[Machine]) -> tuple[int, ...]:
    """Declared ports whose listeners a host's script should look up, beside those in its own configuration."""
    ports: set[int] = set()
    for machine in machines:
        if isinstance(machine, Tentacle):
            ports.add(machine.port or TENTACLE_PORT)
        elif isinstance(machine, OctopusServer):
            ports.update(machine.polling_ports or (POLLING_PORT,))
    return tuple(sorted(ports))


def _settings_of(tentacle: Tentacle, surveys: Surveys) -> TentacleSettings:
    """What a Tentacle runs with: its service's environment wins over the file. The defaults where it is not known."""
    record = surveys.record_of(tentacle.name)
    survey = record.survey if record else None
    instance = own_instance(tentacle, survey.instances.data or ()) if survey else None
    if survey is None or instance is None:
        return TentacleSettings.of({})
    environment: dict[str, str] = {}
    for service in survey.services.data or ():
        named = service.instance or DEFAULT_INSTANCES["tentacle"]
        if service.product == "tentacle" and named.lower() == instance.name.lower():
            environment = service.environment
    return TentacleSettings.of(effective_settings(instance.configuration.settings, environment))


def own_instance(machine: Machine, instances: Iterable[Instance]) -> Instance | None:
    """Which of a host's instances a machine means: the declared, else the default, else the only one with a name."""
    product = "server" if isinstance(machine, OctopusServer) else "tentacle"
    own = {instance.name.lower(): instance for instance in instances if instance.product == product}
    if machine.instance is not None:
        return own.get(machine.instance.lower())
    named = {name: instance for name, instance in own.items() if not instance.unnamed} or own
    default = named.get(DEFAULT_INSTANCES[product].lower())
    return default or (next(iter(named.values())) if len(named) == 1 else None)


def _by(host: str) -> By:
    return By.ADDRESS if plain_address(host) else By.NAME


def _may_poll(tentacle: Tentacle) -> bool:
    return tentacle.mode is not Mode.LISTENING
