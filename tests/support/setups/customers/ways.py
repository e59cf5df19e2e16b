"""Ways between two ends that customers run: tunnels of their own, other ports, shared addresses, names of any form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.survey.surroundings import OwnName
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED, NO_NAME
from support.fleets.looks import SERVERS_OWN_PORT, declared, from_server, polled
from support.fleets.whole import LISTEN, SERVER_LISTEN, Whole, line
from support.fleets.world import probe
from support.setups import setup

from .apart import OTHERS

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
_WAY = ("relay", "port", "balancer", "vantage", "server", "service", "instance", "registration", *_APART)
_SERVER: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}


def _pollers(world: Whole) -> list[str]:
    return [name for name, draft in world.drafts.items() if draft.product == "tentacle" and draft.machine.mode == "polling"]  # fmt: skip


def _polls_at(world: Whole, poller: str, host: str, port: int, address: str, **connection: Any) -> None:
    """A poller's settings, look, connection and log have another address of its server."""
    draft = world[poller]
    draft.trusted[0]["Address"] = f"https://{host}:{port}/"
    draft.replace(polled(0), probe(host, by=By.NAME, addresses=(address,), **(_SERVER | {"port": port})))
    held = {"remote_address": address, "remote_port": port} | connection
    rows = world.sections[poller]["connections"]
    world.sections[poller]["connections"] = tuple(each.model_copy(update=held) for each in rows)
    text = world.logs[poller].replace("https://octo-1.example:10943/", f"https://{host}:{port}/")
    world.logs[poller] = text.replace("[::ffff:192.0.2.10]:10943", f"[::ffff:{address}]:{port}")


@setup("balancer", modes=("polling",), unlike=("address", "log", "uptime", "trust", *_WAY))
def polls_on_port_80(world: Whole, name: str) -> None:
    """The documentation's way where only 80 and 443 are open: the server's communications port is 80, and speaks TLS."""
    assert name
    octo = world["octo-1"]
    octo.declare(polling_ports=(80,))
    octo.settings["Octopus.Communications.ServicesPort"] = "80"
    octo.listeners[0]["port"] = 80
    octo.replace(SERVERS_OWN_PORT, probe(port=80, page="server", whose="octopus"))
    for poller in _pollers(world):
        _polls_at(world, poller, "octo-1.example", 80, "192.0.2.10")
        for host in ("octo-1.example", "192.0.2.10"):
            old = declared(poller, "octo-1", host)
            world[poller].replace(old, probe(host, addresses=("192.0.2.10",), look=old, **(_SERVER | {"port": 80})))


@setup("balancer", modes=("polling",), unlike=("address", "log", "uptime", "trust", *_WAY))
def polls_an_own_name_on_443(world: Whole, name: str) -> None:
    """`--server-comms-address https://polling.example:443`: HAProxy routes by SNI; 10943 itself is shut for the world."""
    for poller in _pollers(world):
        _polls_at(world, poller, "polling.example", 443, "203.0.113.180")
        for host in ("octo-1.example", "192.0.2.10"):
            old = declared(poller, "octo-1", host)
            shut = probe(host, addresses=("203.0.113.180",), look=old, **(_SERVER | DROPPED))
            world[poller].replace(old, shut)
    assert name


@setup("balancer", modes=("polling",), unlike=("address", "log", "uptime", "trust", "firewall", "connections", *_WAY))
def through_a_tunnel_of_cloudflares(world: Whole, name: str) -> None:
    """`cloudflared access tcp` listens on the machine itself and carries 10943; the server's name is the CDN's."""
    world["octo-1"].declare(dns_name="octopus.example", portal="https://octopus.example", ip=None)
    cdn = ("104.16.1.1", "104.16.2.1")
    for poller in _pollers(world):
        _polls_at(world, poller, "localhost", 10943, "127.0.0.1", local_address="127.0.0.1")
        old = declared(poller, "octo-1", "octo-1.example")
        world[poller].replace(old, probe("octopus.example", by=By.NAME, addresses=cdn, look=old, **(_SERVER | DROPPED)))
        world[poller].drop(declared(poller, "octo-1", "192.0.2.10"))
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: [::ffff:127.0.0.1]:5{len(poller)}001", 3000)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at [::ffff:127.0.0.1]:5{len(poller)}001 authenticated as {thumbprint(poller)}", 3000)  # fmt: skip
    assert name


