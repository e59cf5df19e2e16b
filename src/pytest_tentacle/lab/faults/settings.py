"""Faults of the communication settings, proxies included."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.lab.blueprint import LISTENING_STYLE, PID, POLLING_STYLE, Blueprint, Trust
from pytest_tentacle.lab.network.proxy_boxes import RefusingProxy

from .breaking import Site, close, elsewhere, end, polling_trust

_PROXY = "proxy.lab.example"
_PROXY_PORT = 3128


def wrong_mode(machine: Blueprint, site: Site) -> None:
    """The inventory says listening; the Tentacle was set up to poll."""
    server = next(other for other in site.machines.values() if other.is_server)
    close(machine)
    machine.settings["Tentacle.Services.NoListen"] = "true"
    machine.settings["Tentacle.Services.ListenIP"] = ""
    machine.trusts = [polling_trust(server, server.certificate.thumbprint, machine.name)]


def waits_for_servers(machine: Blueprint, _: Site) -> None:
    """The inventory says polling; the Tentacle was set up to listen."""
    machine.presents = machine.certificate
    machine.settings["Tentacle.Services.NoListen"] = "false"
    machine.settings["Tentacle.Services.ListenIP"] = machine.address
    machine.sockets = [{"address": machine.address, "port": machine.port, "pid": PID, "state": "listen"}]
    machine.trusts = [Trust(trust.thumbprint, LISTENING_STYLE) for trust in machine.trusts]


def wrong_port(machine: Blueprint, _: Site) -> None:
    """It listens on another port than the inventory and the other end believe."""
    if machine.is_server:
        machine.declared["polling_ports"] = (machine.port,)
        key = "Octopus.Communications.ServicesPort"
    else:
        machine.declared["port"] = machine.port
        key = "Tentacle.Services.PortNumber"
    machine.port += 1
    machine.settings[key] = str(machine.port)
    for socket in machine.sockets:
        socket["port"] = machine.port


def no_listen(machine: Blueprint, _: Site) -> None:
    """Reinstalled from polling to listening; NoListen stayed (Octopus issue 1411)."""
    machine.settings["Tentacle.Services.NoListen"] = "true"
    close(machine)


def nobody_trusted(machine: Blueprint, _: Site) -> None:
    """The list of trusted servers is empty."""
    machine.trusts = []


def other_server_trusted(machine: Blueprint, site: Site) -> None:
    """It trusts an Octopus Server of old, not the present one."""
    machine.trusts = [replace(trust, thumbprint=site.fresh("Octopus Server").thumbprint) for trust in machine.trusts]


def invisible_character(machine: Blueprint, _: Site) -> None:
    """The thumbprint was pasted from the certificate dialog, with its left-to-right mark."""
    machine.trusts = [replace(trust, thumbprint="\u200e" + trust.thumbprint) for trust in machine.trusts]


def lower_case_thumbprint(machine: Blueprint, _: Site) -> None:
    """Harmless when listening; a poller compares letter by letter."""
    machine.trusts = [replace(trust, thumbprint=trust.thumbprint.lower()) for trust in machine.trusts]


def incomplete_polling(machine: Blueprint, _: Site) -> None:
    """A polling entry without address and subscription: the agent skips it."""
    machine.trusts = [replace(trust, address=None, subscription=None) for trust in machine.trusts]


def half_an_entry(machine: Blueprint, site: Site) -> None:
    """Beside its good entries one more without an address and a subscription."""
    machine.trusts.append(Trust(site.fresh("Octopus Server").thumbprint, POLLING_STYLE))


def retired_server(machine: Blueprint, _: Site) -> None:
    """Of its last server it knows a name that nobody declares any more, and that does not resolve."""
    last = machine.trusts[-1]
    machine.trusts[-1] = replace(last, address=f"https://octo-of-old.lab:{(last.address or '').rpartition(':')[2]}")


def wrong_polling_port(machine: Blueprint, _: Site) -> None:
    """It polls its first server on a port where that one serves nobody."""
    first = machine.trusts[0]
    host, _colon, port = (first.address or "").rpartition(":")
    machine.trusts[0] = replace(first, address=f"{host}:{int(port) + 1}")


def foreign_listen_ip(machine: Blueprint, _: Site) -> None:
    """ListenIP is an address that this machine no longer has."""
    machine.settings["Tentacle.Services.ListenIP"] = "192.0.2.77"
    end(machine)


def proxy_with_scheme(machine: Blueprint, _: Site) -> None:
    """The proxy for web requests was given as a URL."""
    machine.settings |= {"Octopus.Proxy.ProxyHost": f"http://{_PROXY}:3128", "Octopus.Proxy.ProxyPort": "3128"}


def proxy_without_port(machine: Blueprint, _: Site) -> None:
    """What stands for the port of the proxy for web requests is a word."""
    machine.settings |= {"Octopus.Proxy.ProxyHost": _PROXY, "Octopus.Proxy.ProxyPort": "http"}


def proxy_overruled(machine: Blueprint, _: Site) -> None:
    """A proxy for web requests is set, and the default proxy wins."""
    machine.settings |= {
        "Octopus.Proxy.ProxyHost": _PROXY,
        "Octopus.Proxy.ProxyPort": "3128",
        "Octopus.Proxy.UseDefaultProxy": "true",
    }


def polls_through_its_server(machine: Blueprint, site: Site) -> None:
    """Its server was given as the proxy to poll through, after the process had started without one."""
    server = site.servers_of(machine)[0]
    machine.log.before_proxy = True
    machine.settings |= {
        "Octopus.Server.Proxy.ProxyHost": f"{server.name}.lab",
        "Octopus.Server.Proxy.ProxyPort": str(server.port),
    }


def polls_through_dead_proxy(machine: Blueprint, _: Site) -> None:
    """Nobody listens at the address that was given as the proxy to poll through."""
    _poll_through(machine)


def polls_through_locked_proxy(machine: Blueprint, site: Site) -> None:
    """The proxy wants a user and a password, and none are configured."""
    _poll_through(machine, {f"{server.name}.lab": 407 for server in site.servers_of(machine)})


def polls_through_choosy_proxy(machine: Blueprint, site: Site) -> None:
    """The proxy forbids CONNECT to its first server, and does not get through to the others."""
    names = [f"{server.name}.lab" for server in site.servers_of(machine)]
    _poll_through(machine, dict.fromkeys(names, 502) | {names[0]: 403})


def _poll_through(machine: Blueprint, statuses: dict[str, int] | None = None) -> None:
    """A proxy on an address of its own."""
    address = elsewhere(machine)
    machine.settings |= {"Octopus.Server.Proxy.ProxyHost": address, "Octopus.Server.Proxy.ProxyPort": str(_PROXY_PORT)}
    if statuses is not None:
        machine.beside.append(lambda: RefusingProxy(address, _PROXY_PORT, statuses))


FAULTS = (
    wrong_mode, waits_for_servers, wrong_port, no_listen, nobody_trusted, other_server_trusted, invisible_character,
    lower_case_thumbprint, incomplete_polling, half_an_entry, retired_server, wrong_polling_port, foreign_listen_ip,
    proxy_with_scheme, proxy_without_port, proxy_overruled, polls_through_its_server, polls_through_dead_proxy,
    polls_through_locked_proxy, polls_through_choosy_proxy,
)  # fmt: skip
