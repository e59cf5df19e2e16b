"""Unusual machines that are well: names, balancers with several addresses, forwarded ports, shared servers, other trust."""

from __future__ import annotations

from pytest_tentacle.link import By
from pytest_tentacle.packet_filter.firewall import FirewallRule
from pytest_tentacle.survey.surroundings import AccessEntry, OwnName, TlsPolicy, TlsProtocol
from support.fleets.certificates import thumbprint
from support.fleets.looks import OWN_PORT, from_server
from support.fleets.whole import Whole, line
from support.fleets.world import probe

from . import setup

_APART = ("loading", "account", "tls", "version", "firewall", "events", "start", "disk", "language")
"""Aspects that have nothing to do with links and trust: pairs with them would be tried for nothing."""

STRANGER = "0123456789ABCDEF0123456789ABCDEF01234567"


@setup("host-name", unlike=("transport", *_APART))
def renamed_host(world: Whole, name: str) -> None:
    """The host was renamed; its old name is an alias in DNS, by which all know it."""
    world[name].host |= {"hostname": "app-server-17", "fqdn": "app-server-17.corp.example"}


@setup("address", modes=("listening",), unlike=("relay",))
def name_with_two_addresses(world: Whole, name: str) -> None:
    """Two network cards, or NLB: the name has both addresses, and both lead to it."""
    draft = world[name]
    more = "198.51.100.101"
    draft.host["addresses"] = (draft.machine.ip, more, "fe80::1")
    both = (draft.machine.ip, more)
    world.sections[name]["own_names"] = (OwnName(name=draft.machine.dns_name, addresses=both),)
    for server in draft.machine.servers:
        looks = probe(draft.machine.dns_name, draft.machine.port, By.NAME, whose=name, addresses=both)
        world[server].replace(from_server(name, By.NAME, server), looks)


@setup("port", "listener", modes=("listening",), systems=("windows",), unlike=("relay", "uptime", "log"))
def forwarded_by_portproxy(world: Whole, name: str) -> None:
    """`netsh interface portproxy`: Windows listens on 20933 and passes on to the Tentacle, which listens on loopback alone."""
    draft = world[name]
    draft.declare(port=20933, listens_on=10933)
    draft.settings["Tentacle.Services.ListenIP"] = "127.0.0.1"
    for listener in draft.listeners:
        listener["address"] = "127.0.0.1"
    draft.listeners.append(
        {"address": "0.0.0.0", "port": 20933, "pid": 1200, "owner": {"pid": 1200, "name": "svchost.exe"}}
    )
    draft.replace(OWN_PORT, probe("127.0.0.1", whose=name))
    for server in draft.machine.servers:
        node = world[server]
        for by, host in ((By.NAME, draft.machine.dns_name), (By.ADDRESS, draft.machine.ip)):
            look = from_server(name, by, server)
            if host is not None and look.place_in(node.peer) is not None:
                addresses = (draft.machine.ip or "198.51.100.1",) if by is By.NAME else None
                node.replace(look, probe(host, 20933, by, whose=name, addresses=addresses))
    world.logs[name] = world.logs[name].replace("::ffff:192.0.2.10", "::ffff:127.0.0.1").replace("[::]", "127.0.0.1")


@setup("trust", unlike=_APART)
def second_server_that_is_nobodys_business(world: Whole, name: str) -> None:
    """Another department's server is trusted as well, and comes; the inventory does not have it."""
    draft = world[name]
    draft.trusted.append({**draft.trusted[0], "Thumbprint": STRANGER, "CommunicationStyle": 1, "Address": None, "SubscriptionId": None})  # fmt: skip
    if draft.machine.mode == "listening":
        peer = "[::ffff:10.77.0.50]:50001"
        where = "listen://[::]:10933/             91  "
        for ago in (700, 100):
            world.say(name, "INFO", f"{where}Accepted TCP client: {peer}", ago)
            world.say(name, "INFO", f"{where}Client at {peer} authenticated as {STRANGER}", ago)


@setup("connections", modes=("polling",), unlike=("balancer", *_APART))
def five_connections(world: Whole, name: str) -> None:
    """A worker: PollingConnectionCount is 5."""
    world[name].settings["Tentacle.Communication.PollingConnectionCount"] = "5"
    (held,) = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(held.model_copy(update={"local_port": 50_000 + n}) for n in range(5))