@setup("balancer", modes=("polling",), unlike=("address", "log", "uptime", "trust", "firewall", "connections", *_WAY))
def through_a_tunnel_by_ssh(world: Whole, name: str) -> None:
    """autossh -L 20943 on the machine leads to the server in a network that nobody else reaches."""
    _polls_at(world, name, "127.0.0.1", 20943, "127.0.0.1", local_address="127.0.0.1")
    world[name].replace(polled(0), probe("127.0.0.1", by=By.ADDRESS, **(_SERVER | {"port": 20943})))
    lost = declared(name, "octo-1", "octo-1.example")
    world[name].replace(lost, probe("octo-1.example", by=By.NAME, look=lost, **(_SERVER | NO_NAME)))
    shut = declared(name, "octo-1", "192.0.2.10")
    world[name].replace(shut, probe("192.0.2.10", by=By.ADDRESS, look=shut, **(_SERVER | DROPPED)))


@setup("address", modes=("polling",), unlike=("log", "connections", "firewall", *_WAY))
def behind_a_carriers_nat(world: Whole, name: str) -> None:
    """A till by mobile network: CGNAT, another public address each day, no name and no address that anybody could declare."""
    draft, own = world[name], "100.72.3.4"
    draft.declare(dns_name=None, ip=None)
    draft.host["addresses"] = (own, "fe80::1")
    world.sections[name]["own_names"] = ()
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(each.model_copy(update={"local_address": own}) for each in rows)
    for day, address in enumerate(("198.18.4.1", "198.18.99.7", "198.18.4.1")):
        peer = f"[::ffff:{address}]:{41_000 + day}"
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", (2 - day) * 86_400 + 900)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(name)}", (2 - day) * 86_400 + 899)  # fmt: skip


@setup("log", modes=("polling",), unlike=("uptime", "balancer", "address", "trust", *_WAY))
def laptop_that_sleeps(world: Whole, name: str) -> None:
    """A developer's laptop: asleep at night; when it wakes, names cannot be asked for some seconds, then all is well."""
    for hours in (50, 26, 2):
        ago = hours * 3600.0
        where = "https://octo-1.example:10943/        12  "
        text = "System.IO.IOException: Unable to read data from the transport connection: Connection timed out."
        world.say(name, "ERROR", f"{where}Unexpected exception executing transaction.\n{text}", ago)
        lost = "Name or service not known" if world[name].os == "linux" else "No such host is known"
        world.say(name, "ERROR", f"{where}Halibut client exception: {lost}. Retrying in 1.0 seconds", ago - 3)
        world.logs[name] += world.secured(name, "octo-1", ago=ago - 12)


def _listens_as(world: Whole, name: str, declared_as: str, looked_up_as: str) -> None:
    draft = world[name]
    draft.declare(dns_name=declared_as)
    world.sections[name]["own_names"] = (OwnName(name=declared_as, addresses=(draft.machine.ip,)),)
    for server in draft.machine.servers:
        seen = probe(looked_up_as, draft.machine.port, By.NAME, whose=name, addresses=(draft.machine.ip,))
        world[server].replace(from_server(name, By.NAME, server), seen)


@setup("address", modes=("listening",), unlike=(*_WAY, *OTHERS))
def declared_with_its_point(world: Whole, name: str) -> None:
    """`web-01.example.`, as a zone file has it."""
    _listens_as(world, name, f"{name}.example.", f"{name}.example.")


@setup("address", modes=("listening",), unlike=(*_WAY, *OTHERS))
def name_with_an_underscore(world: Whole, name: str) -> None:
    """An old Windows name that no standard of the web allows."""
    _listens_as(world, name, "WEB_01.corp_net.example", "WEB_01.corp_net.example")
    world[name].host |= {"hostname": "WEB_01"}


@setup("address", modes=("listening",), unlike=(*_WAY, *OTHERS))
def name_with_an_umlaut(world: Whole, name: str) -> None:
    """The name has letters beyond ASCII, as Windows' own DNS servers allow."""
    _listens_as(world, name, "m\u00fcnchen-web.example", "m\u00fcnchen-web.example")


