"""Ways between two ends: private access, proxies and tunnels of the machine's own, routes, many connections."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.survey.surroundings import Route
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED
from support.fleets.looks import declared, polled
from support.fleets.whole import LISTEN, SERVER_LISTEN, Whole
from support.fleets.world import probe
from support.setups import setup

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
_WAY = (
    "relay",
    "port",
    "balancer",
    "vantage",
    "server",
    "service",
    "instance",
    "registration",
    "log",
    "trust",
    *_APART,
)
_SERVER: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}


def _pollers(world: Whole) -> list[str]:
    return [name for name, draft in world.drafts.items() if draft.machine.name.startswith("poll")]


def _comes_from(world: Whole, name: str, address: str, ago: float = 3000) -> None:
    """The server's log: a poller comes from this address."""
    peer = f"[::ffff:{address}]:5{len(name)}00{name[-1]}"
    world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", ago)
    world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(name)}", ago)


@setup("address", modes=("polling",), unlike=("connections", "firewall", "uptime", *_WAY))
def through_private_access(world: Whole, name: str) -> None:
    """Zscaler Private Access and its like: the client gives the server's name an address of its own, and carries the rest.

    A connector beside the server opens the connection, so that the server sees its address for each of them; the server's
    own address leads nowhere. Source: help.zscaler.com/unified/about-ip-pool (names resolve to addresses of a pool).
    """
    made_up = "100.64.1.7"
    for poller in _pollers(world):
        draft = world[poller]
        for look in (polled(0), declared(poller, "octo-1", "octo-1.example")):
            draft.replace(look, probe("octo-1.example", by=By.NAME, addresses=(made_up,), **_SERVER))
        lost = declared(poller, "octo-1", "192.0.2.10")
        draft.replace(lost, probe("192.0.2.10", by=By.ADDRESS, **(_SERVER | DROPPED)))
        rows = world.sections[poller]["connections"]
        world.sections[poller]["connections"] = tuple(
            each.model_copy(update={"remote_address": made_up}) for each in rows
        )
        world.logs[poller] = world.logs[poller].replace("[::ffff:192.0.2.10]:10943", f"[::ffff:{made_up}]:10943")
        _comes_from(world, poller, "10.20.0.5")
    assert name


@setup("balancer", modes=("polling",), unlike=("address", "connections", "uptime", "firewall", *_WAY))
def through_a_proxy_on_the_machine_itself(world: Whole, name: str) -> None:
    """Cntlm or Px listens on loopback, logs on to the company's proxy by NTLM, and is what the settings name.

    Source: `polling-proxy --proxyHost 127.0.0.1 --proxyPort 3128` (octopus.com/docs, polling-proxy), cntlm.sourceforge.net.
    """
    world.through_proxy(name, "127.0.0.1", 3128)
    world.across(name, DROPPED, DROPPED)
    rows = world.sections[name]["connections"]
    loop = {"local_address": "127.0.0.1", "remote_address": "127.0.0.1"}
    world.sections[name]["connections"] = tuple(each.model_copy(update=loop) for each in rows)


@setup("routes", unlike=("address", "relay", "port", "balancer", "vantage", "server", "service", "instance", *_APART))
def over_a_device_without_neighbours(world: Whole, name: str) -> None:
    """WireGuard, a tunnel or PPP: the peer is on the device's own network, and nobody asks for a neighbour there.

    Source: wireguard.com/quickstart (`ip link add dev wg0 type wireguard`), whose devices are NOARP.
    """
    draft = world[name]
    linux = draft.os == "linux"
    way = {
        "device": "wg0" if linux else "WireGuard Tunnel", "source": draft.machine.ip,
        "neighbour": "noarp" if linux else "permanent", "rp_filter": 2 if linux else None,
    }  # fmt: skip
    ends = [each.machine.ip for each in world.drafts.values() if each.product == "server"]
    world.sections[name]["routes"] = tuple(Route.model_validate({"peer": ip, "address": ip, **way}) for ip in ends)


@setup("routes", systems=("linux",), unlike=("address", "relay", "port", "balancer", "vantage", "server", "service", "instance", *_APART))  # fmt: skip
def answers_by_the_other_card(world: Whole, name: str) -> None:
    """Two cards: the server comes by one, the way to it leads by the other, and the reverse path filter is loose.

    Source: access.redhat.com/solutions/53031 (rp_filter=2 where routing is asymmetric on purpose).
    """
    draft = world[name]
    draft.host["addresses"] = (draft.machine.ip, "10.44.0.7", "fe80::1")
    way = {"via": "10.44.0.1", "device": "eth1", "source": "10.44.0.7", "neighbour": "stale", "rp_filter": 2}
    ends = [each.machine.ip for each in world.drafts.values() if each.product == "server"]
    world.sections[name]["routes"] = tuple(Route.model_validate({"peer": ip, "address": ip, **way}) for ip in ends)


