"""How people run it: registrations, rotations, levels of logs, servers of several ages, machines that are also servers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.survey.surroundings import OwnName, Product
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.looks import declared, from_server, polled
from support.fleets.whole import LISTEN, LISTENS, SERVER_LISTEN, Whole, line, started
from support.fleets.world import probe
from support.logs import read_log

from . import setup

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
_WAY = ("relay", "port", "balancer", "vantage", "server", "service", "instance", *_APART)


@setup("log", modes=("listening",), unlike=("uptime", "relay", "registration", "account"))
def log_at_level_fatal(world: Whole, name: str) -> None:
    """NLog is set to Fatal: the file is there, and empty."""
    empty = read_log(b"", product="tentacle", instance="Tentacle", path=f"/logs/{name}.txt")
    world.sections[name]["logs"] = (empty.model_copy(update={"modified_utc": NOW - timedelta(days=3)}),)


@setup(
    "log",
    modes=("polling",),
    unlike=("account", "uptime", "relay", "registration", "balancer", "address", "connections"),
)
def log_at_level_fatal_of_a_poller(world: Whole, name: str) -> None:
    """The same: that it polls is told by the connection alone."""
    log_at_level_fatal(world, name)


@setup("log", modes=("polling",), unlike=("uptime", "registration", "address", "balancer", *_APART))
def log_of_errors_alone(world: Whole, name: str) -> None:
    """NLog is set to Error: a month ago the server was maintained, and what came after it was not written."""
    for ago in (30.2, 30.1, 30.0):
        text = "https://octo-1.example:10943/        12  Error while connecting to server: Connection refused"
        log = line(timedelta(days=ago), "ERROR", text, 800)
        world.logs[name] = log if ago > 30.1 else world.logs[name] + log


@setup("log", unlike=("uptime", *_APART))
def log_with_everything(world: Whole, name: str) -> None:
    """NLog is set to Trace for a case of support: messages of Halibut's at every turn, with stack traces that nothing came of."""
    pid = world[name].service["pid"]
    for ago in (500, 400, 300):
        world.logs[name] += line(ago, "TRACE", f"{LISTEN}Identifying the remote host", pid)
        world.logs[name] += line(
            ago - 1, "DEBUG", "No retry: System.OperationCanceledException: The operation was canceled.", pid
        )


@setup("registration", unlike=_APART)
def disabled_in_octopus(world: Whole, name: str) -> None:
    """Its registration is disabled until the next quarter; the machine itself goes on running."""
    world.register(name, disabled=True, health="Unknown", health_summary=None)


@setup("registration", unlike=_APART)
def registered_in_two_spaces(world: Whole, name: str) -> None:
    """One machine, two teams: a target in one space, a worker in the other."""
    world.register(name)
    world.register(name, kind="worker", space="Ops", space_id="Spaces-2", pools=("Default",))


@setup("registration", unlike=_APART)
def registered_and_never_checked(world: Whole, name: str) -> None:
    """Registered a minute ago: no health check ran yet."""
    world.register(name, health="Unknown", health_summary="There was no health check yet.")


@setup("registration", unlike=_APART)
def healthy_with_warnings(world: Whole, name: str) -> None:
    """Octopus would like to upgrade it, and says so; deployments run."""
    world.register(name, health="HasWarnings", upgrade_required=True, health_summary="An upgrade is available.")


@setup("certificate", "log", unlike=("uptime", "trust", *_WAY))
def certificate_renewed_yesterday(world: Whole, name: str) -> None:
    """The Tentacle got a new certificate as Octopus documents it: the portal was told, and all went on."""
    old, ip = thumbprint(f"{name} of old"), world[name].machine.ip
    if world[name].machine.mode == "polling":
        for ago, whose in ((180_000, old), (90_000, old), (80_000, thumbprint(name)), (3000, thumbprint(name))):
            peer = f"[::ffff:{ip}]:{50_000 + ago % 1000}"
            world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", ago)
            world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {whose}", ago)
        return
    to_it = f"https://{name}.example:10933/        34  Secure connection established. Server at [::ffff:{ip}]:10933 identified by thumbprint: "
    for ago, whose in ((180_000, old), (80_000, thumbprint(name)), (3000, thumbprint(name))):
        world.say("octo-1", "INFO", f"{to_it}{whose}, using protocol Tls13", ago)