@setup("address", modes=("polling",), unlike=("log", "balancer", *_WAY))
def polls_a_name_in_punycode(world: Whole, name: str) -> None:
    """The inventory has `bücher.example`, the settings `xn--bcher-kva.example`."""
    spelt, wired = "b\u00fccher.example", "xn--bcher-kva.example"
    world["octo-1"].declare(dns_name=spelt)
    for poller in _pollers(world):
        _polls_at(world, poller, wired, 10943, "192.0.2.10")
        old = declared(poller, "octo-1", "octo-1.example")
        world[poller].replace(old, probe(spelt, by=By.NAME, addresses=("192.0.2.10",), look=old, **_SERVER))
        for at, each in enumerate(world[poller].own):
            if each.link.server == "octo-1" and each.host == "octo-1.example":
                world[poller].own[at] = each.model_copy(update={"host": spelt})
    assert name


@setup("address", unlike=(*_WAY, *OTHERS))
def own_name_with_a_link_local_address(world: Whole, name: str) -> None:
    """Windows answers for its own name with the link-local address of its card first."""
    draft = world[name]
    draft.host["addresses"] = (draft.machine.ip, "fe80::1c2:3%4")
    own = OwnName(name=draft.machine.dns_name, addresses=("fe80::1c2:3%4", draft.machine.ip))
    world.sections[name]["own_names"] = (own,)


@setup("relay", unlike=("address", "log", "port", "balancer", "vantage", "server", "service", "instance", *_APART))
def over_a_satellite(world: Whole, name: str) -> None:
    """A ship: 650 ms for each way and back."""
    vantages = [world[name]] if world[name].machine.mode == "polling" else [world[each] for each in world[name].machine.servers]  # fmt: skip
    for draft in vantages:
        for probes in (draft.own, draft.peer):
            for at, each in enumerate(probes):
                if each.by is By.LOCAL or (draft is not world[name] and each.link.tentacle != name):
                    continue
                slow = {stage: getattr(each, stage).model_copy(update={"ms": ms}) for stage, ms in (("connect", 655.0), ("tls", 1340.0), ("page", 670.0)) if getattr(each, stage)}  # fmt: skip
                probes[at] = each.model_copy(update=slow)


@setup("connections", modes=("polling",), systems=("linux",), unlike=("log", "balancer", "address", "trust", *_WAY))
def kubernetes_agent_beside(world: Whole, name: str) -> None:
    """The machine is a node of a cluster as well, whose agent polls the same server from the same address, as another."""
    held = world.sections[name]["connections"]
    agent = held[0].model_copy(update={"local_port": 41_777, "pid": 7777})
    world.sections[name]["connections"] = (*held, agent)
    for number, whose in enumerate((name, "agent of the cluster", "agent of the cluster")):
        peer = f"[::ffff:{world[name].machine.ip}]:{41_700 + number}"
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", 2000 - number)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(whose)}", 2000 - number)  # fmt: skip


@setup("instance", "connections", modes=("polling",), unlike=("log", "balancer", "address", "trust", "service", "uptime", *_APART))  # fmt: skip
def two_instances_poll_the_same_server(world: Whole, name: str) -> None:
    """One for each of two spaces: each has a certificate, a service and a connection of its own."""
    world.second_instance(name)
    held = world.sections[name]["connections"]
    world.sections[name]["connections"] = (*held, held[0].model_copy(update={"local_port": 50_444, "pid": 3333}))
    for number, whose in enumerate((name, "the other instance")):
        peer = f"[::ffff:{world[name].machine.ip}]:{50_700 + number}"
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", 2000)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(whose)}", 2000)


@setup("server", unlike=(*OTHERS, "vantage", "balancer", "log", "relay", "address", "certificate", *_APART))
def server_with_the_troubles_of_others(world: Whole, name: str) -> None:
    """A server of a thousand machines: every minute another one of them is down, replaced or unknown; none is ours."""
    assert name
    for number in range(40):
        ago = 3600.0 - 60 * number
        host = f"https://shop-{number}.example:10933/        34  "
        refused = f"{host}The remote host at https://shop-{number}.example:10933/ refused the connection. This may mean that the expected listening service is not running."  # fmt: skip
        world.say("octo-1", "ERROR", refused, ago)
        peer = f"[::ffff:10.200.3.{number}]:50001"
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", ago - 1)
        strange = f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint('shop of others')}"
        world.say("octo-1", "INFO", strange, ago - 1)
        away = f"{SERVER_LISTEN}Socket IO exception: {peer}\nSystem.IO.IOException: Connection reset by peer"
        world.say("octo-1", "ERROR", away, ago - 2)


