"""Ways of Windows machines: families of addresses, proxies of the machine, web sockets of several nodes, DirectAccess."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.survey.surroundings import Proxy, Route
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED, NO_ROUTE
from support.fleets.looks import OWN_PORT, declared, polled
from support.fleets.whole import Whole
from support.fleets.world import probe

from .windows import _windows


def _listens_by_ipv4(world: Whole, name: str) -> None:
    draft = world[name]
    for listener in draft.listeners:
        listener["address"] = "0.0.0.0"
    draft.replace(OWN_PORT, probe("127.0.0.1", whose=name))
    world.logs[name] = world.logs[name].replace("[::ffff:192.0.2.10]:", "192.0.2.10:").replace("[::]:", "0.0.0.0:")


@_windows("address", "listener", modes=("listening",))
def ipv6_off_by_the_registry(world: Whole, name: str) -> None:
    """DisabledComponents is 0xFF: no IPv6 at all, and no ListenIP; Tentacle listens by IPv4 by itself.

    Source: learn.microsoft.com, "Configure IPv6 in Windows"; OctopusTentacle, HalibutInitializer.cs (OSSupportsIPv6).
    """
    _listens_by_ipv4(world, name)
    world[name].host["addresses"] = (world[name].machine.ip,)


@_windows("address", "listener", modes=("listening",))
def listens_by_ipv4_although_there_is_ipv6(world: Whole, name: str) -> None:
    """`configure --listenIpAddress 0.0.0.0` on a machine with both families.

    Source: octopus.com/docs, tentacle.exe-command-line/configure (listenIpAddress).
    """
    _listens_by_ipv4(world, name)
    world[name].settings["Tentacle.Services.ListenIP"] = "0.0.0.0"


@_windows("address", "listener", modes=("listening",))
def listens_on_two_colons(world: Whole, name: str) -> None:
    """`configure --listenIpAddress ::`: every address of both families, since the socket is of both.

    Source: Halibut, Transport/SecureListener.cs (DualMode); Octopus.Tentacle, ConfigureCommand.cs (IPAddress.Parse).
    """
    world[name].settings["Tentacle.Services.ListenIP"] = "::"


@_windows("trust")
def settings_as_the_program_writes_them(world: Whole, name: str) -> None:
    """Values of .NET: True and False with capitals, and an empty text for what was never set.

    Source: OctopusTentacle, Configuration/XmlKeyValueStore.cs.
    """
    settings = world[name].settings
    settings["Tentacle.Services.NoListen"] = "True" if world[name].machine.mode == "polling" else "False"
    settings |= {"Octopus.Server.Proxy.UseDefaultProxy": "False", "Octopus.Proxy.UseDefaultProxy": "True"}
    settings |= {"Tentacle.Services.ListenIP": "", "Octopus.Proxy.ProxyHost": "", "Octopus.Proxy.ProxyPort": "80"}
    by_default = "Agent configured to use the system proxy, but no system proxy is configured for server at https://octo-1.example:10943/"  # fmt: skip
    world.logs[name] = world.logs[name].replace(by_default, "Agent will not use a proxy server")


@_windows("balancer", "trust", modes=("polling",))
def polls_two_nodes_by_web_sockets(world: Whole, name: str) -> None:
    """High availability over web sockets: each node has an address of its own, behind a web certificate of its own.

    Source: octopus.com/docs, polling-tentacles-web-sockets and polling-tentacles-with-ha.
    """
    world.add_server("octo-2", "192.0.2.11")
    world.join(name, "octo-2")
    draft = world[name]
    rows = list(world.sections[name]["connections"])
    for number, server in ((1, "octo-2"), (0, "octo-1")):
        address, old = f"wss://{server}.example:443/OctopusComms", draft.trusted[number]["Address"]
        draft.trusted[number] |= {"Address": address, "Thumbprint": thumbprint(f"web of {server}")}
        draft.drop(polled(number))
        world[server].declare(portal=f"https://{server}.example")
        rows[number] = rows[number].model_copy(update={"remote_port": 443})
        world.logs[name] = world.logs[name].replace(old, address)
    world.sections[name]["connections"] = tuple(rows)


@_windows("balancer", "proxies", modes=("polling",))
def proxy_of_the_whole_machine(world: Whole, name: str) -> None:
    """ProxySettingsPerUser is 0: all accounts have the machine's proxy, Local System as well, and only by it is the server reached.

    Source: learn.microsoft.com, "Make proxy settings per-machine (rather than per-user)"; octopus.com/docs, proxy-support.
    """
    world[name].settings["Octopus.Server.Proxy.UseDefaultProxy"] = "true"
    world.sections[name]["proxies"] = (
        Proxy(layer="policy", enabled=True, address="proxy.example:3128", bypass="<local>"),
    )
    rows = world.sections[name]["connections"]
    world.both(name, DROPPED)
    to_it = {"remote_address": "192.0.2.250", "remote_port": 3128}
    world.sections[name]["connections"] = tuple(each.model_copy(update=to_it) for each in rows)
    old = "Agent configured to use the system proxy, but no system proxy is configured for server at"
    new = "Agent will use the configured system proxy at proxy.example:3128 for server at"
    world.logs[name] = world.logs[name].replace(old, new).replace("192.0.2.10]:10943", "192.0.2.250]:3128")


@_windows("proxies", modes=("polling",))
def variables_of_a_proxy_that_leave_the_server_out(world: Whole, name: str) -> None:
    """HTTPS_PROXY and NO_PROXY of the machine, for package managers: NO_PROXY has the domain of the server.

    Source: learn.microsoft.com, HttpClient.DefaultProxy (HTTPS_PROXY, NO_PROXY).
    """
    world[name].settings["Octopus.Server.Proxy.UseDefaultProxy"] = "true"
    world.sections[name]["proxies"] = (
        Proxy(layer="environment", enabled=True, address="http://proxy.example:3128", bypass="localhost,127.0.0.1,.example"),
    )  # fmt: skip


@_windows("address", "routes", modes=("polling",))
def client_of_direct_access(world: Whole, name: str) -> None:
    """A laptop by DirectAccess: DNS64 gives the server an address of fd00::/8, to which IP-HTTPS leads; IPv4 has no way there.

    Source: learn.microsoft.com, "DirectAccess" (DNS64, NAT64, IPHTTPSInterface).
    """
    draft, made_up, own = world[name], "fd3e:4f5a:5b81:7777::c000:20a", "fd3e:4f5a:5b81:1000:a1b2:c3d4:e5f6:7a8b"
    draft.host["addresses"] = ("192.168.178.31", own, "fe80::1")
    draft.declare(ip=None)
    common: dict[str, Any] = {"port": 10943, "page": "server", "whose": "octopus"}
    for look in (polled(0), declared(name, "octo-1", "octo-1.example")):
        draft.replace(look, probe("octo-1.example", by=By.NAME, addresses=(made_up,), **common))
    lost = declared(name, "octo-1", "192.0.2.10")
    draft.replace(lost, probe("192.0.2.10", by=By.ADDRESS, **(common | NO_ROUTE)))
    rows = world.sections[name]["connections"]
    ends = {"local_address": own, "remote_address": made_up}
    world.sections[name]["connections"] = tuple(each.model_copy(update=ends) for each in rows)
    world.sections[name]["routes"] = (Route(peer="192.0.2.10", address="192.0.2.10", error="unreachable"),)
    world.logs[name] = world.logs[name].replace("[::ffff:192.0.2.10]:10943", f"[{made_up}]:10943")