@setup("connections", modes=("listening",), unlike=("relay", "container", "service", "address", "port", *_APART))
def connections_of_a_deployment(world: Whole, name: str) -> None:
    """A deployment is running: some connections of the server stand, some are ending."""
    own = world[name].machine.ip
    base = world.connection(name, "octo-1")
    world.sections[name]["connections"] = tuple(
        base.model_copy(update={"local_address": own, "local_port": 10933, "remote_port": 51_000 + n, "state": state, "pid": 2136})
        for n, state in enumerate(("established", "established", "established", "time-wait", "close-wait"))
    )  # fmt: skip


@setup("firewall", systems=("windows",))
def rule_for_the_program(world: Whole, name: str) -> None:
    """The rule names the program and no port, for the server's network alone."""
    executable = world[name].service["executable"]
    rule = FirewallRule(name="Octopus Tentacle", action="allow", program=executable, remote=("192.0.2.0/24",))
    world.change(name, "firewall", rules=(rule,))


@setup("tls", systems=("windows",))
def only_tls_13(world: Whole, name: str) -> None:
    """Windows Server 2022 with TLS 1.2 switched off, as its server is: both speak 1.3."""
    protocols = tuple(
        TlsProtocol(name=version, side=side, enabled=version == "TLS 1.3", disabled_by_default=version != "TLS 1.3")
        for version in ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
        for side in ("client", "server")
    )
    suites = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")
    world.sections[name]["tls"] = TlsPolicy(library="Schannel", build=20348, cipher_suites=suites, protocols=protocols)


@setup("tls", systems=("linux",))
def only_tls_13_of_openssl(world: Whole, name: str) -> None:
    """A policy of the system's that begins with TLS 1.3."""
    world.change(name, "tls", minimum="TLSv1.3")


@setup("account", systems=("windows",))
def virtual_account(world: Whole, name: str) -> None:
    """The service's own virtual account, which was given the home."""
    world[name].service["account"] = "NT SERVICE\\OctopusDeploy Tentacle"
    (own,) = world.sections[name]["permissions"]
    sid = "S-1-5-80-1111-2222-3333-4444-5555"
    entries = (AccessEntry(sid=sid, mask=0x1F01FF),)
    access = own.access[0].model_copy(update={"owner": "S-1-5-32-544", "entries": entries})
    world.sections[name]["permissions"] = (
        own.model_copy(update={"account": "NT SERVICE\\OctopusDeploy Tentacle", "sid": sid, "access": (access,)}),
    )
    loading = world.sections[name]["loading"]
    accounts = tuple(each.model_copy(update={"account": world[name].service["account"]}) for each in loading.revocation)
    world.change(name, "loading", revocation=accounts)


@setup("registration", modes=("listening",), unlike=_APART)
def worker_and_target_in_one(world: Whole, name: str) -> None:
    """Registered as a target, and as a worker some days later: two calls, both of which came to their end."""
    for pid, command, ago in ((3001, "RegisterMachineCommand", 200_000), (3002, "RegisterWorkerCommand", 150_000)):
        world.logs[name] += line(ago, "INFO", "=" * 80, pid) + line(ago, "INFO", f"==== {command} ====", pid)
        world.logs[name] += line(ago - 1, "INFO", "Machine registered successfully", pid)
    world.logs[name] += world.visit(name, "octo-1", ago=50)


@setup("trust", modes=("listening",), unlike=("relay", "log", "uptime", "address", "service", *_APART))
def polls_and_listens(world: Whole, name: str) -> None:
    """It listens to one server, and polls another one that the inventory does not have."""
    draft = world[name]
    draft.trusted.append(
        {"Thumbprint": thumbprint("another"), "CommunicationStyle": 2, "Address": "https://cloud.example:10943/", "Squid": None, "SubscriptionId": "poll://zzzzzzzzzzzzzzzzzzzz/"}
    )  # fmt: skip
    draft.own.append(
        probe("cloud.example", 10943, By.NAME, page="server", whose="another", addresses=("203.0.113.77",)).model_copy(
            update={"link": draft.own[0].link}
        )
    )
