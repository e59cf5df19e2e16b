"""Balancers of clouds, their probes and what they do to addresses; Octopus Cloud; pages behind a CDN; Kubernetes."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.inventory.model import LooksFrom, NoTransport
from pytest_tentacle.link import By, LinkRef
from pytest_tentacle.survey.model import Unreachable
from pytest_tentacle.transport.base import ReachStage
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED
from support.fleets.looks import declared, from_server, polled
from support.fleets.whole import LISTEN, SERVER_LISTEN, Whole
from support.fleets.world import probe

from . import setup

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
_WAY = ("relay", "address", "service", "instance", "vantage", "server", "uptime", *_APART)
EOF_ = "System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream."
RESET = "System.Net.Sockets.SocketException (104): Connection reset by peer"


def _probes(world: Whole, name: str, peers: tuple[str, ...], heading: str, text: str, until: int = 4) -> None:
    """Every ten seconds a balancer opens the port and leaves again; the last time a moment before the survey."""
    for number, ago in enumerate(range(600, until, -10)):
        peer = f"[::ffff:{peers[number % len(peers)]}]:{40_000 + ago}"
        where = LISTEN if world[name].product == "tentacle" else SERVER_LISTEN
        world.say(name, "INFO", f"{where}Accepted TCP client: {peer}", ago)
        if text:
            world.say(name, "ERROR", f"{where}{heading}: {peer}\n{text}", ago)


@setup("log", modes=("listening",), unlike=_WAY)
def probed_by_an_application_gateway(world: Whole, name: str) -> None:
    """Azure's Application Gateway passes TLS through (layer 4); each of its two machines probes by opening the port."""
    _probes(world, name, ("10.40.0.4", "10.40.0.5"), "Unhandled error when handling request from client", EOF_)


@setup("log", modes=("listening",), unlike=_WAY)
def probed_by_a_network_balancer_with_resets(world: Whole, name: str) -> None:
    """AWS's network balancer ends its probes with a reset."""
    _probes(world, name, ("10.41.1.9", "10.41.2.9"), "Socket IO exception", RESET)


@setup("log", modes=("listening",), unlike=_WAY)
def probed_by_https(world: Whole, name: str) -> None:
    """The balancer's check is HTTPS: it asks for the welcome page, shows no certificate, and leaves nothing but its coming."""
    _probes(world, name, ("10.41.1.9", "10.41.2.9"), "", "")


@setup("log", "relay", modes=("listening",), unlike=("port", *_WAY))
def balancer_that_hides_the_server(world: Whole, name: str) -> None:
    """A balancer without client IP preservation: the server comes from the address from which the balancer's probes come."""
    inner = "10.41.1.9"
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", f"::ffff:{inner}")
    _probes(world, name, (inner,), "Unhandled error when handling request from client", EOF_)


@setup("log", "relay", modes=("listening",), unlike=("port", *_WAY))
def balancer_that_hides_the_server_and_resets(world: Whole, name: str) -> None:
    """The same, and the probes end with a reset right after they were accepted."""
    inner = "10.41.1.9"
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", f"::ffff:{inner}")
    _probes(world, name, (inner,), "Socket IO exception", RESET)


def _let_in(world: Whole, name: str, peers: tuple[str, ...], ago: float = 5000) -> None:
    """The server's log: one Tentacle comes from several addresses within a second, and later by turns."""
    for round_ in range(3):
        for number, address in enumerate(peers):
            peer = f"[::ffff:{address}]:{51_000 + 10 * round_ + number}"
            at = ago - round_ * 1500 - number
            world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", at)
            world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(name)}", at)
            if name not in world.without_log:
                world.logs[name] += world.secured(name, "octo-1", ago=at)


def _five_connections(world: Whole, name: str) -> None:
    world[name].settings["Tentacle.Communication.PollingConnectionCount"] = "5"
    held = world.sections[name]["connections"][0]
    rows = tuple(held.model_copy(update={"local_port": 50_000 + n}) for n in range(5))
    world.sections[name]["connections"] = rows


@setup("balancer", "connections", modes=("polling",), unlike=("log", *_WAY))
def pollers_behind_a_balancer_in_two_zones(world: Whole, name: str) -> None:
    """A network balancer before the server has an address in each zone, and the server sees those in place of the pollers'."""
    _five_connections(world, name)
    zones = ("10.41.1.9", "10.41.2.9")
    for poller in (each for each in ("poll-01", "poll-02") if each in world.drafts):
        _let_in(world, poller, zones)
    _probes(world, "octo-1", zones, "Unhandled error when handling request from client", EOF_)


