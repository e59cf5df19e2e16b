"""What the lab's faults share: what they may need besides the machine, and the ways in which several break one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_tentacle.lab.blueprint import PID, POLLING_STYLE, Blueprint, Trust
from pytest_tentacle.lab.halibut.listener import LabCertificate
from pytest_tentacle.lab.log_entries import BANNER, Lost

OTHER_PID = 4711
_LOST_PID = 4300
NIGHTLY = "2026-01-05T03:12:00Z"


class Site:
    """What a fault may need besides the machine itself.

    Attributes:
        fresh: makes one more certificate with the given common name.
        machines: blueprints by name.
        server_port: the polling port of the lab's Octopus Server.
        servers: by Tentacle, the servers that the inventory declares for it, by name.
    """

    def __init__(
        self,
        fresh: Callable[[str], LabCertificate],
        machines: dict[str, Blueprint],
        server_port: int,
        servers: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.fresh = fresh
        self.machines = machines
        self.server_port = server_port
        self.servers = servers

    def servers_of(self, machine: Blueprint) -> list[Blueprint]:
        """The declared servers of a Tentacle, in the inventory's order."""
        return [self.machines[name] for name in self.servers[machine.name]]

    def other(self, machine: Blueprint, *, polls: bool | None = None) -> Blueprint:
        """The machine of this kind that stands before this one in the inventory."""
        names = list(self.machines)
        before = (self.machines[name] for name in reversed(names[: names.index(machine.name)]))
        return next(one for one in before if polls is None or polls == any(trust.address for trust in one.trusts))


def polling_trust(server: Blueprint, thumbprint: str, subscriber: str) -> Trust:
    """A healthy polling entry for a server."""
    subscription = f"poll://{subscriber.replace('-', '').lower():x<20.20}/"
    return Trust(thumbprint, POLLING_STYLE, f"https://{server.name}.lab:{server.port}", subscription)


def service_of(machine: Blueprint) -> dict[str, Any]:
    """The machine's service, which a fault before this one has left in its place."""
    assert machine.service is not None  # noqa: S101
    return machine.service


def stop(machine: Blueprint, state: str) -> None:
    """The service does not run: no process, no socket."""
    service_of(machine).update(state=state, pid=0, sub_state="dead", started_utc=None)
    machine.processes = [process for process in machine.processes if process["pid"] != PID]
    close(machine)


def end(machine: Blueprint) -> None:
    """The service cannot run; another fault may have said already how it ended."""
    if machine.service is not None and machine.service["state"] == "running":
        stop(machine, "stopped")


def lose(
    machine: Blueprint,
    minutes_ago: float,
    *records: tuple[str, str],
    command: str | None = None,
    instance: str = "Tentacle",
) -> None:
    """A start of the service ends before it knows its home, and so in another log than the instance's own."""
    pid = _LOST_PID + len(machine.log.lost)
    machine.log.lost.append(Lost(minutes_ago, pid, instance, records, command))


def lose_missing(machine: Blueprint, path: str) -> None:
    """A start that came to looking for a file that is not there (tentacle-seen 4.2)."""
    text = (
        f"The configuration file for instance Tentacle could not be located at the specified location {path}. The file "
        "might have been manually removed without properly removing the instance and as such it is still listed as "
        "present. Please run Tentacle delete-instance --instance=Tentacle"
    )
    lose(machine, 4.5, ("FATAL", text), command="RunAgentCommand")


def lose_configuration(machine: Blueprint, trouble: str) -> None:
    """Two starts that a file of settings ended which is there and cannot be read (tentacle-seen 4.2)."""
    text = f"Unable to parse configuration key 'Octopus.Home' as a 'String'. Value was ''.\n{trouble}"
    for minutes_ago in (5.0, 4.0):
        lose(machine, minutes_ago, ("ERROR", BANNER), ("FATAL", text))


def close(machine: Blueprint) -> None:
    """Nobody listens any more, and no connection is held."""
    machine.presents, machine.foreign, machine.sockets = None, None, []


def behind(machine: Blueprint, box: Callable[[str, int, str], Any]) -> None:
    """Put a middle box, a starter of (outer address, port, address), in front of the machine."""
    machine.outer = elsewhere(machine)
    machine.box = box


def elsewhere(machine: Blueprint) -> str:
    """A lab address that belongs to no machine: the machine's own, in the half that is kept for this."""
    first, second, third, last = machine.address.split(".")
    return f"{first}.{second}.{third}.{int(last) + 100}"


def process(name: str, pid: int, parent: int, machine: Blueprint) -> dict[str, Any]:
    """A process of the system's own folder of programs, since long ago."""
    folder = "C:\\Windows\\System32\\" if machine.is_windows else "/usr/bin/"
    return {
        "pid": pid,
        "parent_pid": parent,
        "name": name,
        "executable": folder + name,
        "command_line": folder + name,
        "started_utc": NIGHTLY,
        "user": "SYSTEM" if machine.is_windows else "root",
    }