@setup("log", modes=("polling",), unlike=("uptime", "connections", "balancer", "address", "trust", *_WAY))
def address_of_a_machine_that_is_gone(world: Whole, name: str) -> None:
    """Machines that come and go by scaling: yesterday another one had this address, with a certificate of its own."""
    ip = world[name].machine.ip
    rows = ((170_000, "one of yesterday"), (100_000, "another of yesterday"), (80_000, name), (3000, name))
    for number, (ago, whose) in enumerate(rows):
        peer = f"[::ffff:{ip}]:{52_000 + number}"
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Accepted TCP client: {peer}", ago)
        world.say("octo-1", "INFO", f"{SERVER_LISTEN}Client at {peer} authenticated as {thumbprint(whose)}", ago)


@setup("log", modes=("listening",), unlike=("uptime", "connections", "balancer", "address", "trust", *_WAY))
def set_up_anew_at_the_same_address(world: Whole, name: str) -> None:
    """Yesterday its image was made anew: the server refused the new certificate until it was registered again."""
    host = f"https://{name}.example:10933/"
    old = thumbprint(f"{name} before")
    text = (
        f"{host}        34  The server at {host} presented an unexpected security certificate. We expected the server to "
        f"present a certificate with the thumbprint '{old}'. Instead, it presented a certificate with a thumbprint of "
        f"'{thumbprint(name)}'. This usually happens when the client has been configured to expect the server to have "
        "the wrong certificate, or when the certificate on the server has been regenerated and the client has not been updated."
    )  # fmt: skip
    world.say("octo-1", "ERROR", text, 80_000)
    good = f"{host}        34  Secure connection established. Server at [::ffff:{world[name].machine.ip}]:10933 identified by thumbprint: {thumbprint(name)}, using protocol Tls13"  # fmt: skip
    for ago in (79_000, 40_000, 900):
        world.say("octo-1", "INFO", good, ago)
    peer = "[::ffff:192.0.2.10]:50411"
    world.logs[name] += line(timedelta(seconds=80_000), "INFO", f"{LISTEN}Accepted TCP client: {peer}", 2136)
    gone = f"{LISTEN}Socket IO exception: {peer}\nSystem.IO.IOException: Connection reset by peer"
    world.logs[name] += line(timedelta(seconds=79_999), "ERROR", gone, 2136) + world.visit(name, "octo-1", ago=700)


@setup("registration", modes=("listening",), unlike=(*OTHERS, "address", "port", *_APART))
def registered_by_its_address(world: Whole, name: str) -> None:
    """The portal has the IP address, under a name of the department's; the inventory has the DNS name as well."""
    ip = world[name].machine.ip
    world.register(name, name="Shop (Production) 1", uri=f"https://{ip}:10933/", host=ip)


@setup("registration", modes=("listening",), unlike=(*OTHERS, "address", "port", *_APART))
def registered_in_capitals(world: Whole, name: str) -> None:
    """`register-with` sent the machine's name as Windows has it."""
    host = f"{name}.example".upper()
    world.register(name, uri=f"https://{host}:10933/", host=host)


def _polls_a_retired_server(world: Whole, name: str) -> None:
    draft = world[name]
    entry = {"Thumbprint": thumbprint("retired"), "CommunicationStyle": 2, "Address": "https://octo-old.example:10943/"}
    draft.trusted.append(draft.trusted[0] | entry | {"SubscriptionId": "poll://oldoldoldoldoldoldol/"})
    world.logs[name] = world.polls_at_start(name) + world.secured(name, "octo-1")


@setup("trust", modes=("polling",), unlike=("log", "balancer", "address", "connections", *_WAY), told=("TT511", "TT521", "TT108"))  # fmt: skip
def polls_a_retired_server_as_well(world: Whole, name: str) -> None:
    """The old server is gone with its name; its entry was forgotten. With its own server all is well, and the log is quiet."""
    _polls_a_retired_server(world, name)
    gone = probe("octo-old.example", by=By.NAME, look=polled(1), **(_SERVER | NO_NAME))
    world[name].own.insert(1, gone)