@setup("balancer", "connections", modes=("polling",), unlike=("log", *_WAY))
def poller_behind_a_nat_with_two_addresses(world: Whole, name: str) -> None:
    """Azure's NAT gateway has two public addresses, and each connection takes one of them: five connections, two addresses."""
    _five_connections(world, name)
    _let_in(world, name, ("203.0.113.120", "203.0.113.121"))


@setup("balancer", modes=("polling",), unlike=("log", *_WAY))
def name_that_leads_by_turns(world: Whole, name: str) -> None:
    """Traffic Manager tells one address at a time: the connection stands to the one of before, our look got the other."""
    draft = world[name]
    common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
    for look in (polled(0), declared(name, "octo-1", "octo-1.example")):
        draft.replace(look, probe("octo-1.example", by=By.NAME, addresses=("203.0.113.201",), **common))
    draft.replace(declared(name, "octo-1", "192.0.2.10"), probe("192.0.2.10", by=By.ADDRESS, **(common | DROPPED)))
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(
        each.model_copy(update={"remote_address": "203.0.113.202"}) for each in rows
    )
    world.logs[name] = world.logs[name].replace("192.0.2.10", "203.0.113.202")


@setup("balancer", modes=("polling",), unlike=("log", *_WAY))
def portal_behind_a_cdn(world: Whole, name: str) -> None:
    """The portal's name leads to Cloudflare, which passes no 10943 on; pollers use a name that leads to the server itself."""
    world["octo-1"].declare(dns_name="octopus.example", portal="https://octopus.example")
    for poller in (each for each in ("poll-01", "poll-02") if each in world.drafts):
        old = declared(poller, "octo-1", "octo-1.example")
        world[poller].replace(old, probe("octopus.example", 10943, By.NAME, addresses=("104.16.1.1",), **DROPPED))
        host, common = "octo-direct.example", {"port": 10943, "page": "server", "whose": "octopus"}
        world[poller].trusted[0]["Address"] = f"https://{host}:10943/"
        world[poller].replace(polled(0), probe(host, by=By.NAME, addresses=("192.0.2.10",), **common))
        world.logs[poller] = world.logs[poller].replace("octo-1.example", host)
    assert name


@setup("server", modes=("listening",), unlike=("balancer", "vantage", "log", "firewall", "trust", *_APART))
def server_whose_name_is_a_cdns(world: Whole, name: str) -> None:
    """The same server before listening Tentacles: its name leads to the CDN, its connections come from itself."""
    assert name
    world["octo-1"].declare(dns_name="octopus.example", portal="https://octopus.example")
    for poller in (each for each in ("poll-01", "poll-02") if each in world.drafts):
        world["octo-1"].declare(addresses=("octo-1.example",))
        common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
        shut = probe("octopus.example", 10943, By.NAME, addresses=("104.16.1.1",), look=declared(poller, "octo-1", "octopus.example"), **DROPPED)  # fmt: skip
        world[poller].own.append(shut)
        look = declared(poller, "octo-1", "octo-1.example")
        world[poller].replace(look, probe("octo-1.example", by=By.NAME, addresses=("192.0.2.10",), **common))


def _nobody_logs_on(world: Whole) -> None:
    octo = world["octo-1"]
    for draft in world.drafts.values():
        if draft.product != "tentacle":
            continue
        if draft.machine.mode == "listening":
            here = (each for each in octo.peer if each.link.tentacle == draft.machine.name)
            mine = tuple(each.model_copy(update={"link": LinkRef(tentacle=draft.machine.name)}) for each in here)
            world.controller[draft.machine.name] = mine
    octo.declare(transport=NoTransport(), vantage=LooksFrom.CONTROLLER)
    octo.unreachable = Unreachable(stage=ReachStage.NOT_ASKED, summary="no transport is declared", advice="")


def _cloud(world: Whole, name: str, host: str, port: int) -> None:
    """The server is Octopus Cloud, and its pollers use one name and port."""
    octo = world["octo-1"]
    octo.declare(dns_name=host, ip=None, polling_ports=(10943, 443), portal="https://acme.octopus.app")
    addresses = ("20.53.100.1", "20.53.100.2")
    common: dict[str, Any] = {"page": "server", "whose": "octopus"}
    for poller in (each for each in ("poll-01", "poll-02") if each in world.drafts):
        draft = world[poller]
        draft.drop(declared(poller, "octo-1", "192.0.2.10"))
        draft.drop(declared(poller, "octo-1", "octo-1.example"))
        for each in (10943, 443):
            look = declared(poller, "octo-1", host)
            shut: dict[str, Any] = {} if each == port else DROPPED
            draft.own.append(probe(host, each, By.NAME, addresses=addresses, look=look, **(common | shut)))
        draft.trusted[0]["Address"] = f"https://{host}:{port}/"
        draft.replace(polled(0), probe(host, port, By.NAME, addresses=addresses, **common))
        rows = world.sections[poller]["connections"]
        world.sections[poller]["connections"] = tuple(
            each.model_copy(update={"remote_address": addresses[0], "remote_port": port}) for each in rows
        )
        text = world.logs[poller].replace("https://octo-1.example:10943/", f"https://{host}:{port}/")
        world.logs[poller] = text.replace("[::ffff:192.0.2.10]:10943", f"[::ffff:{addresses[0]}]:{port}")
    _nobody_logs_on(world)
    assert name