@setup("address", modes=("listening",), systems=("windows",), unlike=("firewall", "log", *_WAY))
def on_the_server_itself(world: Whole, name: str) -> None:
    """Tentacle and Octopus Server on one machine: a worker or the deployment of Octopus's own."""
    draft, octo = world[name], world["octo-1"]
    ip = octo.machine.ip
    draft.declare(dns_name=octo.machine.dns_name, ip=ip)
    draft.host |= {"hostname": "octo-1", "addresses": (ip, "fe80::1")}
    world.sections[name]["own_names"] = (OwnName(name=octo.machine.dns_name, addresses=(ip,)),)
    port = draft.machine.port
    by_name = probe(octo.machine.dns_name, port, By.NAME, whose=name, addresses=(ip,))
    octo.replace(from_server(name, By.NAME), by_name)
    octo.replace(from_server(name, By.ADDRESS), probe(ip, port, By.ADDRESS, whose=name))


@setup("address", modes=("polling",), systems=("windows",), unlike=("firewall", "log", *_WAY))
def polls_the_server_on_its_own_machine(world: Whole, name: str) -> None:
    """A worker on the server polls https://localhost:10943."""
    draft, octo = world[name], world["octo-1"]
    draft.declare(dns_name=octo.machine.dns_name, ip=octo.machine.ip)
    draft.host |= {"hostname": "octo-1", "addresses": (octo.machine.ip, "fe80::1")}
    world.sections[name]["own_names"] = (OwnName(name=octo.machine.dns_name, addresses=(octo.machine.ip,)),)
    draft.trusted[0]["Address"] = "https://localhost:10943/"
    here: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
    draft.replace(polled(0), probe("localhost", by=By.NAME, addresses=("127.0.0.1",), **here))
    rows = world.sections[name]["connections"]
    loop = {"local_address": "127.0.0.1", "remote_address": "127.0.0.1"}
    world.sections[name]["connections"] = tuple(each.model_copy(update=loop) for each in rows)
    world.logs[name] = world.logs[name].replace("octo-1.example", "localhost").replace("192.0.2.10", "127.0.0.1")


@setup("server", unlike=("vantage", "balancer", "address", *_WAY))
def server_of_2018(world: Whole, name: str) -> None:
    """An Octopus Server of 2018 with Tentacles of today: all of it by TLS 1.2."""
    assert name
    product = Product(product="server", version="2018.9.5", path=world["octo-1"].service["executable"])
    world.sections["octo-1"]["products"] = (product,)
    world.logs["octo-1"] = world.logs["octo-1"].replace("2026.1", "2018.9.5")
    for draft in world.drafts.values():
        for probes in (draft.own, draft.peer):
            for at, each in enumerate(probes):
                if each.tls is not None and each.tls.version:
                    older = {"version": "TLSv1.2", "cipher": "ECDHE-RSA-AES256-GCM-SHA384"}
                    probes[at] = each.model_copy(update={"tls": each.tls.model_copy(update=older)})
    for each in world.logs:
        world.logs[each] = world.logs[each].replace("Tls13", "Tls12")


@setup("zone", unlike=_APART)
def zones_that_are_no_whole_hours(world: Whole, name: str) -> None:
    """The server is in Nepal (5:45 ahead), the machine on the Chatham Islands (12:45 ahead)."""
    world.zones["octo-1"] = timedelta(hours=5, minutes=45)
    world.zones[name] = timedelta(hours=12, minutes=45)


@setup("relay", modes=("listening",), unlike=("address", "log", "uptime", "vantage", *_WAY))
def nodes_that_come_by_turns(world: Whole, name: str) -> None:
    """High availability: three nodes of one server, each of which comes when it runs a task; one is draining since a week."""
    world.add_server("octo-2", "192.0.2.11")
    world.add_server("octo-3", "192.0.2.12")
    for node in ("octo-2", "octo-3"):
        world.join(name, node)
    world.logs[name] = world.logs[name].replace("192.0.2.12", "192.0.2.11")


@setup(
    "connections", modes=("listening",), unlike=("relay", "container", "service", "address", "port", "server", *_APART)
)
def maintenance_window(world: Whole, name: str) -> None:
    """No deployment since a week by decision: nobody has come, nothing stands, and the server's looks are well."""
    days = timedelta(days=9)
    world[name].service["started_utc"] = world[name].host["boot_utc"] = NOW - days
    world.logs[name] = started(2136, LISTENS, ago=days) + world.visit(name, "octo-1", ago=7 * 86_400)


@setup("address", modes=("polling",), unlike=("log", *_WAY))
def inventory_with_the_portals_name(world: Whole, name: str) -> None:
    """The inventory has the portal's name for the server, which leads to a reverse proxy: pollers use another one."""
    world["octo-1"].declare(dns_name="octopus.example", portal="https://octopus.example", addresses=("octo-1.example",))
    shut: dict[str, Any] = {"port": 10943, "by": By.NAME, "addresses": ("192.0.2.90",), "fails": "connect"}
    for poller in ("poll-01", "poll-02"):
        look = declared(poller, "octo-1", "octopus.example")
        world[poller].own.append(probe("octopus.example", look=look, error="refused", **shut))
    assert name