@setup("balancer", modes=("polling",), unlike=("address", "connections", "uptime", "firewall", *_WAY))
def polls_the_balancer_and_each_node(world: Whole, name: str) -> None:
    """Registered by the portal's name, which is a balancer's, then `poll-server` for each node: three entries of one server.

    Source: octopus.com/docs/administration/high-availability/maintain/polling-tentacles-with-ha.
    """
    world.add_server("octo-2", "192.0.2.11")
    world.join(name, "octo-2")
    draft = world[name]
    host, address = "octopus.example", "203.0.113.250"
    draft.trusted.append(draft.trusted[0] | {"Address": f"https://{host}:10943/"})
    draft.own.append(probe(host, by=By.NAME, addresses=(address,), look=polled(2), **_SERVER))
    held = world.sections[name]["connections"]
    more = held[0].model_copy(update={"local_port": 50_222, "remote_address": address})
    world.sections[name]["connections"] = (*held, more)
    secured = world.secured(name, "octo-1") + world.secured(name, "octo-2")
    third = world.secured(name, "octo-1").replace("octo-1.example", host).replace("192.0.2.10", address)
    world.logs[name] = world.polls_at_start(name) + secured + third


@setup("connections", modes=("polling",), unlike=("address", "balancer", "uptime", *_WAY))
def a_connection_for_each_of_many_processors(world: Whole, name: str) -> None:
    """A worker with 128 processors: `register-worker` sets as many connections as there are.

    Source: OctopusTentacle, docs/polling-connection-count.md (`max(5, processor count)`).
    """
    world[name].settings["Tentacle.Communication.PollingConnectionCount"] = "128"
    held = world.sections[name]["connections"][0]
    rows = tuple(held.model_copy(update={"local_port": 49_200 + number}) for number in range(128))
    world.sections[name]["connections"] = rows
    world.logs[name] = world.logs[name].replace("Starting 1 polling", "Starting 128 polling")
    secured = world.secured(name, "octo-1")
    world.logs[name] = world.logs[name].replace(secured, secured * 128)


@setup("connections", modes=("listening",), unlike=("address", "uptime", "container", *_WAY))
def many_tasks_at_once(world: Whole, name: str) -> None:
    """A worker for ninety tasks: the server holds a connection for each, and keeps them for the next.

    Source: octopus.com/docs/support/increase-the-octopus-server-task-cap (task cap of a hundred and more).
    """
    own = world[name].machine.ip
    base = world.connection(name, "octo-1")
    common = {"local_address": own, "local_port": 10933, "pid": 2136}
    rows = (base.model_copy(update=common | {"remote_port": 51_000 + number}) for number in range(90))
    world.sections[name]["connections"] = tuple(rows)


@setup("trust", modes=("polling",), unlike=("uptime", "balancer", "address", "connections", "relay", "port", "vantage", "server", "service", "instance", "log", *_APART))  # fmt: skip
def subscription_of_version_2(world: Whole, name: str) -> None:
    """Upgraded from 2.x: the entry has no subscription, and the instance's Squid stands for it.

    Source: OctopusTentacle, Communications/HalibutInitializer.cs.
    """
    draft = world[name]
    old = draft.trusted[0]["SubscriptionId"]
    draft.trusted[0] |= {"SubscriptionId": None, "Squid": "SQ-POLL01-1A2B3C4D"}
    draft.settings["Octopus.Communications.Squid"] = "SQ-POLL01-1A2B3C4D"
    world.logs[name] = world.logs[name].replace(old, "poll://sq-poll01-1a2b3c4d/")


@setup("trust", modes=("polling",), unlike=("uptime", "balancer", "address", "connections", "relay", "port", "vantage", "server", "service", "instance", "log", *_APART))  # fmt: skip
def set_up_by_server_comms(world: Whole, name: str) -> None:
    """`configure --trust`, then `server-comms --style TentacleActive`: two entries, and an address without a slash.

    Source: octopus.com/docs/octopus-rest-api/tentacle.exe-command-line/server-comms.
    """
    draft = world[name]
    draft.trusted[0]["Address"] = "https://octo-1.example:10943"
    draft.trusted.insert(0, {"Thumbprint": thumbprint("octopus"), "CommunicationStyle": 1, "Address": None})


@setup("relay", "log", modes=("listening",), unlike=("address", "uptime", "connections", "port", "balancer", "vantage", "server", "service", "instance", "registration", "trust", *_APART))  # fmt: skip
def behind_a_pool_of_addresses(world: Whole, name: str) -> None:
    """F5's SNAT pool: the server comes from one of four addresses by turns, the monitor of the pool's members from a fifth.

    Source: techdocs.f5.com, BIG-IP Local Traffic Management ("SNAT pools", "TCP half-open monitor").
    """
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", "::ffff:10.60.0.11")
    for number in range(8):
        peer, ago = f"[::ffff:10.60.0.{11 + number % 4}]:5{number}111", 550 - 60 * number
        world.say(name, "INFO", f"{LISTEN}Accepted TCP client: {peer}", ago)
        world.say(name, "INFO", f"{LISTEN}Client at {peer} authenticated as {thumbprint('octopus')}", ago - 1)
        monitor = f"[::ffff:10.60.0.9]:4{number}222"
        world.say(name, "INFO", f"{LISTEN}Accepted TCP client: {monitor}", ago - 5)
        gone = "System.Net.Sockets.SocketException (104): Connection reset by peer"
        world.say(name, "ERROR", f"{LISTEN}Socket IO exception: {monitor}\n{gone}", ago - 5)