@setup("server", "vantage", "balancer", modes=("polling",), unlike=("log", "address", "relay", *_APART))
def polls_octopus_cloud(world: Whole, name: str) -> None:
    """Octopus Cloud by 10943: several addresses, nobody logs on to it, our own look is as good."""
    _cloud(world, name, "acme.octopus.app", 10943)


@setup("server", "vantage", "balancer", modes=("polling",), unlike=("log", "address", "relay", *_APART))
def polls_octopus_cloud_by_443(world: Whole, name: str) -> None:
    """Octopus Cloud by the port of web pages, since the network lets out nothing else: polling.acme.octopus.app."""
    _cloud(world, name, "polling.acme.octopus.app", 443)


@setup("server", "vantage", modes=("polling",), unlike=("log", "address", "relay", "balancer", *_APART))
def server_in_kubernetes(world: Whole, name: str) -> None:
    """Octopus Server by its Helm chart: each node has a balancer's address of its own, and nobody logs on to a pod."""
    octo = world["octo-1"]
    octo.declare(dns_name=None, ip=None, gateway="polling-0.example:10943")
    common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
    for poller in (each for each in ("poll-01", "poll-02") if each in world.drafts):
        draft = world[poller]
        draft.drop(declared(poller, "octo-1", "192.0.2.10"))
        draft.drop(declared(poller, "octo-1", "octo-1.example"))
        host, address = "polling-0.example", "20.53.101.7"
        look = declared(poller, "octo-1", host)
        draft.own.append(probe(host, by=By.NAME, addresses=(address,), look=look, **common))
        draft.trusted[0]["Address"] = f"https://{host}:10943/"
        draft.replace(polled(0), probe(host, by=By.NAME, addresses=(address,), **common))
        rows = world.sections[poller]["connections"]
        world.sections[poller]["connections"] = tuple(
            each.model_copy(update={"remote_address": address}) for each in rows
        )
        world.logs[poller] = world.logs[poller].replace("octo-1.example", host).replace("192.0.2.10", address)
    _nobody_logs_on(world)
    assert name


@setup("service", modes=("polling",), systems=("linux",), unlike=("uptime", "log", "instance", "firewall", "vantage", "server", "address", "connections", *_APART))  # fmt: skip
def worker_in_a_pod(world: Whole, name: str) -> None:
    """A worker in Kubernetes: the node of the cluster is surveyed, and the pod's network is not the node's."""
    draft = world[name]
    draft.declare(container=True)
    draft.instances = ["-"]
    draft.without_service = True
    draft.own = [each for each in draft.own if not each.link.instance]
    draft.host["addresses"] = (draft.machine.ip, "10.244.0.1", "10.96.0.1", "fe80::1")
    for section in ("permissions", "products", "disks", "connections"):
        world.sections[name][section] = ()
    world.change(name, "loading", times=())
    world.without_log.add(name)
    _let_in(world, name, (str(draft.machine.ip),))


@setup("relay", "port", modes=("listening",), unlike=("address", "log", "uptime", "balancer", "vantage", "service", "instance", "server", *_APART))  # fmt: skip
def published_by_a_balancer_with_its_own_name(world: Whole, name: str) -> None:
    """An internal balancer with TLS passed through publishes the machine by a name and port of its own."""
    draft = world[name]
    draft.declare(dns_name="deploy-nlb.example", ip=None, port=443, listens_on=10933)
    for server in draft.machine.servers:
        world[server].drop(from_server(name, By.ADDRESS, server))
        look = probe("deploy-nlb.example", 443, By.NAME, whose=name, addresses=("10.41.1.9", "10.41.2.9"))
        world[server].replace(from_server(name, By.NAME, server), look)
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", "::ffff:10.41.1.9")
    _probes(world, name, ("10.41.1.9", "10.41.2.9"), "Unhandled error when handling request from client", EOF_)
