"""The lab's inventory for a benchmark: N healthy machines, half of them listening, half polling."""

from __future__ import annotations

from typing import Literal

from pytest_tentacle.inventory.model import (
    SSH,
    Inventory,
    Mode,
    NoTransport,
    OctopusServer,
    OperatingSystem,
    Tentacle,
    WinRM,
)

Kind = Literal["windows", "linux", "both"]
SERVER = "octo-1"


def lab_inventory(machines: int, kind: Kind) -> Inventory:
    """Machines to be started by the lab.

    The Octopus Server is one of the N where there are Windows machines. Among Linux machines alone it is one that
    nobody can log on to, as Octopus Cloud is, and is none of the N.
    """
    has_server = kind != "linux"
    windows = {"windows": machines, "linux": 0, "both": (machines + 1) // 2}[kind]
    tentacles = []
    for number in range(1 if has_server else 0, machines):
        is_windows = number < windows
        name = f"{'win' if is_windows else 'lin'}-{number:04}"
        tentacles.append(
            Tentacle(
                name=name,
                os=OperatingSystem.WINDOWS if is_windows else OperatingSystem.LINUX,
                mode=(Mode.LISTENING, Mode.POLLING)[number % 2],
                servers=(SERVER,),
                # the lab fills in the rest
                transport=WinRM(host=name) if is_windows else SSH(host=name),
            )
        )
    server = OctopusServer(
        name=SERVER, os=OperatingSystem.WINDOWS, transport=WinRM(host=SERVER) if has_server else NoTransport()
    )
    return Inventory(servers=(server,), tentacles=tuple(tentacles), is_lab=True)


def role(machine: OctopusServer | Tentacle) -> str:
    """Which of the canned answers fits a machine."""
    return "server" if isinstance(machine, OctopusServer) else str(machine.mode)
