"""`--tentacle web-01 --server octo-1`: machines named on the command line, as entries of an inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_tentacle.inventory.faults import Place
from pytest_tentacle.inventory.nodes import MapValue
from pytest_tentacle.inventory.secrets import Secret
from pytest_tentacle.octopus.addresses import is_address

from .plain import nodes_of

PLACE = Place("--tentacle")

HERE = "this machine"
"""Stands for the server where none is named: the Tentacle is looked at from here."""


@dataclass(frozen=True)
class NamedMachines:
    """What the command line says of machines that no file declares.

    Attributes:
        tentacles: their names or addresses, with or without `:port`.
        servers: those of the server nodes at the other end.
        port: that listening Tentacles listen on.
        transport: kind of log-on to all of them; None: they are looked at from outside alone.
        password: asked for, never written.
    """

    tentacles: tuple[str, ...]
    servers: tuple[str, ...] = ()
    port: int | None = None
    mode: str | None = None
    transport: str | None = None
    user: str | None = None
    password: Secret | None = None

    def root(self) -> MapValue:
        """The root of an inventory."""
        password = self.password.get_secret_value() if self.password else None
        log_on = {"kind": self.transport, "user": self.user, "password": password}
        transport = {key: value for key, value in log_on.items() if value is not None}
        servers = [{"name": name, **_address(name), **_with(transport=transport)} for name in self.servers]
        if not transport:  # our own look stands for theirs: there is no other
            servers = [{**server, "vantage": "controller"} for server in servers or [{"name": HERE}]]
        tentacles = []
        for named in self.tentacles:
            host, port = _split(named)
            entry: dict[str, Any] = {"name": host, **_address(host)}
            mode = self.mode or (None if transport else "listening")  # seen from outside, only a port can be seen
            entry |= _with(mode=mode, port=port or self.port, transport=transport)
            if servers:
                entry["servers"] = [server["name"] for server in servers]
            tentacles.append(entry)
        return nodes_of(_with(servers=servers, tentacles=tentacles), PLACE)


def _with(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _address(host: str) -> dict[str, str]:
    return {"ip" if is_address(host) else "dns_name": host}


def _split(named: str) -> tuple[str, int | None]:
    """`web-01:10933`, `[fd00::7]:10933`, an IPv6 address alone."""
    host, colon, port = named.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return named.strip("[]"), None
